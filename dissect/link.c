/* Ethernet and what is stacked on it: VLAN tags, MPLS, PPPoE, LLC/SNAP; and the table of link
 * types. Other tags are link_tag.c's.
 *
 * The general way of every frame that dissect.c's common path does not take. Deliberately tells
 * nothing about frames that are not IP but that they are not. */
#include "link.h"

#include "network.h"

/* Nobody stacks more; a frame that does was made to be long to read. */
enum { VLAN_TAGS_MAX = 8, MPLS_LABELS_MAX = 16 };

#define LINK_TYPE(value, step, meaning) [(value)] = (step),
static const walk_step link_steps[] = {
#include "link_type.def"
};
#undef LINK_TYPE

walk_step link_step_of(uint32_t link_type)
{
    return link_type < sizeof link_steps / sizeof link_steps[0] ? link_steps[link_type] : NULL;
}

enum skip_reason link_ethernet(struct walk *walk)
{
    if (!walk_has(walk, ETHERNET_HEADER_SIZE))
        return walk_lack(walk, ETHERNET_HEADER_SIZE, SKIP_LINK_CUT, SKIP_LINK_BAD);
    walk->destination_mac = walk->at;
    walk->source_mac = walk->at + MAC_SIZE;
    walk_skip(walk, 2 * MAC_SIZE);
    return link_typed(walk);
}

enum skip_reason link_typed(struct walk *walk)
{
    if (!walk_has(walk, ETHERTYPE_SIZE))
        return walk_lack(walk, ETHERTYPE_SIZE, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint16_t type = load_u16(walk->at);
    walk_skip(walk, ETHERTYPE_SIZE);
    return link_carry(walk, type);
}

enum skip_reason link_carry(struct walk *walk, uint16_t type)
{
    for (int tags = 0; link_is_vlan_tag(type); tags++) {
        if (tags == VLAN_TAGS_MAX)
            return SKIP_TOO_DEEP;
        if (!walk_has(walk, VLAN_TAG_SIZE))
            return walk_lack(walk, VLAN_TAG_SIZE, SKIP_LINK_CUT, SKIP_LINK_BAD);
        link_take_vlan(walk, load_u16(walk->at));
        type = load_u16(walk->at + 2);
        walk_skip(walk, VLAN_TAG_SIZE);
    }
    if (type == ETHERTYPE_IPV4)
        return network_ipv4(walk);
    if (type == ETHERTYPE_IPV6)
        return network_ipv6(walk);
    if (type > ETHERTYPE_LENGTH_MAX)
        return link_stacked(walk, type);
    walk_shorten(walk, type);
    return link_llc(walk);
}

/* IEEE 802.2 section 3: destination, source, control. 0xAA 0xAA 0x03 is SNAP (RFC 1042), whose
 * organisation 0 or 00-00-F8 (IEEE 802.1H bridge tunnel) means that an EtherType follows; 0x06 is
 * IP itself (RFC 1042's predecessor, still seen). */
enum skip_reason link_llc(struct walk *walk)
{
    if (!walk_has(walk, 3))
        return walk_lack(walk, 3, SKIP_LINK_CUT, SKIP_NOT_IP);
    uint32_t service = load_u24(walk->at);
    if (service == 0x060603) {
        walk_skip(walk, 3);
        return network_ipv4(walk);
    }
    if (service != 0xaaaa03)
        return SKIP_NOT_IP;
    if (!walk_has(walk, 8))
        return walk_lack(walk, 8, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint32_t organisation = load_u24(walk->at + 3);
    uint16_t type = load_u16(walk->at + 6);
    walk_skip(walk, 8);
    if ((organisation != 0 && organisation != 0x0000f8) || type <= ETHERTYPE_LENGTH_MAX)
        return SKIP_NOT_IP;
    return walk_deeper(walk) ? link_carry(walk, type) : SKIP_TOO_DEEP;
}

/* What is under the last label is nowhere said. IP is told by its version (RFC 4928 section 3); a
 * pseudowire carries Ethernet, usually behind a control word that begins with four zero bits (RFC
 * 4448 section 4.6, RFC 4385 section 3). Since a MAC address may begin with any bits, Ethernet is
 * believed only with a plausible IP packet in it, and tried after a plausible bare IP packet; first
 * without the word, because a VLAN tag before the EtherType would pass for one that is not there.
 */
static enum skip_reason mpls_carry(struct walk *walk)
{
    if (network_plausible_size(walk))
        return network_ip(walk);
    if (link_plausible_ethernet_size(walk))
        return link_ethernet(walk);
    struct walk inner = *walk;
    if (walk_has(&inner, 4) && inner.at[0] >> 4 == 0) {
        walk_skip(&inner, 4);
        if (link_plausible_ethernet_size(&inner))
            return link_ethernet(&inner);
    }
    bool is_ip = walk_has(walk, 1) && (walk->at[0] >> 4 == 4 || walk->at[0] >> 4 == 6);
    return is_ip ? network_ip(walk) : SKIP_NOT_IP;
}

/* RFC 3032 section 2.1: label 20 bits, class 3, bottom of stack 1, time to live 8. */
enum skip_reason link_mpls(struct walk *walk)
{
    bool is_bottom = false;
    for (int labels = 0; !is_bottom; labels++) {
        if (labels == MPLS_LABELS_MAX)
            return SKIP_TOO_DEEP;
        if (!walk_has(walk, 4))
            return walk_lack(walk, 4, SKIP_LINK_CUT, SKIP_LINK_BAD);
        is_bottom = (walk->at[2] & 1) != 0;
        walk_skip(walk, 4);
    }
    return mpls_carry(walk);
}

/* RFC 2516 section 4: version and type 1, code 0 for session data, session, length. */
enum skip_reason link_pppoe(struct walk *walk)
{
    if (!walk_has(walk, 6))
        return walk_lack(walk, 6, SKIP_LINK_CUT, SKIP_LINK_BAD);
    if (walk->at[0] != 0x11)
        return SKIP_LINK_BAD;
    if (walk->at[1] != 0)
        return SKIP_NOT_IP;
    uint16_t size = load_u16(walk->at + 4);
    walk_skip(walk, 6);
    walk_shorten(walk, size);
    return link_ppp(walk);
}

uint32_t link_plausible_ethernet_size(const struct walk *walk)
{
    struct walk inner = *walk;
    if (!walk_has(&inner, ETHERNET_HEADER_SIZE))
        return 0;
    uint16_t type = load_u16(inner.at + ETHERNET_HEADER_SIZE - ETHERTYPE_SIZE);
    walk_skip(&inner, ETHERNET_HEADER_SIZE);
    for (int tags = 0; type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6; tags++)
        if (tags == VLAN_TAGS_MAX || !link_pass_plausibly(&inner, &type))
            return 0;
    uint32_t size = network_plausible_size(&inner);
    if (size == 0)
        return 0;
    uint8_t version = inner.at[0] >> 4;
    bool is_ip =
        (type == ETHERTYPE_IPV4 && version == 4) || (type == ETHERTYPE_IPV6 && version == 6);
    return is_ip ? size + (uint32_t)(inner.at - walk->at) : 0;
}

/* Short frames are padded to 60 bytes, IEEE 802.3 section 3.2.8, less the check sequence. */
bool link_ethernet_fits(const struct walk *walk)
{
    enum { SIZE_MIN = 60 };
    uint32_t size = link_plausible_ethernet_size(walk);
    return size != 0 && (size == walk->wire || walk->wire == SIZE_MIN);
}
