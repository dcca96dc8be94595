/* Frames as a pcap file: draft-ietf-opsawg-pcap-05 section 4. See form.h. */
#include "base/clock.h"
#include "form.h"

static void number16(struct bytes *out, unsigned value, bool is_big)
{
    if (is_big)
        bytes_u16(out, value);
    else
        bytes_u16_le(out, value);
}

static void number32(struct bytes *out, uint32_t value, bool is_big)
{
    if (is_big)
        bytes_u32(out, value);
    else
        bytes_u32_le(out, value);
}

static void add_header(struct bytes *out, uint32_t style, uint16_t link_type)
{
    enum { SNAP = 262144 };
    bool is_big = style & PCAP_BIG;
    uint32_t magic = style & PCAP_NANOSECONDS ? 0xa1b23c4d
                     : style & PCAP_MODIFIED  ? 0xa1b2cd34
                                              : 0xa1b2c3d4;
    number32(out, magic, is_big);
    number16(out, 2, is_big);
    number16(out, 4, is_big);
    number32(out, 0, is_big);
    number32(out, 0, is_big);
    number32(out, SNAP, is_big);
    number32(out, link_type | (style & PCAP_FCS ? 0x24000000U : 0), is_big);
}

static void add_record(struct bytes *out, uint32_t style, const struct wrap_frame *frame)
{
    bool is_big = style & PCAP_BIG;
    bool has_fcs = style & PCAP_FCS && frame->captured_size == frame->original_size;
    int64_t ticks = frame->time_ns % NS_PER_S / (style & PCAP_NANOSECONDS ? 1 : NS_PER_US);
    number32(out, (uint32_t)(frame->time_ns / NS_PER_S), is_big);
    number32(out, (uint32_t)ticks, is_big);
    number32(out, frame->captured_size + (has_fcs ? 4 : 0), is_big);
    number32(out, frame->original_size + (style & PCAP_FCS ? 4 : 0), is_big);
    if (style & PCAP_MODIFIED) {
        number32(out, 2, is_big);
        number16(out, TYPE_IPV4, is_big);
        number16(out, 0, is_big);
    }
    bytes_add(out, frame->bytes, frame->captured_size);
    if (has_fcs)
        bytes_u32(out, 0x45004500); /* looks like the beginning of an IP packet, and is none */
}

bool build_pcap(const struct wrap_frames *frames, uint32_t style, struct bytes *out)
{
    uint16_t link_type = frames->count ? frames->items[0].link_type : 1;
    for (size_t i = 0; i < frames->count; i++)
        if (frames->items[i].link_type != link_type)
            return false;
    add_header(out, style, link_type);
    for (size_t i = 0; i < frames->count; i++)
        add_record(out, style, &frames->items[i]);
    return true;
}
