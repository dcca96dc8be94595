/* What stands on an EtherType besides IP and VLANs: tags of switches and taps, and link layers.
 *
 * From link.c, and back to it. A mirror port, a tap aggregator or a fabric puts its own header
 * between the addresses and the packet; what it says about the frame (port, time, group) is passed
 * over. Deliberately reads no time stamps: the capture's own clock is the only one. */
#include "link.h"
#include "network.h"

/* A tag of `size` bytes of which nothing is needed, and the EtherType behind it. */
static enum skip_reason pass_tag(struct walk *walk, uint32_t size)
{
    if (!walk_has(walk, size))
        return walk_lack(walk, size, SKIP_LINK_CUT, SKIP_LINK_BAD);
    walk_skip(walk, size);
    return link_typed(walk);
}

/* Cisco TrustSec: version 1, length in 32-bit words of the options behind these two bytes. */
static enum skip_reason link_cisco_metadata(struct walk *walk)
{
    if (!walk_has(walk, 2))
        return walk_lack(walk, 2, SKIP_LINK_CUT, SKIP_LINK_BAD);
    if (walk->at[0] != 1)
        return SKIP_LINK_BAD;
    return pass_tag(walk, 2 + (uint32_t)walk->at[1] * 4);
}

/* Arista, "Overview of Arista timestamps": subtype 2 (1), time scale 1, format 4 bits (1: 64 bits,
 * 2: 48 bits), hardware 4 bits, time stamp. */
