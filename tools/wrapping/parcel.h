/* One packet on its way through the layers of a form: each puts its header in front.
 *
 * Private to tools/wrapping. From the inside out, as a sender does. Sizes are those on the wire, so
 * that headers are right even around frames that a snap length cut. */
#ifndef APNSCOPE_TOOLS_PARCEL_H
#define APNSCOPE_TOOLS_PARCEL_H

#include "tests/support/bytes.h"
#include "wrapping.h"

/* What stands at the front, and `type` with it. */
enum content {
    CONTENT_ETHERNET, /* a whole frame */
    CONTENT_TYPED,    /* what an EtherType announces */
    CONTENT_PROTOCOL, /* what an IP protocol number announces */
    CONTENT_LLC,
    CONTENT_RADIO, /* 802.11 */
    CONTENT_PPP,
    CONTENT_LINK /* complete: the form's link type */
};

enum {
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    TYPE_BRIDGED = 0x6558,
    TYPE_MPLS = 0x8847,
    TYPE_PPPOE = 0x8864,
    PROTOCOL_IPV4 = 4,
    PROTOCOL_UDP = 17,
    PROTOCOL_IPV6 = 41,
    PROTOCOL_ETHERNET = 143
};

struct parcel {
    struct bytes bytes; /* captured, from the outermost header on */
    uint32_t wire;      /* size on the wire; >= bytes.size */
    enum content content;
    uint16_t type;
    bool is_up; /* one of the two directions: tunnels have two ends */
    uint32_t serial;
    uint8_t destination_mac[6];
    uint8_t source_mac[6];
};

/* A layer; `argument` is the form's. False: it cannot carry this content. */
typedef bool (*parcel_layer)(struct parcel *parcel, uint32_t argument);

/* False: neither Ethernet nor raw IP, or cut before it begins. */
bool parcel_open(struct parcel *parcel, const struct wrap_frame *frame, uint32_t serial);
void parcel_close(struct parcel *parcel);

/* Puts `head` in front and frees it. */
void parcel_prepend(struct parcel *parcel, struct bytes *head, enum content content, uint16_t type);
/* Adds a trailer, of which nothing is captured where the packet itself is cut. */
void parcel_append(struct parcel *parcel, uint8_t value, uint32_t size);
/* Takes `size` bytes off the front. False: they are not there. */
bool parcel_take(struct parcel *parcel, uint32_t size);

/* True for an IP packet at the front, whole enough to have a header. */
bool parcel_is_ip(const struct parcel *parcel);

/* parcel.c: the inside */
bool open_whole(struct parcel *parcel, uint32_t unused);  /* the Ethernet frame as it is */
bool open_frame(struct parcel *parcel, uint32_t unused);  /* without its MAC addresses and type */
bool open_ip(struct parcel *parcel, uint32_t unused);     /* without tags: the IP packet */
bool close_frame(struct parcel *parcel, uint32_t unused); /* its own MAC addresses in front */

/* layers_ethernet.c: what is put between MAC addresses and payload */
bool put_tag(struct parcel *parcel, uint32_t type_and_tag);
bool put_ttag(struct parcel *parcel, uint32_t unused);
bool put_vn_tag(struct parcel *parcel, uint32_t unused);
bool put_metadata(struct parcel *parcel, uint32_t unused);
bool put_macsec(struct parcel *parcel, uint32_t unused);
bool put_backbone(struct parcel *parcel, uint32_t service);
bool put_label(struct parcel *parcel, uint32_t label);
bool put_control_word(struct parcel *parcel, uint32_t unused);
bool put_ppp(struct parcel *parcel, uint32_t style);
bool put_pppoe(struct parcel *parcel, uint32_t session);
bool put_llc(struct parcel *parcel, uint32_t unused);
bool put_8023(struct parcel *parcel, uint32_t unused);
bool put_ethernet(struct parcel *parcel, uint32_t unused); /* of the tunnel's ends */
bool put_fcs(struct parcel *parcel, uint32_t unused);
bool put_padding(struct parcel *parcel, uint32_t size);

