/* What became of a session: its outcome and what ended it, from the facts of its record.
 *
 * The last step of track/: pure, no packet is read here. "Cannot tell" is an answer: one-sided
 * where a direction is missing, unfinished where the capture or the client ended too soon. Who is
 * to blame is not asked here but in detect/. */
#include "outcome.h"

#include "dissect/push_name.h"

/* Nobody answers: at least three SYNs over at least 3 s, or the device's own limit of 30 s (wire.md
 * section 3). */
enum { SILENT_SYNS = 3 };
static const int64_t silent_span_ns = 3 * NS_PER_S;
static const int64_t device_limit_ns = 30 * NS_PER_S;

/* The hello waits for so long that it was sent again several times (RFC 6298 section 2). */
static const int64_t hello_wait_ns = 5 * NS_PER_S;

/* Enough packets that the other direction would have shown, were it captured. */
enum { ONE_SIDED_PACKETS = 3 };

static bool saw(const struct flow_record *record, uint32_t bits)
{
    return (record->saw & bits) == bits;
}

static bool saw_any(const struct flow_record *record, uint32_t bits)
{
    return (record->saw & bits) != 0;
}

/* ---- before the handshake is complete ---- */

static bool syn_was_silent(const struct flow_record *record, enum outcome_cause cause,
                           int64_t now_ns)
{
    int64_t span_ns = record->last_syn_ns - record->started_ns;
    if (record->syn_count >= SILENT_SYNS && span_ns >= silent_span_ns)
        return true;
    return cause != CAUSE_EVICTED && record->syn_count >= 2 && span_ns >= silent_span_ns &&
           now_ns - record->started_ns >= device_limit_ns;
}

/* The answers pass here again and again, and the client goes on asking for as long as makes
 * silence: none reached it. One that did, and was no good, would have been reset (RFC 9293
 * section 3.10.7.3).
 */
static bool answer_was_unheard(const struct flow *flow)
{
    enum { ANSWERS = 2 };
    const struct flow_record *record = &flow->record;
    return !saw_any(record, SAW_RST_UP | SAW_FIN_UP | SAW_RST_DOWN) &&
           record->syn_count >= SILENT_SYNS && record->packets_down >= ANSWERS &&
           record->last_syn_ns - flow->syn_ack_ns >= silent_span_ns;
}

static enum flow_outcome attempt_outcome(const struct flow *flow, enum outcome_cause cause,
                                         int64_t now_ns)
{
    const struct flow_record *record = &flow->record;
    if (saw(record, SAW_SYN_ACK)) /* else whether the client got it is not known */
        return answer_was_unheard(flow) ? OUTCOME_NO_ANSWER : OUTCOME_UNFINISHED;
    if (saw(record, SAW_RST_DOWN))
        return OUTCOME_REFUSED;
    if (saw(record, SAW_ICMP))
        return OUTCOME_UNREACHABLE;
    return syn_was_silent(record, cause, now_ns) ? OUTCOME_NO_ANSWER : OUTCOME_UNFINISHED;
}

/* ---- after it ---- */

static bool one_direction_only(const struct flow_record *record)
{
    if (!saw(record, SAW_DOWN))
        return record->packets_up >= ONE_SIDED_PACKETS;
    return !saw(record, SAW_UP) && record->packets_down > 0;
}

/* The client acknowledges bytes of the server's that the capture does not hold: it was answered. */
static bool has_unseen_answer(const struct flow_evidence *evidence,
                              const struct flow_record *record)
{
    uint32_t marks = saw(record, SAW_FIN_DOWN) ? 1 : 0;
    return evidence->flight.acked_size > evidence->flight.end + marks;
}

/* The client's data waits without any byte of the server's: how it ended says who cut it. A client
 * that was not heard of any more has left; that its hello went unanswered says nothing. */
