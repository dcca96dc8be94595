/* A scenario's frames as a capture file, pcap or pcapng.
 *
 * Of tests/support. Little-endian and microseconds on every machine; deliberately writes nothing
 * that depends on when or where it runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bytes.h"
#include "scenario.h"

enum {
    SNAP_UNLIMITED = 262144,
    /* draft-ietf-opsawg-pcapng section 4 */
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
    OPTION_END = 0,
    OPTION_INTERFACE_DROPS = 5,
    OPTION_KERNEL_DROPS = 7
};

static uint32_t captured_size(const struct scenario_frame *frame, uint32_t snap)
{
    return snap > 0 && snap < frame->captured_size ? snap : frame->captured_size;
}

static int64_t microseconds(const struct scenario_frame *frame)
{
    return frame->time_ns / NS_PER_US;
}

/* draft-ietf-opsawg-pcap section 4 */
static void pcap_header(struct bytes *out, const struct scenario *scenario, uint32_t snap)
{
    bytes_u32_le(out, 0xa1b2c3d4);
    bytes_u16_le(out, 2);
    bytes_u16_le(out, 4);
    bytes_u32_le(out, 0);
    bytes_u32_le(out, 0);
    bytes_u32_le(out, snap ? snap : SNAP_UNLIMITED);
    bytes_u32_le(out, scenario->capture.link_type);
}

static void pcap_frame(struct bytes *out, const struct scenario_frame *frame, uint32_t snap)
{
    uint32_t size = captured_size(frame, snap);
    bytes_u32_le(out, (uint32_t)(microseconds(frame) / 1000000));
    bytes_u32_le(out, (uint32_t)(microseconds(frame) % 1000000));
    bytes_u32_le(out, size);
    bytes_u32_le(out, frame->original_size);
    bytes_add(out, frame->bytes, size);
}

/* A block's type and lengths around `body`, which is freed. */
static void pcapng_block(struct bytes *out, uint32_t type, struct bytes *body)
{
    bytes_fill(body, 0, (4 - body->size % 4) % 4);
    uint32_t length = (uint32_t)body->size + 12;
    bytes_u32_le(out, type);
    bytes_u32_le(out, length);
    bytes_add(out, body->at, body->size);
    bytes_u32_le(out, length);
    bytes_free(body);
}

static void pcapng_header(struct bytes *out, const struct scenario *scenario, uint32_t snap)
{
    struct bytes section = {0};
    struct bytes interface = {0};
    bytes_u32_le(&section, 0x1a2b3c4d);
    bytes_u16_le(&section, 1);
    bytes_u16_le(&section, 0);
    bytes_fill(&section, 0xff, 8); /* section length unknown */
    pcapng_block(out, BLOCK_SECTION, &section);
    bytes_u16_le(&interface, scenario->capture.link_type);
    bytes_u16_le(&interface, 0);
    bytes_u32_le(&interface, snap);
    pcapng_block(out, BLOCK_INTERFACE, &interface);
}

static void add_pcapng_time(struct bytes *body, int64_t time_us)
{
    bytes_u32_le(body, (uint32_t)((uint64_t)time_us >> 32));
    bytes_u32_le(body, (uint32_t)time_us);
}

static void pcapng_frame(struct bytes *out, const struct scenario_frame *frame, uint32_t snap)
{
    struct bytes body = {0};
    uint32_t size = captured_size(frame, snap);
    bytes_u32_le(&body, 0);
    add_pcapng_time(&body, microseconds(frame));
    bytes_u32_le(&body, size);
    bytes_u32_le(&body, frame->original_size);
    bytes_add(&body, frame->bytes, size);
    pcapng_block(out, BLOCK_PACKET, &body);
}

static void add_count_option(struct bytes *body, unsigned option, uint64_t count)
{
    bytes_u16_le(body, option);
    bytes_u16_le(body, 8);
    bytes_u32_le(body, (uint32_t)count);
    bytes_u32_le(body, (uint32_t)(count >> 32));
}

static void pcapng_statistics(struct bytes *out, const struct scenario *scenario)
{
    struct bytes body = {0};
    bytes_u32_le(&body, 0);
    add_pcapng_time(&body, scenario->start_ns / NS_PER_US);
    add_count_option(&body, OPTION_INTERFACE_DROPS, scenario->capture.dropped_interface);
    add_count_option(&body, OPTION_KERNEL_DROPS, scenario->capture.dropped_kernel);
    bytes_u32_le(&body, OPTION_END);
    pcapng_block(out, BLOCK_STATISTICS, &body);
}

static uint64_t smaller_limit(uint64_t a, uint64_t b)
{
    return a == 0 || (b > 0 && b < a) ? b : a;
}

uint8_t *scenario_file(const struct scenario *scenario,
                       const struct scenario_write_options *options, size_t *size)
{
    static const struct scenario_write_options none;
    const struct scenario_write_options *with = options ? options : &none;
    const struct scenario_capture *capture = &scenario->capture;
    uint32_t snap = (uint32_t)smaller_limit(capture->snap_size, with->snap_size);
    uint64_t limit = smaller_limit(capture->truncated_at, with->truncated_at);
    struct bytes out = {0};
    if (capture->is_pcapng)
        pcapng_header(&out, scenario, snap);
    else
        pcap_header(&out, scenario, snap);
    for (size_t i = 0; i < scenario->frame_count; i++)
        for (int copy = 0; copy <= with->doubled; copy++) {
            if (capture->is_pcapng)
                pcapng_frame(&out, &scenario->frames[i], snap);
            else
                pcap_frame(&out, &scenario->frames[i], snap);
        }
    if (capture->has_statistics)
        pcapng_statistics(&out, scenario);
    *size = limit > 0 && limit < out.size ? (size_t)limit : out.size;
    return out.at;
}

bool scenario_write_pcap(const struct scenario *scenario, const char *path,
                         const struct scenario_write_options *options, struct fault *fault)
{
    size_t size;
    uint8_t *bytes = scenario_file(scenario, options, &size);
    FILE *file = fopen(path, "wb");
    bool good = file != NULL;
    if (good)
        good = fwrite(bytes, 1, size, file) == size;
    int cause = errno;
    if (file && fclose(file) != 0) {
        cause = errno;
        good = false;
    }
    free(bytes);
    return good ? true : fault_set(fault, "cannot write %s: %s", path, strerror(cause));
}
