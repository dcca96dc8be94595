/* Link layers: from a LINKTYPE_ to the first IP header.
 *
 * Private to dissect/. link.c has Ethernet and VLANs, link_tag.c what else stands on an EtherType,
 * link_serial.c PPP and HDLC, link_capture.c the headers that capturing machines make up,
 * link_radio.c 802.11, link_usb.c Ethernet over USB. Tunnels that carry link layers come back
 * here. */
#ifndef APNSCOPE_DISSECT_LINK_H
#define APNSCOPE_DISSECT_LINK_H

#include "walk.h"

/* IEEE Registration Authority, "EtherType". */
enum ethertype {
    ETHERTYPE_LENGTH_MAX = 1500, /* IEEE 802.3 section 3.2.6: up to here it is a length */
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_BRIDGED = 0x6558, /* transparent Ethernet bridging, RFC 1701 */
    ETHERTYPE_VLAN = 0x8100,    /* IEEE 802.1Q section 9.6 */
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_PPP = 0x880b,
    ETHERTYPE_MPLS = 0x8847,           /* RFC 3032 section 5 */
    ETHERTYPE_MPLS_MULTICAST = 0x8848, /* now "upstream label", RFC 5332 */
    ETHERTYPE_PPPOE_SESSION = 0x8864,  /* RFC 2516 section 4 */
    ETHERTYPE_SERVICE_VLAN = 0x88a8,   /* IEEE 802.1Q section 9.6 */
    ETHERTYPE_MACSEC = 0x88e5,         /* IEEE 802.1AE section 9.8 */
    ETHERTYPE_BACKBONE = 0x88e7,       /* IEEE 802.1Q section 9.6, I-TAG */
    ETHERTYPE_CISCO_TIME_ASSIGNED = 0x8905,
    ETHERTYPE_CISCO_METADATA = 0x8909, /* security group tag, Cisco TrustSec */
    ETHERTYPE_VN_TAG = 0x8926,         /* Cisco VN-Tag */
    ETHERTYPE_SEAMLESS_RING = 0x892f,  /* HSR, IEC 62439-3 */
    ETHERTYPE_PORT_EXTENSION = 0x893f, /* E-TAG, IEEE 802.1BR section 7.3 */
    ETHERTYPE_SERVICE_HEADER = 0x894f, /* NSH, RFC 8300 section 12.1 */
    ETHERTYPE_CISCO_TIME = 0x8988,     /* TTag of Cisco Nexus mirror ports */
    ETHERTYPE_OLD_QINQ_1 = 0x9100,     /* before 802.1ad, by convention of the vendors */
    ETHERTYPE_OLD_QINQ_2 = 0x9200,
    ETHERTYPE_ARISTA_TIME = 0xd28b,
    ETHERTYPE_REDUNDANCY = 0xf1c1 /* R-TAG, IEEE 802.1CB section 7.8 */
};

enum { ETHERNET_HEADER_SIZE = 14, ETHERTYPE_SIZE = 2, VLAN_TAG_SIZE = 4, MAC_SIZE = 6 };

/* The step for a LINKTYPE_, or NULL. */
walk_step link_step_of(uint32_t link_type);

/* Ethernet and what it carries: link.c */
enum skip_reason link_ethernet(struct walk *walk);
enum skip_reason link_typed(struct walk *walk); /* begins with an EtherType */
enum skip_reason link_carry(struct walk *walk, uint16_t type);
enum skip_reason link_llc(struct walk *walk);
enum skip_reason link_mpls(struct walk *walk);
enum skip_reason link_pppoe(struct walk *walk);

/* What a type that is neither IP nor a VLAN tag says: link_tag.c */
enum skip_reason link_stacked(struct walk *walk, uint16_t type);
/* Passes what stands on `*type` (a tag of known size, labels, PPPoE) towards an IP packet, whose
 * type it becomes, or another such layer. False: nothing that leads there plausibly. */
bool link_pass_plausibly(struct walk *walk, uint16_t *type);

/* The size of the Ethernet frame with a plausible IP packet that begins here, or 0: see
 * network_plausible_size. */
uint32_t link_plausible_ethernet_size(const struct walk *walk);
/* That such a frame begins here and ends with the layer, padding to the least size allowed. */
bool link_ethernet_fits(const struct walk *walk);

/* link_serial.c */
enum skip_reason link_ppp(struct walk *walk);
enum skip_reason link_ppp_or_hdlc(struct walk *walk);
enum skip_reason link_ppp_with_direction(struct walk *walk);
enum skip_reason link_pppd(struct walk *walk);
enum skip_reason link_cisco_hdlc(struct walk *walk);
/* The size of a PPP frame with a plausible IP packet, or 0. */
uint32_t link_plausible_ppp_size(const struct walk *walk);

/* link_capture.c */
enum skip_reason link_null(struct walk *walk);
enum skip_reason link_cooked(struct walk *walk);
enum skip_reason link_cooked2(struct walk *walk);
enum skip_reason link_nflog(struct walk *walk);
enum skip_reason link_pflog(struct walk *walk);
enum skip_reason link_enc(struct walk *walk);
enum skip_reason link_pktap(struct walk *walk);
enum skip_reason link_pktap_or_user2(struct walk *walk);
enum skip_reason link_juniper(struct walk *walk);

/* link_usb.c */
enum skip_reason link_usb_linux(struct walk *walk);
enum skip_reason link_usb_linux_mapped(struct walk *walk);
enum skip_reason link_usb_windows(struct walk *walk);
enum skip_reason link_usb_darwin(struct walk *walk);

/* link_radio.c */
enum skip_reason link_80211(struct walk *walk);
enum skip_reason link_80211_swapped(struct walk *walk); /* or not: tells by the version bits */
enum skip_reason link_radiotap(struct walk *walk);
enum skip_reason link_prism(struct walk *walk);
enum skip_reason link_avs(struct walk *walk);
enum skip_reason link_ppi(struct walk *walk);

static inline bool link_is_vlan_tag(uint16_t type)
{
    return type == ETHERTYPE_VLAN || type == ETHERTYPE_SERVICE_VLAN ||
           type == ETHERTYPE_OLD_QINQ_1 || type == ETHERTYPE_OLD_QINQ_2;
}

/* IEEE 802.1Q section 9.6: the low twelve bits of a tag; 0 is a priority without a VLAN. */
static inline void link_take_vlan(struct walk *walk, uint16_t tag)
{
    uint16_t id = tag & 0x0fff;
    if (id == 0)
        return;
    walk->vlan = id;
    walk_fold(walk, LANE_VLAN, id);
}

#endif
