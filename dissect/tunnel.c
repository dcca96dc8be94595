/* Tunnels with an IP protocol number: GRE in all its uses, EtherIP, L2TPv3.
 *
 * From network.c, and back to it or to the link layers. GRE carries IP, Ethernet (NVGRE), mirrored
 * frames (ERSPAN), PPP (PPTP), redirected web traffic (WCCP), 802.11 (access points). Sequence
 * numbers are deliberately not looked at: a tunnel's order is not the sessions' order. */
#include "tunnel.h"

#include "link.h"
#include "network.h"

/* RFC 2784 section 2.1, RFC 2890 section 2, RFC 1701 (routing), RFC 2637 section 4.1 (ack). */
enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACKNOWLEDGEMENT = 0x0080,
    GRE_VERSION = 0x0007
};

enum {
    GRE_ERSPAN3 = 0x22eb,   /* draft-foschiano-erspan-03 section 4.3 */
    GRE_MIKROTIK = 0x6400,  /* RouterOS "EoIP" */
    GRE_ARUBA_MIN = 0x8200, /* Aruba access points: 802.11 frames, one number per tunnel */
    GRE_ARUBA_MAX = 0x83f0,
    GRE_WCCP = 0x883e,  /* draft-wilson-wrec-wccp-v2-01 section 4.12 */
    GRE_ERSPAN = 0x88be /* draft-foschiano-erspan-03 sections 4.1 and 4.2 */
};

struct gre {
    uint16_t flags;
    uint16_t protocol;
};

/* No header at all in type I, which has no sequence number either; eight bytes in type II:
 * version 4 bits, VLAN 12, class 3, encapsulation 2, truncated 1, session 10, index 32. The
 * session differs between mirrored directions on some switches, so it stays out of the lane. */
static enum skip_reason gre_erspan(struct walk *walk, const struct gre *gre)
{
    if ((gre->flags & GRE_SEQUENCE) == 0)
        return link_ethernet(walk);
    if (!walk_has(walk, 8))
        return walk_lack(walk, 8, SKIP_LINK_CUT, SKIP_LINK_BAD);
    if (walk->at[0] >> 4 != 1)
        return SKIP_LINK_BAD;
    link_take_vlan(walk, load_u16(walk->at)); /* that the switch may have taken off the frame */
    walk_skip(walk, 8);
    return link_ethernet(walk);
}

/* Twelve bytes: as type II, then time stamp 32, group tag 16, P 1, frame type 5, hardware 6,
 * direction 1, granularity 2, O 1: a platform-specific header of eight bytes follows. */
static enum skip_reason gre_erspan3(struct walk *walk, const struct gre *gre)
{
    (void)gre;
    if (!walk_has(walk, 12))
        return walk_lack(walk, 12, SKIP_LINK_CUT, SKIP_LINK_BAD);
    const uint8_t *header = walk->at;
    if (header[0] >> 4 != 2)
        return SKIP_LINK_BAD;
    uint32_t size = header[11] & 1 ? 20 : 12;
    if (!walk_has(walk, size))
        return walk_lack(walk, size, SKIP_LINK_CUT, SKIP_LINK_BAD);
    link_take_vlan(walk, load_u16(header));
    walk_skip(walk, size);
    uint8_t frame_type = (header[10] >> 2) & 0x1f;
    if (frame_type == 2)
        return network_ip(walk);
    return frame_type == 0 ? link_ethernet(walk) : SKIP_NOT_IP;
}

/* Version 2 puts four bytes before the packet, whose first half byte is never 4. */
static enum skip_reason gre_wccp(struct walk *walk, const struct gre *gre)
{
    (void)gre;
    if (!walk_has(walk, 4))
        return walk_lack(walk, 4, SKIP_IP_CUT, SKIP_IP_BAD);
    if (walk->at[0] >> 4 != 4)
        walk_skip(walk, 4);
    return network_ipv4(walk);
}

