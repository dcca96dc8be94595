/* The packets' time, as the tracker goes by it: see packet_time.h. */
#include "packet_time.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void packet_time_init(struct packet_time *time)
{
    *time = (struct packet_time){.clock_count = 1, .next_clock = 1};
}

void packet_time_free(struct packet_time *time)
{
    free(time->held_bytes);
}

/* Where several fit, the one by which least time has passed. A silence as long as two clocks differ
 * is taken for the other clock: that makes it shorter, never longer. */
bool packet_time_finds_clock(struct packet_time *time, int64_t level_ns, int64_t time_ns)
{
    uint8_t before = time->clock, best = PACKET_TIME_CLOCKS;
    int64_t least = INT64_MAX;
    for (time->clock = 0; time->clock < time->clock_count; time->clock++) {
        int64_t distance = time_between(level_ns, packet_time_moved(time, time_ns));
        if (distance < -BELIEVED_BACK_NS || distance > BELIEVED_AHEAD_NS || distance >= least)
            continue;
        least = distance;
        best = time->clock;
    }
    time->clock = best == PACKET_TIME_CLOCKS ? before : best;
    return best != PACKET_TIME_CLOCKS;
}

/* A packet's bytes stand in one piece from its IP header to the end of its payload. */
bool packet_time_hold(struct packet_time *time, const struct packet *packet, uint64_t hash)
{
    assert(!time->holds);
    size_t size = (size_t)(packet->payload - packet->ip) + packet->payload_captured;
    if (size > PACKET_TIME_HELD_SIZE)
        return false;
    if (!time->held_bytes)
        time->held_bytes = malloc(PACKET_TIME_HELD_SIZE);
    if (!time->held_bytes)
        return false;
    memcpy(time->held_bytes, packet->ip, size);
    time->held = *packet;
    time->held.ip = time->held_bytes;
    time->held.payload = time->held_bytes + (packet->payload - packet->ip);
    if (packet->tcp_options)
        time->held.tcp_options = time->held_bytes + (packet->tcp_options - packet->ip);
    time->held_hash = hash;
    time->holds = true;
    return true;
}

bool packet_time_holds_copy(const struct packet_time *time, const struct packet *packet)
{
    const struct packet *held = &time->held;
    return time->holds && held->time_ns == packet->time_ns && held->kind == packet->kind &&
           held->ip_id == packet->ip_id && held->sequence == packet->sequence &&
           held->acknowledgement == packet->acknowledgement &&
           held->tcp_flags == packet->tcp_flags && held->payload_size == packet->payload_size &&
           held->source_port == packet->source_port &&
           held->destination_port == packet->destination_port &&
           address_equal(&held->source, &packet->source) &&
           address_equal(&held->destination, &packet->destination);
}

/* From here on the clock shows so much less than it did. */
static void add_clock(struct packet_time *time, int64_t less_ns)
{
    int64_t offset_ns;
    if (__builtin_add_overflow(time->offsets[time->clock], less_ns, &offset_ns))
        return;
    if (time->clock_count < PACKET_TIME_CLOCKS)
        time->clock_count++;
    time->clock = time->next_clock;
    time->offsets[time->clock] = offset_ns;
    time->next_clock = (uint8_t)(time->next_clock % (PACKET_TIME_CLOCKS - 1) + 1);
}

int64_t packet_time_settle(struct packet_time *time, int64_t level_ns, int64_t next_ns)
{
    int64_t held_ns = packet_time_moved(time, time->held.time_ns);
    time->holds = false;
    next_ns = packet_time_moved(time, next_ns);
    if (level_ns == TIME_UNKNOWN)
        return time_may_stand_alone(next_ns, held_ns) ? held_ns : next_ns;
    if (!time_bears_out(level_ns, held_ns, next_ns)) {
        time->strays++;
        return level_ns;
    }
    if (held_ns >= level_ns)
        return held_ns;
    add_clock(time, time_between(held_ns, level_ns));
    return level_ns;
}

int64_t packet_time_settle_last(struct packet_time *time, int64_t level_ns)
{
    int64_t held_ns = packet_time_moved(time, time->held.time_ns);
    time->holds = false;
    if (level_ns == TIME_UNKNOWN)
        return held_ns;
    if (time_may_stand_alone(level_ns, held_ns))
        return held_ns > level_ns ? held_ns : level_ns;
    time->strays++;
    return level_ns;
}

int64_t packet_time_end(const struct packet_time *time, int64_t level_ns, int64_t end_ns)
{
    int64_t end_level_ns = level_ns;
    int64_t nearest = INT64_MAX;
    for (uint8_t i = 0; i < time->clock_count; i++) {
        int64_t distance = time_between(level_ns, end_ns);
        if (__builtin_add_overflow(distance, time->offsets[i], &distance) || distance < 0 ||
            distance >= nearest)
            continue;
        nearest = distance;
        end_level_ns = level_ns + distance;
    }
    return end_level_ns > TIME_LIMIT_NS ? TIME_LIMIT_NS : end_level_ns;
}
