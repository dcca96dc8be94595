/* Link headers that no wire has seen, and 802.11: what capturing machines write.
 *
 * See parcel.h; https://www.tcpdump.org/linktypes.html and the headers named there. */
#include "base/reader.h"
#include "parcel.h"

#include <string.h>

enum { MAC_SIZE = 6, FAMILY_INET = 2, FAMILY_INET6_DARWIN = 30, FAMILY_INET6_LINUX = 10 };

static unsigned darwin_family(const struct parcel *parcel)
{
    return parcel->type == TYPE_IPV6 ? FAMILY_INET6_DARWIN : FAMILY_INET;
}

bool as_link(struct parcel *parcel, uint32_t unused)
{
    (void)unused;
    parcel->content = CONTENT_LINK;
    return true;
}

bool put_cooked(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_TYPED)
        return false;
    bytes_u16(&head, parcel->is_up ? 4 : 0); /* from this machine, or to it */
    bytes_u16(&head, 1);                     /* ARPHRD_ETHER */
    bytes_u16(&head, MAC_SIZE);
    bytes_add(&head, parcel->source_mac, MAC_SIZE);
    bytes_u16(&head, 0);
    bytes_u16(&head, parcel->type);
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    return true;
}

bool put_cooked2(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_TYPED)
        return false;
    bytes_u16(&head, parcel->type);
    bytes_u16(&head, 0);
    bytes_u32(&head, 3); /* interface */
    bytes_u16(&head, 1);
    bytes_u8(&head, parcel->is_up ? 4 : 0);
    bytes_u8(&head, MAC_SIZE);
    bytes_add(&head, parcel->source_mac, MAC_SIZE);
    bytes_u16(&head, 0);
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    return true;
}

/* The family in the byte order of the machine, or of the network (OpenBSD; big-endian machines). */
bool put_null(struct parcel *parcel, uint32_t style)
{
    struct bytes head = {0};
    if (!parcel_is_ip(parcel))
        return false;
    if (style == NULL_BIG_ENDIAN)
        bytes_u32(&head, parcel->type == TYPE_IPV6 ? 24 : FAMILY_INET);
    else
        bytes_u32_le(&head, darwin_family(parcel));
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    return true;
}

static void number16(struct bytes *out, unsigned value, bool is_big)
{
    if (is_big)
        bytes_u16(out, value);
    else
        bytes_u16_le(out, value);
}

/* Family, version, resource; then blocks of length, type, value, padded: the packet header (1), a
 * prefix (10), the payload (9). */
bool put_nflog(struct parcel *parcel, uint32_t is_big)
{
    struct bytes head = {0};
    if (!parcel_is_ip(parcel))
        return false;
    uint32_t size = parcel->wire;
    bytes_u8(&head, parcel->type == TYPE_IPV6 ? FAMILY_INET6_LINUX : FAMILY_INET);
    bytes_u8(&head, 0);
    bytes_u16(&head, 5);
    number16(&head, 8, is_big);
    number16(&head, 1, is_big);
    bytes_u16(&head, parcel->type);
    bytes_u16(&head, 0x0300);
    number16(&head, 4 + 1, is_big);
    number16(&head, 10, is_big);
    bytes_u32(&head, 0);
    number16(&head, 4 + size, is_big);
    number16(&head, 9, is_big);
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    parcel_append(parcel, 0, -size & 3);
    return true;
}

/* OpenBSD's <net/if_pflog.h>: 61 bytes, padded to 64. */
bool put_pflog(struct parcel *parcel, uint32_t unused)
{
    enum { SIZE = 61, PADDED = 64 };
    struct bytes head = {0};
    (void)unused;
    if (!parcel_is_ip(parcel))
        return false;
    bytes_u8(&head, SIZE);
    bytes_u8(&head, parcel->type == TYPE_IPV6 ? 24 : FAMILY_INET);
    bytes_u16(&head, 0); /* passed, matched */
    bytes_add(&head, "em0", 3);
    bytes_fill(&head, 0, PADDED - head.size);
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    return true;
}

bool put_enc(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (!parcel_is_ip(parcel))
        return false;
    bytes_u32_le(&head, darwin_family(parcel));
    bytes_u32(&head, 0x1001);
    bytes_u32_le(&head, 0);
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    return true;
}

/* Apple's bsd/net/pktap.h, version 1; no process is known. */
bool put_pktap(struct parcel *parcel, uint32_t unused)
{
    enum { SIZE = 108, NO_PROCESS_AT = 52, NO_EFFECTIVE_AT = 84 };
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_ETHERNET)
        return false;
    bytes_u32_le(&head, SIZE);
    bytes_u32_le(&head, 1); /* a packet follows */
    bytes_u32_le(&head, 1); /* Ethernet */
    bytes_add(&head, "en0", 3);
    bytes_fill(&head, 0, 21);
    bytes_u32_le(&head, parcel->is_up ? 2 : 1);
    bytes_u32_le(&head, FAMILY_INET);
    bytes_fill(&head, 0, SIZE - head.size);
    memset(head.at + NO_PROCESS_AT, 0xff, 4);
    memset(head.at + NO_EFFECTIVE_AT, 0xff, 4);
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    return true;
}

/* Version 2: offsets of what is there (only the interface's name), flags at 36. */
bool put_pktap2(struct parcel *parcel, uint32_t unused)
{
    enum { FIXED = 40, NAME = 4, FLAG_V2 = 0x80000 };
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_ETHERNET)
        return false;
    bytes_u8(&head, FIXED + NAME);
    bytes_u16(&head, 0);
    bytes_u8(&head, FIXED);
    bytes_u16(&head, 0);
    bytes_u16_le(&head, 1); /* Ethernet */
    bytes_fill(&head, 0, 20);
    bytes_fill(&head, 0xff, 8); /* neither process */
    bytes_u32_le(&head, FLAG_V2 | (parcel->is_up ? 2 : 1));
    bytes_add(&head, "en0", NAME);
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    return true;
}

