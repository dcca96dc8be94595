/* reset-after-client-hello: TCP is accepted, and the ClientHello is answered by a cut.
 *
 * A rule of the fourth stage: the name or application filter. Rests on the order of things (the
 * handshake passed, the hello did not, the server had not said a byte) and weighs repetition and
 * comparison as the port rules do. Where the cut was forged it says by what that shows; it leaves
 * cuts in mid-session to reset-injected. */
#include <stdio.h>

#include "attempts.h"
#include "base/count.h"
#include "base/text.h"
#include "hello.h"
#include "resets.h"
#include "sentences.h"

static void name_cut(const struct flow_record *flow, char *text, size_t size)
{
    char name[ALERT_TEXT_SIZE];
    switch ((enum cut_kind)flow->evidence->cut.kind) {
    case CUT_BY_RESET:
        snprintf(text, size, "an RST");
        break;
    case CUT_BY_FIN:
        snprintf(text, size, "a FIN");
        break;
    case CUT_BY_ALERT:
        snprintf(text, size, "the TLS alert %s", alert_text(flow->alert_down, name));
        break;
    }
}

/* What speaks against the server as the sender of a FIN or an alert. */
static void explain_sender(const struct flow_record *flow, struct text *text)
{
    const struct flow_evidence *evidence = flow->evidence;
    const struct cut_evidence *cut = &evidence->cut;
    char answer[DURATION_TEXT_SIZE], way[DURATION_TEXT_SIZE];
    if (cut_is_nearer(flow))
        text_format(text,
                    " Its TTL of %d puts its sender %s from the capture point, the SYN-ACK (TTL "
                    "%d) came from %d: the server sent no such thing.",
                    cut->ttl, COUNTED(ttl_hops(cut->ttl), "hop"), flow->ttl_server,
                    flow->hops_server);
    if (cut_is_too_fast(flow))
        text_format(text, " It came within %s; the way to the server and back takes %s.",
                    duration_text(cut->proof.time_ns - evidence->hello.last.time_ns, answer),
                    duration_text(flow->rtt_server_us * NS_PER_US, way));
    if (cut->kind == CUT_BY_FIN && flow->saw & SAW_SERVER_DATA)
        text_add(text, " After it the server went on as if nothing had happened.");
}

static void explain(const struct flow_record *flow, struct finding *finding)
{
    char signs[FINDING_REASONING_SIZE];
    struct text text = text_over(finding->reasoning, sizeof finding->reasoning);
    text_add(&text, "TCP was accepted, and the session was ended as soon as the ClientHello, which "
                    "names the service, was on its way, before the server said a byte.");
    if (flow->evidence->cut.kind != CUT_BY_RESET) {
        explain_sender(flow, &text);
        return;
    }
    reset_explain(flow, DOWN, signs, sizeof signs);
    text_format(&text, "%s%s", *signs ? " " : "", signs);
}

static void describe(const struct flow_record *flow, const struct sender *sender,
                     struct finding *finding)
{
    const struct flow_evidence *evidence = flow->evidence;
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], delay[DURATION_TEXT_SIZE];
    char hello[128], by[96], what[64];
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    duration_text(evidence->cut.proof.time_ns - evidence->hello.last.time_ns, delay);
    hello_name(flow, hello, sizeof hello);
    sender_name(sender, by, sizeof by);
    name_cut(flow, what, sizeof what);
    finding_say(finding->summary, sizeof finding->summary,
                "%s reached %s, sent %s, and was cut off %s later by %s, sent %s", client, server,
                hello, delay, what, by);
    explain(flow, finding);
}

static void show(const struct flow_record *flow, struct finding *finding)
{
    const struct cut_evidence *cut = &flow->evidence->cut;
    char what[64];
    hello_show(flow, finding);
    name_cut(flow, what, sizeof what);
    if (cut->kind == CUT_BY_RESET)
        reset_show(flow, DOWN, finding);
    else
        finding_add_frame(finding, cut->proof.frame, cut->proof.time_ns, "%s, TTL %d",
                          cut->kind == CUT_BY_FIN ? "FIN" : what, cut->ttl);
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
                "server's side with the sequence number of a server that has not sent a byte, or a "
                "TLS alert in the server's name from nearer than the SYN-ACK or sooner than the "
                "server can answer. What the real server answers afterwards comes too late. "
                "Twice, or once where the TTL shows that a nearer box sent it. A session of the "
                "same device that works on this port would prove a few cuts to be chance.",
    .looks_like =
        "SYN, SYN-ACK, ACK, Client Hello (tls.handshake.type == 1), and then instead of "
        "a Server Hello tcp.flags.reset == 1, tcp.flags.fin == 1 or tls.alert_message from "
        "the server. Compare its ip.ttl with ip.ttl of the SYN-ACK.",
    .innocent = "The device's own RST, an alert or data of the server's own and a close after it, "
                "one cut by one "
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
