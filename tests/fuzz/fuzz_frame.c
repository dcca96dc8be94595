/* Any bytes as a frame of any link type: two bytes choose the type, one says how much of the frame
 * the snap length took and how long its check sequence is, the rest is the frame. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/reader.h"
#include "dissect/dissect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_packet(const struct packet *packet, const struct frame *frame)
{
    const uint8_t *end = frame->bytes + frame->captured_size;
    struct quoted_packet quoted;
    assert(packet->ip_version == 4 || packet->ip_version == 6);
    assert(packet->payload >= frame->bytes && packet->payload <= end);
    assert(packet->payload_captured <= packet->payload_size);
    assert(packet->payload_captured <= (size_t)(end - packet->payload));
    if (packet->kind == PACKET_ICMP_ERROR) {
        (void)dissect_icmp_quote(packet, &quoted);
    } else if (packet->kind == PACKET_TCP) {
        assert(packet->tcp_options >= frame->bytes);
        assert(packet->tcp_options_size <= (size_t)(end - packet->tcp_options));
        (void)dissect_tcp_options(packet);
    }
    if (packet->process.name)
        assert(packet->process.name[0] != 0 && strlen(packet->process.name) < 68);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    struct frame frame = {
        .number = 1,
        .link_type = load_u16(data),
        .fcs_size = data[2] & 7,
        .captured_size = (uint32_t)(size - 3),
        .original_size = (uint32_t)(size - 3) + (data[2] >> 3) * 64U,
        .bytes = data + 3,
        .process = {.name = NULL, .id = -1},
    };
    struct packet packet;
    enum skip_reason reason = dissect_frame(&frame, &packet);
    assert(reason < SKIP_COUNT);
    if (reason == SKIP_NONE)
        check_packet(&packet, &frame);
    return 0;
}
