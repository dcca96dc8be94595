/* Sessions whose packets come in more than one lane: see lanes.h.
 *
 * Between track.c's look-up and the beginning of a new session. What would prove it wrong: two
 * devices of equal addresses and ports, in two lanes, whose sequence and acknowledgement numbers
 * both lie within a window of each other: one chance in millions of an unlikely meeting. */
#include "lanes.h"

/* What may be on its way: the largest windows that systems open by themselves. Of 2^32 numbers, so
 * that both of two agree by chance once in 2^22. */
enum { WINDOW = 1 << 20 };
/* A reset without acknowledgement shows one number only: it must be nearer. */
enum { NEAR = 1 << 12 };

static bool is_within(uint32_t a, uint32_t b, int32_t limit)
{
    int32_t distance = sequence_distance(a, b);
    return distance <= limit && distance >= -limit;
}

static bool knows_lane(const struct flow *flow, uint32_t lane, unsigned *place)
{
    for (*place = 0; *place < flow->lane_count; ++*place)
        if (flow->lanes[*place] == lane)
            return true;
    return false;
}

/* RFC 9293 section 3.5: the SYN-ACK acknowledges the SYN's number plus one, the one thing that only
 * its own server knows. A SYN in a second lane says nothing unless its answer came first. */
static bool continues_opening(const struct flow *flow, const struct packet *packet,
                              enum direction direction)
{
    const struct flow_record *record = &flow->record;
    if (packet->tcp_flags & TCP_ACK)
        return direction == DOWN && record->saw & SAW_SYN && !(record->saw & SAW_SYN_ACK) &&
               packet->acknowledgement == flow->record.client_isn + 1;
    return direction == UP && !(record->saw & SAW_SYN) && flow->up.is_acked &&
           flow->up.acked == packet->sequence + 1;
}

/* Where a side's bytes stand: behind what was seen of it, or what the other side acknowledged. */
static bool place_of(const struct sequence *sequence, uint32_t *place)
{
    *place = sequence->known ? sequence->next : sequence->acked;
    return sequence->known || sequence->is_acked;
}

/* Does the packet go on where both sides stand? */
static bool continues(const struct flow *flow, const struct packet *packet,
                      enum direction direction)
{
    uint32_t own, other;
    bool has_own = place_of(direction == UP ? &flow->up : &flow->down, &own);
    bool has_other = place_of(direction == UP ? &flow->down : &flow->up, &other);
    if (packet->tcp_flags & TCP_SYN)
        return continues_opening(flow, packet, direction);
    if (!(packet->tcp_flags & TCP_ACK))
        return has_own && is_within(own, packet->sequence, NEAR);
    if (has_own)
        return has_other && is_within(own, packet->sequence, WINDOW) &&
               is_within(other, packet->acknowledgement, WINDOW);
    /* Nothing of that side is known, as after a lone SYN: it must acknowledge just what was sent.
     */
    return flow->record.saw & SAW_SYN && direction == DOWN &&
           packet->acknowledgement - (flow->record.client_isn + 1) <= flow->record.bytes_up;
}

/* Which lane the session's device is in: the client's own packets say it, and of two copies the
 * one that has passed fewer routers; between equals any rule will do that always says the same.
 * Only until somebody was told. */
static bool is_better_lane(const struct flow *flow, const struct packet *packet, bool is_copy)
{
    const struct flow_record *record = &flow->record;
    if (flow->opened)
        return false;
    if (!(record->saw & SAW_UP))
        return true;
    if (!is_copy || packet->ttl < record->ttl_client)
        return false;
    return packet->ttl > record->ttl_client || packet->lane < record->lane;
}

static void join(struct flow *flow, const struct packet *packet, bool is_copy)
{
    bool is_up = flow_direction_of(flow, packet) == UP;
    uint32_t lane = packet->lane;
    if (is_up && is_better_lane(flow, packet, is_copy)) {
        lane = flow->record.lane;
        flow->record.lane = packet->lane;
        flow->record.vlan = packet->vlan;
    }
    if (flow->lane_count == FLOW_LANES_MORE)
        return;
    flow->lane_copies |= (uint8_t)(is_copy << flow->lane_count);
    flow->lanes[flow->lane_count++] = lane;
}

/* A copy is of this session's packet, not of another one's between the same ends. */
static bool is_its_own(const struct flow *flow, const struct packet *packet,
                       enum direction direction)
{
    uint32_t saw = flow->record.saw;
    if (!(packet->tcp_flags & TCP_SYN))
        return continues(flow, packet, direction);
    if (packet->tcp_flags & TCP_ACK)
        return direction == DOWN && saw & SAW_SYN_ACK && packet->sequence == flow->server_isn;
    return direction == UP && saw & SAW_SYN && packet->sequence == flow->record.client_isn;
}

struct question {
    const struct tracker *tracker;
    uint64_t hash;
};

static bool belongs(void *context, struct flow *flow, const struct packet *packet)
{
    const struct question *question = (const struct question *)context;
    unsigned place;
    if (knows_lane(flow, packet->lane, &place))
        return true;
    enum direction direction = flow_direction_of(flow, packet);
    bool is_copy = is_its_own(flow, packet, direction) &&
                   duplicates_knows(&question->tracker->duplicates, packet, question->hash);
    if (!is_copy && !continues(flow, packet, direction))
        return false;
    join(flow, packet, is_copy);
    return true;
}

struct flow *lanes_find(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    struct question question = {tracker, hash};
    return flow_table_find_elsewhere(&tracker->flows, packet, hash, belongs, &question);
}

/* The error's way back need not be the packet's: the quoted sequence number must be one that was
 * sent. */
static bool is_quoted(void *context, struct flow *flow, const struct packet *quoted)
{
    (void)context;
    unsigned place;
    const struct sequence *own = flow_direction_of(flow, quoted) == UP ? &flow->up : &flow->down;
    return knows_lane(flow, quoted->lane, &place) ||
           (own->known && is_within(own->next, quoted->sequence, NEAR));
}

struct flow *lanes_find_quoted(struct tracker *tracker, const struct packet *quoted)
{
    return flow_table_find_elsewhere(&tracker->flows, quoted, flow_hash(quoted), is_quoted, NULL);
}

void lanes_note_copy(struct flow *flow, const struct packet *packet)
{
    unsigned place;
    if (packet->lane != flow->record.lane && knows_lane(flow, packet->lane, &place))
        flow->lane_copies |= (uint8_t)(1 << place);
}

bool lanes_says_copy(const struct flow *flow, const struct packet *packet)
{
    unsigned place;
    return packet->lane != flow->record.lane && knows_lane(flow, packet->lane, &place) &&
           flow->lane_copies >> place & 1 && !duplicates_can_tell(packet);
}
