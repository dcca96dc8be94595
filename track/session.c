/* A packet of a tracked flow: counts, times, lifecycle, sequence numbers, conversation, events.
 *
 * The middle of track/: track.c has found the flow and the direction. Writes facts into the
 * record; which flows are ours is track/scope's question, what became of them track/outcome's. */
#include <assert.h>
#include <string.h>

#include "dissect/dissect.h"
#include "path.h"
#include "tracker.h"

/* How late a segment may come and still count as overtaken on the way rather than sent again:
 * the handshake's round trip where known, and never below Wireshark's 3 ms. */
static int64_t reorder_ns(const struct flow_record *record)
{
    const int64_t least_ns = 3 * NS_PER_MS;
    int64_t rtt_ns = record->rtt_server_us > 0 ? record->rtt_server_us * NS_PER_US : 0;
    return rtt_ns > least_ns ? rtt_ns : least_ns;
}

static int32_t microseconds(int64_t from_ns, int64_t to_ns)
{
    int64_t us = (to_ns - from_ns) / NS_PER_US;
    return us > INT32_MAX ? INT32_MAX : (int32_t)us;
}

/* ---- events ---- */

void tracker_tell(struct tracker *tracker, enum event_kind kind, const struct flow *flow,
                  uint64_t frame)
{
    struct event event = {.kind = kind,
                          .time_ns = tracker->now_ns,
                          .frame = frame,
                          .flow = &flow->record,
                          .lane = flow->record.lane};
    tracker->options.event(tracker->options.event_context, &event);
}

/* A lone SYN is not worth an event: a flood is made of them. The first sign of more is. */
static void tell_opened(struct tracker *tracker, struct flow *flow)
{
    if (flow->opened || flow->standing != STANDING_OURS)
        return;
    flow->opened = true;
    tracker_tell(tracker, EVENT_FLOW_OPENED, flow, flow->record.first_frame);
}

/* ---- what a flow is ---- */

void session_adopt(struct tracker *tracker, struct flow *flow, enum flow_role role,
                   enum scope_reason reason)
{
    struct flow_record *record = &flow->record;
    if (record->number == 0)
        record->number = tracker->next_number++;
    flow->standing = STANDING_OURS;
    record->role = (uint8_t)role;
    record->reason = (uint8_t)reason;
    record->path = (uint8_t)path_of(&tracker->scope, record);
    session_watch(tracker, flow);
}

void session_watch(struct tracker *tracker, struct flow *flow)
{
    if (flow->watched || (flow->record.server_is_apple && flow->record.role != ROLE_INBOUND))
        return;
    flow->watched = true;
    scope_watch(&tracker->scope, &flow->record.server_ip);
}

/* The ClientHello's names settle what a flow is; a push port at Apple's keeps its role without. */
static void settle_role_by_hello(struct tracker *tracker, struct flow *flow)
{
    enum scope_reason reason = SCOPE_BY_NONE;
    enum flow_role role = scope_role_by_hello(&tracker->scope, flow, &reason);
    if (flow->record.role == ROLE_PROXY || flow->record.role == ROLE_INBOUND)
        return;
    if (role != ROLE_UNKNOWN) {
        session_adopt(tracker, flow, role, reason);
        if ((reason == SCOPE_BY_NAME || reason == SCOPE_BY_ALPN) && flow->record.server_is_apple)
            scope_learn(&tracker->scope, &flow->record.server_ip, role, SCOPE_BY_COURIER);
    } else if (flow->standing == STANDING_CANDIDATE) {
        flow->standing = STANDING_OTHER;
    }
}

static void settle_role_by_connect(struct tracker *tracker, struct flow *flow)
{
    char host[256];
    const char *target = flow->record.connect_host;
    const char *colon = target ? strrchr(target, ':') : NULL;
    if (!colon || (size_t)(colon - target) >= sizeof host)
        return;
    memcpy(host, target, (size_t)(colon - target));
    host[colon - target] = '\0';
    if (scope_role_by_name(&tracker->scope, host) != ROLE_UNKNOWN)
        session_adopt(tracker, flow, ROLE_PROXY, SCOPE_BY_CONNECT);
    else if (flow->standing == STANDING_CANDIDATE)
        flow->standing = STANDING_OTHER;
}

