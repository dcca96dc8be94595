/* Sequence numbers of one direction of a flow: new, again, late, or missing.
 *
 * Called by track/flow.c for each packet. Keeps one hole, the oldest: several holes at once mean
 * heavy loss, where telling reordering from retransmission no longer matters. Reads no payload. */
#include "sequence.h"

static enum segment_kind advance(struct sequence *sequence, uint32_t first, uint32_t end,
                                 int64_t now_ns)
{
    enum segment_kind kind = SEGMENT_NEW;
    if (sequence_distance(sequence->next, first) > 0) {
        if (sequence->hole_start == sequence->hole_end) {
            sequence->hole_start = sequence->next;
            sequence->hole_end = first;
        }
        kind = SEGMENT_AHEAD;
    }
    sequence->next = end;
    sequence->advanced_ns = now_ns;
    return kind;
}

static bool touches_hole(const struct sequence *sequence, uint32_t first, uint32_t end)
{
    return sequence->hole_start != sequence->hole_end &&
           sequence_distance(first, sequence->hole_end) > 0 &&
           sequence_distance(sequence->hole_start, end) > 0;
}

/* What is sent again may be cut otherwise than at first (a smaller path MTU, several segments in
 * one), and reach over the hole's edges. */
static void shrink_hole(struct sequence *sequence, uint32_t first, uint32_t end)
{
    bool from_start = sequence_distance(first, sequence->hole_start) >= 0;
    bool to_end = sequence_distance(sequence->hole_end, end) >= 0;
    if (from_start)
        sequence->hole_start = to_end ? sequence->hole_end : end;
    else if (to_end)
        sequence->hole_end = first;
}

static uint32_t milliseconds(int64_t time_ns)
{
    return (uint32_t)(time_ns / INT64_C(1000000)) | 1;
}

enum segment_kind sequence_take(struct sequence *sequence, uint32_t first, uint32_t size,
                                uint32_t marks, int64_t now_ns, int64_t reorder_ns)
{
    uint32_t end = first + size + marks;
    if (!sequence->known) {
        *sequence = (struct sequence){
            .next = end, .hole_start = end, .hole_end = end, .advanced_ns = now_ns, .known = true};
        return size + marks ? SEGMENT_NEW : SEGMENT_EMPTY;
    }
    bool below = sequence_distance(sequence->next, first) == -1;
    if (below && size <= 1 && marks == 0)
        return SEGMENT_KEEPALIVE;
    if (size + marks == 0)
        return SEGMENT_EMPTY;
    bool touches = touches_hole(sequence, first, end);
    if (touches)
        shrink_hole(sequence, first, end);
    if (sequence_distance(sequence->next, end) > 0)
        return advance(sequence, first, end, now_ns);
    if (touches && now_ns - sequence->advanced_ns <= reorder_ns)
        return SEGMENT_OUT_OF_ORDER;
    if (size && !sequence->resent_ms)
        sequence->resent_ms = milliseconds(now_ns);
    return SEGMENT_RETRANSMISSION;
}

/* Bytes below `ack` that were not captured: those of the hole, and those beyond the highest. */
static uint32_t missing_below(const struct sequence *sequence, uint32_t ack)
{
    uint32_t missing = 0;
    if (sequence->hole_start != sequence->hole_end &&
        sequence_distance(sequence->hole_end, ack) >= 0)
        missing += sequence->hole_end - sequence->hole_start;
    int32_t beyond = sequence_distance(sequence->next, ack);
    return beyond > 0 ? missing + (uint32_t)beyond : missing;
}

static void note_repair(struct sequence *sequence, int64_t now_ns)
{
    uint32_t waited_ms = milliseconds(now_ns) - sequence->resent_ms;
    sequence->repairs += waited_ms <= SEQUENCE_REPAIR_MS;
    sequence->resent_ms = 0;
}

uint32_t sequence_acknowledged(struct sequence *sequence, uint32_t ack, int64_t now_ns)
{
    sequence->acked = ack;
    sequence->is_acked = true;
    if (!sequence->known)
        return 0;
    if (sequence->resent_ms)
        note_repair(sequence, now_ns);
    uint32_t missing = missing_below(sequence, ack);
    if (missing == 0) {
        sequence->missing_ns = 0;
        return 0;
    }
    if (sequence->missing_ns == 0)
        sequence->missing_ns = now_ns;
    if (now_ns - sequence->missing_ns < SEQUENCE_PATIENCE_NS)
        return 0;
    if (sequence_distance(sequence->next, ack) > 0)
        sequence->next = ack;
    sequence->hole_start = sequence->hole_end = sequence->next;
    sequence->missing_ns = 0;
    return missing;
}
