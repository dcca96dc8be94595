/* ipv6-broken: IPv6 fails where IPv4 works.
 *
 * A rule of the fourth stage, decided at the end of the capture. A machine's IPv4 and IPv6
 * addresses have its MAC address in common; where the capture shows only a router's, all behind it
 * are compared as one. Rests on IPv4 that came up between two failures of IPv6: an outage of the
 * whole uplink meets both. Deliberately silent about an IPv6 attempt that was dropped for a faster
 * IPv4 one (RFC 8305): such attempts are never judged to have failed. */
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/counter.h"
#include "base/text.h"
#include "detect/judge.h"

/* One failure is chance. Without MAC addresses unlike machines are compared. */
enum { FAILURES_NEEDED = 2, FAILURES_WITHOUT_MAC = 4, FAILURES_CERTAIN = 5, PORTS = 3 };
/* An outage of IPv6 alone ends within this; fewer than so many failures within it may be one. */
enum { OUTAGE_S = 600, FAILURES_IN_A_MOMENT = 3 };

/* What the device's IPv6 address met on one port. */
struct port_case {
    struct address server; /* of the first failure, as the next four */
    uint64_t flow;
    uint64_t frame;
    int64_t first_ns;
    int64_t last_ns;
    struct address icmp_source; /* who answered it by an ICMP error */
    int16_t icmp_ttl;
    uint16_t failed; /* 0: this place is free */
    uint16_t port;
    bool several_servers;
};

struct state {
    struct port_case cases[PORTS];
};

static void note(struct state *state, const struct flow_record *flow)
{
    int i = 0;
    while (i < PORTS && state->cases[i].failed && state->cases[i].port != flow->server_port)
        i++;
    if (i == PORTS)
        return;
    struct port_case *port_case = &state->cases[i];
    if (!port_case->failed)
        *port_case = (struct port_case){.server = flow->server_ip,
                                        .flow = flow->number,
                                        .frame = flow->syn_frame,
                                        .first_ns = flow->started_ns,
                                        .icmp_source = flow->icmp_source,
                                        .icmp_ttl = flow->icmp_ttl,
                                        .port = flow->server_port};
    port_case->several_servers |= !address_equal(&port_case->server, &flow->server_ip);
    port_case->last_ns = flow->last_ns;
    counter_up(&port_case->failed);
}

/* By the machine, or all behind its router. IPv4 that failed in the same time, half as often as
 * IPv6 and more, was in the same trouble. */
static bool weigh(const struct family_pair *pair, enum confidence *confidence)
{
    uint32_t needed = pair->has_mac ? FAILURES_NEEDED : FAILURES_WITHOUT_MAC;
    bool is_moment = pair->v6_last_s - pair->v6_first_s < OUTAGE_S;
    if (is_moment && needed < FAILURES_IN_A_MOMENT)
        needed = FAILURES_IN_A_MOMENT;
    *confidence = !pair->has_mac || is_moment           ? CONFIDENCE_POSSIBLE
                  : pair->v6_failed >= FAILURES_CERTAIN ? CONFIDENCE_CERTAIN
                                                        : CONFIDENCE_LIKELY;
    return pair->v6_failed >= needed && !pair->v6_worked && 2 * pair->v4_failed < pair->v6_failed &&
           timeline_has(&pair->v4_times, pair->v6_first_s, pair->v6_last_s);
}

static void explain(const struct port_case *port_case, const struct family_pair *pair,
                    struct finding *finding)
{
    const uint8_t *mac = pair->mac;
    struct text text = text_over(finding->reasoning, sizeof finding->reasoning);
    if (pair->has_mac)
        text_format(&text,
                    "All came from MAC address %02x:%02x:%02x:%02x:%02x:%02x, so from one machine "
                    "or from behind one router: IPv6 has no way to %s there that IPv4 has. ",
                    mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
                    port_case->several_servers ? "several of Apple's servers" : "Apple");
    else
        text_add(&text, "The capture has no MAC addresses; all its clients were compared "
                        "together. ");
    text_add(&text, "IPv4 came up between the failures of IPv6, so the uplink was not out");
    text_add(&text, pair->v6_last_s - pair->v6_first_s < OUTAGE_S
                        ? "; but all lie within ten minutes, and a short outage of IPv6 alone "
                          "would look the same."
                        : ".");
}

