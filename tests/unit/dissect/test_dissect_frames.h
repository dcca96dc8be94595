/* Hand-made frames for the tests of the frame dissector.
 *
 * Built from the inside out: each helper puts a header before what it is given, so a frame reads
 * like its protocol stack from right to left. Every frame that expect_packet or expect_skip sees is
 * also cut at every length, from an allocation of exactly that size, so that ASan sees any read
 * beyond it. */
#ifndef APNSCOPE_TEST_DISSECT_FRAMES_H
#define APNSCOPE_TEST_DISSECT_FRAMES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dissect/dissect.h"

struct bytes {
    uint8_t at[1600];
    size_t size;
};

enum { ETHERNET = 1, RAW = 101, PPI = 192 };

static inline int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Spaces are for the reader. */
static inline struct bytes hex(const char *text)
{
    struct bytes out = {.size = 0};
    for (; *text; text++) {
        if (*text == ' ')
            continue;
        out.at[out.size++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
        text++;
    }
    return out;
}

static inline struct bytes join(struct bytes first, struct bytes second)
{
    assert_true(first.size + second.size <= sizeof first.at);
    memcpy(first.at + first.size, second.at, second.size);
    first.size += second.size;
    return first;
}

static inline struct bytes before(const char *header, struct bytes payload)
{
    return join(hex(header), payload);
}

static inline struct bytes set_u16(struct bytes bytes, size_t at, size_t value)
{
    bytes.at[at] = (uint8_t)(value >> 8);
    bytes.at[at + 1] = (uint8_t)value;
    return bytes;
}

static inline struct bytes set_u8(struct bytes bytes, size_t at, uint8_t value)
{
    bytes.at[at] = value;
    return bytes;
}

static inline struct bytes zeros(size_t size)
{
    struct bytes out = {.size = size};
    memset(out.at, 0, sizeof out.at);
    return out;
}

/* 50000 -> 5223, PSH ACK, payload "hello". */
static inline struct bytes tcp(void)
{
    return hex("c350 1467 01020304 05060708 5018 2000 0000 0000 68656c6c6f");
}

static inline struct bytes ipv4(uint8_t protocol, struct bytes payload)
{
    struct bytes header = hex("4500 0000 1234 4000 40 00 0000 0a010203 11399014");
    header.at[9] = protocol;
    header = set_u16(header, 2, 20 + payload.size);
    return join(header, payload);
}

static inline struct bytes ipv6(uint8_t next, struct bytes payload)
{
    struct bytes header = hex("60000000 0000 00 39 20010db8000000000000000000000001 "
                              "26200149 0a44 0000 0000000000000002");
    header.at[6] = next;
    header = set_u16(header, 4, payload.size);
    return join(header, payload);
}

/* The outer packet of a tunnel, with other addresses. */
static inline struct bytes outer_ipv4(uint8_t protocol, struct bytes payload)
{
    struct bytes header = hex("4500 0000 0001 0000 ff 00 0000 c0000201 c0000202");
    header.at[9] = protocol;
    header = set_u16(header, 2, 20 + payload.size);
    return join(header, payload);
}

static inline struct bytes udp(uint16_t source, uint16_t destination, struct bytes payload)
{
    struct bytes header = zeros(8);
    header = set_u16(header, 0, source);
    header = set_u16(header, 2, destination);
    header = set_u16(header, 4, 8 + payload.size);
    return join(header, payload);
}

static inline struct bytes outer_udp(uint16_t port, struct bytes payload)
{
    return outer_ipv4(17, udp(40000, port, payload));
}

#define MACS "020000000002 020000000001 "

static inline struct bytes ethernet(uint16_t type, struct bytes payload)
{
    return join(set_u16(hex(MACS "0000"), 12, type), payload);
}

/* What most tests carry inside. */
static inline struct bytes inner_ip(void)
{
    return ipv4(6, tcp());
}

static inline struct bytes inner_ethernet(void)
{
    return ethernet(0x0800, inner_ip());
}

static inline void check_bounds(const struct packet *packet, const uint8_t *bytes, size_t size)
{
    assert_true(packet->payload_captured <= packet->payload_size);
    if (packet->payload_captured > 0) {
        assert_true(packet->payload >= bytes);
        assert_true(packet->payload + packet->payload_captured <= bytes + size);
    }
    if (packet->kind == PACKET_TCP && packet->tcp_options_size > 0)
        assert_true(packet->tcp_options + packet->tcp_options_size <= bytes + size);
    struct quoted_packet quoted;
    if (packet->kind == PACKET_ICMP_ERROR)
        (void)dissect_icmp_quote(packet, &quoted);
    else
        (void)dissect_tcp_options(packet);
}

static inline struct frame frame_over(uint16_t link_type, const uint8_t *bytes, size_t captured,
                                      size_t original)
{
    return (struct frame){.number = 7,
                          .time_ns = 1234567890,
                          .captured_size = (uint32_t)captured,
                          .original_size = (uint32_t)original,
                          .link_type = link_type,
                          .bytes = bytes,
                          .process = {.name = NULL, .id = -1}};
}

static inline enum skip_reason dissect_cut(uint16_t link_type, const struct bytes *bytes,
                                           size_t captured, size_t original)
{
    uint8_t *copy = (uint8_t *)malloc(captured ? captured : 1);
    assert_non_null(copy);
    memcpy(copy, bytes->at, captured);
    struct frame frame = frame_over(link_type, copy, captured, original);
    struct packet packet = {.kind = PACKET_TCP};
    enum skip_reason reason = dissect_frame(&frame, &packet);
    assert_true(reason < SKIP_COUNT);
    if (reason == SKIP_NONE)
        check_bounds(&packet, copy, captured);
    free(copy);
    return reason;
}

static inline void every_cut_is_harmless(uint16_t link_type, const struct bytes *bytes)
{
    for (size_t size = 0; size < bytes->size; size++) {
        (void)dissect_cut(link_type, bytes, size, bytes->size);
        (void)dissect_cut(link_type, bytes, size, size);
    }
}

/* The packet points into *bytes. */
static inline struct packet expect_packet(uint16_t link_type, const struct bytes *bytes)
{
    every_cut_is_harmless(link_type, bytes);
    struct frame frame = frame_over(link_type, bytes->at, bytes->size, bytes->size);
    struct packet packet;
    memset(&packet, 0xa5, sizeof packet);
    assert_string_equal("analysed", dissect_frame(&frame, &packet) == SKIP_NONE
                                        ? "analysed"
                                        : skip_reason_name(dissect_frame(&frame, &packet)));
    check_bounds(&packet, bytes->at, bytes->size);
    return packet;
}

static inline void expect_skip(uint16_t link_type, struct bytes bytes, enum skip_reason expected)
{
    every_cut_is_harmless(link_type, &bytes);
    assert_int_equal(dissect_cut(link_type, &bytes, bytes.size, bytes.size), expected);
}

static inline void expect_address(const struct address *address, const char *text)
{
    struct address expected;
    assert_true(address_parse(text, &expected));
    assert_memory_equal(address, &expected, sizeof expected);
}

/* That the innermost packet is the one of inner_ip(), whole. */
static inline struct packet expect_inner(uint16_t link_type, struct bytes bytes)
{
    static struct bytes kept;
    kept = bytes;
    struct packet packet = expect_packet(link_type, &kept);
    assert_int_equal(packet.kind, PACKET_TCP);
    assert_int_equal(packet.ip_version, 4);
    expect_address(&packet.source, "10.1.2.3");
    expect_address(&packet.destination, "17.57.144.20");
    assert_int_equal(packet.ttl, 64);
    assert_int_equal(packet.ip_id, 0x1234);
    assert_int_equal(packet.source_port, 50000);
    assert_int_equal(packet.destination_port, 5223);
    assert_int_equal(packet.sequence, 0x01020304);
    assert_int_equal(packet.acknowledgement, 0x05060708);
    assert_int_equal(packet.tcp_flags, TCP_PSH | TCP_ACK);
    assert_int_equal(packet.window, 0x2000);
    assert_int_equal(packet.payload_size, 5);
    assert_int_equal(packet.payload_captured, 5);
    assert_memory_equal(packet.payload, "hello", 5);
    return packet;
}

#endif
