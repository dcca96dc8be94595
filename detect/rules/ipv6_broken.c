/* ipv6-broken: IPv6 fails where IPv4 works.
 *
 * A rule of the fourth stage, at the end of the capture. A machine's IPv4 and IPv6 addresses have
 * its MAC address in common; where the capture shows only a router's, all behind it are compared as
 * one. Deliberately silent about an IPv6 attempt that was dropped for a faster IPv4 one (RFC 8305):
 * such attempts are never judged to have failed. */
#include <stdio.h>

#include "base/count.h"
#include "base/text.h"
#include "detect/judge.h"

/* One failure is chance; without MAC addresses unlike machines are compared. */
enum { FAILURES_NEEDED = 2, FAILURES_WITHOUT_MAC = 4, FAILURES_CERTAIN = 5 };

static bool is_broken(const struct family_pair *pair)
{
    uint32_t needed = pair->has_mac ? FAILURES_NEEDED : FAILURES_WITHOUT_MAC;
    return pair->v6_failed >= needed && !pair->v6_worked && pair->v4_worked > pair->v4_failed;
}

static void describe(const struct family_pair *pair, struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE];
    address_text(&pair->v6_client, client);
    finding_say(finding->summary, sizeof finding->summary,
                "IPv6 to Apple fails on port %u while IPv4 works: %s over IPv6 found no way (the "
                "first from %s), %s over IPv4 worked",
                pair->port, COUNTED(pair->v6_failed, "attempt"), client,
                COUNTED(pair->v4_worked, "session"));
    if (pair->has_mac)
        finding_say(finding->reasoning, sizeof finding->reasoning,
                    "All came from MAC address %02x:%02x:%02x:%02x:%02x:%02x, so from one machine "
                    "or from behind one router: IPv6 has no way to %s there that IPv4 has.",
                    pair->mac[0], pair->mac[1], pair->mac[2], pair->mac[3], pair->mac[4],
                    pair->mac[5], pair->several_servers ? "several of Apple's servers" : "Apple");
    else
        finding_say(finding->reasoning, sizeof finding->reasoning,
                    "The capture has no MAC addresses; all its clients were compared together.");
    finding_add_frame(finding, pair->v6_frame, pair->v6_first_ns, "the first SYN over IPv6");
    finding_say(finding->display_filter, sizeof finding->display_filter,
                "ipv6.addr == %s && tcp.port == %u", client, pair->port);
}

static void raise(struct judge *judge, const struct event *event, const struct family_pair *pair)
{
    struct finding finding = judge_draft(judge, event);
    finding.confidence = !pair->has_mac                        ? CONFIDENCE_POSSIBLE
                         : pair->v6_failed >= FAILURES_CERTAIN ? CONFIDENCE_CERTAIN
                                                               : CONFIDENCE_LIKELY;
    finding.client_ip = pair->v6_client;
    finding.server_ip = pair->v6_server;
    finding.server_port = pair->port;
    finding.flow_number = pair->v6_flow;
    finding.lane = pair->lane;
    finding.first_ns = pair->v6_first_ns;
    finding.last_ns = pair->v6_last_ns;
    finding.count = pair->v6_failed;
    describe(pair, &finding);
    judge_raise(judge, &finding);
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    const struct family_pair *pair;
    (void)state;
    for (uint32_t i = 0; (pair = judge_family_pair(judge, i)) != NULL; i++)
        if (is_broken(pair))
            raise(judge, event, pair);
}

const struct detector detector_ipv6_broken = {
    .code = "ipv6-broken",
    .title = "IPv6 to Apple is broken",
    .meaning = "Devices try IPv6 first where they have it. Each connection waits for it to fail "
               "before IPv4 is used, and devices on networks with IPv6 only get no notifications.",
    .rests_on = "Attempts over IPv6 that were answered by silence, a reset or an ICMPv6 error, "
                "none that worked, and sessions over IPv4 from the same MAC address to the same "
                "port that worked. One working IPv6 session would prove it wrong.",
    .looks_like = "ipv6 && tcp.port == 5223: SYNs without SYN-ACK, or ICMPv6 type 1; beside ip && "
                  "tcp.port == 5223 with complete handshakes of the same eth.src.",
    .innocent = "Machines race IPv6 and IPv4 and drop the slower attempt after a moment: such "
                "attempts are not counted. A port that fails over both is the port's finding.",
    .remedy = "Give IPv6 the rules that IPv4 has: outbound TCP 5223, 443 (devices), 443 or 2197 "
              "(MDM servers) to 2620:149:a44::/48, 2403:300:a42::/48, 2403:300:a51::/48 and "
              "2a01:b740:a42::/48, stateful, ICMPv6 allowed; or route IPv6 to the Internet, or "
              "stop announcing it.",
    .severity = SEVERITY_WARN,
    .kind = BLOCK_FAMILY,
    .scope = SCOPE_SITE,
    .requirements = AGAINST(R9_IPV6),
    .events = ON(EVENT_CAPTURE_END),
    .observe = observe,
};
