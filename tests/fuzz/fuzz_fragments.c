/* Any bytes as IP packets, put together where they are fragments: a length of two bytes before each
 * (its highest bit: the snap length took the last byte), whose upper half also moves the clock. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"
#include "dissect/dissect.h"
#include "dissect/fragments.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINK_TYPE_RAW = 101, SIZE_MASK = 0x07ff, CUT = 0x8000 };

static unsigned touched; /* so that reading is not left out */

static void check_told(const struct packet *told)
{
    assert(told->kind != PACKET_FRAGMENT);
    assert(told->payload_captured <= told->payload_size);
    for (uint32_t i = 0; i < told->payload_captured; i++)
        touched += told->payload[i];
    for (const uint8_t *at = told->ip; at < told->payload && at < told->ip + 40; at++)
        touched += *at;
    if (told->kind == PACKET_TCP)
        (void)dissect_tcp_options(told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fragments *fragments = fragments_new();
    struct reader reader = reader_over(data, size);
    struct frame frame = {.link_type = LINK_TYPE_RAW, .process = {.name = NULL, .id = -1}};
    uint64_t taken = 0;
    while (reader_left(&reader) > 2) {
        uint16_t head = reader_u16(&reader);
        struct reader bytes = reader_take(&reader, head & SIZE_MASK);
        struct packet packet, told;
        frame.number++;
        frame.time_ns += (int64_t)(head >> 11 & 15) * 200 * 1000 * 1000;
        frame.bytes = bytes.at;
        frame.original_size = (uint32_t)reader_left(&bytes);
        frame.captured_size = frame.original_size - (head & CUT && frame.original_size);
        if (dissect_frame(&frame, &packet) != SKIP_NONE || packet.kind != PACKET_FRAGMENT)
            continue;
        taken++;
        if (fragments_take(fragments, &packet, &told) == SKIP_NONE)
            check_told(&told);
    }
    struct fragment_counts counts = fragments_count(fragments);
    assert(counts.refused + counts.incomplete <= 2 * taken);
    fragments_free(fragments);
    return 0;
}
