/* TCP as RFC 9293 has it: what a packet's flags and sequence numbers do to its session.
 *
 * Called by session.c for every packet. Reads no payload; the states are lifecycle.def's. */
#include <string.h>

#include "session.h"

/* How late a segment may come and still count as overtaken on the way rather than sent again:
 * the handshake's round trip where known, and never below Wireshark's 3 ms. */
static int64_t reorder_ns(const struct flow_record *record)
{
    const int64_t least_ns = 3 * NS_PER_MS;
    int64_t rtt_ns = record->rtt_server_us > 0 ? record->rtt_server_us * NS_PER_US : 0;
    return rtt_ns > least_ns ? rtt_ns : least_ns;
}

static void count_segment(struct flow_record *record, enum direction direction,
                          enum segment_kind kind)
{
    switch (kind) {
    case SEGMENT_RETRANSMISSION:
        if (direction == UP)
            record->retransmissions_up++;
        else
            record->retransmissions_down++;
        break;
    case SEGMENT_OUT_OF_ORDER:
        record->out_of_order++;
        break;
    case SEGMENT_KEEPALIVE:
        record->saw |= SAW_KEEPALIVE;
        break;
    case SEGMENT_EMPTY:
    case SEGMENT_NEW:
    case SEGMENT_AHEAD:
        break;
    }
}

/* A gap of one byte may be a FIN that was not captured: too little to say that data is missing. */
static void note_missing(struct tracker *tracker, struct flow *flow, enum direction direction,
                         uint32_t missing)
{
    if (missing <= 1)
        return;
    tracker->counts.gap_bytes += missing;
    flow->record.saw |= direction == UP ? SAW_GAP_UP : SAW_GAP_DOWN;
    conversation_missing(&tracker->desk, flow, direction);
}

enum segment_kind session_follow_sequence(struct tracker *tracker, struct flow *flow,
                                          const struct packet *packet, enum direction direction)
{
    struct sequence *own = direction == UP ? &flow->up : &flow->down;
    struct sequence *other = direction == UP ? &flow->down : &flow->up;
    if (packet->tcp_flags & TCP_RST)
        return SEGMENT_EMPTY;
    uint32_t marks = (packet->tcp_flags & TCP_SYN ? 1 : 0) + (packet->tcp_flags & TCP_FIN ? 1 : 0);
    enum segment_kind kind = sequence_take(own, packet->sequence, packet->payload_size, marks,
                                           tracker->now_ns, reorder_ns(&flow->record));
    if (!(packet->tcp_flags & TCP_SYN))
        count_segment(&flow->record, direction, kind);
    if (packet->tcp_flags & TCP_ACK)
        note_missing(tracker, flow, direction == UP ? DOWN : UP,
                     sequence_acknowledged(other, packet->acknowledgement, tracker->now_ns));
    if (packet->window == 0 && !(packet->tcp_flags & TCP_SYN))
        flow->record.saw |= SAW_ZERO_WINDOW;
    return kind;
}

/* ---- lifecycle ---- */

static void end_by(struct flow_record *record, enum flow_ending ending)
{
    if (record->ended_by == ENDED_UNKNOWN)
        record->ended_by = (uint8_t)ending;
}

static void on_syn(struct tracker *tracker, struct flow *flow, const struct packet *packet)
{
    struct flow_record *record = &flow->record;
    if (!(record->saw & SAW_SYN)) {
        record->saw |= SAW_SYN;
        record->syn_frame = packet->frame;
        record->client_isn = packet->sequence;
        flow->mss_up = evidence_mss(packet);
        flow->follows_failure = flow->standing == STANDING_CANDIDATE && record->server_is_apple &&
                                scope_is_fallback(&tracker->scope, record);
    }
    record->syn_count++;
    record->last_syn_frame = packet->frame;
    record->last_syn_ns = tracker->now_ns;
    if (record->syn_count > 1) {
        session_tell_opened(tracker, flow);
        if (record->server_port == 5223 && flow->standing == STANDING_OURS)
            scope_note_try(&tracker->scope, flow, tracker->now_ns);
    }
}

static void on_syn_ack(struct tracker *tracker, struct flow *flow, const struct packet *packet)
{
    struct flow_record *record = &flow->record;
    if (record->saw & SAW_SYN_ACK)
        return;
    record->saw |= SAW_SYN_ACK;
    record->syn_ack_frame = packet->frame;
    flow->syn_ack_ns = tracker->now_ns;
    flow->server_isn = packet->sequence;
    evidence_open(tracker, flow, packet);
    if (record->syn_count == 1 && !flow->was_late)
        record->rtt_server_us = flow_delay_us(record->started_ns, tracker->now_ns);
    if (record->ended_by == ENDED_SERVER_RESET)
        record->ended_by = ENDED_UNKNOWN; /* the reset did not end it */
    session_tell_opened(tracker, flow);
}