static enum flow_outcome unanswered_outcome(const struct flow_record *record)
{
    const struct flow_evidence *evidence = record->evidence;
    if (evidence && has_unseen_answer(evidence, record))
        return OUTCOME_UNFINISHED;
    if (saw_any(record, SAW_RST_DOWN | SAW_FIN_DOWN))
        return OUTCOME_TLS_RESET;
    if (!evidence || !evidence->hello.is_hello)
        return OUTCOME_UNFINISHED;
    int64_t last_ns = saw_any(record, SAW_RST_UP) ? record->reset_ns : evidence->last_up_ns;
    return last_ns - evidence->hello.first.time_ns >= hello_wait_ns ? OUTCOME_TLS_NO_ANSWER
                                                                    : OUTCOME_UNFINISHED;
}

/* The client keeps saying for as long that it misses bytes of the server's first flight, or closes
 * without them. */
static bool flight_is_stuck(const struct flow_record *record)
{
    const struct flow_evidence *evidence = record->evidence;
    return evidence && evidence->hello.is_hello && evidence->flight.stuck.frame &&
           evidence->flight.acked_size < evidence->flight.end &&
           evidence->last_up_ns - evidence->hello.last.time_ns >= hello_wait_ns;
}

/* The handshake could not be read (packets missing, cut by the snap length), but data kept going
 * both ways beyond what a failed handshake exchanges. */
static bool works_by_volume(const struct flow_record *record)
{
    enum { UP_BYTES = 1000, DOWN_BYTES = 3000, DOWN_PACKETS = 4 };
    return record->bytes_up >= UP_BYTES && record->bytes_down >= DOWN_BYTES &&
           record->data_packets_down >= DOWN_PACKETS;
}

/* The client's side could be read up to its application data, which it sends only after it has
 * accepted the server, and the server kept answering: a gap in the server's flight, or later,
 * hides nothing that matters. */
static bool client_went_on(const struct flow_record *record)
{
    enum { ANSWERS = 4 };
    return saw(record, SAW_SERVER_HELLO | SAW_APPLICATION_UP) &&
           record->data_packets_down >= ANSWERS;
}

static bool client_ended(const struct flow_record *record)
{
    return record->ended_by == ENDED_CLIENT_FIN || record->ended_by == ENDED_CLIENT_RESET;
}

/* A device that completes the handshake and closes without a word of its own has looked at the
 * certificate and does not like it: in a session that works its Connect message follows at once. */
static bool closed_without_a_word(const struct flow_record *record)
{
    return client_ended(record) && saw(record, SAW_SERVER_HELLO | SAW_FINISHED_UP) &&
           !saw_any(record, SAW_APPLICATION_UP | SAW_NOT_TLS) && push_alpn(record->alpn);
}

/* Of a handshake that could not be read, less than works_by_volume asks for is enough where the
 * server did not end it: it may have rejected a client's certificate, which is as long as a Connect
 * message. */
static bool works_by_turns(const struct flow *flow)
{
    return flow->went_on && !flow_is_ended_by_server(&flow->record);
}

/* Likewise where the client has acknowledged what the server said anew long after the start. */
static bool works_by_lasting(const struct flow *flow)
{
    return flow->answered_late && flow->down.is_acked &&
           sequence_distance(flow->late_end, flow->down.acked) >= 0 &&
           !flow_is_ended_by_server(&flow->record);
}

static enum flow_outcome handshake_outcome(const struct flow *flow, enum outcome_cause cause)
{
    const struct flow_record *record = &flow->record;
    bool unreadable = saw_any(record, SAW_GAP_UP | SAW_GAP_DOWN | SAW_CUT_PAYLOAD);
    if (saw(record, SAW_APPLICATION_UP | SAW_APPLICATION_DOWN))
        return OUTCOME_ESTABLISHED;
    if (saw_any(record, SAW_FATAL_ALERT_UP | SAW_FATAL_ALERT_DOWN))
        return OUTCOME_TLS_FAILED;
    if (client_went_on(record))
        return OUTCOME_ESTABLISHED;
    if (unreadable)
        return works_by_volume(record) || works_by_turns(flow) || works_by_lasting(flow)
                   ? OUTCOME_ESTABLISHED
                   : OUTCOME_UNFINISHED;
    if (closed_without_a_word(record))
        return OUTCOME_TLS_FAILED;
    if (saw_any(record, SAW_FINISHED_UP | SAW_APPLICATION_UP | SAW_NOT_TLS))
        return OUTCOME_ESTABLISHED;
    if (flight_is_stuck(record))
        return OUTCOME_TLS_FAILED;
    bool closed = saw_any(record, SAW_FIN_UP | SAW_RST_UP | SAW_FIN_DOWN | SAW_RST_DOWN);
    /* what answers a ClientHello is a ServerHello, or it is not TLS (a portal's page) */
    if (cause != CAUSE_CAPTURE_END && closed &&
        saw_any(record, SAW_SERVER_HELLO | SAW_CLIENT_HELLO))
        return OUTCOME_TLS_FAILED;
    return OUTCOME_UNFINISHED;
}

