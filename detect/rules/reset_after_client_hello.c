/* reset-after-client-hello: TCP is accepted, and the ClientHello is answered by a cut.
 *
 * A rule of the fourth stage: the name or application filter. Rests on the order of things (the
 * handshake passed, the hello did not, the server had not said a byte) and weighs repetition and
 * comparison as the port rules do. Where the cut was forged it says by what that shows; it leaves
 * cuts in mid-session to reset-injected. */
#include <stdio.h>

#include "attempts.h"
#include "hello.h"
#include "resets.h"

static void describe(const struct flow_record *flow, const struct sender *sender,
                     struct finding *finding)
{
    const struct flow_evidence *evidence = flow->evidence;
    const struct cut_evidence *cut = &evidence->cut;
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], delay[DURATION_TEXT_SIZE];
    char hello[128], by[96], signs[FINDING_REASONING_SIZE];
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    duration_text(cut->proof.time_ns - evidence->hello.last.time_ns, delay);
    hello_name(flow, hello, sizeof hello);
    sender_name(sender, by, sizeof by);
    finding_say(finding->summary, sizeof finding->summary,
                "%s reached %s, sent %s, and was cut off %s later by %s, sent %s", client, server,
                hello, delay, cut->is_fin ? "a FIN" : "an RST", by);
    reset_explain(flow, DOWN, signs, sizeof signs);
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "TCP was accepted, and the session was ended as soon as the ClientHello, which "
                "names the service, was on its way, before the server said a byte.%s%s",
                *signs ? " " : "", signs);
}

static void show(const struct flow_record *flow, struct finding *finding)
{
    const struct cut_evidence *cut = &flow->evidence->cut;
    hello_show(flow, finding);
    if (cut->is_fin)
        finding_add_frame(finding, cut->proof.frame, cut->proof.time_ns, "FIN, TTL %d", cut->ttl);
    else
        reset_show(flow, DOWN, finding);
}

/* One server that closes, from where Apple is or from where nobody can tell: its own matter. */
static bool is_chance(const struct attempt_case *attempt_case, const struct sender *sender,
                      const struct flow_record *flow)
{
    bool is_forged = flow->ended_by == ENDED_FORGED_RESET;
    return attempt_case && attempt_case->attempts == 1 && !sender->is_near && !is_forged;
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    struct attempts *attempts = state;
    const struct flow_record *flow = event->flow;
    if (!hello_is_due(judge, attempts, event, HELLO_CUT))
        return;
    struct sender sender = sender_of_end(judge, flow);
    struct attempt_case *attempt_case = attempts_note(attempts, flow);
    if (attempt_case) {
        attempt_case->connects = true;
        attempt_case->is_near |= sender.is_near;
        attempt_case->is_far = !attempt_case->is_near && sender.is_far;
    }
    struct finding finding;
    if (is_chance(attempt_case, &sender, flow) ||
        !attempts_draft(judge, attempt_case, event, &finding))
        return;
    describe(flow, &sender, &finding);
    show(flow, &finding);
    finding.blocker_hops = sender.is_near ? sender.hops : -1;
    finding.blocker_is_far = sender.is_far;
    finding_name_mac(&finding, flow);
    attempts_raise(judge, attempt_case, &finding);
}

const struct detector detector_reset_after_client_hello = {
    .code = "reset-after-client-hello",
    .title = "Cut off at the ClientHello",
    .meaning = "The port is open, but the connection is cut as soon as the device says which "
               "service it wants: a filter by name (SNI), category or application. Devices try "
               "the other port, where mostly the same happens, and get no notifications.",
    .rests_on = "An accepted connection, the ClientHello, and then at once an RST or FIN of the "
                "server's side with the sequence number of a server that has not sent a byte. "
                "Twice, or once where the TTL shows that a nearer box sent it. A session of the "
                "same device that works on this port would prove a few cuts to be chance.",
    .looks_like = "SYN, SYN-ACK, ACK, Client Hello (tls.handshake.type == 1), and then instead of "
                  "a Server Hello tcp.flags.reset == 1 or tcp.flags.fin == 1 from the server. "
                  "Compare ip.ttl of the RST with ip.ttl of the SYN-ACK.",
    .innocent = "The device's own RST, a close after the server's alert or data, one cut by one "
                "server of Apple's, a client that gave up first, and a capture that misses the "
                "server's answer (the client acknowledges bytes that are not there) do not count.",
    .remedy = "In the firewall or web filter at the distance named, allow the application Apple "
              "Push Notifications and the names *.push.apple.com without inspection on TCP 5223, "
              "443 and 2197, and look in its log for a session reset of this client at the time "
              "named. A port rule alone does not help: the port is already open.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_NAME,
    .scope = SCOPE_DEVICE,
    .is_of_its_port = true,
    .requirements = AGAINST(R1_PORT_5223) | AGAINST(R2_FALLBACK_443) | AGAINST(R4_DIRECT) |
                    AGAINST(R6_MDM_SERVER),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct attempts),
    .observe = observe,
};
