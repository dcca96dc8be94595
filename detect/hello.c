/* What became of a ClientHello, read from a closed session's record and evidence.
 *
 * Serves the rules reset-after-client-hello, stall-after-client-hello and large-hello-blocked, so
 * that one session is one case. Deliberately does not ask who did it. */
#include "hello.h"

#include <stdio.h>

#include "base/text.h"

/* A box that cuts because of a hello does so at once; what comes later has other reasons. The
 * hello's way to the box and back is within the session's round trip. */
#define AT_ONCE_NS NS_PER_S

/* Ethernet's MTU leaves a segment 1460 bytes at most; captures on the device itself may show
 * several segments as one. */
enum { SEGMENT_MOST = 1460 };

static int64_t newest(int64_t a_ns, int64_t b_ns)
{
    return a_ns > b_ns ? a_ns : b_ns;
}

/* The server's side ended it while it had not sent a byte, neither in the capture (no data seen)
 * nor outside of it (its sequence number has not moved). */
static bool is_cut(const struct flow_record *flow)
{
    const struct flow_evidence *evidence = flow->evidence;
    const struct cut_evidence *cut = &evidence->cut;
    const struct hello_evidence *hello = &evidence->hello;
    bool server_ended = flow->ended_by == ENDED_SERVER_RESET ||
                        flow->ended_by == ENDED_SERVER_FIN || flow->ended_by == ENDED_FORGED_RESET;
    if (flow->outcome != OUTCOME_TLS_RESET || !server_ended || !cut->proof.frame || cut->offset)
        return false;
    int64_t round_trip_ns = flow->rtt_server_us > 0 ? flow->rtt_server_us * NS_PER_US : 0;
    int64_t sent_ns = newest(hello->last.time_ns, hello->repeat.frame ? hello->repeat.time_ns : 0);
    return cut->proof.time_ns >= hello->first.time_ns &&
           cut->proof.time_ns - sent_ns <= AT_ONCE_NS + 2 * round_trip_ns;
}

enum hello_fate hello_fate(const struct flow_record *flow)
{
    const struct flow_evidence *evidence = flow->evidence;
    if (flow->saw & (SAW_SERVER_HELLO | SAW_HELLO_RETRY))
        return HELLO_ANSWERED;
    if (!evidence || !evidence->has_opening || !evidence->hello.is_hello)
        return HELLO_NOT_JUDGED;
    if (flow->saw & SAW_SERVER_DATA)
        return HELLO_ANSWERED; /* with what the snap length or a gap hides */
    if (is_cut(flow))
        return HELLO_CUT;
    return flow->outcome == OUTCOME_TLS_NO_ANSWER ? HELLO_STALLED : HELLO_NOT_JUDGED;
}

bool hello_is_due(struct judge *judge, const struct attempts *attempts, const struct event *event,
                  enum hello_fate fate)
{
    if (event->kind == EVENT_CAPTURE_END) {
        attempts_review_unless(judge, attempts, "large-hello-blocked");
        return false;
    }
    return is_attempt_at_apple(event->flow) && hello_fate(event->flow) == fate;
}

bool hello_is_large(const struct flow_record *flow)
{
    enum { HEADERS = 9 };        /* record and handshake header, RFC 8446 sections 5.1 and 4 */
    enum { NEARLY_FULL = 1000 }; /* less in two segments was split on purpose, not by its size */
    uint32_t size = flow->hello_size + HEADERS, segments = flow->hello_segments;
    if (flow->evidence && flow->evidence->hello.size) {
        size = flow->evidence->hello.size;
        segments = flow->evidence->hello.segments;
    }
    return size > SEGMENT_MOST || (segments >= 2 && size > NEARLY_FULL);
}

void hello_name(const struct flow_record *flow, char *out, size_t size)
{
    struct text text = text_over(out, size);
    const struct hello_evidence *hello = &flow->evidence->hello;
    text_format(&text, "a ClientHello of %u bytes", hello->size);
    if (hello->segments > 1)
        text_format(&text, " in %u segments", hello->segments);
    if (flow->sni)
        text_format(&text, " for %.60s", flow->sni);
}

int64_t syn_ack_ns(const struct flow_record *flow)
{
    int64_t back_ns = flow->rtt_client_us > 0 ? flow->rtt_client_us * NS_PER_US : 0;
    return flow->established_ns == TIME_UNKNOWN ? flow->started_ns : flow->established_ns - back_ns;
}

void hello_show(const struct flow_record *flow, struct finding *finding)
{
    const struct hello_evidence *hello = &flow->evidence->hello;
    finding_add_frame(finding, flow->syn_ack_frame, syn_ack_ns(flow), "SYN-ACK, TTL %d",
                      flow->ttl_server);
    finding_add_frame(finding, hello->first.frame, hello->first.time_ns, "ClientHello%s%.36s",
                      flow->sni ? ", SNI " : "", flow->sni ? flow->sni : "");
    if (hello->repeats)
        finding_add_frame(finding, hello->repeat.frame, hello->repeat.time_ns,
                          "the ClientHello again, the last of %u times", hello->repeats);
}
