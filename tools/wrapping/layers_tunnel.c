/* Tunnels with an IP protocol number of their own, and the IP headers around any tunnel.
 *
 * See parcel.h. The ends of a tunnel are documentation addresses (RFC 5737, RFC 3849). */
#include <string.h>

#include "base/reader.h"
#include "parcel.h"

/* RFC 2784, RFC 2890, RFC 1701, RFC 2637 */
enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    PROTOCOL_FRAGMENT = 44,
    PROTOCOL_GRE = 47,
    PROTOCOL_AH = 51,
    PROTOCOL_ETHERIP = 97,
    PROTOCOL_MPLS = 137
};

/* The protocol type of what is at the front; 0: GRE cannot carry it. */
static uint16_t gre_type(const struct parcel *parcel)
{
    switch (parcel->content) {
    case CONTENT_TYPED:
        return parcel->type;
    case CONTENT_ETHERNET:
        return TYPE_BRIDGED;
    case CONTENT_RADIO:
        return 0x8200; /* Aruba: the first of its numbers */
    default:
        return 0;
    }
}

bool put_gre(struct parcel *parcel, uint32_t flags)
{
    struct bytes head = {0};
    uint16_t type = gre_type(parcel);
    if (!type)
        return false;
    bytes_u16(&head, flags);
    bytes_u16(&head, type);
    if (flags & (GRE_CHECKSUM | GRE_ROUTING))
        bytes_u32(&head, 0);
    if (flags & GRE_KEY)
        bytes_u32(&head, 0x1234);
    if (flags & GRE_SEQUENCE)
        bytes_u32(&head, parcel->serial);
    if (flags & GRE_ROUTING) { /* one entry of four bytes, then the end of the list */
        bytes_u32(&head, 0x08000004);
        bytes_u32(&head, 0xc0000201);
        bytes_u32(&head, 0);
    }
    parcel_prepend(parcel, &head, CONTENT_PROTOCOL, PROTOCOL_GRE);
    return true;
}

/* RFC 7637 section 3.2: 24 bits of subnet, 8 bits that differ by flow and direction. */
bool put_nvgre(struct parcel *parcel, uint32_t subnet)
{
    struct bytes head = {0};
    if (parcel->content != CONTENT_ETHERNET)
        return false;
    bytes_u16(&head, GRE_KEY);
    bytes_u16(&head, TYPE_BRIDGED);
    bytes_u32(&head, subnet << 8 | (parcel->is_up ? 0x11 : 0x77));
    parcel_prepend(parcel, &head, CONTENT_PROTOCOL, PROTOCOL_GRE);
    return true;
}

/* RFC 2637 section 4.1 */
bool put_pptp(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_PPP)
        return false;
    bytes_u16(&head, parcel->is_up ? 0x3001 : 0x3081);
    bytes_u16(&head, 0x880b);
    bytes_u16(&head, parcel->wire);
    bytes_u16(&head, parcel->is_up ? 0x0101 : 0x0202); /* call: each side's own */
    bytes_u32(&head, parcel->serial);
    if (!parcel->is_up)
        bytes_u32(&head, parcel->serial - 1);
    parcel_prepend(parcel, &head, CONTENT_PROTOCOL, PROTOCOL_GRE);
    return true;
}

/* RouterOS */
bool put_eoip(struct parcel *parcel, uint32_t tunnel)
{
    struct bytes head = {0};
    if (parcel->content != CONTENT_ETHERNET)
        return false;
    bytes_u16(&head, 0x2001);
    bytes_u16(&head, 0x6400);
    bytes_u16(&head, parcel->wire);
    bytes_u16_le(&head, tunnel);
    parcel_prepend(parcel, &head, CONTENT_PROTOCOL, PROTOCOL_GRE);
    return true;
}

/* draft-foschiano-erspan-03 section 4.1: no header at all. */
bool put_erspan1(struct parcel *parcel, uint32_t unused)
{
    (void)unused;
    if (parcel->content != CONTENT_ETHERNET)
        return false;
    parcel->content = CONTENT_TYPED;
    parcel->type = 0x88be;
    return true;
}

/* Section 4.2: version 1, VLAN, class, encapsulation, truncated, session; index. */
bool put_erspan2(struct parcel *parcel, uint32_t session)
{
    struct bytes head = {0};
    if (parcel->content != CONTENT_ETHERNET)
        return false;
    bytes_u32(&head, 0x10000000 | session);
    bytes_u32(&head, 0x00000030);
    parcel_prepend(parcel, &head, CONTENT_TYPED, 0x88be);
    return true;
}

/* Section 4.3: version 2; time, group tag, P, frame type, hardware, direction, granularity, O; with
 * the platform's subheader of eight bytes where O is set. */
bool put_erspan3(struct parcel *parcel, uint32_t has_subheader)
{
    struct bytes head = {0};
    if (parcel->content != CONTENT_ETHERNET)
        return false;
    bytes_u32(&head, 0x20000007);
    bytes_u32(&head, parcel->serial * 1000);
    bytes_u16(&head, 0);
    bytes_u16(&head, (parcel->is_up ? 0U : 8U) | (has_subheader ? 1U : 0U));
    if (has_subheader)
        bytes_fill(&head, 0x0c, 8);
    parcel_prepend(parcel, &head, CONTENT_TYPED, 0x22eb);
    return true;
}

/* draft-wilson-wrec-wccp-v2-01 section 4.12; version 1 has no header behind GRE's. */
bool put_wccp(struct parcel *parcel, uint32_t has_header)
{
    struct bytes head = {0};
    if (!parcel_is_ip(parcel) || parcel->type != TYPE_IPV4)
        return false;
    if (has_header)
        bytes_u32(&head, 0x00000102);
    parcel_prepend(parcel, &head, CONTENT_TYPED, 0x883e);
    return true;
}

