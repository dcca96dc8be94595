/* PPP and Cisco HDLC: captures of serial and dial-up lines, and the inside of PPPoE, PPTP, L2TP.
 *
 * Between link.c or the tunnels and network.c. Deliberately does not undo PPP compression or
 * multilink fragments. */
#include "link.h"
#include "network.h"

/* IANA, "Point-to-Point (PPP) Protocol Field Assignments". */
enum {
    PPP_IPV4 = 0x0021,             /* RFC 1332 */
    PPP_IPV6 = 0x0057,             /* RFC 5072 */
    PPP_ENCRYPTED = 0x0053,        /* RFC 1968 */
    PPP_ENCRYPTED_SINGLE = 0x0055, /* RFC 1968 */
    PPP_COMPRESSED = 0x00fd,       /* RFC 1962; MPPE encrypts under this number, RFC 3078 */
    PPP_COMPRESSED_SINGLE = 0x00fb,
    PPP_MPLS = 0x0281, /* RFC 3032 section 4.3 */
    PPP_MPLS_MULTICAST = 0x0283
};

static enum skip_reason ppp_encrypted(struct walk *walk)
{
    (void)walk;
    return SKIP_ENCRYPTED;
}

static const struct {
    uint16_t protocol;
    walk_step step;
} ppp_carried[] = {
    {PPP_IPV4, network_ipv4},        {PPP_IPV6, network_ipv6},
    {PPP_MPLS, link_mpls},           {PPP_MPLS_MULTICAST, link_mpls},
    {PPP_ENCRYPTED, ppp_encrypted},  {PPP_ENCRYPTED_SINGLE, ppp_encrypted},
    {PPP_COMPRESSED, ppp_encrypted}, {PPP_COMPRESSED_SINGLE, ppp_encrypted},
};

/* RFC 1662 section 3.1: 0xFF 0x03, unless left out; RFC 1661 section 2: the protocol in two bytes,
 * or in one, odd, where compressed. False: not all there. */
static bool take_ppp_header(struct walk *walk, uint16_t *protocol)
{
    if (walk_has(walk, 2) && walk->at[0] == 0xff && walk->at[1] == 0x03)
        walk_skip(walk, 2);
    if (!walk_has(walk, 1))
        return false;
    uint32_t size = walk->at[0] & 1 ? 1 : 2;
    if (!walk_has(walk, size))
        return false;
    *protocol = size == 1 ? walk->at[0] : load_u16(walk->at);
    walk_skip(walk, size);
    return true;
}

enum skip_reason link_ppp(struct walk *walk)
{
    uint16_t protocol = 0;
    if (!take_ppp_header(walk, &protocol))
        return walk_lack(walk, 2, SKIP_LINK_CUT, SKIP_LINK_BAD);
    for (size_t i = 0; i < sizeof ppp_carried / sizeof ppp_carried[0]; i++)
        if (ppp_carried[i].protocol == protocol)
            return ppp_carried[i].step(walk);
    return SKIP_NOT_IP;
}

uint32_t link_plausible_ppp_size(const struct walk *walk)
{
    struct walk inner = *walk;
    uint16_t protocol = 0;
    if (!take_ppp_header(&inner, &protocol))
        return 0;
    uint32_t size = network_plausible_size(&inner);
    if (size == 0)
        return 0;
    uint8_t version = inner.at[0] >> 4;
    bool is_ip = (protocol == PPP_IPV4 && version == 4) || (protocol == PPP_IPV6 && version == 6);
    return is_ip ? size + (uint32_t)(inner.at - walk->at) : 0;
}

/* LINKTYPE_PPP_HDLC: an address of 0x0F (unicast) or 0x8F (broadcast) is Cisco's. */
enum skip_reason link_ppp_or_hdlc(struct walk *walk)
{
    bool is_cisco =
        walk_has(walk, 2) && (walk->at[0] == 0x0f || walk->at[0] == 0x8f) && walk->at[1] == 0;
    return is_cisco ? link_cisco_hdlc(walk) : link_ppp(walk);
}

/* LINKTYPE_PPP_WITH_DIR: one byte, 0 received, else sent. */
enum skip_reason link_ppp_with_direction(struct walk *walk)
{
    if (!walk_has(walk, 1))
        return walk_lack(walk, 1, SKIP_LINK_CUT, SKIP_LINK_BAD);
    walk_skip(walk, 1);
    return link_ppp(walk);
}

/* LINKTYPE_PPP_PPPD: the direction in place of the address byte, then control. */
enum skip_reason link_pppd(struct walk *walk)
{
    if (!walk_has(walk, 2))
        return walk_lack(walk, 2, SKIP_LINK_CUT, SKIP_LINK_BAD);
    walk_skip(walk, 2);
    return link_ppp(walk);
}

/* LINKTYPE_C_HDLC: address, control, EtherType (RFC 1547 section 4.3.1). */
enum skip_reason link_cisco_hdlc(struct walk *walk)
{
    if (!walk_has(walk, 4))
        return walk_lack(walk, 4, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint16_t type = load_u16(walk->at + 2);
    walk_skip(walk, 4);
    return type > ETHERTYPE_LENGTH_MAX ? link_carry(walk, type) : SKIP_NOT_IP;
}
