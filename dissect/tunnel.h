/* Tunnels: packets and frames inside IP and UDP.
 *
 * Private to dissect/. tunnel.c has those with an IP protocol number of their own, tunnel_udp.c
 * those over UDP, which are only believed when what is inside holds up. */
#ifndef APNSCOPE_DISSECT_TUNNEL_H
#define APNSCOPE_DISSECT_TUNNEL_H

#include "walk.h"

enum skip_reason tunnel_gre(struct walk *walk);
enum skip_reason tunnel_etherip(struct walk *walk);
enum skip_reason tunnel_l2tp_ip(struct walk *walk);

/* At an L2TPv3 session's cookie, whose size only its two ends know. */
enum skip_reason tunnel_l2tp_session(struct walk *walk);

/* At the payload of a UDP datagram, bounded by it. SKIP_NOT_TCP where it is not a tunnel. */
enum skip_reason tunnel_udp(struct walk *walk, uint16_t source_port, uint16_t destination_port);

/* CAPWAP, RFC 5415 section 4.3: the header's length, in words, follows its preamble of one byte. */
enum { CAPWAP_LAST = 0x0040 };
static inline uint32_t capwap_header_size(const uint8_t *header)
{
    return (uint32_t)(header[1] >> 3) * 4;
}
/* At the payload of a CAPWAP data packet, or of its fragments. */
enum skip_reason tunnel_capwap_payload(struct walk *walk, const uint8_t *header);

/* GRE, but only with a plausible packet inside. */
enum skip_reason tunnel_gre_if_plausible(struct walk *walk);

#endif