/* A port test opens the connection and closes it without a word; what the server says to that, an
 * alert mostly, is no failure of TLS. */
static bool asked_for_nothing(const struct flow_record *record)
{
    return client_ended(record) && record->bytes_up == 0 && !saw_any(record, SAW_GAP_UP);
}

static enum flow_outcome session_outcome(const struct flow *flow, enum outcome_cause cause)
{
    const struct flow_record *record = &flow->record;
    if (record->bytes_up == 0 && record->bytes_down == 0)
        return saw_any(record, SAW_RST_DOWN) && !saw_any(record, SAW_FIN_UP | SAW_RST_UP)
                   ? OUTCOME_TLS_RESET
                   : OUTCOME_UNFINISHED;
    if (asked_for_nothing(record))
        return OUTCOME_UNFINISHED;
    if (!saw(record, SAW_SERVER_DATA))
        return unanswered_outcome(record);
    return handshake_outcome(flow, cause);
}

static enum flow_outcome outcome(const struct flow *flow, enum outcome_cause cause, int64_t now_ns)
{
    const struct flow_record *record = &flow->record;
    bool both = saw(record, SAW_UP | SAW_DOWN);
    if (record->proxy_status >= 300)
        return OUTCOME_PROXY_DENIED;
    if (!saw_any(record, SAW_SYN | SAW_SYN_ACK) && !saw(record, SAW_CLIENT_HELLO)) {
        if (saw(record, SAW_RST_DOWN) && !saw(record, SAW_DOWN))
            return OUTCOME_UNFINISHED; /* both directions pass here, but it does not show more */
        return both ? OUTCOME_MIDSTREAM : OUTCOME_ONE_SIDED;
    }
    bool handshake = saw(record, SAW_HANDSHAKE);
    if (!handshake && saw(record, SAW_SYN))
        return attempt_outcome(flow, cause, now_ns);
    if (one_direction_only(record))
        return OUTCOME_ONE_SIDED;
    return session_outcome(flow, cause);
}

/* After a silence the session was found dead, by what neither end did. A reset of the server's own
 * may as well answer a client that slept through the end of its session. */
static bool died_of_silence(const struct flow_record *record)
{
    if (!record->idle || record->idle->shape == IDLE_UNDECIDED)
        return false;
    if (record->idle->shape != IDLE_RESET)
        return true;
    return record->evidence &&
           record->evidence->reset[DOWN].signs & (RESET_NEARER | RESET_OTHER_DISTANCE);
}

static enum flow_ending ending(const struct flow *flow, enum outcome_cause cause)
{
    const struct flow_record *record = &flow->record;
    const struct flow_evidence *evidence = record->evidence;
    if (died_of_silence(record))
        return ENDED_IDLE_TIMEOUT;
    if (evidence &&
        ((record->ended_by == ENDED_SERVER_RESET && reset_is_forged(&evidence->reset[DOWN])) ||
         (record->ended_by == ENDED_CLIENT_RESET && reset_is_forged(&evidence->reset[UP]))))
        return ENDED_FORGED_RESET;
    if (record->ended_by != ENDED_UNKNOWN)
        return (enum flow_ending)record->ended_by;
    if (record->outcome == OUTCOME_NO_ANSWER)
        return ENDED_NO_ANSWER;
    return cause == CAUSE_CAPTURE_END ? ENDED_CAPTURE_END : ENDED_UNKNOWN;
}

void outcome_judge(struct flow *flow, enum outcome_cause cause, int64_t now_ns)
{
    flow->record.outcome = (uint8_t)outcome(flow, cause, now_ns);
    flow->record.ended_by = (uint8_t)ending(flow, cause);
}
