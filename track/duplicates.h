/* Packets that a mirror delivers twice.
 *
 * A small memory of recent packets of tracked flows, by what two copies of one packet share and a
 * retransmission does not: sequence, acknowledgement, flags, sizes, options (timestamps), IP id.
 * TTL, MAC addresses and VLAN may differ between the copies and are left out. */
#ifndef APNSCOPE_TRACK_DUPLICATES_H
#define APNSCOPE_TRACK_DUPLICATES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/packet.h"

enum { DUPLICATES_SLOTS = 4096 };

/* Copies come within microseconds to milliseconds; a stack retransmits no sooner than 10 ms (tail
 * loss probe, RFC 8985 section 7) and then with a new timestamp or IP id. */
#define DUPLICATES_WINDOW_NS INT64_C(20000000)
/* Where one of these says that it is the same packet, a copy that a busy mirror delivers late is
 * told from a retransmission, if not much later than the clocks behind timestamps tick. */
#define DUPLICATES_MARKED_WINDOW_NS INT64_C(60000000)
/* Where both say so, it is however long it took: through a firewall that queues, or from another
 * machine whose clock is a little off. A stack's packet sent again has the one or the other new;
 * ids come round again much later. */
#define DUPLICATES_TWICE_MARKED_WINDOW_NS INT64_C(500000000)

struct duplicates {
    struct {
        uint64_t hash;
        int64_t time_ns;
    } slots[DUPLICATES_SLOTS];
};

/* Whether anything in the packet tells a copy of it from another packet. */
bool duplicates_can_tell(const struct packet *packet);

/* As duplicates_seen, but leaves no trace. */
bool duplicates_knows(const struct duplicates *duplicates, const struct packet *packet,
                      uint64_t flow_hash);

/* True when the same packet of the same flow was seen within the window, or within `soonest_ns`,
 * which no sender of that flow takes less to know that it must send again (0: not known). */
bool duplicates_seen(struct duplicates *duplicates, const struct packet *packet, uint64_t flow_hash,
                     int64_t soonest_ns);

#endif
