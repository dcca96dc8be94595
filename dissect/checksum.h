/* Whether a packet is as it was sent: its checksums, where all of it was captured.
 *
 * Costs a pass over the packet's bytes, so it is asked of wanted packets only. Deliberately does
 * not say what follows from it: track/damage.h does. */
#ifndef APNSCOPE_DISSECT_CHECKSUM_H
#define APNSCOPE_DISSECT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "model/packet.h"

/* Of a TCP packet, a DNS message or a fragment, as dissect_frame filled it: right as far as it can
 * be checked, which of a part of a packet is its IPv4 header. Never CHECKSUM_UNASKED. */
enum packet_checksum dissect_checksum(const struct packet *packet);

/* Of TCP alone, and wrong also where a network card is still to fill it in, which tells that such
 * packets are captured. Not left out: the packet can be checked. */
enum packet_checksum dissect_tcp_checksum_as_is(const struct packet *packet);

/* Of a whole ICMP or ICMPv6 message behind its IP header. */
enum packet_checksum dissect_icmp_checksum(const uint8_t *ip, const uint8_t *message, size_t size);

#endif
