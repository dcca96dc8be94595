/* Frames as snoop (RFC 1761) and ERF files; both for Ethernet alone. See form.h. */
#include "base/clock.h"
#include "form.h"

static bool all_ethernet(const struct wrap_frames *frames)
{
    for (size_t i = 0; i < frames->count; i++)
        if (frames->items[i].link_type != 1)
            return false;
    return true;
}

bool build_snoop(const struct wrap_frames *frames, uint32_t unused, struct bytes *out)
{
    enum { HEADER_SIZE = 24 };
    (void)unused;
    if (!all_ethernet(frames))
        return false;
    bytes_add(out, "snoop\0\0\0", 8);
    bytes_u32(out, 2);
    bytes_u32(out, 4);
    for (size_t i = 0; i < frames->count; i++) {
        const struct wrap_frame *frame = &frames->items[i];
        uint32_t padding = -frame->captured_size & 3;
        bytes_u32(out, frame->original_size);
        bytes_u32(out, frame->captured_size);
        bytes_u32(out, HEADER_SIZE + frame->captured_size + padding);
        bytes_u32(out, 0);
        bytes_u32(out, (uint32_t)(frame->time_ns / NS_PER_S));
        bytes_u32(out, (uint32_t)(frame->time_ns % NS_PER_S / NS_PER_US));
        bytes_add(out, frame->bytes, frame->captured_size);
        bytes_fill(out, 0, padding);
    }
    return true;
}

/* Half a unit of 2^-32 seconds up, so that readers round to the same nanosecond. */
static uint32_t fraction_of(int64_t time_ns)
{
    uint64_t ns = (uint64_t)(time_ns % NS_PER_S);
    return (uint32_t)(((ns << 32) + (uint64_t)NS_PER_S / 2) / (uint64_t)NS_PER_S);
}

static void add_erf_record(struct bytes *out, const struct wrap_frame *frame, bool has_extension)
{
    enum { TYPE_ETHERNET = 2, VARYING = 0x04, HEADER_SIZE = 16, EXTENSION_SIZE = 8, FCS_SIZE = 4 };
    bool is_cut = frame->captured_size < frame->original_size;
    uint32_t head = HEADER_SIZE + (has_extension ? 2 * EXTENSION_SIZE : 0) + 2;
    uint32_t size = head + frame->captured_size + (is_cut ? 0 : FCS_SIZE);
    uint32_t padding = is_cut ? 0 : -size & 7;
    bytes_u32_le(out, fraction_of(frame->time_ns));
    bytes_u32_le(out, (uint32_t)(frame->time_ns / NS_PER_S));
    bytes_u8(out, TYPE_ETHERNET | (has_extension ? 0x80U : 0U));
    bytes_u8(out, VARYING);
    bytes_u16(out, size + padding);
    bytes_u16(out, 0);
    bytes_u16(out, frame->original_size + FCS_SIZE);
    if (has_extension) {
        bytes_u8(out, 0x83); /* another one follows */
        bytes_fill(out, 1, EXTENSION_SIZE - 1);
        bytes_u8(out, 0x04);
        bytes_fill(out, 2, EXTENSION_SIZE - 1);
    }
    bytes_u16(out, 0);
    bytes_add(out, frame->bytes, frame->captured_size);
    bytes_fill(out, 0xfc, size - head - frame->captured_size);
    bytes_fill(out, 0, padding);
}

bool build_erf(const struct wrap_frames *frames, uint32_t has_extension, struct bytes *out)
{
    if (!all_ethernet(frames))
        return false;
    for (size_t i = 0; i < frames->count; i++)
        add_erf_record(out, &frames->items[i], has_extension);
    return true;
}
