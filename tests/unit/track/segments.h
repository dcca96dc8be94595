/* Packets of courier sessions as dissect/ would give them, for tests that need few of them.
 *
 * Time is in seconds from a fixed start; every packet gets the next frame number. */
#ifndef APNSCOPE_TESTS_TRACK_SEGMENTS_H
#define APNSCOPE_TESTS_TRACK_SEGMENTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/packet.h"

#define SEGMENTS_START_NS (INT64_C(1772359200) * NS_PER_S) /* 2026-03-01T10:00:00Z */

enum { SEGMENTS_CLIENT_ISN = 1000, SEGMENTS_SERVER_ISN = 7000 };

static inline int64_t at(double seconds)
{
    return SEGMENTS_START_NS + (int64_t)(seconds * 1e9);
}

/* From 10.1.2.`client` to 17.57.144.10:5223 (up) or back; no payload, no options. */
static inline struct packet segment(double seconds, unsigned client, bool up, uint8_t flags)
{
    static const uint8_t nothing[64];
    static uint64_t frame;
    struct packet packet = {.kind = PACKET_TCP, .ip_version = 4, .ttl = 60, .window = 1000};
    const uint8_t inside[4] = {10, 1, 2, (uint8_t)client}, outside[4] = {17, 57, 144, 10};
    packet.source = address_from_ipv4(up ? inside : outside);
    packet.destination = address_from_ipv4(up ? outside : inside);
    packet.source_port = up ? 50001 : 5223;
    packet.destination_port = up ? 5223 : 50001;
    packet.tcp_flags = flags;
    bool opens = flags & TCP_SYN;
    packet.sequence = (up ? SEGMENTS_CLIENT_ISN : SEGMENTS_SERVER_ISN) + !opens;
    packet.acknowledgement =
        flags & TCP_ACK ? (up ? SEGMENTS_SERVER_ISN : SEGMENTS_CLIENT_ISN) + 1 : 0;
    packet.ip = packet.payload = packet.tcp_options = nothing;
    packet.frame = ++frame;
    packet.ip_id = (uint16_t)frame;
    packet.time_ns = at(seconds);
    packet.process.id = -1;
    return packet;
}

#endif
