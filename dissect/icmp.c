/* ICMP and ICMPv6 errors, and the packets they quote.
 *
 * A router's or firewall's own word on why a connection fails. Reached from network.c. The quote
 * is read only when track/ asks for it (dissect_icmp_quote). Deliberately ignores echo, redirects
 * and the rest: they accuse nobody. */
#include "icmp.h"

#include "dissect/checksum.h"
#include "dissect/dissect.h"
#include "network.h"

/* RFC 792 */
enum {
    ICMP_UNREACHABLE = 3,
    ICMP_SOURCE_QUENCH = 4,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER_PROBLEM = 12,
    ICMP_CODE_FRAGMENTATION_NEEDED = 4
};

/* RFC 4443 section 2.1: 1 destination unreachable, 2 packet too big, 3 time exceeded, 4 parameter
 * problem. */
enum {
    ICMPV6_UNREACHABLE = 1,
    ICMPV6_TOO_BIG = 2,
    ICMPV6_TIME_EXCEEDED = 3,
    ICMPV6_LAST_ERROR = 4
};

enum { ICMP_HEADER_SIZE = 8 };

/* RFC 4884 section 5: where the message says how long its quote is, the rest are extensions. 0
 * says nothing, as senders from before that RFC do. */
static void leave_out_extensions(struct walk *walk, uint32_t quote_size)
{
    if (quote_size != 0)
        walk_shorten(walk, quote_size);
}

/* Before extensions are left out, which the checksum covers as well. `walk` is at the message. */
static enum packet_checksum checksum_of(const struct walk *walk)
{
    bool is_whole =
        !walk->is_fragment && !walk->length_from_frame && walk_captured(walk) == walk->wire;
    return is_whole ? dissect_icmp_checksum(walk->ip, walk->at, walk->wire) : CHECKSUM_LEFT_OUT;
}

static enum skip_reason fill_error(struct walk *walk, const uint8_t *header,
                                   enum packet_checksum checksum, uint32_t mtu)
{
    struct packet *packet = walk->packet;
    walk_fill_without_tcp(walk, PACKET_ICMP_ERROR);
    packet->checksum = (uint8_t)checksum;
    packet->icmp_type = header[0];
    packet->icmp_code = header[1];
    packet->icmp_mtu = mtu;
    return SKIP_NONE;
}

static enum skip_reason lack_header(const struct walk *walk)
{
    if (walk->is_fragment && walk->wire < ICMP_HEADER_SIZE)
        return SKIP_FRAGMENT;
    return walk_lack(walk, ICMP_HEADER_SIZE, SKIP_TRANSPORT_CUT, SKIP_TRANSPORT_BAD);
}

enum skip_reason icmp_error_ipv4(struct walk *walk)
{
    if (!walk_has(walk, ICMP_HEADER_SIZE))
        return lack_header(walk);
    const uint8_t *header = walk->at;
    uint8_t type = header[0];
    if (type != ICMP_UNREACHABLE && type != ICMP_SOURCE_QUENCH && type != ICMP_TIME_EXCEEDED &&
        type != ICMP_PARAMETER_PROBLEM)
        return SKIP_NOT_TCP;
    bool is_too_big = type == ICMP_UNREACHABLE && header[1] == ICMP_CODE_FRAGMENTATION_NEEDED;
    enum packet_checksum checksum = checksum_of(walk);
    walk_skip(walk, ICMP_HEADER_SIZE);
    if (type != ICMP_SOURCE_QUENCH) /* RFC 4884 section 4: 32-bit words */
        leave_out_extensions(walk, (uint32_t)header[5] * 4);
    /* RFC 1191 section 4 */
    return fill_error(walk, header, checksum, is_too_big ? load_u16(header + 6) : 0);
}

