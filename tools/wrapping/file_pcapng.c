/* Frames as a pcapng file: draft-ietf-opsawg-pcapng section 4. See form.h.
 *
 * An interface for each link type, described before its first packet; with clocks, three for each,
 * whose times have different units and offsets. */
#include <string.h>

#include "base/clock.h"
#include "form.h"

enum {
    SECTION = 0x0a0d0d0a,
    INTERFACE = 1,
    PACKET_OBSOLETE = 2,
    NAMES = 4,
    STATISTICS = 5,
    PACKET = 6,
    SECRETS = 10,
    CUSTOM = 0x0bad,
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_FLAGS = 2,
    OPTION_RESOLUTION = 9,
    OPTION_OFFSET = 14,
    INTERFACES_MAX = 32,
    SECTION_FRAMES = 5, /* packets of a section, where there are several */
    CLOCKS = 3
};

struct writer {
    struct bytes *out;
    uint32_t style;
    bool is_big;
    struct {
        uint16_t link_type;
        unsigned clock;
    } interfaces[INTERFACES_MAX];
    uint32_t interface_count;
};

static void put16(const struct writer *writer, struct bytes *out, unsigned value)
{
    if (writer->is_big)
        bytes_u16(out, value);
    else
        bytes_u16_le(out, value);
}

static void put32(const struct writer *writer, struct bytes *out, uint32_t value)
{
    if (writer->is_big)
        bytes_u32(out, value);
    else
        bytes_u32_le(out, value);
}

/* Frees the body. */
static void add_block(struct writer *writer, uint32_t type, struct bytes *body)
{
    bytes_fill(body, 0, -body->size & 3);
    uint32_t length = (uint32_t)body->size + 12;
    put32(writer, writer->out, type);
    put32(writer, writer->out, length);
    bytes_add(writer->out, body->at, body->size);
    put32(writer, writer->out, length);
    bytes_free(body);
}

static void add_option(const struct writer *writer, struct bytes *body, unsigned code,
                       const void *value, size_t size)
{
    put16(writer, body, code);
    put16(writer, body, (unsigned)size);
    bytes_add(body, value, size);
    bytes_fill(body, 0, -size & 3);
}

static void add_comment(const struct writer *writer, struct bytes *body, const char *text)
{
    if (writer->style & PCAPNG_EXTRAS)
        add_option(writer, body, OPTION_COMMENT, text, strlen(text));
}

static void begin_section(struct writer *writer, bool is_big)
{
    struct bytes body = {0};
    writer->is_big = is_big;
    writer->interface_count = 0;
    put32(writer, &body, 0x1a2b3c4d);
    put16(writer, &body, 1);
    put16(writer, &body, 0);
    bytes_fill(&body, 0xff, 8); /* of unknown length */
    add_comment(writer, &body, "wrapped");
    add_block(writer, SECTION, &body);
}

/* ---- interfaces ---- */

/* Microseconds; nanoseconds since 2001-09-09; 2^-30 seconds, of which a nanosecond is about one. */
static const struct {
    uint8_t resolution;
    int64_t offset_s;
} clocks[CLOCKS] = {{6, 0}, {9, 1000000000}, {0x80 | 30, 0}};

static unsigned clock_of(const struct writer *writer, size_t frame)
{
    if (writer->style & PCAPNG_CLOCKS)
        return (unsigned)(frame % CLOCKS);
    return writer->style & PCAPNG_NANOSECONDS ? 1 : 0;
}

static void add_interface(struct writer *writer, uint16_t link_type, unsigned clock)
{
    struct bytes body = {0};
    uint8_t offset[8];
    put16(writer, &body, link_type);
    put16(writer, &body, 0);
    put32(writer, &body, 0); /* no snap length */
    add_option(writer, &body, OPTION_RESOLUTION, &clocks[clock].resolution, 1);
    if (clocks[clock].offset_s) {
        for (unsigned i = 0; i < 8; i++)
            offset[writer->is_big ? 7 - i : i] = (uint8_t)(clocks[clock].offset_s >> 8 * i);
        add_option(writer, &body, OPTION_OFFSET, offset, sizeof offset);
    }
    add_comment(writer, &body, "an interface");
    put32(writer, &body, OPTION_END);
    add_block(writer, INTERFACE, &body);
}

