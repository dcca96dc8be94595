/* Sessions that a capture holds on both sides of an address translation (NAT).
 *
 * As captures do that were taken on the gateway itself on all of its interfaces, or inside and
 * outside of it and read together. Such a session is one: it is the device's, by the address that
 * it has inside, and its packets behind the translation are copies. A translation changes the
 * client's address and port, and leaves sequence numbers (RFC 9293 section 3.4.1: chosen at random),
 * acknowledgement and timestamps (RFC 7323 section 3.2) as they are: two first packets that agree
 * in these to the same server within a moment, one of which has passed more routers, are one packet.
 * Where the box numbers anew, as some firewalls do, they stay two sessions; so they do in a flood,
 * where nobody asks. */
#ifndef APNSCOPE_TRACK_TRANSLATION_H
#define APNSCOPE_TRACK_TRANSLATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "flow_table.h"
#include "model/packet.h"

enum { TRANSLATION_SLOTS = 1024 };

/* As long as a gateway may queue a packet, or clocks of two captures that were joined may differ. */
#define TRANSLATION_WINDOW_NS NS_PER_S

/* SYNs, and first packets of sessions that began before the capture, by what a translation leaves. */
struct translations {
    struct translation_slot {
        uint64_t key; /* 0: empty */
        uint64_t flow_hash;
        int64_t time_ns;
        uint32_t flow_id;
        uint8_t ttl;
    } slots[TRANSLATION_SLOTS];
};

/* To be asked of each SYN, and of the first packets of a session without one. Returns the
 * session that holds the same packet on the other side; NULL: none, and the packet is remembered.
 * `is_inside`: it is the other session that is the device's own, and the packet's is behind the
 * translation; else the other way round. */
struct flow *translation_find(struct translations *translations, const struct flow_table *flows,
                              const struct flow *flow, const struct packet *packet,
                              bool *is_inside);

#endif
