/* The state of one frame's way from the link layer to the transport header.
 *
 * Private to dissect/. Each layer checks its own header, moves the walk past it and hands it on;
 * what the packet will need is only pointed at on the way (the innermost IP header, the innermost
 * MAC addresses), and walk_fill writes it once, when a transport has been found. So a layer that
 * is tried and not believed leaves nothing behind: the walk is copied and the copy dropped.
 * Deliberately knows no protocol. */
#ifndef APNSCOPE_DISSECT_WALK_H
#define APNSCOPE_DISSECT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/reader.h"
#include "model/packet.h"
#include "model/vocabulary.h"

/* Encapsulations followed in one frame (VLAN tags and MPLS labels have their own limits). Real
 * stacks reach five: PBB, MPLS pseudowire, VLAN, VXLAN, GRE. */
enum { WALK_DEPTH_MAX = 8 };

/* Invariant: wire >= end - at. */
struct walk {
    const uint8_t *at;  /* the next header */
    const uint8_t *end; /* of what was captured of this layer */
    uint32_t wire;      /* bytes of this layer from `at` on, captured or not */
    uint32_t lane;
    uint16_t vlan;
    uint8_t depth;
    bool is_fragment; /* the layer is the first part of a datagram */
    bool is_bounded;  /* `wire` is a header's word, not only the frame's record */
    bool length_from_frame;
    const uint8_t *ip;              /* the innermost IP header; in the same bytes as `at` */
    const uint8_t *source_mac;      /* NULL: not known */
    const uint8_t *destination_mac; /* NULL: not known */
    struct process process;
    const struct frame *frame;
    struct packet *packet;
};

/* A layer: reads its header at the walk's place and goes on to the next one. */
typedef enum skip_reason (*walk_step)(struct walk *walk);

static inline uint32_t walk_captured(const struct walk *walk)
{
    return (uint32_t)(walk->end - walk->at);
}

static inline bool walk_has(const struct walk *walk, uint32_t size)
{
    return walk_captured(walk) >= size;
}

/* Past `size` bytes that walk_has. */
static inline void walk_skip(struct walk *walk, uint32_t size)
{
    walk->at += size;
    walk->wire -= size;
}

/* Why `size` bytes are not there: the snap length took them, or the layer was never that long. */
static inline enum skip_reason walk_lack(const struct walk *walk, uint32_t size,
                                         enum skip_reason cut, enum skip_reason bad)
{
    return walk->wire >= size ? cut : bad;
}

/* The layer is `size` bytes long by its own header: what follows is padding or a check sequence.
 * May be more than the frame holds; the header is believed, since some tools record the cut
 * length as the original one. */
static inline void walk_bound(struct walk *walk, uint32_t size)
{
    if (walk_has(walk, size))
        walk->end = walk->at + size;
    walk->wire = size;
}

/* As walk_bound, for the length field of a layer that carries others: it can only shorten, and
 * bounds what is inside. */
static inline void walk_shorten(struct walk *walk, uint32_t size)
{
    if (size <= walk->wire) {
        walk_bound(walk, size);
        walk->is_bounded = true;
    }
}

/* The size of a packet inside this layer, by its own header: no more than a header further out
 * allows (seen: PPPoE that counts the Ethernet padding into the IP length), except in a first
 * fragment, which holds only a part of it. */
static inline uint32_t walk_inside(const struct walk *walk, uint32_t size)
{
    bool is_too_long = walk->is_bounded && !walk->is_fragment && size > walk->wire;
    return is_too_long ? walk->wire : size;
}

static inline bool walk_deeper(struct walk *walk)
{
    return ++walk->depth <= WALK_DEPTH_MAX;
}

enum lane_kind { LANE_VLAN = 1, LANE_VNI, LANE_GRE_KEY, LANE_SERVICE };

/* Folds an identifier that both directions of a connection carry alike into the lane. Identifiers
 * that each side chooses for itself (GTP TEID, PPTP call, L2TP session, MPLS label) must stay out:
 * they would put the two directions into two lanes. The multipliers are the odd golden-ratio and
 * Murmur3 constants; all that is asked of them is to spread. Never 0 after the first fold. */