static void take_news(struct tracker *tracker, struct flow *flow, unsigned news, uint64_t frame)
{
    if (news & NEWS_PROXY_REQUEST)
        settle_role_by_connect(tracker, flow);
    if (news & NEWS_CLIENT_HELLO)
        settle_role_by_hello(tracker, flow);
    if (flow->record.saw & SAW_NOT_TLS && flow->record.role == ROLE_COURIER)
        flow->record.role = ROLE_UNKNOWN_PUSH_PORT;
    if (flow->standing != STANDING_OURS)
        return;
    tell_opened(tracker, flow);
    if (news & (NEWS_SERVER_HELLO | NEWS_CERTIFICATE))
        flow->record.path = (uint8_t)path_of(&tracker->scope, &flow->record);
    if (news & NEWS_PROXY_ANSWER)
        tracker_tell(tracker, EVENT_PROXY_ANSWER, flow, frame);
    if (news & NEWS_CLIENT_HELLO)
        tracker_tell(tracker, EVENT_CLIENT_HELLO, flow, frame);
    if (news & NEWS_CERTIFICATE)
        tracker_tell(tracker, EVENT_CERTIFICATE, flow, frame);
    if (news & NEWS_WORKS) {
        if (flow->record.server_port == 5223)
            scope_note_success(&tracker->scope, flow);
        flow->record.told_to_work = true;
        tracker_tell(tracker, EVENT_FLOW_WORKS, flow, frame);
        if (!(flow->record.saw & (SAW_RST_UP | SAW_RST_DOWN)))
            evidence_release(tracker, flow);
    }
}

/* ---- counting ---- */

static void note_client(struct flow_record *record, const struct packet *packet)
{
    record->ttl_client = packet->ttl;
    record->has_client_mac = packet->has_mac;
    if (packet->has_mac)
        memcpy(record->client_mac, packet->source_mac, sizeof record->client_mac);
}

/* Captured at two places, its packets come from two MAC addresses: a reset's tells nothing. */
static void forget_server_mac(struct tracker *tracker, struct flow *flow)
{
    flow->record.has_server_mac = false;
    flow->record.reset_mac_differs = false;
    if (flow->record.evidence)
        evidence_forget_mac(tracker, flow);
}

/* A copy of the SYN may have been made nearer to the client than the one that came first. Of later
 * packets nothing follows: a traceroute's have TTLs of their own. */
void session_take_copy(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                       enum direction direction)
{
    struct flow_record *record = &flow->record;
    if (direction == UP && packet->tcp_flags & TCP_SYN && packet->ttl > record->ttl_client)
        note_client(record, packet);
    if (direction == DOWN && flow_has_other_mac(flow, packet))
        forget_server_mac(tracker, flow);
}

static void count_up(struct flow *flow, const struct packet *packet)
{
    struct flow_record *record = &flow->record;
    if (!(record->saw & SAW_UP))
        note_client(record, packet);
    record->saw |= SAW_UP;
    record->packets_up++;
    record->bytes_up += packet->payload_size;
    record->data_packets_up += packet->payload_size > 0;
}

/* By sizes alone a session that works shows so: to a flight with certificates, longer than a
 * HelloRetryRequest or a proxy's consent, a client that does not like it sends an alert of some
 * bytes; one that goes on sends its Connect message (wire.md section 2), and is answered. */
static void count_answer(struct flow *flow, uint32_t size)
{
    enum { FLIGHT_MIN = 1000 };
    struct flow_record *record = &flow->record;
    record->data_packets_down++;
    record->saw |= SAW_SERVER_DATA;
    if (flow->went_on || !flow->up.known)
        return;
    if (record->bytes_down - size < FLIGHT_MIN)
        flow->up_at_flight = flow->up.next;
    else if (sequence_distance(flow->up_at_flight, flow->up.next) >= CONNECT_MESSAGE_MIN)
        flow->went_on = true;
}

static void count_down(struct flow *flow, const struct packet *packet)
{
    struct flow_record *record = &flow->record;
    record->packets_down++;
    record->bytes_down += packet->payload_size;
    record->last_down_ns = record->last_ns;
    if (packet->tcp_flags & TCP_RST)
        return; /* may be another's: no measure of the server */
    bool is_syn = packet->tcp_flags & TCP_SYN;
    if (!(record->saw & SAW_DOWN) || (is_syn && !(record->saw & SAW_SYN_ACK))) {
        record->ttl_server = packet->ttl;
        record->hops_server = ttl_hops(packet->ttl);
        record->has_server_mac = packet->has_mac;
        memcpy(record->server_mac, packet->source_mac, sizeof record->server_mac);
    }
    record->saw |= SAW_DOWN;
    if (packet->payload_size) {
        record->speaks_from_farther |= ttl_hops(packet->ttl) > record->hops_server + TTL_TOLERANCE;
        count_answer(flow, packet->payload_size);
    }
}

static void count_packet(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                         enum direction direction)
{
    struct flow_record *record = &flow->record;
    if (record->first_frame == 0) {
        record->first_frame = packet->frame;
        record->started_ns = tracker->now_ns;
    }
    record->last_frame = packet->frame;
    record->last_ns = tracker->now_ns;
    flow->was_late |= tracker->is_late;
    if (packet->process.name && !record->process_name) {
        record->process_name = names_keep(tracker->options.names, packet->process.name);
        record->process_id = packet->process.id;
    }
    if (direction == UP)
        count_up(flow, packet);
    else
        count_down(flow, packet);
}

