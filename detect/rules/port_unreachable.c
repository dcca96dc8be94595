/* port-unreachable: an ICMP error answers the SYN.
 *
 * A rule of the fourth stage. The ICMP's sender names itself: it is the router that refuses.
 * Deliberately knows only the codes that say "no way" or "not allowed" for good; others
 * (fragmentation needed, no route for a family that a device merely tries) are not blame. "Time
 * exceeded" comes here only for a SYN that left with more hops than any way has (session_icmp.c).
 * "Port unreachable" answers a TCP SYN only where a packet filter says so: a host without a
 * listener sends a reset. It is what nftables and iptables send when a rule says just "reject". */
#include "attempts.h"

enum why { NO_WAY, FORBIDDEN, CIRCLE, WHY_COUNT };

struct unreachable {
    uint8_t ip_version;
    uint8_t type;
    uint8_t code;
    enum why why;
    const char *name;
};

static const struct unreachable codes[] = {
    {4, 3, 0, NO_WAY, "network unreachable"},     /* RFC 792 */
    {4, 3, 1, NO_WAY, "host unreachable"},        /* RFC 792 */
    {4, 3, 2, FORBIDDEN, "protocol unreachable"}, /* every host speaks TCP: a filter */
    {4, 3, 3, FORBIDDEN, "port unreachable"},     /* a filter's default, see below */
    {4, 3, 5, NO_WAY, "source route failed"},     /* RFC 792 */
    {4, 3, 6, NO_WAY, "network unknown"},         /* RFC 1122 section 3.2.2.1, to 12 */
    {4, 3, 7, NO_WAY, "host unknown"},
    {4, 3, 8, NO_WAY, "source host isolated"},
    {4, 3, 9, FORBIDDEN, "network prohibited"}, /* RFC 1812 section 5.2.7.1 */
    {4, 3, 10, FORBIDDEN, "host prohibited"},   /* RFC 1812 section 5.2.7.1 */
    {4, 3, 11, NO_WAY, "network unreachable for type of service"},
    {4, 3, 12, NO_WAY, "host unreachable for type of service"},
    {4, 3, 13, FORBIDDEN, "administratively prohibited"}, /* RFC 1812 section 5.2.7.1, to 15 */
    {4, 3, 14, FORBIDDEN, "host precedence violation"},
    {4, 3, 15, FORBIDDEN, "precedence cutoff in effect"},
    {6, 1, 1, FORBIDDEN, "administratively prohibited"},  /* RFC 4443 section 3.1 */
    {6, 1, 4, FORBIDDEN, "port unreachable"},             /* likewise */
    {6, 1, 5, FORBIDDEN, "source address failed policy"}, /* RFC 4443 section 3.1 */
    {6, 1, 6, FORBIDDEN, "reject route"},                 /* RFC 4443 section 3.1 */
    {4, 11, 0, CIRCLE, "time exceeded"},                  /* RFC 792 */
    {6, 3, 0, CIRCLE, "time exceeded"},                   /* RFC 4443 section 3.3 */
};

static const struct unreachable *code_of(const struct flow_record *flow)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].ip_version == flow->ip_version && codes[i].type == flow->icmp_type &&
            codes[i].code == flow->icmp_code)
            return &codes[i];
    return NULL;
}

static const char *const reasons[WHY_COUNT] = {
    [NO_WAY] = "The error quotes this SYN and says that its sender has no way to pass it on: a "
               "missing route or a failed uplink rather than a rule.",
    [FORBIDDEN] = "The error quotes this SYN and says that a rule forbids it; its sender is the "
                  "box with the rule.",
    [CIRCLE] = "The SYN passed here with more hops left than any way has, and used them all up: "
               "routers send it round in a circle, and the sender of the error is one of them.",
};

static void describe(const struct flow_record *flow, const struct unreachable *code,
                     struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], router[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE];
    address_text(&flow->client_ip, client);
    address_text(&flow->icmp_source, router);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    finding_say(finding->summary, sizeof finding->summary,
                "%s cannot reach %s: %s answers its SYN with ICMP%s \"%s\" (type %u, code %u)",
                client, server, router, flow->ip_version == 6 ? "v6" : "", code->name, code->type,
                code->code);
    finding_say(finding->reasoning, sizeof finding->reasoning, "%s", reasons[code->why]);
    finding_add_frame(finding, flow->syn_frame, flow->started_ns, "SYN");
    finding_add_frame(finding, flow->icmp_frame, flow->icmp_ns, "ICMP type %u code %u from %s",
                      code->type, code->code, router);
    if (code->why != FORBIDDEN)
        finding->kind = BLOCK_ROUTE;
    finding->blocker_ip = flow->icmp_source;
    finding->blocker_hops = hops_of_ttl(flow->icmp_ttl);
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    struct attempts *attempts = state;
    if (event->kind == EVENT_CAPTURE_END) {
        attempts_review(judge, attempts);
        return;
    }
    const struct flow_record *flow = event->flow;
    if (flow->outcome != OUTCOME_UNREACHABLE || !is_attempt_at_apple(flow))
        return;
    const struct unreachable *code = code_of(flow);
    if (!code)
        return;
    struct attempt_case *attempt_case = attempts_note(attempts, flow);
    if (attempt_case) {
        attempt_case->is_near |=
            code->why == FORBIDDEN && !judge_is_apple(judge, &flow->icmp_source);
        attempt_case->is_far = !attempt_case->is_near && judge_is_apple(judge, &flow->icmp_source);
    }
    struct finding finding;
    if (!attempts_draft(judge, attempt_case, event, &finding))
        return;
    describe(flow, code, &finding);
    attempts_raise(judge, attempt_case, &finding);
}

const struct detector detector_port_unreachable = {
    .code = "port-unreachable",
    .title = "Connection answered with an ICMP error",
    .meaning = "A router on the way declares Apple unreachable or the connection forbidden. "
               "Devices turn to another port at once, and are cut off when none is left.",
    .rests_on =
        "An ICMP error (type 3, any code but 4) or ICMPv6 error (type 1, code 1, "
        "4, 5 or 6), or \"time exceeded\" (type 11; ICMPv6 type 3) for a SYN that had more than "
        "32 hops left, that quotes the SYN, with no connection afterwards. A working session of "
        "the same device on this port would prove a lone error to be a passing outage.",
    .looks_like = "icmp.type == 3 || icmp.type == 11 || icmpv6.type == 1, with the SYN quoted in "
                  "it; ip.src is the "
                  "router that refuses.",
    .innocent = "An error that quotes a later packet of a session, codes that do not mean refusal, "
                "\"time exceeded\" for what traces a route, a lone \"host unreachable\" while an "
                "uplink recovers when sessions on this port "
                "work too, and IPv6 errors of a device whose IPv4 works are not reported.",
    .remedy = "On the router named: for \"prohibited\", \"policy\", \"reject\", \"port\" or "
              "\"protocol unreachable\" allow outbound TCP 5223 and 443 (devices), 443 or 2197 "
              "(MDM servers) "
              "to 17.0.0.0/8 and Apple's IPv6 ranges; for \"network\" or \"host unreachable\" "
              "repair its route to these addresses; for \"time exceeded\" mend the routes "
              "between it and its neighbours, which send these addresses to each other.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_UNCLEAR,
    .scope = SCOPE_DEVICE,
    .is_of_its_port = true,
    .requirements = AGAINST(R1_PORT_5223) | AGAINST(R2_FALLBACK_443) | AGAINST(R6_MDM_SERVER),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct attempts),
    .observe = observe,
};
