/* Tags, labels and headers between the MAC addresses and the packet.
 *
 * See parcel.h. Numbers are those of the standards that are named; dissect/ has its own. */
#include "base/reader.h"
#include "parcel.h"

enum { ETHERNET_MIN = 60, FCS_SIZE = 4 };

/* A tag that ends with the EtherType of what follows. */
static bool prepend_tag(struct parcel *parcel, struct bytes *tag, uint16_t type)
{
    if (parcel->content != CONTENT_TYPED) {
        bytes_free(tag);
        return false;
    }
    bytes_u16(tag, parcel->type);
    parcel_prepend(parcel, tag, CONTENT_TYPED, type);
    return true;
}

/* IEEE 802.1Q section 9.6. In the argument: EtherType of the tag, and the tag. */
bool put_tag(struct parcel *parcel, uint32_t type_and_tag)
{
    struct bytes tag = {0};
    bytes_u16(&tag, type_and_tag & 0xffff);
    return prepend_tag(parcel, &tag, (uint16_t)(type_and_tag >> 16));
}

/* Cisco TTag: a time in six bytes, nanoseconds. */
bool put_ttag(struct parcel *parcel, uint32_t unused)
{
    struct bytes tag = {0};
    (void)unused;
    bytes_u16(&tag, 0x0017);
    bytes_u32(&tag, parcel->serial);
    return prepend_tag(parcel, &tag, 0x8988);
}

/* Cisco VN-Tag: direction, pointer, destination 14 bits; looped, reserved, version, source 12. */
bool put_vn_tag(struct parcel *parcel, uint32_t unused)
{
    struct bytes tag = {0};
    (void)unused;
    bytes_u32(&tag, parcel->is_up ? 0x00000007 : 0x80070000);
    return prepend_tag(parcel, &tag, 0x8926);
}

/* Cisco TrustSec: version 1, one word of options: length and type 12 and 4 bits, group tag. */
bool put_metadata(struct parcel *parcel, uint32_t unused)
{
    struct bytes tag = {0};
    (void)unused;
    bytes_u8(&tag, 1);
    bytes_u8(&tag, 1);
    bytes_u16(&tag, 0x0001);
    bytes_u16(&tag, 42);
    return prepend_tag(parcel, &tag, 0x8909);
}

/* IEEE 802.1AE section 9.3: authenticated, not encrypted; check value of 16 bytes at the end. */
bool put_macsec(struct parcel *parcel, uint32_t unused)
{
    struct bytes tag = {0};
    (void)unused;
    bytes_u8(&tag, 0);
    bytes_u8(&tag, parcel->wire < 46 ? parcel->wire + 2 : 0);
    bytes_u32(&tag, parcel->serial + 1);
    if (!prepend_tag(parcel, &tag, 0x88e5))
        return false;
    parcel_append(parcel, 0xc5, 16);
    return true;
}

/* IEEE 802.1Q section 9.7: the customer's whole frame behind flags and a service identifier. */
bool put_backbone(struct parcel *parcel, uint32_t service)
{
    struct bytes tag = {0};
    if (parcel->content != CONTENT_ETHERNET)
        return false;
    bytes_u8(&tag, 0);
    bytes_u24(&tag, service);
    parcel_prepend(parcel, &tag, CONTENT_TYPED, 0x88e7);
    return true;
}

/* RFC 3032 section 2.1: the bottom of the stack where no label is in front yet. */
bool put_label(struct parcel *parcel, uint32_t label)
{
    struct bytes entry = {0};
    bool is_bottom = !(parcel->content == CONTENT_TYPED && parcel->type == TYPE_MPLS);
    if (parcel->content != CONTENT_ETHERNET && is_bottom && !parcel_is_ip(parcel))
        return false; /* nothing says what it would be */
    bytes_u32(&entry, label << 12 | (is_bottom ? 0x100U : 0) | 63);
    parcel_prepend(parcel, &entry, CONTENT_TYPED, TYPE_MPLS);
    return true;
}

/* RFC 4448 section 4.6: four zero bits, then flags, length and a sequence number. */
bool put_control_word(struct parcel *parcel, uint32_t unused)
{
    struct bytes word = {0};
    (void)unused;
    bytes_u32(&word, parcel->serial & 0xffff);
    parcel_prepend(parcel, &word, CONTENT_ETHERNET, 0);
    return true;
}

/* RFC 1662 section 3.1, RFC 1661 section 6.5 (protocol field compression), RFC 1332, RFC 5072. */
bool put_ppp(struct parcel *parcel, uint32_t style)
{
    struct bytes head = {0};
    if (!parcel_is_ip(parcel))
        return false;
    uint16_t protocol = parcel->type == TYPE_IPV4 ? 0x0021 : 0x0057;
    if (style == PPP_FULL)
        bytes_u16(&head, 0xff03);
    if (style == PPP_COMPRESSED)
        bytes_u8(&head, protocol);
    else
        bytes_u16(&head, protocol);
    parcel_prepend(parcel, &head, CONTENT_PPP, 0);
    return true;
}

/* RFC 2516 section 4 */
bool put_pppoe(struct parcel *parcel, uint32_t session)
{
    struct bytes head = {0};
    if (parcel->content != CONTENT_PPP)
        return false;
    bytes_u16(&head, 0x1100);
    bytes_u16(&head, session);
    bytes_u16(&head, parcel->wire);
    parcel_prepend(parcel, &head, CONTENT_TYPED, TYPE_PPPOE);
    return true;
}

/* RFC 1042 */
bool put_llc(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_TYPED)
        return false;
    bytes_u24(&head, 0xaaaa03);
    bytes_u24(&head, 0);
    bytes_u16(&head, parcel->type);
    parcel_prepend(parcel, &head, CONTENT_LLC, 0);
    return true;
}

/* IEEE 802.3 section 3.2.6: a length in place of the type. */
bool put_8023(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_LLC || parcel->wire > 1500)
        return false;
    bytes_add(&head, parcel->destination_mac, 6);
    bytes_add(&head, parcel->source_mac, 6);
    bytes_u16(&head, parcel->wire);
    parcel_prepend(parcel, &head, CONTENT_ETHERNET, 0);
    return true;
}

bool put_ethernet(struct parcel *parcel, uint32_t unused)
{
    static const uint8_t ends[2][6] = {{2, 0, 0, 0, 1, 1}, {2, 0, 0, 0, 1, 2}};
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_TYPED)
        return false;
    bytes_add(&head, ends[parcel->is_up], 6);
    bytes_add(&head, ends[!parcel->is_up], 6);
    bytes_u16(&head, parcel->type);
    parcel_prepend(parcel, &head, CONTENT_ETHERNET, 0);
    return true;
}

bool put_fcs(struct parcel *parcel, uint32_t unused)
{
    (void)unused;
    parcel_append(parcel, 0xfc, FCS_SIZE);
    return true;
}

/* Whatever the sender's buffer held: padding need not be zeros. */
bool put_padding(struct parcel *parcel, uint32_t size)
{
    if (parcel->wire < ETHERNET_MIN)
        parcel_append(parcel, 0x17, ETHERNET_MIN - parcel->wire);
    parcel_append(parcel, 0x17, size);
    return true;
}