/* ---- sequence numbers ---- */

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

static enum segment_kind follow_sequence(struct tracker *tracker, struct flow *flow,
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
        tell_opened(tracker, flow);
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
        record->rtt_server_us = microseconds(record->started_ns, tracker->now_ns);
    if (record->ended_by == ENDED_SERVER_RESET)
        record->ended_by = ENDED_UNKNOWN; /* the reset did not end it */
    tell_opened(tracker, flow);
}

static void on_handshake(struct tracker *tracker, struct flow *flow, const struct packet *packet)
{
    struct flow_record *record = &flow->record;
    record->saw |= SAW_HANDSHAKE;
    record->established_ns = tracker->now_ns;
    if (record->saw & SAW_SYN_ACK && !flow->was_late)
        record->rtt_client_us = microseconds(flow->syn_ack_ns, tracker->now_ns);
    if (flow->standing == STANDING_OURS) {
        tell_opened(tracker, flow);
        tracker_tell(tracker, EVENT_FLOW_ESTABLISHED, flow, packet->frame);
    }
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
    if (record->server_port == 5223 && !flow->works_told && flow->standing == STANDING_OURS)
        scope_note_try(&tracker->scope, flow, tracker->now_ns);
}

static void on_fin(struct flow *flow, enum direction direction)
{
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

static void follow_lifecycle(struct tracker *tracker, struct flow *flow,
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
        on_fin(flow, direction);
        break;
    case ON_RST_UP:
    case ON_RST_DOWN:
        on_reset(tracker, flow, packet, direction);
        break;
    default:
        break;
    }
}

/* ---- the packet ---- */

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
        take_news(tracker, flow, news, packet->frame);
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
    count_packet(tracker, flow, packet, direction);
    follow_lifecycle(tracker, flow, packet, direction);
    enum segment_kind kind = follow_sequence(tracker, flow, packet, direction);
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

/* Codes that say the SYN will not be let through (wire.md section 4): destination unreachable 0,
 * 1, 9, 10, 13 (RFC 792, RFC 1812 section 5.2.7.1); ICMPv6 1, 5, 6 of type 1 (RFC 4443 3.1), and 0
 * and 3, no route and no such neighbour. "Port unreachable", 3 and 4, is what packet filters answer
 * with where their rule names no other error, and "protocol unreachable", 2, one that they can name
 * for TCP, which every host speaks; stacks take them for a refusal (RFC 1122 section 4.2.3.9). */
static bool icmp_refuses(const struct packet *packet)
{
    uint32_t codes_v4 = 1u << 0 | 1u << 1 | 1u << 2 | 1u << 3 | 1u << 9 | 1u << 10 | 1u << 13;
    uint32_t codes_v6 = 1u << 0 | 1u << 1 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6;
    bool v6 = packet->ip_version == 6;
    if (packet->icmp_type != (v6 ? 1 : 3) || packet->icmp_code > 31)
        return false;
    return (v6 ? codes_v6 : codes_v4) >> packet->icmp_code & 1;
}

void session_take_icmp(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                       bool quotes_client, bool quotes_syn)
{
    struct flow_record *record = &flow->record;
    if (packet->icmp_mtu) {
        record->saw |= SAW_ICMP_TOO_BIG;
        evidence_too_big(tracker, flow, packet, quotes_client);
    }
    steps_take_icmp(tracker, flow, packet, quotes_client);
    if (!quotes_client || !icmp_refuses(packet) || record->icmp_frame)
        return;
    record->icmp_frame = packet->frame;
    record->icmp_ns = tracker->now_ns;
    record->icmp_source = packet->source;
    record->icmp_type = packet->icmp_type;
    record->icmp_code = packet->icmp_code;
    record->icmp_ttl = packet->ttl;
    record->saw |= SAW_ICMP;
    if (quotes_syn && flow->state == STATE_SYN_SENT) {
        flow->state = (uint8_t)lifecycle_next(STATE_SYN_SENT, ON_ICMP);
        record->last_ns = tracker->now_ns;
        if (record->server_port == 5223 && flow->standing == STANDING_OURS)
            scope_note_try(&tracker->scope, flow, tracker->now_ns);
        flow_table_touch(&tracker->flows, flow);
    }
}

/* ---- the end ---- */

/* A 443 session that never showed a name is a courier's by its address or by its timing. */
static void settle_candidate(struct tracker *tracker, struct flow *flow)
{
    enum scope_reason reason = SCOPE_BY_NONE;
    enum flow_role role = scope_role_without_name(&tracker->scope, flow, &reason);
    if (role != ROLE_UNKNOWN)
        session_adopt(tracker, flow, role, reason);
    else
        flow->standing = STANDING_OTHER;
}

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
    count_direction(&tracker->counts, &flow->record);
    tell_opened(tracker, flow);
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
        settle_candidate(tracker, flow);
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
