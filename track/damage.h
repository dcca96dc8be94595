/* Packets that were changed after they had been sent.
 *
 * A wrong checksum says that the packet was damaged: on the way, then its receiver threw it away
 * (RFC 9293 section 3.10, RFC 1122 section 4.2.2.7), or in the capture, then it never was what it
 * seems to be. Either way it proves nothing, and is taken as if it had not been captured. But a
 * wrong checksum also is what a machine shows that leaves checksums to its network card, and a
 * capture whose addresses or payload were replaced: so it is believed only of senders whose
 * checksums are right elsewhere. Learned from the packets themselves; of the first ones nothing is
 * known, and they are taken. Deliberately does not repair anything. */
#ifndef APNSCOPE_TRACK_DAMAGE_H
#define APNSCOPE_TRACK_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/packet.h"

enum { DAMAGE_SENDERS = 1024 };

struct checksum_counts {
    uint32_t right;
    uint32_t wrong;
};

/* Payload may have been replaced, or merged by a network card, where bare packets are as sent. */
enum damage_kind { DAMAGE_BARE, DAMAGE_PAYLOAD, DAMAGE_KINDS };

struct damage {
    uint32_t proven; /* bare packets that were wrong, of senders that also send right ones */
    struct checksum_counts all[DAMAGE_KINDS];
    struct checksum_counts senders[DAMAGE_SENDERS][DAMAGE_KINDS]; /* by hash of the address */
};

/* True: the packet, whose checksum this is, was damaged. Notes what it says of its sender. */
bool damage_found(struct damage *damage, const struct packet *packet,
                  enum packet_checksum checksum);

#endif
