/* Headers and checksums. Of tests/support, below the scenario language. Deliberately stateless. */
#include "wire.h"

#include <string.h>

enum {
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_ICMPV6 = 58,
    IPV4_DONT_FRAGMENT = 0x4000, /* RFC 791 section 3.1 */
    ETHERNET_MIN = 60            /* IEEE 802.3, without the frame check sequence */
};

/* RFC 1071: the ones' complement sum, not yet complemented. */
static uint32_t sum_of(const uint8_t *bytes, size_t size, uint32_t sum)
{
    for (size_t i = 0; i < size; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* RFC 9293 section 3.1 and RFC 8200 section 8.1: addresses, length and protocol count too. */
static uint32_t pseudo_header_sum(const struct ip_header *ip, size_t size)
{
    bool four = address_is_ipv4(&ip->source);
    size_t skip = four ? 12 : 0;
    uint32_t sum = (uint32_t)size + ip->protocol;
    sum = sum_of(ip->source.byte + skip, 16 - skip, sum);
    return sum_of(ip->destination.byte + skip, 16 - skip, sum);
}

static void add_ipv4(struct bytes *out, const struct ip_header *ip, size_t payload_size)
{
    size_t start = out->size;
    bytes_u16(out, 0x4500);
    bytes_u16(out, (unsigned)(20 + payload_size));
    bytes_u16(out, ip->id);
    bytes_u16(out, ip->may_fragment ? 0 : IPV4_DONT_FRAGMENT);
    bytes_u8(out, ip->ttl);
    bytes_u8(out, ip->protocol);
    bytes_u16(out, 0);
    bytes_add(out, ip->source.byte + 12, 4);
    bytes_add(out, ip->destination.byte + 12, 4);
    bytes_set_u16(out, start + 10, ~sum_of(out->at + start, 20, 0) & 0xffff);
}

static void add_ipv6(struct bytes *out, const struct ip_header *ip, size_t payload_size)
{
    bytes_u32(out, 0x60000000);
    bytes_u16(out, (unsigned)payload_size);
    bytes_u8(out, ip->protocol);
    bytes_u8(out, ip->ttl);
    bytes_add(out, ip->source.byte, 16);
    bytes_add(out, ip->destination.byte, 16);
}

static void set_sum(uint8_t *at, size_t place, const uint8_t *bytes, size_t size, uint32_t sum)
{
    at[place] = at[place + 1] = 0;
    sum = ~sum_of(bytes, size, sum) & 0xffff;
    at[place] = (uint8_t)(sum >> 8);
    at[place + 1] = (uint8_t)sum;
}

void wire_pass_router(uint8_t *packet, size_t size)
{
    enum { IPV4_HEADER = 20, IPV6_HEADER = 40 };
    if (size >= IPV6_HEADER && packet[0] >> 4 == 6) {
        packet[7]--;
        return;
    }
    if (size < IPV4_HEADER)
        return;
    packet[8]--;
    set_sum(packet, 10, packet, IPV4_HEADER, 0);
}

void wire_translate(uint8_t *packet, size_t size, bool is_outgoing, const uint8_t address[4],
                    uint16_t port)
{
    enum { IPV4_HEADER = 20, TCP_HEADER = 20, SOURCE = 12, CHECKSUM = 16 };
    uint8_t *tcp = packet + IPV4_HEADER;
    if (size < IPV4_HEADER + TCP_HEADER || packet[0] != 0x45 || packet[9] != PROTOCOL_TCP)
        return;
    memcpy(packet + SOURCE + (is_outgoing ? 0 : 4), address, 4);
    tcp[is_outgoing ? 0 : 2] = (uint8_t)(port >> 8);
    tcp[is_outgoing ? 1 : 3] = (uint8_t)port;
    set_sum(packet, 10, packet, IPV4_HEADER, 0);
    uint32_t pseudo = sum_of(packet + SOURCE, 8, PROTOCOL_TCP + (uint32_t)(size - IPV4_HEADER));
    set_sum(tcp, CHECKSUM, tcp, size - IPV4_HEADER, pseudo);
}

static void add_ipv4_fragment(struct bytes *out, const uint8_t *packet, size_t at, size_t size,
                              bool more)
{
    size_t start = out->size;
    bytes_add(out, packet, 20);
    bytes_set_u16(out, start + 2, (unsigned)(20 + size));
    bytes_set_u16(out, start + 6, (unsigned)(at / 8 | (more ? 0x2000 : 0)));
    bytes_set_u16(out, start + 10, 0);
    bytes_set_u16(out, start + 10, ~sum_of(out->at + start, 20, 0) & 0xffff);
}

static void add_ipv6_fragment(struct bytes *out, const uint8_t *packet, size_t at, size_t size,
                              bool more, uint32_t id)
{
    enum { PROTOCOL_FRAGMENT = 44 };
    size_t start = out->size;
    bytes_add(out, packet, 40);
    bytes_set_u16(out, start + 4, (unsigned)(8 + size));
    out->at[start + 6] = PROTOCOL_FRAGMENT;
    bytes_u8(out, packet[6]);
    bytes_u8(out, 0);
    bytes_u16(out, (unsigned)(at | more));
    bytes_u32(out, id);
}

void wire_fragment(struct bytes *out, const uint8_t *packet, size_t packet_size, size_t at,
                   size_t size, uint32_t id)
{
    bool six = packet[0] >> 4 == 6;
    size_t header_size = six ? 40 : 20;
    bool more = header_size + at + size < packet_size;
    if (six)
        add_ipv6_fragment(out, packet, at, size, more, id);
    else
        add_ipv4_fragment(out, packet, at, size, more);
    bytes_add(out, packet + header_size + at, size);
}

static void add_ip(struct bytes *out, const struct ip_header *ip, size_t payload_size)
{
    if (address_is_ipv4(&ip->source))
        add_ipv4(out, ip, payload_size);
    else
        add_ipv6(out, ip, payload_size);
}

void wire_tcp(struct bytes *out, const struct ip_header *ip, const struct tcp_header *tcp,
              const uint8_t *payload, size_t size)
{
    size_t padding = (4 - tcp->options_size % 4) % 4;
    size_t header_size = 20 + tcp->options_size + padding;
    struct ip_header with_protocol = *ip;
    with_protocol.protocol = PROTOCOL_TCP;
    add_ip(out, &with_protocol, header_size + size);
    size_t start = out->size;
    bytes_u16(out, tcp->source_port);
    bytes_u16(out, tcp->destination_port);
    bytes_u32(out, tcp->sequence);
    bytes_u32(out, tcp->acknowledgement);
    bytes_u8(out, (unsigned)(header_size / 4) << 4);
    bytes_u8(out, tcp->flags);
    bytes_u16(out, tcp->window);
    bytes_u32(out, 0); /* checksum, urgent pointer */
    bytes_add(out, tcp->options, tcp->options_size);
    bytes_fill(out, 0, padding);
    bytes_add(out, payload, size);
    uint32_t sum = pseudo_header_sum(&with_protocol, out->size - start);
    uint32_t checksum = ~sum_of(out->at + start, out->size - start, sum) & 0xffff;
    bytes_set_u16(out, start + 16, tcp->wrong_checksum ? checksum ^ 0x5555 : checksum);
}

void wire_udp(struct bytes *out, const struct ip_header *ip, uint16_t source_port,
              uint16_t destination_port, const uint8_t *payload, size_t size)
{
    struct ip_header with_protocol = *ip;
    with_protocol.protocol = PROTOCOL_UDP;
    add_ip(out, &with_protocol, 8 + size);
    size_t start = out->size;
    bytes_u16(out, source_port);
    bytes_u16(out, destination_port);
    bytes_u16(out, (unsigned)(8 + size));
    bytes_u16(out, 0);
    bytes_add(out, payload, size);
    uint32_t sum = pseudo_header_sum(&with_protocol, 8 + size);
    uint32_t checksum = ~sum_of(out->at + start, 8 + size, sum) & 0xffff;
    bytes_set_u16(out, start + 6, checksum ? checksum : 0xffff); /* RFC 768: 0 means none */
}

void wire_icmp(struct bytes *out, const struct ip_header *ip, uint8_t type, uint8_t code,
               uint32_t rest, const uint8_t *payload, size_t size)
{
    struct ip_header with_protocol = *ip;
    bool four = address_is_ipv4(&ip->source);
    with_protocol.protocol = four ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
    add_ip(out, &with_protocol, 8 + size);
    size_t start = out->size;
    bytes_u8(out, type);
    bytes_u8(out, code);
    bytes_u16(out, 0);
    bytes_u32(out, rest);
    bytes_add(out, payload, size);
    /* RFC 4443 section 2.3: only ICMPv6 counts the pseudo-header. */
    uint32_t sum = four ? 0 : pseudo_header_sum(&with_protocol, 8 + size);
    bytes_set_u16(out, start + 2, ~sum_of(out->at + start, 8 + size, sum) & 0xffff);
}

/* 802.1Q tags and the type of what follows. */
static void add_tags_and_type(struct bytes *out, const struct link_header *link)
{
    if (link->outer_vlan) {
        bytes_u16(out, 0x88a8); /* IEEE 802.1ad */
        bytes_u16(out, link->outer_vlan);
    }
    if (link->vlan) {
        bytes_u16(out, 0x8100); /* IEEE 802.1Q */
        bytes_u16(out, link->vlan);
    }
    bytes_u16(out, link->ether_type);
}

static void add_ethernet(struct bytes *out, const struct link_header *link)
{
    bytes_add(out, link->destination_mac, 6);
    bytes_add(out, link->source_mac, 6);
    add_tags_and_type(out, link);
}

/* https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html */
static void add_sll(struct bytes *out, const struct link_header *link)
{
    bytes_u16(out, link->is_outgoing ? 4 : 0);
    bytes_u16(out, 1); /* ARPHRD_ETHER */
    bytes_u16(out, 6);
    bytes_add(out, link->source_mac, 6);
    bytes_u16(out, 0);
    add_tags_and_type(out, link);
}

/* https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html; tags cannot be told in front. */
static void add_sll2(struct bytes *out, const struct link_header *link)
{
    bytes_u16(out, link->ether_type);
    bytes_u16(out, 0);
    bytes_u32(out, 2); /* interface index */
    bytes_u16(out, 1); /* ARPHRD_ETHER */
    bytes_u8(out, link->is_outgoing ? 4 : 0);
    bytes_u8(out, 6);
    bytes_add(out, link->source_mac, 6);
    bytes_u16(out, 0);
}

/* The address family in the byte order of the capturing machine: here little-endian, Darwin. */
static void add_null(struct bytes *out, const struct link_header *link)
{
    bytes_u32_le(out, link->ether_type == 0x86dd ? 30 : 2);
}

static void add_fixed_text(struct bytes *out, const char *string, size_t size)
{
    size_t length = string ? strnlen(string, size - 1) : 0;
    bytes_add(out, string, length);
    bytes_fill(out, 0, size - length);
}

/* PKTAP, first version: Apple's bsd/net/pktap.h; offsets as in xnu-1228 and later. */
static void add_pktap(struct bytes *out, const struct link_header *link)
{
    bytes_u32_le(out, 108);
    bytes_u32_le(out, 1); /* a packet follows */
    bytes_u32_le(out, LINK_ETHERNET);
    add_fixed_text(out, "en0", 24);
    bytes_u32_le(out, link->is_outgoing ? 2 : 1);
    bytes_u32_le(out, link->ether_type == 0x86dd ? 30 : 2);
    bytes_u32_le(out, 14); /* link header size */
    bytes_u32_le(out, 0);
    bytes_u32_le(out, (uint32_t)link->process_id);
    add_fixed_text(out, link->process, 20);
    bytes_u32_le(out, 0); /* service class */
    bytes_u16_le(out, 6); /* interface type */
    bytes_u16_le(out, 0); /* interface unit */
    bytes_u32_le(out, (uint32_t)link->process_id);
    add_fixed_text(out, link->process, 20);
    add_ethernet(out, link);
}

static void add_nothing(struct bytes *out, const struct link_header *link)
{
    (void)out;
    (void)link;
}

static const struct link_layer {
    const char *name;
    uint16_t link_type;
    void (*add)(struct bytes *out, const struct link_header *link);
} link_layers[] = {
    {"ethernet", LINK_ETHERNET, add_ethernet},
    {"raw", LINK_RAW, add_nothing},
    {"sll", LINK_SLL, add_sll},
    {"sll2", LINK_SLL2, add_sll2},
    {"null", LINK_NULL, add_null},
    {"pktap", LINK_PKTAP, add_pktap},
};
enum { LINK_LAYER_COUNT = sizeof link_layers / sizeof link_layers[0] };

bool wire_link_type(const char *name, uint16_t *link_type)
{
    for (size_t i = 0; i < LINK_LAYER_COUNT; i++)
        if (strcmp(link_layers[i].name, name) == 0) {
            *link_type = link_layers[i].link_type;
            return true;
        }
    return false;
}

void wire_frame(struct bytes *out, uint16_t link_type, const struct link_header *link,
                const uint8_t *packet, size_t size)
{
    size_t start = out->size;
    for (size_t i = 0; i < LINK_LAYER_COUNT; i++)
        if (link_layers[i].link_type == link_type)
            link_layers[i].add(out, link);
    bytes_add(out, packet, size);
    size_t frame_size = out->size - start;
    if (link_type == LINK_ETHERNET && frame_size < ETHERNET_MIN)
        bytes_fill(out, 0, ETHERNET_MIN - frame_size);
}