static const struct {
    uint16_t first;
    uint16_t last;
    enum skip_reason (*step)(struct walk *walk, const struct gre *gre);
} gre_carried[] = {
    {GRE_ERSPAN, GRE_ERSPAN, gre_erspan},
    {GRE_ERSPAN3, GRE_ERSPAN3, gre_erspan3},
    {GRE_WCCP, GRE_WCCP, gre_wccp},
};

static enum skip_reason gre_carry(struct walk *walk, const struct gre *gre)
{
    for (size_t i = 0; i < sizeof gre_carried / sizeof gre_carried[0]; i++)
        if (gre->protocol >= gre_carried[i].first && gre->protocol <= gre_carried[i].last)
            return gre_carried[i].step(walk, gre);
    if (gre->protocol >= GRE_ARUBA_MIN && gre->protocol <= GRE_ARUBA_MAX)
        return link_80211(walk);
    return gre->protocol > ETHERTYPE_LENGTH_MAX ? link_carry(walk, gre->protocol) : SKIP_NOT_IP;
}

/* RFC 1701: source route entries (family 2, offset 1, length 1) up to one of family and length 0.
 */
static bool pass_routing(struct reader *reader)
{
    for (;;) {
        uint16_t family = reader_u16(reader);
        reader_skip(reader, 1);
        uint8_t size = reader_u8(reader);
        reader_skip(reader, size);
        if (reader->failed || (family == 0 && size == 0))
            return !reader->failed;
    }
}

/* The key tells tunnels apart and is the same in both directions, except that the low eight bits
 * of an NVGRE key choose a path for the flow (RFC 7637 section 3.2). */
static void fold_key(struct walk *walk, const struct gre *gre, uint32_t key)
{
    uint32_t id = gre->protocol == ETHERTYPE_BRIDGED ? key >> 8 : key;
    if (id != 0)
        walk_fold(walk, LANE_GRE_KEY, id);
}

/* The header's size, or 0 where it is not all there. */
static uint32_t gre_header(struct walk *walk, const struct gre *gre)
{
    struct reader reader = reader_over(walk->at, walk_captured(walk));
    reader_skip(&reader, 4);
    if (gre->flags & (GRE_CHECKSUM | GRE_ROUTING))
        reader_skip(&reader, 4);
    if (gre->flags & GRE_KEY)
        fold_key(walk, gre, reader_u32(&reader));
    if (gre->flags & GRE_SEQUENCE)
        reader_skip(&reader, 4);
    if ((gre->flags & GRE_ROUTING) && !pass_routing(&reader))
        return 0;
    return reader.failed ? 0 : (uint32_t)(reader.at - walk->at);
}

static enum skip_reason gre_cut(const struct walk *walk)
{
    return walk_captured(walk) < walk->wire ? SKIP_TRANSPORT_CUT : SKIP_TRANSPORT_BAD;
}

/* RFC 2637 section 4.1: payload length 2, call 2 (each side its own), then sequence and
 * acknowledgement where flagged; without a sequence number there is no payload. */
static enum skip_reason gre_pptp(struct walk *walk, const struct gre *gre)
{
    uint32_t header_size = gre->flags & GRE_ACKNOWLEDGEMENT ? 16 : 12;
    if ((gre->flags & GRE_KEY) == 0)
        return SKIP_TRANSPORT_BAD;
    if ((gre->flags & GRE_SEQUENCE) == 0)
        return SKIP_NOT_TCP;
    if (!walk_has(walk, header_size))
        return gre_cut(walk);
    uint16_t size = load_u16(walk->at + 4);
    walk_skip(walk, header_size);
    walk_shorten(walk, size);
    return link_ppp(walk);
}