enum skip_reason icmp_error_ipv6(struct walk *walk)
{
    if (!walk_has(walk, ICMP_HEADER_SIZE))
        return lack_header(walk);
    const uint8_t *header = walk->at;
    uint8_t type = header[0];
    if (type < ICMPV6_UNREACHABLE || type > ICMPV6_LAST_ERROR)
        return SKIP_NOT_TCP;
    enum packet_checksum checksum = checksum_of(walk);
    walk_skip(walk, ICMP_HEADER_SIZE);
    if (type == ICMPV6_UNREACHABLE || type == ICMPV6_TIME_EXCEEDED) /* 64-bit words */
        leave_out_extensions(walk, (uint32_t)header[4] * 8);
    /* RFC 4443 section 3.2 */
    return fill_error(walk, header, checksum, type == ICMPV6_TOO_BIG ? load_u32(header + 4) : 0);
}

/* The quote's own length fields are not used: routers have been known to quote packets as their
 * stack had rewritten them, with the length in another byte order or less the header. */
static bool quoted_ipv4(struct walk *walk, struct quoted_packet *quoted)
{
    if (!walk_has(walk, IPV4_HEADER_SIZE))
        return false;
    const uint8_t *ip = walk->at;
    uint32_t header_size = (uint32_t)(ip[0] & 0x0f) * 4;
    bool is_later_fragment = (load_u16(ip + 6) & 0x1fff) != 0;
    if (header_size < IPV4_HEADER_SIZE || !walk_has(walk, header_size) || is_later_fragment)
        return false;
    quoted->source = address_from_ipv4(ip + 12);
    quoted->destination = address_from_ipv4(ip + 16);
    quoted->ttl = ip[8];
    quoted->protocol = ip[9];
    walk_skip(walk, header_size);
    return true;
}

static bool quoted_ipv6(struct walk *walk, struct quoted_packet *quoted)
{
    if (!walk_has(walk, IPV6_HEADER_SIZE))
        return false;
    const uint8_t *ip = walk->at;
    quoted->source = address_from_ipv6(ip + 8);
    quoted->destination = address_from_ipv6(ip + 24);
    quoted->ttl = ip[7];
    quoted->protocol = ip[6];
    walk_skip(walk, IPV6_HEADER_SIZE);
    bool is_fragment = false;
    if (network_pass_extensions(walk, &quoted->protocol, &is_fragment) != SKIP_NONE)
        return false;
    /* Of a fragment the first one has the ports; its header stands right before them. */
    return !is_fragment || (load_u16(walk->at - 6) & 0xfff8) == 0;
}

static bool protocol_has_ports(uint8_t protocol)
{
    return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_DCCP ||
           protocol == PROTOCOL_SCTP || protocol == PROTOCOL_UDPLITE;
}

/* RFC 792 promises the first eight bytes of the transport header: ports and, of TCP, the sequence
 * number. The flags are six bytes further and come with RFC 1812 routers. */
static bool quoted_transport(const struct walk *walk, struct quoted_packet *quoted)
{
    if (!protocol_has_ports(quoted->protocol) || !walk_has(walk, 4))
        return false;
    const uint8_t *header = walk->at;
    quoted->source_port = load_u16(header);
    quoted->destination_port = load_u16(header + 2);
    if (quoted->protocol != PROTOCOL_TCP)
        return true;
    quoted->has_sequence = walk_has(walk, 8);
    if (quoted->has_sequence)
        quoted->sequence = load_u32(header + 4);
    if (walk_has(walk, 14))
        quoted->is_syn = (header[13] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    return true;
}

bool dissect_icmp_quote(const struct packet *packet, struct quoted_packet *quoted)
{
    struct walk walk = {.at = packet->payload, .wire = packet->payload_size};
    walk.end = packet->payload_captured ? walk.at + packet->payload_captured : walk.at;
    *quoted = (struct quoted_packet){.protocol = 0};
    if (!walk_has(&walk, 1))
        return false;
    uint8_t version = walk.at[0] >> 4;
    bool has_header = (version == 4 && quoted_ipv4(&walk, quoted)) ||
                      (version == 6 && quoted_ipv6(&walk, quoted));
    return has_header && quoted_transport(&walk, quoted);
}
