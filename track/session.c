/* The way of a packet of a tracked session, and the session's end.
 *
 * The middle of track/: track.c has found the session. Only calls the others in their order; which
 * sessions are ours is session_role.c's question, what became of them outcome.c's. */
#include "session.h"

void session_tell_opened(struct tracker *tracker, struct flow *flow)
{
    if (flow->opened || flow->standing != STANDING_OURS)
        return;
    flow->opened = true;
    tracker_tell(tracker, EVENT_FLOW_OPENED, flow, flow->record.first_frame);
}

/* A reset that neither side heeded ended nothing (RFC 5961 section 3: it was out of the window). */
static void take_evidence(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                          enum direction direction)
{
    evidence_take(tracker, flow, packet, direction);
    if (flow->state != STATE_RESET || !evidence_resumes(flow, packet, direction))
        return;
    flow->state = (uint8_t)lifecycle_next(STATE_RESET, ON_RESUMED);
    flow->record.ended_by = ENDED_UNKNOWN;
}

static void read_payload(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                         enum direction direction)
{
    tracker->counts.push_frames_cut += packet->payload_captured < packet->payload_size;
    unsigned news = conversation_take(&tracker->desk, flow, packet, direction, tracker->now_ns);
    if (news || flow->record.saw & SAW_NOT_TLS)
        session_take_news(tracker, flow, news, packet->frame);
    if (flow->standing == STANDING_OURS)
        conversation_label(&tracker->desk, flow, packet, direction);
    conversation_settle(&tracker->desk, flow);
}

void session_take(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                  enum direction direction)
{
    uint32_t saw = flow->record.saw, next_down = flow->down.next;
    idle_begin(tracker, flow, packet, direction);
    if (packet->tcp_flags & TCP_RST)
        evidence_reset(tracker, flow, packet, direction);
    else
        habits_note(&flow->habits[direction], packet);
    session_count(tracker, flow, packet, direction);
    session_follow_lifecycle(tracker, flow, packet, direction);
    enum segment_kind kind = session_follow_sequence(tracker, flow, packet, direction);
    if (flow->record.evidence && !(packet->tcp_flags & TCP_RST))
        take_evidence(tracker, flow, packet, direction);
    if (flow->record.idle)
        idle_take(tracker, flow, packet, direction, next_down);
    if (packet->payload_size > 0 && !flow->heard_out && !(packet->tcp_flags & TCP_RST))
        read_payload(tracker, flow, packet, direction);
    if (steps_wanted(flow, packet, kind))
        steps_take(tracker, flow, packet, direction, kind, flow->record.saw & ~saw);
    flow_table_touch(&tracker->flows, flow);
}

/* ---- the end ---- */

static void count_direction(struct capture_quality *counts, const struct flow_record *record)
{
    enum { ENOUGH = 3 };
    if (record->saw & SAW_ICMP || record->packets_up + record->packets_down < ENOUGH)
        return;
    if (record->packets_down == 0 && record->outcome == OUTCOME_ONE_SIDED)
        counts->flows_up_only++;
    else if (record->packets_up == 0)
        counts->flows_down_only++;
}

static void finish_ours(struct tracker *tracker, struct flow *flow, enum outcome_cause cause)
{
    flow->record.losses_up = flow->up.repairs;
    flow->record.losses_down = flow->down.repairs;
    outcome_judge(flow, cause, tracker->now_ns);
    if (flow->record.ended_by == ENDED_IDLE_TIMEOUT)
        flow->record.lethal_s = idle_silence_s(flow->record.idle);
    if (cause == CAUSE_EVICTED && flow->record.syn_count && !(flow->record.saw & SAW_DOWN) &&
        flow->record.packets_up == flow->record.syn_count) {
        attempts_add(&tracker->attempts, &flow->record);
        tracker->counts.attempts_summed++;
        return;
    }
    tracker->counts.flows_evicted += cause == CAUSE_EVICTED;
    tracker->counts.flows_tracked++;
    tracker->counts.flows_translated += flow->record.was_translated;
    count_direction(&tracker->counts, &flow->record);
    session_tell_opened(tracker, flow);
    tracker_tell(tracker, EVENT_FLOW_CLOSED, flow, 0);
    if (tracker->options.flow_done)
        tracker->options.flow_done(tracker->options.done_context, &flow->record);
    if (tracker->options.steps_done && flow->steps && steps_count(flow->steps) > 1)
        tracker->options.steps_done(tracker->options.done_context, &flow->record, flow->steps);
}

void session_finish(struct tracker *tracker, struct flow *flow, enum outcome_cause cause)
{
    conversation_end(&tracker->desk, flow);
    if (flow->standing == STANDING_CANDIDATE)
        session_settle_unnamed(tracker, flow);
    if (flow->standing == STANDING_OTHER) {
        tracker->counts.other_apple += flow->record.server_is_apple;
        if (tracker->options.keep_all_apple && flow->record.server_is_apple)
            session_adopt(tracker, flow, ROLE_UNKNOWN, SCOPE_BY_NONE);
    }
    if (flow->standing == STANDING_OURS)
        finish_ours(tracker, flow, cause);
    if (flow->watched)
        scope_unwatch(&tracker->scope, &flow->record.server_ip);
    evidence_release(tracker, flow);
    idle_release(tracker, flow);
    steps_release(tracker, flow);
    flow_table_remove(&tracker->flows, flow);
}
