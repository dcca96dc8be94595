/* port-blocked-silent: SYNs to a push port at Apple's go unanswered.
 *
 * A rule of the fourth stage. Rests on the client alone: it repeats its SYN and never acknowledges
 * an answer, so none reached it, even where the capture shows only its half. Deliberately silent
 * about 2195 and 2196 (nothing answers there any more) and about attempts that ended early. */
#include "attempts.h"

/* The answer was captured on its way, and did not arrive. */
static bool was_answered(const struct flow_record *flow)
{
    return flow->saw & SAW_SYN_ACK;
}

static void explain(const struct flow_record *flow, struct finding *finding)
{
    if (was_answered(flow))
        finding_say(finding->reasoning, sizeof finding->reasoning,
                    "The server's SYN-ACK passed the capture point again and again, and the client "
                    "repeated its SYN and acknowledged none: the answers are lost between the "
                    "capture point and the client.");
    else
        finding_say(finding->reasoning, sizeof finding->reasoning,
                    "The client repeated its SYN and never acknowledged an answer, so none reached "
                    "it: neither a connection, nor a refusal, nor an ICMP error.");
    finding->is_before_capture = was_answered(flow);
}

static void show(const struct flow_record *flow, int64_t last_ns, struct finding *finding)
{
    finding_add_frame(finding, flow->syn_frame, flow->started_ns, "first SYN");
    if (was_answered(flow))
        finding_add_frame(
            finding, flow->syn_ack_frame,
            flow->rtt_server_us >= 0 ? flow->started_ns + flow->rtt_server_us * NS_PER_US
                                     : flow->started_ns,
            "first SYN-ACK, TTL %d, which the client never acknowledges", flow->ttl_server);
    if (flow->last_syn_frame != flow->syn_frame)
        finding_add_frame(finding, flow->last_syn_frame, last_ns, "SYN number %u, unanswered%s",
                          flow->syn_count, was_answered(flow) ? " as far as the client knows" : "");
}

static void describe(const struct flow_record *flow, struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], span[DURATION_TEXT_SIZE];
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    int64_t last_ns = flow->last_syn_ns == TIME_UNKNOWN ? flow->last_ns : flow->last_syn_ns;
    duration_text(last_ns - flow->started_ns, span);
    finding_say(finding->summary, sizeof finding->summary, "%s sent %u SYNs over %s to %s and %s",
                client, flow->syn_count, span, server,
                was_answered(flow) ? "got none of the SYN-ACKs that answered them"
                                   : "nothing came back");
    explain(flow, finding);
    show(flow, last_ns, finding);
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    struct attempts *attempts = state;
    if (event->kind == EVENT_CAPTURE_END) {
        attempts_review(judge, attempts);
        return;
    }
    const struct flow_record *flow = event->flow;
    if (flow->outcome != OUTCOME_NO_ANSWER || !is_attempt_at_apple(flow))
        return;
    if (flow->saw & (SAW_RST_DOWN | SAW_ICMP) || (flow->saw & SAW_DOWN && !was_answered(flow)))
        return; /* something did come back: not this rule's case */
    struct attempt_case *attempt_case = attempts_note(attempts, flow);
    struct finding finding;
    if (!attempts_draft(judge, attempt_case, event, &finding))
        return;
    describe(flow, &finding);
    attempts_raise(judge, attempt_case, &finding);
}

const struct detector detector_port_blocked_silent = {
    .code = "port-blocked-silent",
    .title = "Port blocked without an answer",
    .meaning = "Connections to Apple on this port are dropped on the way. A device waits up to "
               "30 seconds for each attempt before it tries another port; notifications are late, "
               "and stop when no port is left.",
    .rests_on =
        "At least three SYNs over at least 3 seconds (or the device's own limit of 30 "
        "seconds) to an Apple address with no answer of any kind, or with SYN-ACKs that the "
        "client never acknowledges while it repeats its SYN for as long. It is certain when "
        "another port reaches Apple in the same capture. A session of the same device "
        "that works on this port would prove a lone failure to be chance.",
    .looks_like = "A SYN and its retransmissions, nothing from the server: tcp.flags.syn == 1 && "
                  "tcp.port == 5223 && ip.addr == 17.0.0.0/8; in Wireshark the repeats are marked "
                  "tcp.analysis.retransmission.",
    .innocent = "One or two SYNs before a capture ends or a device leaves are not judged. A lone "
                "failure of a device that otherwise gets through on this port is chance and is "
                "not reported. When the mirror carries only the client's half, an accepted "
                "connection still shows the client's ACK, and is then not this. IPv6 attempts "
                "that fail while IPv4 works are another matter.",
    .remedy =
        "Allow outbound TCP 5223 (devices, with 443 as fallback) and TCP 443 or 2197 (MDM "
        "servers) from these clients to 17.0.0.0/8 and, with IPv6, to 2620:149:a44::/48, "
        "2403:300:a42::/48, 2403:300:a51::/48 and 2a01:b740:a42::/48, stateful, without a "
        "proxy. Look for a default-deny or application rule that drops these ports for the "
        "clients' network, and check its log for the destination address. Where SYN-ACKs were "
        "captured, look between the capture point and the client: a firewall that sees only "
        "the way back and drops what it knows no SYN of (asymmetric routing), an access list "
        "for the way in, or a radio that the client no longer hears.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_UNCLEAR,
    .place = PLACE_ON_THE_WAY,
    .scope = SCOPE_DEVICE,
    .is_of_its_port = true,
    .requirements = AGAINST(R1_PORT_5223) | AGAINST(R2_FALLBACK_443) | AGAINST(R6_MDM_SERVER),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct attempts),
    .observe = observe,
};
