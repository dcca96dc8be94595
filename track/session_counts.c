/* What is counted of every packet of a session: packets, bytes, times, who it came from.
 *
 * Called by session.c. What sequence numbers and flags tell is session_tcp.c's. */
#include <string.h>

#include "session.h"

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
    if (direction == UP && packet->tcp_flags & TCP_SYN && packet->ttl != record->ttl_client) {
        record->was_passed_on = true;
        if (packet->ttl > record->ttl_client)
            note_client(record, packet);
    }
    if (direction == DOWN && flow_has_other_mac(flow, packet))
        forget_server_mac(tracker, flow);
}

void session_pass_beyond(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                         enum direction direction)
{
    session_follow_flags(flow, packet, direction);
    if (direction == UP && packet->tcp_flags & TCP_SYN) {
        flow->record.saw |= SAW_SYN;
        flow->record.client_isn = packet->sequence;
    }
    flow->record.last_ns = tracker->now_ns;
    flow_table_touch(&tracker->flows, flow);
    if (flow_table_at(&tracker->flows, flow->inside_id)->hash != flow->inside_hash)
        session_finish(tracker, flow, CAUSE_ENDED); /* that one was not ours, or is over */
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

/* A handshake that fails is over, and given up, within the 30 s that an attempt takes at most
 * (wire.md section 3): what the server says anew after that belongs to a session that works. */
static void note_late_answer(struct flow *flow, const struct packet *packet)
{
    const int64_t late_ns = 30 * NS_PER_S;
    uint32_t end = packet->sequence + packet->payload_size;
    if (flow->answered_late || flow->record.last_ns - flow->record.started_ns < late_ns ||
        !flow->down.known || sequence_distance(flow->down.next, end) <= 0)
        return;
    flow->answered_late = true;
    flow->late_end = end;
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
        if (!flow->works_told)
            note_late_answer(flow, packet);
    }
}

void session_count(struct tracker *tracker, struct flow *flow, const struct packet *packet,
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
