/* stall-after-client-hello: TCP is accepted, and the ClientHello is answered by silence.
 *
 * A rule of the fourth stage: the filter that swallows what it recognises. Rests on a client that
 * repeats its hello, or waits, for at least 5 s and is still there. Deliberately leaves to
 * large-hello-blocked the hello that only its size stops, and to path-mtu-blackhole the answer of
 * which a part arrived. */
#include <stdio.h>

#include "attempts.h"
#include "base/count.h"
#include "base/text.h"
#include "hello.h"
#include "resets.h"

static int64_t waited_ns(const struct flow_record *flow)
{
    return flow->last_ns - flow->evidence->hello.first.time_ns;
}

static void say_how(const struct hello_evidence *hello, char *text, size_t size)
{
    if (hello->window_is_shut)
        snprintf(text, size,
                 "%s acknowledged, and then the window was shut: who accepted the connection takes "
                 "no more and says nothing, as a tarpit does",
                 COUNTED(hello->acked_size, "byte was|bytes were"));
    else if (hello->acked_size >= hello->size)
        snprintf(text, size,
                 "every byte was acknowledged, so something received it, and no answer came (one "
                 "too large for the path would look the same)");
    else if (hello->acked_size)
        snprintf(text, size,
                 "%u of its %u bytes were acknowledged, the rest was repeated %u time%s in vain",
                 hello->acked_size, hello->size, hello->repeats, hello->repeats == 1 ? "" : "s");
    else
        snprintf(text, size,
                 "nobody acknowledged a byte of it, though it was repeated %u time%s: it was "
                 "dropped on the way",
                 hello->repeats, hello->repeats == 1 ? "" : "s");
}

/* Not even the handshake's last packet arrived. */
static bool is_unheard(const struct flow_evidence *evidence)
{
    enum { UNHEARD_NEEDED = 2 };
    return evidence->unheard.count >= UNHEARD_NEEDED && !evidence->hello.acked_size;
}

static void describe_unheard(const struct flow_record *flow, struct finding *finding)
{
    const struct unheard_evidence *unheard = &flow->evidence->unheard;
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], span[DURATION_TEXT_SIZE];
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    duration_text(waited_ns(flow), span);
    finding_say(finding->summary, sizeof finding->summary,
                "%s got the SYN-ACK of %s, and nothing that it sent after its SYN arrived in %s",
                client, server, span);
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "The server sent its SYN-ACK %u times more after the client had acknowledged it, "
                "and acknowledged no byte of the ClientHello: the ACK without a name in it was "
                "lost as well, so that no filter by name did it (unless the server waits for data "
                "before it takes a connection for open). A stateful firewall that does not see the "
                "way back drops what follows a SYN like that.",
                unheard->count);
}

/* Whoever acknowledged the hello accepted the connection, and is not where Apple is. */
static bool is_held_by_a_box(const struct judge *judge, const struct flow_record *flow)
{
    return flow->evidence->hello.acked_size && !flow->speaks_from_farther &&
           is_answered_from_near(judge, flow);
}

static void name_box(const struct judge *judge, const struct flow_record *flow,
                     struct finding *finding)
{
    int16_t apple_hops = judge_apple_hops(judge);
    if (!is_held_by_a_box(judge, flow))
        return;
    finding->blocker_hops = flow->hops_server;
    struct text text = text_after(finding->reasoning, sizeof finding->reasoning);
    text_format(&text, " The SYN-ACK and this ACK came from %s away",
                COUNTED(flow->hops_server, "hop"));
    if (apple_hops >= 0)
        text_format(&text, ", Apple's servers are %d away elsewhere", apple_hops);
    text_add(&text, ": a box accepted the connection in Apple's name.");
}

static void describe(const struct flow_record *flow, struct finding *finding)
{
    const struct hello_evidence *hello = &flow->evidence->hello;
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], span[DURATION_TEXT_SIZE];
    char name[128], how[240];
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    duration_text(waited_ns(flow), span);
    hello_name(flow, name, sizeof name);
    say_how(hello, how, sizeof how);
    finding_say(finding->summary, sizeof finding->summary, "%s reached %s, sent %s, and %s for %s",
                client, server, name,
                hello->window_is_shut ? "met a shut window" : "nothing came back", span);
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "TCP was accepted; of the ClientHello %s. The client stayed and acknowledged no "
                "byte of the server's.%s",
                how,
                hello_is_large(flow) ? " The hello does not fit one packet, and no small one was "
                                       "seen to compare: its size may be the reason."
                                     : "");
}

