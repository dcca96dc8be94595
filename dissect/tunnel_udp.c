/* Tunnels over UDP: VXLAN, Geneve, GTP-U, CAPWAP, Teredo, L2TP, GRE, MPLS, TZSP.
 *
 * From transport.c, and back to network.c or the link layers. A port number proves nothing: each
 * tunnel is believed only when its own header is sound and a plausible IP packet is inside, with a
 * length that fits. What would prove it wrong: an application that sends whole IP packets on these
 * ports and is not a tunnel. Otherwise the datagram is plain UDP. Deliberately holds no state, so a
 * tunnel on another port is not found. */
#include "tunnel.h"

#include "link.h"
#include "network.h"

/* A plausible packet, or one that the snap length took. */
static enum skip_reason believe_ip(struct walk *walk)
{
    if (network_plausible_size(walk))
        return network_ip(walk);
    return !walk_has(walk, IPV6_HEADER_SIZE) && walk_captured(walk) < walk->wire ? SKIP_IP_CUT
                                                                                 : SKIP_NOT_TCP;
}

static enum skip_reason believe_ethernet(struct walk *walk)
{
    if (link_plausible_ethernet_size(walk))
        return link_ethernet(walk);
    return !walk_has(walk, ETHERNET_HEADER_SIZE + IPV6_HEADER_SIZE) &&
                   walk_captured(walk) < walk->wire
               ? SKIP_IP_CUT
               : SKIP_NOT_TCP;
}

static enum skip_reason believe_type(struct walk *walk, uint16_t type)
{
    if (type == ETHERTYPE_BRIDGED)
        return believe_ethernet(walk);
    return type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6 ? believe_ip(walk) : SKIP_NOT_TCP;
}

static void fold_vni(struct walk *walk, const uint8_t *three)
{
    uint32_t vni = load_u24(three);
    if (vni != 0)
        walk_fold(walk, LANE_VNI, vni);
}

/* RFC 7348 section 5: flags 1 (0x08: the identifier is valid), reserved 3, identifier 3, reserved
 * 1. 0x80 is the group policy extension; no other flag is defined. */
static enum skip_reason udp_vxlan(struct walk *walk)
{
    if (!walk_has(walk, 8) || (walk->at[0] & ~0x80U) != 0x08)
        return SKIP_NOT_TCP;
    fold_vni(walk, walk->at + 4);
    walk_skip(walk, 8);
    return believe_ethernet(walk);
}

/* draft-ietf-nvo3-vxlan-gpe-13 section 3: version 0x30, I 0x08, P 0x04: the fourth byte says what
 * follows, 1 IPv4, 2 IPv6, 3 Ethernet. */
static enum skip_reason udp_vxlan_gpe(struct walk *walk)
{
    if (!walk_has(walk, 8) || (walk->at[0] & 0x38) != 0x08)
        return SKIP_NOT_TCP;
    uint8_t next = walk->at[0] & 0x04 ? walk->at[3] : 3;
    fold_vni(walk, walk->at + 4);
    walk_skip(walk, 8);
    if (next == 3)
        return believe_ethernet(walk);
    return next == 1 || next == 2 ? believe_ip(walk) : SKIP_NOT_TCP;
}

/* RFC 8926 section 3.4: version 2 bits, option words 6, flags 8, protocol 16, identifier 24. */
static enum skip_reason udp_geneve(struct walk *walk)
{
    if (!walk_has(walk, 8) || walk->at[0] >> 6 != 0)
        return SKIP_NOT_TCP;
    uint32_t size = 8 + (uint32_t)(walk->at[0] & 0x3f) * 4;
    uint16_t type = load_u16(walk->at + 2);
    if (!walk_has(walk, size))
        return SKIP_NOT_TCP;
    fold_vni(walk, walk->at + 4);
    walk_skip(walk, size);
    return believe_type(walk, type);
}

/* 3GPP TS 29.281 section 5.2.1: each extension header begins with its length in four-byte words
 * and ends with the type of the next. */
static bool pass_gtp_extensions(struct walk *walk, uint8_t next)
{
    while (next != 0) {
        if (!walk_has(walk, 1))
            return false;
        uint32_t size = (uint32_t)walk->at[0] * 4;
        if (size == 0 || !walk_has(walk, size))
            return false;
        next = walk->at[size - 1];
        walk_skip(walk, size);
    }
    return true;
}

