/* IPv4 and IPv6 headers, extension headers, and the table of what they carry.
 *
 * Between link.c, tunnel.c (from both sides) and transport.c. Lengths come from the IP header, so
 * padding and check sequences behind it are never seen; a length of zero means that the sending
 * machine left the cutting into segments to its network card. Deliberately does no reassembly: a
 * fragment is a packet of its own kind, for fragments.c. */
#include "network.h"

#include "icmp.h"
#include "link.h"
#include "transport.h"
#include "tunnel.h"

/* RFC 8200 section 4.1 names each extension header at most once, destination options twice: a
 * chain longer than this was made to hide something or to waste time. */
enum { EXTENSIONS_MAX = 12 };

/* RFC 4303: what is inside is nobody's business but the peers'. */
static enum skip_reason network_esp(struct walk *walk)
{
    (void)walk;
    return SKIP_ENCRYPTED;
}

static enum skip_reason network_carry(struct walk *walk, uint8_t protocol);

/* RFC 4302 section 2.2: the length is in 32-bit words, less two. */
static uint32_t authentication_size(const uint8_t *header)
{
    return ((uint32_t)header[1] + 2) * 4;
}

static enum skip_reason network_authentication(struct walk *walk)
{
    if (!walk_has(walk, 2))
        return walk_lack(walk, 2, SKIP_IP_CUT, SKIP_IP_BAD);
    uint8_t next = walk->at[0];
    uint32_t size = authentication_size(walk->at);
    if (!walk_has(walk, size))
        return walk_lack(walk, size, SKIP_IP_CUT, SKIP_IP_BAD);
    walk_skip(walk, size);
    return network_carry(walk, next);
}

/* Everything but TCP and UDP, which network_carry knows by heart. NULL: none of our business. */
static const walk_step carried[256] = {
    [PROTOCOL_ICMP] = icmp_error_ipv4,
    [PROTOCOL_IPV4] = network_ipv4, /* RFC 2003; in IPv6: RFC 2473 */
    [PROTOCOL_IPV6] = network_ipv6, /* RFC 4213 section 3 */
    [PROTOCOL_GRE] = tunnel_gre,
    [PROTOCOL_ESP] = network_esp,
    [PROTOCOL_AH] = network_authentication,
    [PROTOCOL_ICMPV6] = icmp_error_ipv6,
    [PROTOCOL_ETHERIP] = tunnel_etherip,
    [PROTOCOL_L2TP] = tunnel_l2tp_ip,
    [PROTOCOL_MPLS] = link_mpls,         /* RFC 4023 section 3 */
    [PROTOCOL_ETHERNET] = link_ethernet, /* RFC 8986 section 4.9 */
};

static enum skip_reason network_carry(struct walk *walk, uint8_t protocol)
{
    if (protocol == PROTOCOL_TCP)
        return transport_tcp(walk);
    if (protocol == PROTOCOL_UDP)
        return transport_udp(walk);
    if (!carried[protocol])
        return SKIP_NOT_TCP;
    if (!walk_deeper(walk))
        return SKIP_TOO_DEEP;
    return carried[protocol](walk);
}

/* RFC 791 section 3.1 */
enum skip_reason network_ipv4(struct walk *walk)
{
    if (!walk_has(walk, IPV4_HEADER_SIZE))
        return walk_lack(walk, IPV4_HEADER_SIZE, SKIP_IP_CUT, SKIP_IP_BAD);
    const uint8_t *ip = walk->at;
    uint32_t header_size = (uint32_t)(ip[0] & 0x0f) * 4;
    uint32_t total = load_u16(ip + 2);
    walk->length_from_frame = total == 0;
    if (total == 0)
        total = walk->wire;
    total = walk_inside(walk, total);
    if (ip[0] >> 4 != 4 || header_size < IPV4_HEADER_SIZE || total < header_size)
        return SKIP_IP_BAD;
    walk_bound(walk, total);
    if (!walk_has(walk, header_size))
        return SKIP_IP_CUT;

    walk->ip = ip;
    walk->is_bounded = !walk->length_from_frame;
    walk_skip(walk, header_size);
    bool is_fragment = (load_u16(ip + 6) & 0x3fff) != 0; /* more follow, or it is not the first */
    return is_fragment ? walk_fill_fragment(walk, FRAGMENT_IPV4) : network_carry(walk, ip[9]);
}

/* The length in a jumbo payload option (RFC 2675 section 2), or 0. `walk` is at a hop-by-hop
 * options header. */
static uint32_t jumbo_payload_size(const struct walk *walk)
{
    if (!walk_has(walk, 8))
        return 0;
    struct reader header = reader_over(walk->at, walk_captured(walk));
    reader_skip(&header, 1);
    size_t size = ((size_t)reader_u8(&header) + 1) * 8;
    struct reader options = reader_take(&header, size - 2);
    while (reader_left(&options) > 0) {
        uint8_t kind = reader_u8(&options);
        if (kind == 0) /* Pad1, RFC 8200 section 4.2 */
            continue;
        struct reader value = reader_take(&options, reader_u8(&options));
        if (kind == 0xc2 && reader_left(&value) == 4)
            return reader_u32(&value);
    }
    return 0;
}

static uint32_t ipv6_payload_size(struct walk *walk, const uint8_t *ip)
{
    uint32_t payload_size = load_u16(ip + 4);
    walk->length_from_frame = false;
    if (payload_size != 0)
        return payload_size;
    if (ip[6] == PROTOCOL_HOP_BY_HOP) {
        uint32_t jumbo_size = jumbo_payload_size(walk);
        if (jumbo_size > UINT16_MAX)
            return jumbo_size;
    }
    walk->length_from_frame = true;
    return walk->wire;
}

