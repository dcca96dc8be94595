/* Transport headers: TCP, UDP.
 *
 * Private to dissect/. TCP is inline because it ends the common path of dissect.c; UDP is either
 * DNS, a tunnel, or none of our business. Checksums are not verified here, but on request:
 * dissect/checksum.h. */
#ifndef APNSCOPE_DISSECT_TRANSPORT_H
#define APNSCOPE_DISSECT_TRANSPORT_H

#include "walk.h"

/* RFC 9293 section 3.1. Everything up to the window is read; checksum and urgent pointer are not,
 * so that a frame cut at 54 bytes still tells its TCP story behind one VLAN tag. */
enum { TCP_HEADER_SIZE = 20, TCP_READ_SIZE = 16 };

/* A first fragment that ends inside the header (RFC 1858 section 3.1) waits for its others. */
static inline enum skip_reason transport_short(const struct walk *walk, uint32_t size)
{
    if (walk->is_fragment && walk->wire < size)
        return SKIP_FRAGMENT;
    return walk_lack(walk, size, SKIP_TRANSPORT_CUT, SKIP_TRANSPORT_BAD);
}

static inline void transport_fill_options(struct packet *packet, const struct walk *walk,
                                          uint32_t header_size)
{
    uint32_t size = header_size - TCP_HEADER_SIZE;
    uint32_t captured = walk_captured(walk);
    uint32_t there = captured > TCP_HEADER_SIZE ? captured - TCP_HEADER_SIZE : 0;
    packet->tcp_options = there ? walk->at + TCP_HEADER_SIZE : walk->end;
    packet->tcp_options_size = (uint8_t)(size < there ? size : there);
    packet->tcp_options_cut = size > there;
}

static inline enum skip_reason transport_tcp(struct walk *walk)
{
    if (walk->wire < TCP_HEADER_SIZE || !walk_has(walk, TCP_READ_SIZE))
        return transport_short(walk, TCP_HEADER_SIZE);
    const uint8_t *tcp = walk->at;
    uint32_t header_size = (uint32_t)(tcp[12] >> 4) * 4;
    if (header_size < TCP_HEADER_SIZE)
        return SKIP_TRANSPORT_BAD;
    if (header_size > walk->wire)
        return transport_short(walk, header_size);

    struct packet *packet = walk->packet;
    packet->source_port = load_u16(tcp);
    packet->destination_port = load_u16(tcp + 2);
    packet->sequence = load_u32(tcp + 4);
    packet->acknowledgement = load_u32(tcp + 8);
    packet->tcp_flags = tcp[13];
    packet->window = load_u16(tcp + 14);
    packet->icmp_type = 0;
    packet->icmp_code = 0;
    packet->icmp_mtu = 0;
    transport_fill_options(packet, walk, header_size);
    walk->wire -= header_size;
    walk->at = walk_has(walk, header_size) ? walk->at + header_size : walk->end;
    walk_fill(walk, PACKET_TCP);
    return SKIP_NONE;
}

enum skip_reason transport_udp(struct walk *walk);

#endif