/* 3GPP TS 29.281 section 5.1: version 1 and protocol type 1, E 4, S 2, PN 1; message type 255 is a
 * user's packet; length 2; tunnel endpoint 4, which each side chooses for itself. */
static enum skip_reason udp_gtp(struct walk *walk)
{
    if (!walk_has(walk, 8) || (walk->at[0] & 0xf0) != 0x30 || walk->at[1] != 255)
        return SKIP_NOT_TCP;
    uint8_t flags = walk->at[0];
    uint16_t size = load_u16(walk->at + 2);
    walk_skip(walk, 8);
    walk_shorten(walk, size);
    if (flags & 0x07) {
        if (!walk_has(walk, 4))
            return SKIP_NOT_TCP;
        uint8_t next = flags & 0x04 ? walk->at[3] : 0;
        walk_skip(walk, 4);
        if (!pass_gtp_extensions(walk, next))
            return SKIP_NOT_TCP;
    }
    return believe_ip(walk);
}

/* RFC 5415 section 4.3: preamble 8 bits (1: DTLS follows), header words 5, radio 5, binding 5 (1:
 * 802.11), T 1 (native frames, else 802.3), F 1 (fragment), L 1, W 1, M 1, K 1 (keep-alive),
 * reserved 3; fragment number 16, offset 13. */
enum { CAPWAP_DTLS = 1, CAPWAP_T = 0x0100, CAPWAP_F = 0x0080, CAPWAP_K = 0x0008 };

/* 802.11 as an access point or a sniffer saw it: not believed where it contradicts itself. */
static enum skip_reason believe_radio(struct walk *walk)
{
    enum skip_reason reason = link_80211_swapped(walk);
    bool is_believed = reason != SKIP_LINK_BAD && reason != SKIP_NOT_IP && reason != SKIP_IP_BAD;
    return is_believed ? reason : SKIP_NOT_TCP;
}

enum skip_reason tunnel_capwap_payload(struct walk *walk, const uint8_t *header)
{
    uint16_t flags = load_u16(header + 2);
    uint8_t binding = (flags >> 9) & 0x1f;
    if ((flags & CAPWAP_T) == 0)
        return believe_ethernet(walk);
    return binding == 1 ? believe_radio(walk) : SKIP_NOT_TCP;
}

static enum skip_reason udp_capwap(struct walk *walk)
{
    if (!walk_has(walk, 8))
        return SKIP_NOT_TCP;
    const uint8_t *header = walk->at;
    /* Behind the DTLS preamble (three bytes reserved) a record of version 1.0 or 1.2. */
    if (header[0] == CAPWAP_DTLS)
        return load_u24(header + 1) == 0 && header[5] == 0xfe ? SKIP_ENCRYPTED : SKIP_NOT_TCP;
    uint32_t size = capwap_header_size(header);
    uint16_t flags = load_u16(header + 2);
    if (header[0] != 0 || size < 8 || !walk_has(walk, size) || (flags & CAPWAP_K))
        return SKIP_NOT_TCP;
    if (flags & CAPWAP_F)
        return walk_fill_fragment(walk, FRAGMENT_CAPWAP);
    walk_skip(walk, size);
    return tunnel_capwap_payload(walk, header);
}

/* TaZmen Sniffer Protocol, which MikroTik and Aruba stream captures with: version 1, type (0: a
 * frame received, 1: one to send), protocol 16 (1 Ethernet, 18 802.11); then tags of type, length,
 * value up to tag 1; tag 0 is a byte of padding. */
static enum skip_reason udp_sniffer(struct walk *walk)
{
    enum { TAG_PADDING = 0, TAG_END = 1, ETHERNET = 1, RADIO = 18 };
    if (!walk_has(walk, 5) || walk->at[0] != 1 || walk->at[1] > 1)
        return SKIP_NOT_TCP;
    uint16_t protocol = load_u16(walk->at + 2);
    struct reader tags = reader_over(walk->at + 4, walk_captured(walk) - 4);
    for (uint8_t tag; !tags.failed && (tag = reader_u8(&tags)) != TAG_END;)
        if (tag != TAG_PADDING)
            reader_skip(&tags, reader_u8(&tags));
    if (tags.failed)
        return SKIP_NOT_TCP;
    walk_skip(walk, (uint32_t)(tags.at - walk->at));
    if (protocol == ETHERNET)
        return believe_ethernet(walk);
    return protocol == RADIO ? believe_radio(walk) : SKIP_NOT_TCP;
}