/* RouterOS: flags 0x2001, length 2, tunnel 2 (little endian), then the Ethernet frame. */
static enum skip_reason gre_mikrotik(struct walk *walk)
{
    if (!walk_has(walk, 8))
        return gre_cut(walk);
    uint16_t size = load_u16(walk->at + 4);
    walk_skip(walk, 8);
    walk_shorten(walk, size);
    return size == 0 ? SKIP_NOT_TCP : link_ethernet(walk);
}

static enum skip_reason gre_version1(struct walk *walk, const struct gre *gre)
{
    if (gre->protocol == ETHERTYPE_PPP)
        return gre_pptp(walk, gre);
    return gre->protocol == GRE_MIKROTIK ? gre_mikrotik(walk) : SKIP_TRANSPORT_BAD;
}

enum skip_reason tunnel_gre(struct walk *walk)
{
    if (!walk_has(walk, 4))
        return walk_lack(walk, 4, SKIP_TRANSPORT_CUT, SKIP_TRANSPORT_BAD);
    struct gre gre = {load_u16(walk->at), load_u16(walk->at + 2)};
    uint16_t version = gre.flags & GRE_VERSION;
    if (version == 1)
        return gre_version1(walk, &gre);
    if (version != 0)
        return SKIP_TRANSPORT_BAD;
    uint32_t size = gre_header(walk, &gre);
    if (size == 0)
        return gre_cut(walk);
    walk_skip(walk, size);
    return gre_carry(walk, &gre);
}

enum skip_reason tunnel_gre_if_plausible(struct walk *walk)
{
    if (!walk_has(walk, 4))
        return SKIP_NOT_TCP;
    struct gre gre = {load_u16(walk->at), load_u16(walk->at + 2)};
    struct walk inner = *walk;
    uint32_t size = gre.flags & GRE_VERSION ? 0 : gre_header(&inner, &gre);
    if (size == 0)
        return SKIP_NOT_TCP;
    walk_skip(&inner, size);
    bool is_ip = (gre.protocol == ETHERTYPE_IPV4 || gre.protocol == ETHERTYPE_IPV6) &&
                 network_plausible_size(&inner);
    bool is_ethernet = gre.protocol == ETHERTYPE_BRIDGED && link_plausible_ethernet_size(&inner);
    return is_ip || is_ethernet ? gre_carry(&inner, &gre) : SKIP_NOT_TCP;
}

/* RFC 3378 section 3: version 3 in four bits, twelve bits reserved, then an Ethernet frame. */
enum skip_reason tunnel_etherip(struct walk *walk)
{
    if (!walk_has(walk, 2))
        return walk_lack(walk, 2, SKIP_LINK_CUT, SKIP_LINK_BAD);
    if (walk->at[0] >> 4 != 3)
        return SKIP_LINK_BAD;
    walk_skip(walk, 2);
    return link_ethernet(walk);
}

/* RFC 3931 section 4.1: a cookie of 0, 4 or 8 bytes and a sublayer of 0 or 4, as the two ends
 * agreed. Believed where an Ethernet frame or PPP with an IP packet begins at one of these places
 * and ends exactly with the datagram; random bytes do that once in some 2^40. */
enum skip_reason tunnel_l2tp_session(struct walk *walk)
{
    for (uint32_t at = 0; at <= 12; at += 4) {
        struct walk inner = *walk;
        if (!walk_has(&inner, at))
            break;
        walk_skip(&inner, at);
        if (link_ethernet_fits(&inner))
            return link_ethernet(&inner);
        uint32_t ppp_size = link_plausible_ppp_size(&inner);
        if (ppp_size != 0 && ppp_size == inner.wire)
            return link_ppp(&inner);
    }
    return SKIP_NOT_TCP;
}

/* RFC 3931 section 4.1.1: session 0 is control. */
enum skip_reason tunnel_l2tp_ip(struct walk *walk)
{
    if (!walk_has(walk, 4) || load_u32(walk->at) == 0)
        return SKIP_NOT_TCP;
    walk_skip(walk, 4);
    return tunnel_l2tp_session(walk);
}