/* RFC 8200 section 3 */
enum skip_reason network_ipv6(struct walk *walk)
{
    if (!walk_has(walk, IPV6_HEADER_SIZE))
        return walk_lack(walk, IPV6_HEADER_SIZE, SKIP_IP_CUT, SKIP_IP_BAD);
    const uint8_t *ip = walk->at;
    if (ip[0] >> 4 != 6)
        return SKIP_IP_BAD;
    walk_skip(walk, IPV6_HEADER_SIZE);
    walk_bound(walk, walk_inside(walk, ipv6_payload_size(walk, ip)));
    walk->ip = ip;
    walk->is_bounded = !walk->length_from_frame;
    return network_resume(walk, ip[6]);
}

enum skip_reason network_resume(struct walk *walk, uint8_t protocol)
{
    if (walk->ip[0] >> 4 == 4)
        return network_carry(walk, protocol);
    bool is_fragment = false;
    enum skip_reason reason = network_pass_extensions(walk, &protocol, &is_fragment);
    if (reason != SKIP_NONE)
        return reason;
    return is_fragment ? walk_fill_fragment(walk, FRAGMENT_IPV6) : network_carry(walk, protocol);
}

enum skip_reason network_ip(struct walk *walk)
{
    if (!walk_has(walk, 1))
        return walk_lack(walk, 1, SKIP_IP_CUT, SKIP_IP_BAD);
    switch (walk->at[0] >> 4) {
    case 4:
        return network_ipv4(walk);
    case 6:
        return network_ipv6(walk);
    default:
        return SKIP_IP_BAD;
    }
}

/* The size of an extension header, or 0 if `protocol` is not one. RFC 8200 section 4, RFC 6275
 * section 6.1 (mobility), RFC 7401 section 5.1 (HIP), RFC 5533 section 5 (shim6): 8-byte units,
 * less one. */
static uint32_t extension_size(uint8_t protocol, const uint8_t *header)
{
    switch (protocol) {
    case PROTOCOL_HOP_BY_HOP:
    case PROTOCOL_ROUTING:
    case PROTOCOL_DESTINATION:
    case PROTOCOL_MOBILITY:
    case PROTOCOL_HIP:
    case PROTOCOL_SHIM6:
        return ((uint32_t)header[1] + 1) * 8;
    case PROTOCOL_FRAGMENT: /* its second byte is reserved, RFC 8200 section 4.5 */
        return 8;
    case PROTOCOL_AH:
        return authentication_size(header);
    default:
        return 0;
    }
}

enum skip_reason network_pass_extensions(struct walk *walk, uint8_t *protocol, bool *is_fragment)
{
    static const uint8_t any[2] = {0, 0};
    for (int count = 0; extension_size(*protocol, any) != 0; count++) {
        if (count == EXTENSIONS_MAX)
            return SKIP_IP_BAD;
        if (!walk_has(walk, 8))
            return walk_lack(walk, 8, SKIP_IP_CUT, SKIP_IP_BAD);
        const uint8_t *header = walk->at;
        uint32_t size = extension_size(*protocol, header);
        if (!walk_has(walk, size))
            return walk_lack(walk, size, SKIP_IP_CUT, SKIP_IP_BAD);
        /* Offset and "more follow", RFC 8200 section 4.5; without either it is whole (RFC 6946). */
        *is_fragment = *protocol == PROTOCOL_FRAGMENT && (load_u16(header + 2) & 0xfff9);
        *protocol = header[0];
        walk_skip(walk, size);
        if (*is_fragment)
            break;
    }
    return SKIP_NONE;
}

/* A packet inside a first fragment may be longer than the fragment. */
static uint32_t size_within(const struct walk *walk, uint32_t size)
{
    return size <= walk->wire || walk->is_fragment ? size : 0;
}

static uint32_t plausible_ipv4_size(const struct walk *walk)
{
    const uint8_t *ip = walk->at;
    uint32_t header_size = (uint32_t)(ip[0] & 0x0f) * 4;
    uint32_t total = load_u16(ip + 2);
    if (total == 0 && walk->length_from_frame)
        total = walk->wire;
    bool is_alive = ip[8] != 0;
    bool has_reserved_flag = (ip[6] & 0x80) != 0; /* "must be zero", RFC 791 section 3.1 */
    if (header_size < IPV4_HEADER_SIZE || total < header_size || !is_alive || has_reserved_flag)
        return 0;
    return size_within(walk, total);
}

static uint32_t plausible_ipv6_size(const struct walk *walk)
{
    static const uint8_t any[2] = {0, 0};
    const uint8_t *ip = walk->at;
    uint8_t next = ip[6];
    bool is_known = next == PROTOCOL_TCP || next == PROTOCOL_UDP || next == PROTOCOL_NO_NEXT ||
                    next == PROTOCOL_SCTP || carried[next] || extension_size(next, any) != 0;
    return is_known ? size_within(walk, IPV6_HEADER_SIZE + (uint32_t)load_u16(ip + 4)) : 0;
}

uint32_t network_plausible_size(const struct walk *walk)
{
    if (walk_has(walk, IPV4_HEADER_SIZE) && walk->at[0] >> 4 == 4)
        return plausible_ipv4_size(walk);
    if (walk_has(walk, IPV6_HEADER_SIZE) && walk->at[0] >> 4 == 6)
        return plausible_ipv6_size(walk);
    return 0;
}