/* RFC 7510 section 3: an MPLS label stack right behind the UDP header. */
static enum skip_reason udp_mpls(struct walk *walk)
{
    struct walk inner = *walk;
    bool is_bottom = false;
    while (!is_bottom && walk_has(&inner, 4)) {
        is_bottom = (inner.at[2] & 1) != 0;
        walk_skip(&inner, 4);
    }
    return is_bottom && network_plausible_size(&inner) ? link_mpls(walk) : SKIP_NOT_TCP;
}

/* RFC 4380 section 5.1.1: authentication (0x0001, sizes of identifier and value, nonce 8,
 * confirmation 1) and origin (0x0000, port, address) may stand before the IPv6 packet. */
static enum skip_reason udp_teredo(struct walk *walk)
{
    if (walk_has(walk, 4) && load_u16(walk->at) == 1) {
        uint32_t size = 4 + (uint32_t)walk->at[2] + walk->at[3] + 9;
        if (!walk_has(walk, size))
            return SKIP_NOT_TCP;
        walk_skip(walk, size);
    }
    if (walk_has(walk, 8) && load_u16(walk->at) == 0)
        walk_skip(walk, 8);
    return walk_has(walk, 1) && walk->at[0] >> 4 == 6 ? believe_ip(walk) : SKIP_NOT_TCP;
}

/* RFC 2661 section 3.1 (version 2) and RFC 3931 section 4.1.2 (version 3). */
enum {
    L2TP_CONTROL = 0x8000,
    L2TP_LENGTH = 0x4000,
    L2TP_SEQUENCE = 0x0800,
    L2TP_OFFSET = 0x0200,
    L2TP_VERSION = 0x000f
};

/* Length 2, tunnel 2, session 2, sequence 4, offset 2 and as many bytes; then PPP. */
static enum skip_reason l2tp_version2(struct walk *walk, uint16_t flags)
{
    struct reader reader = reader_over(walk->at, walk_captured(walk));
    reader_skip(&reader, flags & L2TP_LENGTH ? 4 : 2);
    reader_skip(&reader, flags & L2TP_SEQUENCE ? 8 : 4);
    if (flags & L2TP_OFFSET)
        reader_skip(&reader, reader_u16(&reader));
    if (reader.failed)
        return SKIP_NOT_TCP;
    walk_skip(walk, (uint32_t)(reader.at - walk->at));
    return link_plausible_ppp_size(walk) ? link_ppp(walk) : SKIP_NOT_TCP;
}

static enum skip_reason udp_l2tp(struct walk *walk)
{
    if (!walk_has(walk, 8))
        return SKIP_NOT_TCP;
    uint16_t flags = load_u16(walk->at);
    uint16_t version = flags & L2TP_VERSION;
    if ((flags & L2TP_CONTROL) || (version != 2 && version != 3))
        return SKIP_NOT_TCP;
    if (version == 2)
        return l2tp_version2(walk, flags);
    walk_skip(walk, 8); /* flags, reserved, session */
    return tunnel_l2tp_session(walk);
}

/* IANA, "Service Name and Transport Protocol Port Number Registry"; 8472 is what Linux used for
 * VXLAN before there was a number, and still does by default. */
static const struct {
    uint16_t port;
    walk_step step;
} tunnels[] = {
    {1701, udp_l2tp},     {2152, udp_gtp},
    {3544, udp_teredo},   {4754, tunnel_gre_if_plausible}, /* RFC 8086 section 4.1 */
    {4789, udp_vxlan},    {4790, udp_vxlan_gpe},
    {5247, udp_capwap},   {6081, udp_geneve},
    {6635, udp_mpls},     {8472, udp_vxlan},
    {37008, udp_sniffer}, /* not assigned; where it is sent by default */
};

static walk_step tunnel_on(uint16_t port)
{
    for (size_t i = 0; i < sizeof tunnels / sizeof tunnels[0]; i++)
        if (tunnels[i].port == port)
            return tunnels[i].step;
    return NULL;
}

enum skip_reason tunnel_udp(struct walk *walk, uint16_t source_port, uint16_t destination_port)
{
    walk_step step = tunnel_on(destination_port);
    if (!step)
        step = tunnel_on(source_port);
    if (!step)
        return SKIP_NOT_TCP;
    return walk_deeper(walk) ? step(walk) : SKIP_TOO_DEEP;
}