static enum skip_reason link_arista_time(struct walk *walk)
{
    if (!walk_has(walk, 4))
        return walk_lack(walk, 4, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint8_t format = walk->at[3] >> 4;
    if (load_u16(walk->at) != 1 || format < 1 || format > 2)
        return SKIP_LINK_BAD;
    return pass_tag(walk, format == 1 ? 12 : 10);
}

/* IEEE 802.1AE section 9.3: a SecTAG with the E and C bits clear only authenticates, and what it
 * protects can be read. Section 9.5: E; 9.6: the optional channel identifier of eight bytes. */
static enum skip_reason link_macsec(struct walk *walk)
{
    if (!walk_has(walk, 6))
        return walk_lack(walk, 6, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint8_t control = walk->at[0];
    if (control & 0x0c)
        return SKIP_ENCRYPTED;
    return pass_tag(walk, control & 0x20 ? 14 : 6);
}

/* IEEE 802.1Q section 9.7: flags, 24-bit service identifier, then the customer's frame. */
static enum skip_reason link_backbone(struct walk *walk)
{
    if (!walk_has(walk, 4))
        return walk_lack(walk, 4, SKIP_LINK_CUT, SKIP_LINK_BAD);
    walk_fold(walk, LANE_SERVICE, load_u24(walk->at + 1));
    walk_skip(walk, 4);
    return link_ethernet(walk);
}

/* RFC 8300 section 2.2: version 2 bits (0), O, -, time to live 6, length 6 in words; -4, metadata
 * type 4; next protocol 8 (1 IPv4, 2 IPv6, 3 Ethernet, 5 MPLS). Service chains of firewalls. */
static enum skip_reason link_service_header(struct walk *walk)
{
    static const struct {
        uint8_t protocol;
        walk_step step;
    } next[] = {{1, network_ipv4}, {2, network_ipv6}, {3, link_ethernet}, {5, link_mpls}};
    if (!walk_has(walk, 8))
        return walk_lack(walk, 8, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint32_t size = (uint32_t)(walk->at[1] & 0x3f) * 4;
    uint8_t protocol = walk->at[3];
    if (walk->at[0] >> 6 != 0 || size < 8)
        return SKIP_LINK_BAD;
    if (!walk_has(walk, size))
        return walk_lack(walk, size, SKIP_LINK_CUT, SKIP_LINK_BAD);
    walk_skip(walk, size);
    for (size_t i = 0; i < sizeof next / sizeof next[0]; i++)
        if (next[i].protocol == protocol)
            return next[i].step(walk);
    return SKIP_NOT_IP;
}

static const struct stacked {
    uint16_t type;
    uint8_t size;   /* before the next EtherType, where that always follows; else 0 */
    walk_step step; /* NULL: nothing of it is needed */
} stacked[] = {
    {ETHERTYPE_MPLS, 0, link_mpls},
    {ETHERTYPE_MPLS_MULTICAST, 0, link_mpls},
    {ETHERTYPE_PPPOE_SESSION, 0, link_pppoe},
    {ETHERTYPE_BACKBONE, 4 + 2 * MAC_SIZE, link_backbone},
    {ETHERTYPE_MACSEC, 0, link_macsec},
    {ETHERTYPE_CISCO_METADATA, 0, link_cisco_metadata},
    {ETHERTYPE_CISCO_TIME, 6, NULL}, /* Cisco Nexus: a time stamp of 48 bits */
    {ETHERTYPE_CISCO_TIME_ASSIGNED, 6, NULL},
    {ETHERTYPE_ARISTA_TIME, 0, link_arista_time},
    {ETHERTYPE_VN_TAG, 4, NULL},         /* Cisco Nexus and UCS: direction, interfaces */
    {ETHERTYPE_PORT_EXTENSION, 6, NULL}, /* IEEE 802.1BR: priority, port identifiers */
    {ETHERTYPE_REDUNDANCY, 4, NULL},     /* IEEE 802.1CB section 7.8: reserved, sequence */
    {ETHERTYPE_SEAMLESS_RING, 4, NULL},  /* HSR, IEC 62439-3: path, size, sequence */
    {ETHERTYPE_SERVICE_HEADER, 0, link_service_header},
    {ETHERTYPE_BRIDGED, 2 * MAC_SIZE, link_ethernet},
    {ETHERTYPE_PPP, 0, link_ppp},
};

static const struct stacked *stacked_of(uint16_t type)
{
    for (size_t i = 0; i < sizeof stacked / sizeof stacked[0]; i++)
        if (stacked[i].type == type)
            return &stacked[i];
    return NULL;
}

enum skip_reason link_stacked(struct walk *walk, uint16_t type)
{
    const struct stacked *known = stacked_of(type);
    if (!known)
        return SKIP_NOT_IP;
    if (!walk_deeper(walk))
        return SKIP_TOO_DEEP;
    return known->step ? known->step(walk) : pass_tag(walk, known->size);
}

/* ---- for tunnels that are believed only with a packet inside ---- */

static uint32_t plain_tag_size(uint16_t type)
{
    if (link_is_vlan_tag(type))
        return VLAN_TAG_SIZE - ETHERTYPE_SIZE;
    const struct stacked *known = stacked_of(type);
    return known ? known->size : 0;
}

/* RFC 2516 section 4, RFC 1332 section 3, RFC 5072 section 3 */
static bool pass_pppoe(struct walk *walk, uint16_t *type)
{
    enum { IPV4 = 0x0021, IPV6 = 0x0057 };
    if (!walk_has(walk, 8) || load_u16(walk->at) != 0x1100)
        return false;
    uint16_t protocol = load_u16(walk->at + 6);
    *type = protocol == IPV6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
    walk_skip(walk, 8);
    return protocol == IPV4 || protocol == IPV6;
}

/* RFC 3032 section 2.1; RFC 4928 section 3; RFC 4385 section 3. Of pseudowires in a tunnel only
 * those with a control word are looked for. */
static bool pass_mpls(struct walk *walk, uint16_t *type)
{
    bool is_bottom = false;
    while (!is_bottom && walk_has(walk, 4)) {
        is_bottom = (walk->at[2] & 1) != 0;
        walk_skip(walk, 4);
    }
    if (!is_bottom || !walk_has(walk, 4))
        return false;
    uint8_t version = walk->at[0] >> 4;
    *type = version == 4 ? ETHERTYPE_IPV4 : version == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_BRIDGED;
    if (version == 0)
        walk_skip(walk, 4);
    return true;
}

bool link_pass_plausibly(struct walk *walk, uint16_t *type)
{
    uint32_t size = plain_tag_size(*type);
    if (*type == ETHERTYPE_PPPOE_SESSION)
        return pass_pppoe(walk, type);
    if (*type == ETHERTYPE_MPLS || *type == ETHERTYPE_MPLS_MULTICAST)
        return pass_mpls(walk, type);
    if (size == 0 || !walk_has(walk, size + ETHERTYPE_SIZE))
        return false;
    *type = load_u16(walk->at + size);
    walk_skip(walk, size + ETHERTYPE_SIZE);
    return true;
}