static inline void walk_fold(struct walk *walk, enum lane_kind kind, uint32_t id)
{
    uint32_t mixed = (walk->lane + id + ((uint32_t)kind << 28)) * UINT32_C(0x9e3779b1);
    mixed ^= mixed >> 15;
    mixed *= UINT32_C(0x85ebca6b);
    mixed ^= mixed >> 13;
    walk->lane = mixed ? mixed : 1;
}

static inline struct walk walk_over(const struct frame *frame, struct packet *packet)
{
    /* Bytes that were captured were on the wire, whatever the record says. */
    uint32_t wire =
        frame->original_size > frame->captured_size ? frame->original_size : frame->captured_size;
    uint32_t fcs = frame->fcs_size < wire ? frame->fcs_size : 0;
    wire -= fcs;
    uint32_t captured = frame->captured_size < wire ? frame->captured_size : wire;
    return (struct walk){
        .at = frame->bytes,
        .end = captured ? frame->bytes + captured : frame->bytes,
        .wire = wire,
        .process = frame->process,
        .frame = frame,
        .packet = packet,
    };
}

static inline void walk_fill_mac(const struct walk *walk)
{
    static const uint8_t zero[6] = {0, 0, 0, 0, 0, 0};
    struct packet *packet = walk->packet;
    const uint8_t *source = walk->source_mac ? walk->source_mac : zero;
    const uint8_t *destination = walk->destination_mac ? walk->destination_mac : zero;
    memcpy(packet->source_mac, source, sizeof packet->source_mac);
    memcpy(packet->destination_mac, destination, sizeof packet->destination_mac);
    /* Loopback, and captures of phones turned into Ethernet by tools, have zeros on both sides. */
    packet->has_mac = (load_u32(source) | load_u16(source + 4) | load_u32(destination) |
                       load_u16(destination + 4)) != 0;
}

/* RFC 791 section 3.1, RFC 8200 section 3; the header was checked when the walk passed it. */
static inline void walk_fill_ip(const struct walk *walk)
{
    const uint8_t *ip = walk->ip;
    struct packet *packet = walk->packet;
    packet->ip_version = ip[0] >> 4;
    if (packet->ip_version == 4) {
        packet->source = address_from_ipv4(ip + 12);
        packet->destination = address_from_ipv4(ip + 16);
        packet->ttl = ip[8];
        packet->ip_id = load_u16(ip + 4);
    } else {
        packet->source = address_from_ipv6(ip + 8);
        packet->destination = address_from_ipv6(ip + 24);
        packet->ttl = ip[7];
        packet->ip_id = 0;
    }
}

/* All of the packet but what belongs to its kind. The payload is what is left of the walk. */
static inline void walk_fill(const struct walk *walk, enum packet_kind kind)
{
    struct packet *packet = walk->packet;
    packet->kind = kind;
    packet->checksum = CHECKSUM_UNASKED;
    packet->is_fragment = walk->is_fragment;
    packet->length_from_frame = walk->length_from_frame;
    packet->vlan = walk->vlan;
    packet->lane = walk->lane;
    packet->ip = walk->ip;
    packet->payload = walk->at;
    packet->payload_size = walk->wire;
    packet->payload_captured = walk_captured(walk);
    packet->frame = walk->frame->number;
    packet->time_ns = walk->frame->time_ns;
    packet->process = walk->process;
    walk_fill_mac(walk);
    walk_fill_ip(walk);
}

static inline void walk_fill_without_tcp(const struct walk *walk, enum packet_kind kind)
{
    struct packet *packet = walk->packet;
    packet->source_port = 0;
    packet->destination_port = 0;
    packet->tcp_flags = 0;
    packet->window = 0;
    packet->sequence = 0;
    packet->acknowledgement = 0;
    packet->tcp_options = NULL;
    packet->tcp_options_size = 0;
    packet->tcp_options_cut = false;
    packet->icmp_type = 0;
    packet->icmp_code = 0;
    packet->icmp_mtu = 0;
    walk_fill(walk, kind);
}

/* A fragment, for fragments.h; but a fragment inside a part of a datagram waits for the whole. */
static inline enum skip_reason walk_fill_fragment(const struct walk *walk, enum fragment_kind kind)
{
    if (walk->is_fragment)
        return SKIP_FRAGMENT;
    walk_fill_without_tcp(walk, PACKET_FRAGMENT);
    walk->packet->fragment_kind = (uint8_t)kind;
    walk->packet->depth = walk->depth;
    return SKIP_NONE;
}

#endif
