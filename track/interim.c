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

/* Judges, tells, and takes the judgement back. */
static bool tell_as_if(const struct tracker *tracker, struct flow *flow, enum outcome_cause cause,
                       void *context, bool (*tell)(void *context, struct flow *flow))
{
    struct flow_record *record = &flow->record;
    uint8_t outcome = record->outcome, ended_by = record->ended_by;
    outcome_judge(flow, cause, tracker->now_ns);
    bool is_taken = tell(context, flow);
    record->outcome = outcome;
    record->ended_by = ended_by;
    return is_taken;
}

static bool tell_settled(void *context, struct flow *flow)
{
    const struct track_interim *interim = (const struct track_interim *)context;
    if (flow->record.outcome == OUTCOME_UNFINISHED)
        return false;
    flow->settled_state = flow->state;
    interim->settled(interim->context, &flow->record);
    return true;
}

static bool tell_changed(void *context, struct flow *flow)
{
    const struct track_interim *interim = (const struct track_interim *)context;
    return interim->changed(interim->context, &flow->record);
}

/* Enough of it to see that there are more. */
static uint32_t packets_of(const struct flow *flow)
{
    return (uint32_t)(flow->record.packets_up + flow->record.packets_down);
}

/* What is still wanted of a call. */
struct interim_call {
    struct track_interim interim;
    size_t changed_left;
    size_t settled_left;
};

static void look_at(const struct tracker *tracker, struct flow *flow, struct interim_call *call)
{
    enum outcome_cause cause;
    flow->record.losses_up = flow->up.repairs;
    flow->record.losses_down = flow->down.repairs;
    if (call->changed_left && packets_of(flow) != flow->told_packets) {
        if (tell_as_if(tracker, flow, CAUSE_CAPTURE_END, &call->interim, tell_changed)) {
            flow->told_packets = packets_of(flow);
            call->changed_left--;
        } else {
            call->changed_left = 0;
        }
    }
    if (call->settled_left && may_be_settled(tracker, flow, &cause)) {
        (void)tell_as_if(tracker, flow, cause, &call->interim, tell_settled);
        call->settled_left--;
    }
}

void tracker_interim(struct tracker *tracker, const struct track_interim *interim)
{
    struct interim_call call = {.interim = *interim,
                                .changed_left = interim->changed ? interim->changed_max : 0,
                                .settled_left = interim->settled ? interim->settled_max : 0};
    for (int wait = 0; wait < WAIT_COUNT; wait++) {
        uint32_t id = tracker->flows.lists[wait].first;
        while (id != POOL_NONE && (call.changed_left || call.settled_left)) {
            struct flow *flow = flow_table_at(&tracker->flows, id);
            id = flow->list_next;
            if (flow->standing == STANDING_OURS)
                look_at(tracker, flow, &call);
        }
    }
}

size_t tracker_open_sessions(const struct tracker *tracker)
{
    return tracker->flows.pool.taken;
}
