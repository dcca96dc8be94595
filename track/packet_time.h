/* The packets' time, as the tracker goes by it: never back, and not where one damaged time says.
 *
 * Between track.c and everything that is measured. A time that does not go on from the level
 * (base/believed_time.h) is held with its packet until the next packet of ours shows whether it is
 * right: then either time has jumped ahead, or the clock was set back and what follows is moved so
 * that time goes on, or the packet had a damaged time and counts as of now. Several clocks in one
 * capture that take turns are told by their offsets. Deliberately moves times, not packets: their
 * order is the capture's. */
#ifndef APNSCOPE_TRACK_PACKET_TIME_H
#define APNSCOPE_TRACK_PACKET_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/believed_time.h"
#include "model/packet.h"

enum { PACKET_TIME_CLOCKS = 4, PACKET_TIME_HELD_SIZE = 72 << 10 };

struct packet_time {
    int64_t offsets[PACKET_TIME_CLOCKS]; /* of each clock to the level's; the first one's is 0 */
    uint8_t clock_count;
    uint8_t clock;      /* the one that the last packet was of */
    uint8_t next_clock; /* is given up for a new one */
    bool holds;
    struct packet held;
    uint64_t held_hash;
    uint8_t *held_bytes;
    uint64_t strays; /* packets whose time was damaged */
};

void packet_time_init(struct packet_time *time);
void packet_time_free(struct packet_time *time);

/* A packet's time by the clock of the packet before. */
static inline int64_t packet_time_moved(const struct packet_time *time, int64_t time_ns)
{
    int64_t moved_ns;
    if (__builtin_add_overflow(time_ns, time->offsets[time->clock], &moved_ns))
        moved_ns = time_ns;
    if (moved_ns < -TIME_LIMIT_NS)
        return -TIME_LIMIT_NS;
    return moved_ns > TIME_LIMIT_NS ? TIME_LIMIT_NS : moved_ns;
}

/* Whether the time goes on from the level, by the clock of the packet before. */
static inline bool packet_time_goes_on(const struct packet_time *time, int64_t level_ns,
                                       int64_t time_ns)
{
    return time_goes_on(level_ns, packet_time_moved(time, time_ns));
}

/* The same, by any clock known; that clock is the packet's then. */
bool packet_time_finds_clock(struct packet_time *time, int64_t level_ns, int64_t time_ns);

/* Keeps a copy of the packet; false where it is too large. None must be held. */
bool packet_time_hold(struct packet_time *time, const struct packet *packet, uint64_t hash);

/* A copy of the held packet, as mirrors make them: it bears nothing out. */
bool packet_time_holds_copy(const struct packet_time *time, const struct packet *packet);

/* What to make of the held packet's time, now that the next one's is known: the level that it
 * belongs at, never below `level_ns`. Nothing is held afterwards; the packet stays readable. */
int64_t packet_time_settle(struct packet_time *time, int64_t level_ns, int64_t next_ns);
/* The same where no packet follows. */
int64_t packet_time_settle_last(struct packet_time *time, int64_t level_ns);

/* The level at which a time of the capture's end lies; `level_ns` where it says nothing. */
int64_t packet_time_end(const struct packet_time *time, int64_t level_ns, int64_t end_ns);

#endif