static void show(const struct flow_record *flow, struct finding *finding)
{
    const struct hello_evidence *hello = &flow->evidence->hello;
    const struct unheard_evidence *unheard = &flow->evidence->unheard;
    hello_show(flow, finding);
    if (is_unheard(flow->evidence))
        finding_add_frame(finding, unheard->proof.frame, unheard->proof.time_ns,
                          "SYN-ACK again, the last of %u", unheard->count);
    finding_add_frame(finding, hello->acked.frame, hello->acked.time_ns,
                      "ACK of %u bytes, without an answer", hello->acked_size);
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    struct attempts *attempts = state;
    const struct flow_record *flow = event->flow;
    if (!hello_is_due(judge, attempts, event, HELLO_STALLED))
        return;
    struct attempt_case *attempt_case = attempts_note(attempts, flow);
    if (attempt_case) {
        attempt_case->connects = true;
        attempt_case->says_no_name = hello_is_begun(flow);
    }
    /* what Apple's own distance acknowledged and did not answer may be one server that hangs */
    int16_t apple_hops = judge_apple_hops(judge);
    bool is_acked = flow->evidence->hello.acked_size > 0;
    if (attempt_case && is_acked && apple_hops >= 0 && flow->hops_server >= 0) {
        attempt_case->is_near |= hops_are_nearer(flow->hops_server, apple_hops);
        attempt_case->is_far = !attempt_case->is_near;
    }
    struct finding finding;
    if (!attempts_draft(judge, attempt_case, event, &finding))
        return;
    if (is_unheard(flow->evidence)) {
        finding.kind = BLOCK_AFTER_SYN;
        describe_unheard(flow, &finding);
    } else {
        describe(flow, &finding);
    }
    name_box(judge, flow, &finding);
    show(flow, &finding);
    attempts_raise(judge, attempt_case, &finding);
}

const struct detector detector_stall_after_client_hello = {
    .code = "stall-after-client-hello",
    .title = "Silence after the ClientHello",
    .meaning = "The port is open, but what the device says on it disappears: a filter by name, "
               "category or application that drops instead of refusing, or a firewall that sees "
               "only half of the session. Each attempt costs the device up to 30 seconds, and no "
               "notification arrives.",
    .rests_on = "An accepted connection, the ClientHello repeated or waiting for at least 5 "
                "seconds with not one byte from the server, and a client that is still there. It "
                "is certain when repeated while another port reaches Apple. A Server Hello, "
                "however late, would prove it wrong.",
    .looks_like = "SYN, SYN-ACK, ACK, Client Hello (tls.handshake.type == 1), then only "
                  "retransmissions of it (tcp.analysis.retransmission) or bare ACKs, until the "
                  "client closes after 30 seconds; SYN-ACKs that come again where not even the ACK "
                  "arrives.",
    .innocent = "A server that answers late, a client that leaves within 5 seconds or is not heard "
                "of any more, a hello lost once and repeated, a capture that misses the answer "
                "(the client acknowledges it), and a lone stall of a device that otherwise gets "
                "through on this port are not reported.",
    .remedy = "In the firewall or web filter between this client and Apple, allow the application "
              "Apple Push Notifications and the names *.push.apple.com without inspection on TCP "
              "5223, 443 and 2197; look in its log for drops by URL, SNI or application of this "
              "client at the time named. If the hello is larger than one packet, make sure the "
              "box reassembles ClientHellos that span two segments. Where nothing after the SYN "
              "arrives, look for a firewall that sees only the way out, because the way back runs "
              "elsewhere (asymmetric routing), and for drops of \"invalid\" or \"out of state\" "
              "packets.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_NAME,
    .place = PLACE_ON_THE_WAY,
    .scope = SCOPE_DEVICE,
    .is_of_its_port = true,
    .requirements = AGAINST(R1_PORT_5223) | AGAINST(R2_FALLBACK_443) | AGAINST(R4_DIRECT) |
                    AGAINST(R6_MDM_SERVER),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct attempts),
    .observe = observe,
};