static void describe(const struct port_case *port_case, const struct family_pair *pair,
                     struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE];
    address_text(&finding->client_ip, client);
    finding_say(finding->summary, sizeof finding->summary,
                "IPv6 to Apple fails on port %u while IPv4 works: %s of %s over IPv6 found no way, "
                "%s over IPv4 worked",
                port_case->port, COUNTED(port_case->failed, "attempt"), client,
                COUNTED(pair->v4_worked, "session"));
    explain(port_case, pair, finding);
    finding_add_frame(finding, port_case->frame, port_case->first_ns, "the first SYN over IPv6");
    finding_say(finding->display_filter, sizeof finding->display_filter,
                "ipv6.addr == %s && tcp.port == %u", client, port_case->port);
}

static void decide(struct judge *judge, const struct port_case *port_case,
                   const struct event *event)
{
    const struct family_pair *pair = judge_family_pair(judge, port_case->port);
    enum confidence confidence;
    if (!pair || !weigh(pair, &confidence))
        return;
    struct finding finding = judge_draft(judge, event);
    judge_name_device(judge, &finding);
    finding.confidence = confidence;
    finding.server_ip = port_case->server;
    finding.server_port = port_case->port;
    finding.flow_number = port_case->flow;
    finding.first_ns = port_case->first_ns;
    finding.last_ns = port_case->last_ns;
    finding.count = port_case->failed;
    finding.blocker_ip = port_case->icmp_source;
    if (!address_is_unspecified(&port_case->icmp_source))
        finding.blocker_hops = hops_of_ttl(port_case->icmp_ttl);
    describe(port_case, pair, &finding);
    judge_raise(judge, &finding);
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    if (event->kind == EVENT_CAPTURE_END) {
        for (int i = 0; i < PORTS && state->cases[i].failed; i++)
            decide(judge, &state->cases[i], event);
        return;
    }
    const struct flow_record *flow = event->flow;
    if (flow->ip_version == 6 && flow->server_is_apple && way_of(flow) != WAY_NONE &&
        flow_is_unreached(flow))
        note(state, flow);
}

const struct detector detector_ipv6_broken = {
    .code = "ipv6-broken",
    .title = "IPv6 to Apple is broken",
    .meaning = "Devices try IPv6 first where they have it. Each connection waits for it to fail "
               "before IPv4 is used, and devices on networks with IPv6 only get no notifications.",
    .rests_on = "Attempts over IPv6 that were answered by silence, a reset or an ICMPv6 error, "
                "none that worked, and sessions over IPv4 from the same MAC address to the same "
                "port that came up between them. One working IPv6 session would prove it wrong.",
    .looks_like = "ipv6 && tcp.port == 5223: SYNs without SYN-ACK, or ICMPv6 type 1; beside ip && "
                  "tcp.port == 5223 with complete handshakes of the same eth.src.",
    .innocent = "Machines race IPv6 and IPv4 and drop the slower attempt after a moment: such "
                "attempts are not counted. A port that fails over both is the port's finding, and "
                "an outage of the uplink meets IPv4 too. Two failures within ten minutes are not "
                "reported, more only as possible.",
    .remedy = "Give IPv6 the rules that IPv4 has: outbound TCP 5223, 443 (devices), 443 or 2197 "
              "(MDM servers) to 2620:149:a44::/48, 2403:300:a42::/48, 2403:300:a51::/48 and "
              "2a01:b740:a42::/48, stateful, ICMPv6 allowed; or route IPv6 to the Internet, or "
              "stop announcing it.",
    .severity = SEVERITY_WARN,
    .kind = BLOCK_FAMILY,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R9_IPV6),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct state),
    .observe = observe,
};
