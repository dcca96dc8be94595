/* The Internet checksum of a packet, where all of it was captured.
 *
 * Asked for by whoever needs it, and only of packets that are wanted: the common packet pays
 * nothing. Deliberately does not judge: a machine that leaves checksums to its network card is
 * captured before they are there, and whose packets those are is track/'s to know. */
#include "dissect/checksum.h"

#include <string.h>

#include "base/reader.h"
#include "network.h"
#include "transport.h"

/* What no card sends as one packet but some make of several when they receive. */
enum { FRAME_SIZE_MAX = 1500 };

/* RFC 1071 section 2 (B): in which order the bytes of each word are taken makes no difference to
 * whether a sum is right, so they are taken as the machine has them. Not folded. */
static uint64_t sum_bytes(const uint8_t *at, size_t size)
{
    uint64_t sum = 0;
    for (; size >= 8; at += 8, size -= 8) {
        uint64_t words;
        memcpy(&words, at, 8);
        sum += (words & UINT32_MAX) + (words >> 32);
    }
    uint8_t rest[8] = {0};
    memcpy(rest, at, size);
    uint64_t words;
    memcpy(&words, rest, 8);
    return sum + (words & UINT32_MAX) + (words >> 32);
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* A sum over its own complement is all ones. */
static bool is_right(uint64_t sum)
{
    return fold(sum) == 0xffff;
}

static size_t header_size(const uint8_t *ip)
{
    return ip[0] >> 4 == 4 ? (size_t)(ip[0] & 15) * 4 : IPV6_HEADER_SIZE;
}

/* RFC 791 section 3.1. IPv6 has none. Where the length is left to the network card as well, the
 * card fills in both. */
static enum packet_checksum header_checksum(const uint8_t *ip)
{
    if (ip[0] >> 4 != 4 || load_u16(ip + 2) == 0 || load_u16(ip + 10) == 0)
        return CHECKSUM_LEFT_OUT;
    return is_right(sum_bytes(ip, header_size(ip))) ? CHECKSUM_RIGHT : CHECKSUM_WRONG;
}

/* RFC 9293 section 3.1, RFC 8200 section 8.1; `size` below 65536. */
static uint64_t sum_pseudo_header(const uint8_t *ip, uint8_t protocol, size_t size)
{
    const uint8_t rest[4] = {0, protocol, (uint8_t)(size >> 8), (uint8_t)size};
    bool is_ipv4 = ip[0] >> 4 == 4;
    return sum_bytes(is_ipv4 ? ip + 12 : ip + 8, is_ipv4 ? 8 : 32) + sum_bytes(rest, sizeof rest);
}

/* What a machine leaves for its network card to go on from: nothing, or the sum of the pseudo
 * header, with the length or, where the card shall also cut the packet into segments, without.
 * Cards that merge received segments leave the same, or the first segment's. */
static bool is_left_out(const uint8_t *ip, uint8_t protocol, size_t size, const uint8_t *field)
{
    uint16_t is;
    memcpy(&is, field, sizeof is);
    return is == 0 || is == fold(sum_pseudo_header(ip, protocol, size)) ||
           is == fold(sum_pseudo_header(ip, protocol, 0)) ||
           size + IPV4_HEADER_SIZE > FRAME_SIZE_MAX;
}

/* As the field stands: whether a card is still to fill it in is not asked. */
static enum packet_checksum checksum_as_is(const uint8_t *ip, uint8_t protocol, const uint8_t *at,
                                           size_t size, size_t place)
{
    if (size > UINT16_MAX || size < place + 2)
        return CHECKSUM_LEFT_OUT;
    uint64_t sum = sum_bytes(at, size);
    if (protocol != PROTOCOL_ICMP) /* RFC 792: of the message alone */
        sum += sum_pseudo_header(ip, protocol, size);
    return is_right(sum) ? CHECKSUM_RIGHT : CHECKSUM_WRONG;
}

static enum packet_checksum transport_checksum(const uint8_t *ip, uint8_t protocol,
                                               const uint8_t *at, size_t size, size_t place)
{
    enum packet_checksum checksum = checksum_as_is(ip, protocol, at, size, place);
    bool may_be_left_out = checksum == CHECKSUM_WRONG && protocol != PROTOCOL_ICMP;
    return may_be_left_out && is_left_out(ip, protocol, size, at + place) ? CHECKSUM_LEFT_OUT
                                                                          : checksum;
}

/* Behind extension headers the addresses that were summed up may be others (RFC 8200 section 8.1),
 * and behind a header of AH or a tunnel's another protocol stands here. */
static bool carries(const uint8_t *ip, uint8_t protocol)
{
    return (ip[0] >> 4 == 4 ? ip[9] : ip[6]) == protocol;
}

static size_t size_behind(const struct packet *packet)
{
    return (size_t)(packet->payload + packet->payload_size - packet->ip - header_size(packet->ip));
}

static bool is_whole(const struct packet *packet)
{
    return packet->kind != PACKET_FRAGMENT && !packet->is_fragment && !packet->length_from_frame &&
           !packet->tcp_options_cut && packet->payload_captured == packet->payload_size;
}

/* Where the field stands: RFC 9293 section 3.1; RFC 768, where 0 is none. */
enum { TCP_FIELD = 16, UDP_FIELD = 6 };

static enum packet_checksum checksum_behind(const struct packet *packet)
{
    const uint8_t *ip = packet->ip, *at = ip + header_size(ip);
    size_t size = size_behind(packet);
    if (packet->kind == PACKET_TCP && carries(ip, PROTOCOL_TCP) && size >= TCP_HEADER_SIZE)
        return transport_checksum(ip, PROTOCOL_TCP, at, size, TCP_FIELD);
    if (packet->kind == PACKET_DNS && carries(ip, PROTOCOL_UDP))
        return transport_checksum(ip, PROTOCOL_UDP, at, size, UDP_FIELD);
    return CHECKSUM_LEFT_OUT;
}

enum packet_checksum dissect_checksum(const struct packet *packet)
{
    enum packet_checksum header = header_checksum(packet->ip);
    if (header == CHECKSUM_WRONG || !is_whole(packet))
        return header;
    enum packet_checksum rest = checksum_behind(packet);
    return rest == CHECKSUM_LEFT_OUT ? header : rest;
}

enum packet_checksum dissect_tcp_checksum_as_is(const struct packet *packet)
{
    if (packet->kind != PACKET_TCP || !is_whole(packet) || !carries(packet->ip, PROTOCOL_TCP))
        return CHECKSUM_LEFT_OUT;
    return checksum_as_is(packet->ip, PROTOCOL_TCP, packet->ip + header_size(packet->ip),
                          size_behind(packet), TCP_FIELD);
}

enum packet_checksum dissect_icmp_checksum(const uint8_t *ip, const uint8_t *message, size_t size)
{
    uint8_t protocol = ip[0] >> 4 == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
    enum packet_checksum header = header_checksum(ip);
    if (header == CHECKSUM_WRONG || !carries(ip, protocol))
        return header;
    return transport_checksum(ip, protocol, message, size, 2);
}
