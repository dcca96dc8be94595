/* Tunnels over UDP.
 *
 * See parcel.h. Checksums are zero, as most senders of such tunnels leave them (RFC 6935). */
#include "parcel.h"

enum { EPHEMERAL = 49152 };

static bool put_ports(struct parcel *parcel, unsigned source, unsigned destination)
{
    struct bytes head = {0};
    if (parcel->content != CONTENT_PROTOCOL || parcel->type != PROTOCOL_UDP ||
        parcel->wire + 8 > UINT16_MAX)
        return false;
    bytes_u16(&head, source);
    bytes_u16(&head, destination);
    bytes_u16(&head, 8 + parcel->wire);
    bytes_u16(&head, 0);
    parcel_prepend(parcel, &head, CONTENT_PROTOCOL, PROTOCOL_UDP);
    return true;
}

bool put_udp(struct parcel *parcel, uint32_t port)
{
    return put_ports(parcel, EPHEMERAL + (parcel->serial & 0xff), port);
}

bool put_udp_service(struct parcel *parcel, uint32_t port)
{
    return parcel->is_up ? put_ports(parcel, EPHEMERAL, port) : put_ports(parcel, port, EPHEMERAL);
}

/* What is inside UDP now; a port comes next. */
static bool inside_udp(struct parcel *parcel, struct bytes *head)
{
    parcel_prepend(parcel, head, CONTENT_PROTOCOL, PROTOCOL_UDP);
    return true;
}

/* RFC 7348 section 5 */
bool put_vxlan(struct parcel *parcel, uint32_t network)
{
    struct bytes head = {0};
    if (parcel->content != CONTENT_ETHERNET)
        return false;
    bytes_u32(&head, 0x08000000);
    bytes_u32(&head, network << 8);
    return inside_udp(parcel, &head);
}

/* draft-ietf-nvo3-vxlan-gpe-13 section 3: 1 IPv4, 2 IPv6, 3 Ethernet. */
bool put_vxlan_gpe(struct parcel *parcel, uint32_t network)
{
    struct bytes head = {0};
    bool is_ethernet = parcel->content == CONTENT_ETHERNET;
    if (!is_ethernet && !parcel_is_ip(parcel))
        return false;
    bytes_u24(&head, 0x0c0000);
    bytes_u8(&head, is_ethernet ? 3 : parcel->type == TYPE_IPV4 ? 1 : 2);
    bytes_u32(&head, network << 8);
    return inside_udp(parcel, &head);
}

/* RFC 8926 section 3.4; an option is a class, a type and its length in words. */
bool put_geneve(struct parcel *parcel, uint32_t option_words)
{
    struct bytes head = {0};
    bool is_ethernet = parcel->content == CONTENT_ETHERNET;
    if (!is_ethernet && !parcel_is_ip(parcel))
        return false;
    bytes_u8(&head, option_words);
    bytes_u8(&head, 0);
    bytes_u16(&head, is_ethernet ? TYPE_BRIDGED : parcel->type);
    bytes_u32(&head, 0x00000700);
    if (option_words) {
        bytes_u24(&head, 0x010280);
        bytes_u8(&head, option_words - 1);
        bytes_fill(&head, 0x6e, 4 * ((size_t)option_words - 1));
    }
    return inside_udp(parcel, &head);
}

/* 3GPP TS 29.281 section 5.1: version 1, protocol type 1; E 4, S 2. The extension is a PDU session
 * container (0x85) of one word. */
bool put_gtp(struct parcel *parcel, uint32_t flags)
{
    struct bytes head = {0};
    uint32_t optional = (flags ? 4U : 0U) + (flags & 4 ? 4U : 0U);
    if (!parcel_is_ip(parcel))
        return false;
    bytes_u8(&head, 0x30 | flags);
    bytes_u8(&head, 255);
    bytes_u16(&head, parcel->wire + optional);
    bytes_u32(&head, parcel->is_up ? 0x0a0a0a01 : 0x0b0b0b02); /* each side's own */
    if (flags) {
        bytes_u16(&head, parcel->serial);
        bytes_u16(&head, flags & 4 ? 0x0085 : 0);
    }
    if (flags & 4)
        bytes_u32(&head, 0x01100900);
    return inside_udp(parcel, &head);
}

/* RFC 5415 section 4.3: two words, binding 802.11, T where the frame is native. */
bool put_capwap(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_ETHERNET && parcel->content != CONTENT_RADIO)
        return false;
    bytes_u8(&head, 0);
    bytes_u8(&head, 2 << 3);
    bytes_u16(&head, 1U << 9 | (parcel->content == CONTENT_RADIO ? 0x0100U : 0U));
    bytes_u32(&head, parcel->serial << 16);
    return inside_udp(parcel, &head);
}

/* RFC 2661 section 3.1, with a length */
bool put_l2tp2(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_PPP)
        return false;
    bytes_u16(&head, 0x4002);
    bytes_u16(&head, 8 + parcel->wire);
    bytes_u16(&head, parcel->is_up ? 11 : 12);
    bytes_u16(&head, parcel->is_up ? 21 : 22);
    return inside_udp(parcel, &head);
}

static void add_session(struct bytes *head, const struct parcel *parcel, uint32_t cookie_size)
{
    bytes_u32(head, parcel->is_up ? 1001 : 2002);
    bytes_fill(head, 0xc0, cookie_size);
}

/* RFC 3931 section 4.1.1 */
bool put_l2tp3(struct parcel *parcel, uint32_t cookie_size)
{
    enum { PROTOCOL_L2TP = 115 };
    struct bytes head = {0};
    if (parcel->content != CONTENT_ETHERNET)
        return false;
    add_session(&head, parcel, cookie_size);
    parcel_prepend(parcel, &head, CONTENT_PROTOCOL, PROTOCOL_L2TP);
    return true;
}

/* RFC 3931 section 4.1.2 */
bool put_l2tp3_udp(struct parcel *parcel, uint32_t cookie_size)
{
    struct bytes head = {0};
    if (parcel->content != CONTENT_ETHERNET)
        return false;
    bytes_u32(&head, 0x00030000);
    add_session(&head, parcel, cookie_size);
    return inside_udp(parcel, &head);
}

/* RFC 4380 section 5.1.1: the origin is what the server saw, with its bits exchanged. */
bool put_teredo(struct parcel *parcel, uint32_t has_origin)
{
    struct bytes head = {0};
    if (!parcel_is_ip(parcel) || parcel->type != TYPE_IPV6)
        return false;
    if (has_origin) {
        bytes_u16(&head, 0);
        bytes_u16(&head, 0xffff ^ EPHEMERAL);
        bytes_u32(&head, 0xffffffff ^ 0xc0000201);
    }
    return inside_udp(parcel, &head);
}
