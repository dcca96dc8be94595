/* Sessions that are not over, as they stand: for live runs.
 *
 * Beside session.c, which says the final word. A crash must not cost a session of three days, and
 * a blocked port should be told while the device still waits, not when its flow is given up a
 * minute later. Judges on the flow itself and takes it back: nothing here changes what the final
 * word will be. */
#include "tracker.h"

/* How long after the packet that decides it: later than any answer that was already on its way. */
#define SETTLED_AFTER_NS NS_PER_S

static bool has_rested(const struct tracker *tracker, int64_t since_ns)
{
    return since_ns != TIME_UNKNOWN && tracker->now_ns - since_ns >= SETTLED_AFTER_NS;
}

/* Some systems repeat the SYN every second, so that the newest never rests: those before it do. */
static bool attempt_is_settled(const struct tracker *tracker, const struct flow_record *record)
{
    enum { SYNS_BEFORE = 3 };
    return record->syn_count > 1 &&
           (has_rested(tracker, record->last_syn_ns) || record->syn_count > SYNS_BEFORE);
}

static bool refusal_is_settled(const struct tracker *tracker, const struct flow_record *record)
{
    return has_rested(tracker, record->saw & SAW_RST_DOWN ? record->reset_ns : record->icmp_ns);
}

static bool hello_waits(const struct flow_record *record)
{
    return record->saw & SAW_CLIENT_HELLO && !(record->saw & SAW_SERVER_DATA);
}

/* What was settled stays so until something else happens to the session: one more repetition of
 * the SYN takes nothing back, and would otherwise have to rest first. */
static bool stays_settled(const struct flow *flow)
{
    return flow->settled_state == flow->state;
}

/* Worth judging before its time. Whether it has failed is asked of the judgement: a SYN that was
 * not repeated often enough, or a hello that waits for three seconds, is unfinished. */
static bool may_be_settled(const struct tracker *tracker, const struct flow *flow,
                           enum outcome_cause *cause)
{
    const struct flow_record *record = &flow->record;
    *cause = CAUSE_ENDED;
    switch ((enum lifecycle_state)flow->state) {
    case STATE_SYN_SENT:
        *cause = CAUSE_SILENT;
        return stays_settled(flow) || attempt_is_settled(tracker, record);
    case STATE_ESTABLISHED:
        *cause = CAUSE_SILENT;
        return hello_waits(record) &&
               (stays_settled(flow) || has_rested(tracker, record->hello_ns));
    case STATE_REFUSED:
        return stays_settled(flow) || refusal_is_settled(tracker, record);
    case STATE_CLOSED:
    case STATE_RESET:
        return stays_settled(flow) || has_rested(tracker, record->last_ns);
    default:
        return false;
    }
}

static void tell_as_if(const struct tracker *tracker, struct flow *flow, enum outcome_cause cause,
                       bool only_settled, const struct track_interim *interim)
{
    struct flow_record *record = &flow->record;
    uint8_t outcome = record->outcome, ended_by = record->ended_by;
    outcome_judge(flow, cause, tracker->now_ns);
    if (!only_settled) {
        interim->changed(interim->context, record);
    } else if (record->outcome != OUTCOME_UNFINISHED) {
        flow->settled_state = flow->state;
        interim->settled(interim->context, record);
    }
    record->outcome = outcome;
    record->ended_by = ended_by;
}

static bool tell_change(const struct tracker *tracker, struct flow *flow,
                        const struct track_interim *interim)
{
    uint32_t packets = (uint32_t)(flow->record.packets_up + flow->record.packets_down);
    if (packets == flow->told_packets)
        return false;
    flow->told_packets = packets;
    tell_as_if(tracker, flow, CAUSE_CAPTURE_END, false, interim);
    return true;
}

void tracker_interim(struct tracker *tracker, const struct track_interim *interim)
{
    size_t changed = 0, settled = 0;
    for (int wait = 0; wait < WAIT_COUNT; wait++) {
        const struct flow_list *list = &tracker->flows.lists[wait];
        for (uint32_t id = list->first; id != POOL_NONE;) {
            struct flow *flow = (struct flow *)pool_at(&tracker->flows.pool, id);
            enum outcome_cause cause;
            id = flow->list_next;
            if (flow->standing != STANDING_OURS)
                continue;
            flow->record.losses_up = flow->up.repairs;
            flow->record.losses_down = flow->down.repairs;
            if (interim->changed && changed < interim->changed_max)
                changed += tell_change(tracker, flow, interim);
            if (interim->settled && settled < interim->settled_max &&
                may_be_settled(tracker, flow, &cause)) {
                tell_as_if(tracker, flow, cause, true, interim);
                settled++;
            }
        }
    }
}

size_t tracker_open_sessions(const struct tracker *tracker)
{
    return tracker->flows.pool.taken;
}
