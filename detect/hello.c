/* What became of a ClientHello, read from a closed session's record and evidence.
 *
 * Serves the rules reset-after-client-hello, stall-after-client-hello and large-hello-blocked, so
 * that one session is one case. Deliberately does not ask who did it. */
#include "hello.h"

#include <stdio.h>

#include "base/count.h"
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

/* The server's side ended it while it had not sent a byte, as far as its sequence number tells, and
 * straight after the hello. */
static bool ends_at_hello(const struct flow_record *flow)
{
    const struct flow_evidence *evidence = flow->evidence;
    const struct cut_evidence *cut = &evidence->cut;
    const struct hello_evidence *hello = &evidence->hello;
    if (!cut->proof.frame || cut->offset)
        return false;
    int64_t round_trip_ns = flow->rtt_server_us > 0 ? flow->rtt_server_us * NS_PER_US : 0;
    int64_t sent_ns = newest(hello->last.time_ns, hello->repeat.frame ? hello->repeat.time_ns : 0);
    return cut->proof.time_ns >= hello->first.time_ns &&
           cut->proof.time_ns - sent_ns <= AT_ONCE_NS + 2 * round_trip_ns;
}

/* By RST or FIN, whoever sent it, and nothing else came. */
static bool is_cut(const struct flow_record *flow)
{
    return flow->outcome == OUTCOME_TLS_RESET && flow_is_ended_by_server(flow) &&
           ends_at_hello(flow);
}

bool cut_is_nearer(const struct flow_record *flow)
{
    int16_t ttl = flow->evidence->cut.ttl;
    return ttl >= 0 && flow->hops_server >= 0 && !ttl_is_doubtful(ttl, flow->ttl_server) &&
           hops_are_nearer(ttl_hops(ttl), flow->hops_server);
}

bool cut_is_too_fast(const struct flow_record *flow)
{
    enum { TELLING_RTT_US = 4000 }; /* a shorter one does not tell a fast answer from a near peer */
    const struct flow_evidence *evidence = flow->evidence;
    int64_t answer_ns = evidence->cut.proof.time_ns - evidence->hello.last.time_ns;
    return flow->rtt_server_us >= TELLING_RTT_US && evidence->hello.last.frame && answer_ns >= 0 &&
           answer_ns * 2 < flow->rtt_server_us * NS_PER_US;
}

/* Not by the server: an RST with other signs of that, a FIN after which the server speaks, an alert
 * that did not come its way. What the server itself answers may arrive later, and in vain. The
 * alert that its version is unknown is transparent-proxy's matter. */
static bool is_cut_by_another(const struct flow_record *flow)
{
    if ((flow->outcome != OUTCOME_TLS_RESET && flow->outcome != OUTCOME_TLS_FAILED) ||
        !ends_at_hello(flow))
        return false;
    switch ((enum cut_kind)flow->evidence->cut.kind) {
    case CUT_BY_RESET:
        return reset_is_forged(&flow->evidence->reset[DOWN]);
    case CUT_BY_FIN:
        return flow->saw & SAW_SERVER_DATA && (cut_is_nearer(flow) || cut_is_too_fast(flow));
    case CUT_BY_ALERT:
        return flow->alert_down >= 0 && !flow_is_downgraded(flow) &&
               (cut_is_nearer(flow) || cut_is_too_fast(flow));
    }
    return false;
}

enum hello_fate hello_fate(const struct flow_record *flow)
{
    const struct flow_evidence *evidence = flow->evidence;
    bool is_known = evidence && evidence->has_opening && evidence->hello.is_hello;
    if (is_known && is_cut_by_another(flow))
        return HELLO_CUT;
    if (flow->saw & (SAW_SERVER_HELLO | SAW_HELLO_RETRY))
        return HELLO_ANSWERED;
    if (!is_known)
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
    /* what was captured first of a session may be what came after its hello */
    bool was_read = flow->hello_size > 0;
    if (!was_read && flow->evidence && flow->evidence->hello.is_hello) {
        size = flow->evidence->hello.size;
        segments = flow->evidence->hello.segments;
    }
    return size > SEGMENT_MOST || (segments >= 2 && size > NEARLY_FULL);
}

bool hello_is_begun(const struct flow_record *flow)
{
    const struct hello_evidence *hello = &flow->evidence->hello;
    return hello->window_is_shut && (hello->told_size > hello->size || !hello->told_size);
}

void hello_name(const struct flow_record *flow, char *out, size_t size)
{
    struct text text = text_over(out, size);
    const struct hello_evidence *hello = &flow->evidence->hello;
    if (hello_is_begun(flow))
        text_format(&text, "the first %s of a ClientHello", COUNTED(hello->size, "byte"));
    else
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