/* RFC 3378 section 3 */
bool put_etherip(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_ETHERNET)
        return false;
    bytes_u16(&head, 0x3000);
    parcel_prepend(parcel, &head, CONTENT_PROTOCOL, PROTOCOL_ETHERIP);
    return true;
}

/* ---- IP ---- */

/* The protocol number of what is at the front; 0: IP cannot carry it. */
static uint8_t protocol_of(const struct parcel *parcel)
{
    if (parcel->content == CONTENT_PROTOCOL)
        return (uint8_t)parcel->type;
    if (parcel->content == CONTENT_ETHERNET)
        return PROTOCOL_ETHERNET;
    if (parcel->content == CONTENT_TYPED && parcel->type == TYPE_MPLS)
        return PROTOCOL_MPLS;
    if (!parcel_is_ip(parcel))
        return 0;
    return parcel->type == TYPE_IPV4 ? PROTOCOL_IPV4 : PROTOCOL_IPV6;
}

/* RFC 1071 */
static uint16_t checksum(const uint8_t *bytes, size_t size)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < size; i += 2)
        sum += load_u16(bytes + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* RFC 791 section 3.1 */
bool put_ipv4(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    uint8_t protocol = protocol_of(parcel);
    (void)unused;
    if (!protocol || parcel->wire > 65515)
        return false;
    uint32_t left = 0xc0000201, right = 0xc6336401; /* 192.0.2.1, 198.51.100.1 */
    bytes_u16(&head, 0x4500);
    bytes_u16(&head, 20 + parcel->wire);
    bytes_u16(&head, parcel->serial);
    bytes_u16(&head, 0x4000);
    bytes_u8(&head, 61);
    bytes_u8(&head, protocol);
    bytes_u16(&head, 0);
    bytes_u32(&head, parcel->is_up ? left : right);
    bytes_u32(&head, parcel->is_up ? right : left);
    bytes_set_u16(&head, 10, checksum(head.at, head.size));
    parcel_prepend(parcel, &head, CONTENT_TYPED, TYPE_IPV4);
    return true;
}

static void add_ipv6_end(struct bytes *head, unsigned last)
{
    bytes_u32(head, 0x20010db8);
    bytes_fill(head, 0, 11);
    bytes_u8(head, last);
}

/* RFC 8200 sections 3, 4.3 and 4.6: hop-by-hop and destination options of padding. */
bool put_ipv6(struct parcel *parcel, uint32_t has_extensions)
{
    struct bytes head = {0};
    uint8_t protocol = protocol_of(parcel);
    uint32_t extensions_size = has_extensions ? 16 : 0;
    if (!protocol || parcel->wire + extensions_size > UINT16_MAX)
        return false;
    bytes_u32(&head, 0x60000000);
    bytes_u16(&head, extensions_size + parcel->wire);
    bytes_u8(&head, has_extensions ? 0 : protocol);
    bytes_u8(&head, 61);
    add_ipv6_end(&head, parcel->is_up ? 1 : 2);
    add_ipv6_end(&head, parcel->is_up ? 2 : 1);
    if (has_extensions) {
        bytes_u32(&head, 0x3c000104); /* next: destination options; PadN of six bytes */
        bytes_u32(&head, 0);
        bytes_u8(&head, protocol);
        bytes_u24(&head, 0x000104);
        bytes_u32(&head, 0);
    }
    parcel_prepend(parcel, &head, CONTENT_TYPED, TYPE_IPV6);
    return true;
}

/* RFC 4302 section 3.1.1, transport mode: between the IP header and what it carried. The sum of an
 * IPv4 header is made anew. */
bool put_authentication(struct parcel *parcel, uint32_t unused)
{
    enum { SIZE = 24, MAX_HEADER = 60 };
    uint8_t ip[MAX_HEADER];
    struct bytes head = {0};
    (void)unused;
    if (!parcel_is_ip(parcel))
        return false;
    bool is_v4 = parcel->type == TYPE_IPV4;
    uint32_t ip_size = is_v4 ? (parcel->bytes.at[0] & 0x0fU) * 4 : 40;
    uint32_t length_at = is_v4 ? 2 : 4, protocol_at = is_v4 ? 9 : 6;
    bool is_fragment = is_v4 ? (load_u16(parcel->bytes.at + 6) & 0x3fff) != 0
                             : parcel->bytes.at[protocol_at] == PROTOCOL_FRAGMENT;
    if (parcel->bytes.size < ip_size || parcel->wire + SIZE > UINT16_MAX || is_fragment)
        return false; /* a datagram is authenticated whole */
    memcpy(ip, parcel->bytes.at, ip_size);
    if (!parcel_take(parcel, ip_size))
        return false;
    unsigned length = load_u16(ip + length_at);
    bytes_add(&head, ip, ip_size);
    if (length)
        bytes_set_u16(&head, length_at, length + SIZE);
    head.at[protocol_at] = PROTOCOL_AH;
    if (is_v4) {
        bytes_set_u16(&head, 10, 0);
        bytes_set_u16(&head, 10, checksum(head.at, ip_size));
    }
    bytes_u8(&head, ip[protocol_at]);
    bytes_u8(&head, SIZE / 4 - 2);
    bytes_u16(&head, 0);
    bytes_u32(&head, 0x2002); /* security parameter index */
    bytes_u32(&head, parcel->serial);
    bytes_fill(&head, 0xa5, 12);
    parcel_prepend(parcel, &head, CONTENT_TYPED, is_v4 ? TYPE_IPV4 : TYPE_IPV6);
    return true;
}