/* RFC 1547 section 4.3.1: unicast, control 0, EtherType. */
bool put_hdlc(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_TYPED)
        return false;
    bytes_u16(&head, 0x0f00);
    bytes_u16(&head, parcel->type);
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    return true;
}

/* LINKTYPE_PPP_WITH_DIR: a byte in front; LINKTYPE_PPP_PPPD: in place of the address. */
bool put_direction(struct parcel *parcel, uint32_t is_pppd)
{
    struct bytes head = {0};
    if (parcel->content != CONTENT_PPP || (is_pppd && !parcel_take(parcel, 1)))
        return false;
    bytes_u8(&head, parcel->is_up);
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    return true;
}

/* ---- 802.11: IEEE 802.11-2020 section 9.3.2 ---- */

enum {
    RADIO_TO_ACCESS_POINT = 0x0100,
    RADIO_FROM_ACCESS_POINT = 0x0200,
    RADIO_DATA = 0x0008,
    RADIO_SUBTYPE_QOS = 0x0080,
    RADIO_ORDER = 0x8000
};

static uint16_t radio_control(const struct parcel *parcel, uint32_t style)
{
    uint16_t control = RADIO_DATA;
    if (style & RADIO_QOS)
        control |= RADIO_SUBTYPE_QOS;
    if (style & RADIO_HT)
        control |= RADIO_ORDER;
    if (style & RADIO_FOUR)
        return control | RADIO_TO_ACCESS_POINT | RADIO_FROM_ACCESS_POINT;
    if (style & RADIO_AD_HOC)
        return control;
    return control | (parcel->is_up ? RADIO_TO_ACCESS_POINT : RADIO_FROM_ACCESS_POINT);
}

static void add_radio_addresses(struct bytes *head, const struct parcel *parcel, uint16_t control)
{
    static const uint8_t access_point[MAC_SIZE] = {2, 0, 0, 0, 2, 1};
    bool to = (control & RADIO_TO_ACCESS_POINT) != 0;
    bool from = (control & RADIO_FROM_ACCESS_POINT) != 0;
    bytes_add(head, to ? access_point : parcel->destination_mac, MAC_SIZE);
    bytes_add(head, from ? access_point : parcel->source_mac, MAC_SIZE);
    bytes_add(head,
              to     ? parcel->destination_mac
              : from ? parcel->source_mac
                     : access_point,
              MAC_SIZE);
}

bool put_radio(struct parcel *parcel, uint32_t style)
{
    struct bytes head = {0};
    if (parcel->content != CONTENT_LLC)
        return false;
    uint16_t control = radio_control(parcel, style);
    unsigned sequence = (parcel->serial & 0xfff) << 4;
    number16(&head, control, style & RADIO_SWAPPED);
    bytes_u16(&head, 0);
    add_radio_addresses(&head, parcel, control);
    number16(&head, sequence, style & RADIO_SWAPPED);
    if (style & RADIO_FOUR)
        bytes_add(&head, parcel->source_mac, MAC_SIZE);
    if (style & RADIO_QOS)
        bytes_u16_le(&head, style & RADIO_AGGREGATE ? 0x0080 : 0);
    if (style & RADIO_HT)
        bytes_u32(&head, 0);
    if (style & RADIO_PADDED)
        bytes_fill(&head, 0, -head.size & 3);
    parcel_prepend(parcel, &head, CONTENT_RADIO, 0);
    return true;
}

/* Section 9.3.2.2.2: one frame of an aggregate. */
bool put_aggregate(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_LLC)
        return false;
    bytes_add(&head, parcel->destination_mac, MAC_SIZE);
    bytes_add(&head, parcel->source_mac, MAC_SIZE);
    bytes_u16(&head, parcel->wire);
    parcel_prepend(parcel, &head, CONTENT_LLC, 0);
    return true;
}

/* https://www.radiotap.org: with a time stamp and the flags field; flag 0x10: the check sequence is
 * included. */
bool put_radiotap(struct parcel *parcel, uint32_t flags)
{
    enum { PRESENT_TIME_AND_FLAGS = 3, SIZE = 17, FLAG_FCS = 0x10 };
    struct bytes head = {0};
    if (parcel->content != CONTENT_RADIO)
        return false;
    bytes_u16(&head, 0);
    bytes_u16_le(&head, SIZE);
    bytes_u32_le(&head, PRESENT_TIME_AND_FLAGS);
    bytes_u32_le(&head, parcel->serial);
    bytes_u32_le(&head, 0);
    bytes_u8(&head, flags);
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    if (flags & FLAG_FCS)
        parcel_append(parcel, 0xfc, 4);
    return true;
}

bool put_prism(struct parcel *parcel, uint32_t unused)
{
    enum { SIZE = 144 };
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_RADIO)
        return false;
    bytes_u32_le(&head, 0x44);
    bytes_u32_le(&head, SIZE);
    bytes_fill(&head, 0, SIZE - head.size);
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    return true;
}

bool put_avs(struct parcel *parcel, uint32_t unused)
{
    enum { SIZE = 64 };
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_RADIO)
        return false;
    bytes_u32(&head, 0x80211001);
    bytes_u32(&head, SIZE);
    bytes_fill(&head, 0, SIZE - head.size);
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    return true;
}

bool put_ppi(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_RADIO)
        return false;
    bytes_u16(&head, 0);
    bytes_u16_le(&head, 8);
    bytes_u32_le(&head, 105); /* LINKTYPE_IEEE802_11 */
    parcel_prepend(parcel, &head, CONTENT_LINK, 0);
    return true;
}