/* The interface's number; describes it where it is new. INTERFACES_MAX: there is no room. */
static uint32_t interface_of(struct writer *writer, uint16_t link_type, unsigned clock)
{
    uint32_t i = 0;
    for (; i < writer->interface_count; i++)
        if (writer->interfaces[i].link_type == link_type && writer->interfaces[i].clock == clock)
            return i;
    if (i == INTERFACES_MAX)
        return i;
    writer->interfaces[i].link_type = link_type;
    writer->interfaces[i].clock = clock;
    writer->interface_count++;
    add_interface(writer, link_type, clock);
    return i;
}

/* ---- packets ---- */

static uint64_t units_of(int64_t time_ns, unsigned clock)
{
    uint64_t ns = (uint64_t)(time_ns - clocks[clock].offset_s * NS_PER_S);
    if (clocks[clock].resolution == 6)
        return ns / 1000;
    if (clocks[clock].resolution == 9)
        return ns;
    uint64_t second = (uint64_t)NS_PER_S; /* rounded up, so that it is read as the same time */
    return (ns / second << 30) + (((ns % second << 30) + second - 1) / second);
}

static bool add_packet(struct writer *writer, const struct wrap_frame *frame, size_t index)
{
    struct bytes body = {0};
    unsigned clock = clock_of(writer, index);
    uint32_t interface = interface_of(writer, frame->link_type, clock);
    uint64_t units = units_of(frame->time_ns, clock);
    bool is_obsolete = writer->style & PCAPNG_OBSOLETE;
    if (interface == INTERFACES_MAX)
        return false;
    if (is_obsolete) {
        put16(writer, &body, interface);
        put16(writer, &body, 0xffff); /* how many were lost is not known */
    } else {
        put32(writer, &body, interface);
    }
    put32(writer, &body, (uint32_t)(units >> 32));
    put32(writer, &body, (uint32_t)units);
    put32(writer, &body, frame->captured_size);
    put32(writer, &body, frame->original_size);
    bytes_add(&body, frame->bytes, frame->captured_size);
    bytes_fill(&body, 0, -(size_t)frame->captured_size & 3);
    if (writer->style & PCAPNG_EXTRAS) {
        uint32_t direction = index % 2 ? 1 : 2;
        uint8_t flags[4] = {0};
        flags[writer->is_big ? 3 : 0] = (uint8_t)direction;
        add_option(writer, &body, OPTION_FLAGS, flags, sizeof flags);
        add_comment(writer, &body, "a packet");
        put32(writer, &body, OPTION_END);
    }
    add_block(writer, is_obsolete ? PACKET_OBSOLETE : PACKET, &body);
    return true;
}

/* Blocks that say nothing of packets; the last one is of a type that nobody has registered. */
static void add_extras(struct writer *writer)
{
    static const uint32_t types[] = {NAMES, SECRETS, STATISTICS, CUSTOM, 0x7abc};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct bytes body = {0};
        if (types[i] == STATISTICS && !writer->interface_count)
            continue;
        bytes_fill(&body, 0, 12 + 4 * i);
        add_block(writer, types[i], &body);
    }
}

bool build_pcapng(const struct wrap_frames *frames, uint32_t style, struct bytes *out)
{
    struct writer writer = {.out = out, .style = style};
    begin_section(&writer, style & PCAPNG_BIG);
    for (size_t i = 0; i < frames->count; i++) {
        if (style & PCAPNG_SECTIONS && i && i % SECTION_FRAMES == 0)
            begin_section(&writer, i / SECTION_FRAMES % 2);
        if (style & PCAPNG_EXTRAS && i % SECTION_FRAMES == 0)
            add_extras(&writer);
        if (!add_packet(&writer, &frames->items[i], i))
            return false;
    }
    return true;
}
