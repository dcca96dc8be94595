/* off-net-courier: a push host's name spoken to an address that is not Apple's.
 *
 * A rule of the fourth stage. Rests on the name in the ClientHello and Apple's address table.
 * Deliberately leaves out configuration hosts, part of which Apple itself keeps on a CDN. */
#include <string.h>

#include "detect/judge.h"
#include "model/apple.h"

static bool is_off_net(const struct judge *judge, const struct flow_record *flow)
{
    bool is_push = flow->role == ROLE_COURIER || flow->role == ROLE_PROVIDER;
    if (!is_push || flow->path != PATH_OFF_NET || !flow->sni || is_bag_host(flow->sni))
        return false;
    if (flow->server_is_apple || judge_is_apple(judge, &flow->server_ip) ||
        apple_may_own(&flow->server_ip))
        return false;
    return is_push_host(flow->sni) || flow->reason == SCOPE_BY_NAME;
}

static void describe(const struct event *event, struct finding *finding)
{
    const struct flow_record *flow = event->flow;
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE];
    bool is_private = address_is_private(&flow->server_ip);
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    finding_say(finding->summary, sizeof finding->summary,
                "%s asked %s for %.100s, but that address is not Apple's%s", client, server,
                flow->sni, is_private ? ": it is a private one" : "");
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "Couriers and api.push.apple.com live in 17.0.0.0/8 and Apple's IPv6 ranges only, "
                "so the name was led elsewhere: by DNS, by a rewritten destination, or to %s.",
                is_private ? "a pass-through or an inspecting proxy inside"
                           : "somebody else's server");
    finding_add_frame(finding, flow->hello_frame, event->time_ns, "ClientHello, SNI %.36s",
                      flow->sni);
    finding->blocker_ip = flow->server_ip;
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    (void)state;
    const struct flow_record *flow = event->flow;
    bool is_answered = flow->saw & SAW_SERVER_HELLO;
    if (!is_off_net(judge, flow))
        return;
    /* Once for each session: at its end, when it is known whether the place answered. */
    bool is_device = (flow->alpn && strstr(flow->alpn, "apns")) || flow->role == ROLE_PROVIDER;
    enum confidence confidence = is_answered && is_device ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    if (judge_only_counts(judge, event, confidence))
        return;
    struct finding finding = judge_draft(judge, event);
    finding.confidence = confidence;
    describe(event, &finding);
    judge_raise(judge, &finding);
}

const struct detector detector_off_net_courier = {
    .code = "off-net-courier",
    .title = "Push host at an address that is not Apple's",
    .meaning = "Devices are led to somebody else's server instead of Apple's. A pass-through may "
               "work, but is never the direct connection that Apple asks for; an inspecting proxy "
               "or a sinkhole ends in no notifications.",
    .rests_on = "A ClientHello with a push host's name (SNI) to an address outside 17.0.0.0/8, "
                "Apple's IPv6 ranges and their NAT64 forms. An address of Apple's that the "
                "program's table lacks (--apple-net adds it) would prove it wrong.",
    .looks_like = "tls.handshake.extensions_server_name contains \"push.apple.com\" && !(ip.dst == "
                  "17.0.0.0/8).",
    .innocent = "init-p01st.push.apple.com is on a CDN by Apple's own choice. NAT64 addresses with "
                "17.x inside, addresses in Apple's wider IPv6 allocations and CONNECT to a proxy "
                "are not reported.",
    .remedy = "Remove local DNS records, response policies and destination NAT rules for "
              "*.push.apple.com, so that the names lead to 17.0.0.0/8; where the address named is "
              "a pass-through on purpose, replace it by a firewall rule that allows TCP 5223, 443 "
              "and 2197 to 17.0.0.0/8.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_RESOLUTION,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R4_DIRECT),
    .events = ON(EVENT_FLOW_CLOSED),
    .observe = observe,
};
