/* unexpected-protocol: what is spoken on a push port at Apple's is not TLS.
 *
 * A rule of the fourth stage. Rests on the first bytes of the client. Deliberately silent where
 * those bytes were not all captured or the session began before the capture. */
#include "detect/judge.h"

static bool is_fully_seen(const struct flow_record *flow)
{
    const uint32_t spoils = SAW_CUT_PAYLOAD | SAW_GAP_UP;
    return (flow->saw & SAW_SYN) && (flow->saw & SAW_HANDSHAKE) && !(flow->saw & spoils) &&
           flow->outcome != OUTCOME_MIDSTREAM && flow->outcome != OUTCOME_ONE_SIDED;
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    (void)state;
    const struct flow_record *flow = event->flow;
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE];
    bool is_push_port = flow->server_port == 5223 || flow->server_port == 2197;
    if (!(flow->saw & SAW_NOT_TLS) || flow->saw & SAW_CLIENT_HELLO || !is_push_port ||
        !flow->server_is_apple || !flow->bytes_up || !is_fully_seen(flow))
        return;
    const char *protocol = flow->ndpi_protocol ? flow->ndpi_protocol : "no known protocol";
    struct finding finding = judge_draft(judge, event);
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    finding_say(finding.summary, sizeof finding.summary,
                "%s spoke %.60s to %s, not TLS: %llu bytes up, %llu down", client, protocol, server,
                (unsigned long long)flow->bytes_up, (unsigned long long)flow->bytes_down);
    finding_say(finding.reasoning, sizeof finding.reasoning,
                "The first bytes of the client are no TLS record (RFC 8446 section 5.1), and APNs "
                "is TLS from its first byte.");
    finding_add_frame(&finding, flow->first_frame, flow->started_ns, "the session begins");
    judge_raise(judge, &finding);
}

const struct detector detector_unexpected_protocol = {
    .code = "unexpected-protocol",
    .title = "Something other than TLS on a push port",
    .meaning = "A client speaks something that is not APNs to Apple on an APNs port: a port test "
               "by hand, a tunnel, or a box that rewrites the traffic.",
    .rests_on = "A session seen from its SYN whose first client bytes are no TLS record, on 5223 "
                "or 2197 at an Apple address.",
    .looks_like = "tcp.port == 5223 && tcp.len > 0 && !tls, right after the handshake.",
    .innocent = "Sessions seen from their middle, with cut or missing packets, and XMPP or other "
                "services on 5223 elsewhere are not reported.",
    .remedy = "Find out what runs on the client named. If it is an Apple device, look for a proxy "
              "or filter in front of it that rewrites traffic on this port.",
    .severity = SEVERITY_WARN,
    .scope = SCOPE_DEVICE,
    .requirements = 0,
    .events = ON(EVENT_FLOW_CLOSED),
    .observe = observe,
};