enum ppp_style { PPP_FULL, PPP_BARE, PPP_COMPRESSED };

/* layers_capture.c: link headers that capturing machines write */
bool put_cooked(struct parcel *parcel, uint32_t unused);
bool put_cooked2(struct parcel *parcel, uint32_t unused);
bool put_null(struct parcel *parcel, uint32_t style);
bool put_nflog(struct parcel *parcel, uint32_t is_big);
bool put_pflog(struct parcel *parcel, uint32_t unused);
bool put_enc(struct parcel *parcel, uint32_t unused);
bool put_pktap(struct parcel *parcel, uint32_t unused);
bool put_pktap2(struct parcel *parcel, uint32_t unused);
bool put_hdlc(struct parcel *parcel, uint32_t unused);
bool put_direction(struct parcel *parcel, uint32_t is_pppd);
bool put_radio(struct parcel *parcel, uint32_t style);
bool put_aggregate(struct parcel *parcel, uint32_t unused);
bool put_radiotap(struct parcel *parcel, uint32_t flags);
bool put_prism(struct parcel *parcel, uint32_t unused);
bool put_avs(struct parcel *parcel, uint32_t unused);
bool put_ppi(struct parcel *parcel, uint32_t unused);
bool as_link(struct parcel *parcel, uint32_t unused); /* is the link type already */

enum null_style { NULL_DARWIN, NULL_BIG_ENDIAN };
enum radio_style {
    RADIO_PLAIN = 0,
    RADIO_QOS = 1 << 0,
    RADIO_HT = 1 << 1,       /* with the HT control field */
    RADIO_FOUR = 1 << 2,     /* four addresses, between access points */
    RADIO_AD_HOC = 1 << 3,   /* neither to nor from an access point */
    RADIO_PADDED = 1 << 4,   /* header rounded up to four bytes */
    RADIO_SWAPPED = 1 << 5,  /* bytes of two fields exchanged, as Cisco does in CAPWAP */
    RADIO_AGGREGATE = 1 << 6 /* an A-MSDU follows */
};

/* layers_tunnel.c */
bool put_gre(struct parcel *parcel, uint32_t flags);
bool put_nvgre(struct parcel *parcel, uint32_t subnet);
bool put_pptp(struct parcel *parcel, uint32_t unused);
bool put_eoip(struct parcel *parcel, uint32_t tunnel);
bool put_erspan1(struct parcel *parcel, uint32_t unused);
bool put_erspan2(struct parcel *parcel, uint32_t session);
bool put_erspan3(struct parcel *parcel, uint32_t has_subheader);
bool put_wccp(struct parcel *parcel, uint32_t has_header);
bool put_etherip(struct parcel *parcel, uint32_t unused);
bool put_authentication(struct parcel *parcel, uint32_t unused);
bool put_ipv4(struct parcel *parcel, uint32_t unused);
bool put_ipv6(struct parcel *parcel, uint32_t has_extensions);

/* layers_udp.c */
bool put_udp(struct parcel *parcel, uint32_t port);         /* to the port, either way */
bool put_udp_service(struct parcel *parcel, uint32_t port); /* to it and back from it */
bool put_vxlan(struct parcel *parcel, uint32_t network);
bool put_vxlan_gpe(struct parcel *parcel, uint32_t network);
bool put_geneve(struct parcel *parcel, uint32_t option_words);
bool put_gtp(struct parcel *parcel, uint32_t flags);
bool put_capwap(struct parcel *parcel, uint32_t unused);
bool put_l2tp2(struct parcel *parcel, uint32_t unused);
bool put_l2tp3(struct parcel *parcel, uint32_t cookie_size);
bool put_l2tp3_udp(struct parcel *parcel, uint32_t cookie_size);
bool put_teredo(struct parcel *parcel, uint32_t has_origin);

#endif