static void on_handshake(struct tracker *tracker, struct flow *flow, const struct packet *packet)
{
    struct flow_record *record = &flow->record;
    record->saw |= SAW_HANDSHAKE;
    record->established_ns = tracker->now_ns;
    if (record->saw & SAW_SYN_ACK && !flow->was_late)
        record->rtt_client_us = flow_delay_us(flow->syn_ack_ns, tracker->now_ns);
    if (flow->standing == STANDING_OURS) {
        session_tell_opened(tracker, flow);
        tracker_tell(tracker, EVENT_FLOW_ESTABLISHED, flow, packet->frame);
    }
}

/* The device gave up a courier that accepted it and never said a byte, or was told to go: what it
 * does next may be its fallback. */
static void note_end(struct tracker *tracker, const struct flow *flow, enum direction direction)
{
    bool was_heard = flow->works_told || (direction == UP && flow->record.saw & SAW_SERVER_DATA);
    if (flow->record.server_port == 5223 && !was_heard && flow->standing == STANDING_OURS)
        scope_note_try(&tracker->scope, flow, tracker->now_ns);
}

static void on_reset(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                     enum direction direction)
{
    struct flow_record *record = &flow->record;
    end_by(record, direction == UP ? ENDED_CLIENT_RESET : ENDED_SERVER_RESET);
    if (!record->reset_frame) {
        record->reset_frame = packet->frame;
        record->reset_ns = tracker->now_ns;
    }
    note_end(tracker, flow, direction);
    if (direction == UP) {
        record->saw |= SAW_RST_UP;
        return;
    }
    if (!(record->saw & SAW_RST_DOWN)) {
        record->saw |= SAW_RST_DOWN;
        record->reset_frame = packet->frame;
        record->reset_ns = tracker->now_ns;
        record->reset_ttl = packet->ttl;
        record->has_reset_mac = packet->has_mac;
        memcpy(record->reset_mac, packet->source_mac, sizeof record->reset_mac);
        record->reset_mac_differs = flow_has_other_mac(flow, packet);
    }
}

static void on_fin(struct tracker *tracker, struct flow *flow, enum direction direction)
{
    if (direction == UP)
        note_end(tracker, flow, direction);
    flow->record.saw |= direction == UP ? SAW_FIN_UP : SAW_FIN_DOWN;
    end_by(&flow->record, direction == UP ? ENDED_CLIENT_FIN : ENDED_SERVER_FIN);
}

/* RFC 9293 section 3.10.7.3: in SYN-SENT a reset counts only if it acknowledges the SYN. */
static bool reset_is_plausible(const struct flow *flow, const struct packet *packet,
                               enum direction direction)
{
    if (direction == UP || flow->state != STATE_SYN_SENT || !(packet->tcp_flags & TCP_ACK))
        return true;
    int32_t beyond = sequence_distance(flow->record.client_isn, packet->acknowledgement);
    return beyond >= 1 && beyond <= 1 + (int32_t)flow->record.bytes_up;
}

static enum lifecycle_stimulus stimulus_of(const struct packet *packet, enum direction direction)
{
    if (packet->tcp_flags & TCP_RST)
        return direction == UP ? ON_RST_UP : ON_RST_DOWN;
    if (packet->tcp_flags & TCP_SYN && packet->tcp_flags & TCP_ACK)
        return direction == UP ? ON_SYN_ACK_UP : ON_SYN_ACK;
    if (packet->tcp_flags & TCP_SYN)
        return direction == UP ? ON_SYN : ON_SYN_DOWN;
    if (packet->tcp_flags & TCP_FIN)
        return direction == UP ? ON_FIN_UP : ON_FIN_DOWN;
    return direction == UP ? ON_UP : ON_DOWN;
}

void session_follow_flags(struct flow *flow, const struct packet *packet, enum direction direction)
{
    flow->state =
        (uint8_t)lifecycle_next((enum lifecycle_state)flow->state, stimulus_of(packet, direction));
}

void session_follow_lifecycle(struct tracker *tracker, struct flow *flow,
                              const struct packet *packet, enum direction direction)
{
    enum lifecycle_stimulus stimulus = stimulus_of(packet, direction);
    if ((stimulus == ON_RST_DOWN || stimulus == ON_RST_UP) &&
        !reset_is_plausible(flow, packet, direction))
        return;
    uint8_t before = flow->state;
    flow->state = (uint8_t)lifecycle_next((enum lifecycle_state)before, stimulus);
    bool opened = before == STATE_SYN_SENT || before == STATE_SYN_RECEIVED;
    if (opened && (flow->state == STATE_ESTABLISHED || flow->state == STATE_CLIENT_CLOSED))
        on_handshake(tracker, flow, packet);
    switch (stimulus) {
    case ON_SYN:
        on_syn(tracker, flow, packet);
        break;
    case ON_SYN_ACK:
        on_syn_ack(tracker, flow, packet);
        break;
    case ON_FIN_UP:
    case ON_FIN_DOWN:
        on_fin(tracker, flow, direction);
        break;
    case ON_RST_UP:
    case ON_RST_DOWN:
        on_reset(tracker, flow, packet, direction);
        break;
    default:
        break;
    }
}
