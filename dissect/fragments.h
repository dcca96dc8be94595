/* Fragments of IP datagrams and CAPWAP frames, put together again.
 *
 * dissect_frame sees one frame and gives a fragment as PACKET_FRAGMENT; whoever takes packets in
 * order (track/) hands it on to here. A datagram that begins with a whole TCP header is told at
 * once, as far as its first fragment goes, and its rest when the last fragment has come; all others
 * when they are complete. Deliberately believes nothing of a datagram whose fragments overlap (RFC
 * 5722 section 4): what the far end made of it cannot be known. Copies of a fragment, as mirrors
 * deliver them, do no harm. Bounded: FRAGMENTS_DATAGRAMS at a time, each for FRAGMENTS_PATIENCE_NS
 * of packet time; beyond, the oldest is given up. */
#ifndef APNSCOPE_DISSECT_FRAGMENTS_H
#define APNSCOPE_DISSECT_FRAGMENTS_H

#include <stdint.h>

#include "model/packet.h"
#include "model/vocabulary.h"

enum { FRAGMENTS_DATAGRAMS = 128 };

/* Fragments leave their sender together, and a path delays them alike. RFC 1122 section 3.3.2 has
 * ends wait for a minute or more; an observer who did would, on a busy tunnel, see identifications
 * come round again (RFC 4963). */
#define FRAGMENTS_PATIENCE_NS INT64_C(2000000000)

struct fragments; /* takes memory with the first fragment: up to 8.5 MiB */

/* Counts of datagrams. */
struct fragment_counts {
    uint64_t refused;    /* their fragments overlap or contradict each other */
    uint64_t incomplete; /* given up: a fragment is missing, or was cut by the snap length */
};

struct fragments *fragments_new(void);
void fragments_free(struct fragments *fragments); /* NULL is fine */

/* Takes a PACKET_FRAGMENT. SKIP_NONE: *told is a packet of TCP, DNS or an ICMP error, whose bytes
 * last until the next call; otherwise why nothing can be told (SKIP_FRAGMENT: it waits, or came in
 * vain). */
enum skip_reason fragments_take(struct fragments *fragments, const struct packet *fragment,
                                struct packet *told);

/* What still waits counts as incomplete. */
struct fragment_counts fragments_count(const struct fragments *fragments);

#endif
