/* Reader of classic pcap files: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html
 *
 * One of the formats behind input.h. The variants and how to tell them apart follow what
 * Wireshark's wiretap does, so that frame numbers agree with it. Deliberately ignores `thiszone`
 * and `sigfigs`: no writer sets them, and no reader heeds them. */
#include "pcap_file.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "input.h"

enum {
    FILE_HEADER_SIZE = 24,
    RECORD_HEADER_SIZE = 16,
    MODIFIED_HEADER_SIZE = 24, /* + interface index, protocol, packet type, padding */
    SS990915_HEADER_SIZE = 28, /* + two bytes for debugging and padding to a word */
    NOKIA_HEADER_SIZE = 20,    /* + four bytes of unknown meaning */
    TRIED_RECORDS = 3
};

/* The link type field: draft-ietf-opsawg-pcap section 4. */
#define LINK_TYPE_MASK   0x0000ffffu
#define LINK_RESERVED    0x03ff0000u
#define LINK_FCS_PRESENT 0x04000000u
#define LINK_FCS_SHIFT   28
#define LINK_FCS_UNIT    2u /* 16-bit words */

struct magic {
    uint32_t value;
    const char *format;
    uint32_t ns_per_tick;
    uint32_t extra_size; /* after the file header */
};

static const struct magic magics[] = {
    {0xa1b2c3d4, "pcap", 1000, 0},
    {0xa1b23c4d, "pcap (nanoseconds)", 1, 0},
    {0xa1b2cd34, "pcap (modified)", 1000, 0},  /* Kuznetzov's patches of 1999; Fritz!Box */
    {0x1c0001ac, "pcap (Ixia lcap)", 1, 4},    /* hardware: nanoseconds, then the size */
    {0x1c0001ab, "pcap (Ixia lcap)", 1000, 4}, /* software: microseconds */
};

static const struct magic *magic_of(uint32_t value)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (magics[i].value == value)
            return &magics[i];
    return NULL;
}

bool pcap_file_is(const uint8_t *bytes, size_t size)
{
    return size >= 4 && (magic_of(load_u32(bytes)) || magic_of(load_u32_le(bytes)));
}

struct record {
    uint32_t seconds;
    uint32_t ticks;
    uint32_t captured_size;
    uint32_t original_size;
};

static inline uint32_t load(const uint8_t *bytes, bool little)
{
    return little ? load_u32_le(bytes) : load_u32(bytes);
}

static inline __attribute__((always_inline)) struct record record_at(const uint8_t *at, bool little,
                                                                     enum pcap_lengths lengths)
{
    struct record record = {load(at, little), load(at + 4, little), load(at + 8, little),
                            load(at + 12, little)};
    if (lengths == PCAP_ORIGINAL_FIRST ||
        (lengths == PCAP_SMALLER_IS_CAPTURED && record.captured_size > record.original_size)) {
        uint32_t first = record.captured_size;
        record.captured_size = record.original_size;
        record.original_size = first;
    }
    return record;
}

static inline bool is_all_zero(const struct record *record)
{
    return (record->seconds | record->ticks | record->captured_size | record->original_size) == 0;
}

/* Files that were joined with cat have the next one's header where a record should be: it looks
 * like an empty frame of a time that spells the magic number. */
static inline bool is_file_header(const struct pcap_file *pcap, const uint8_t *at)
{
    return memcmp(at, pcap->head, PCAP_HEAD_SIZE) == 0;
}

/* The whole records that stand in the window: the hot loop, specialised by its last arguments. */
static inline __attribute__((always_inline)) size_t take_records(struct input *input,
                                                                 struct frame *frames, size_t max,
                                                                 bool little,
                                                                 enum pcap_lengths lengths)
{
    const struct pcap_file *pcap = &input->pcap;
    struct window *window = &input->window;
    const uint8_t *at = window->bytes + window->begin;
    const uint8_t *end = window->bytes + window->end;
    const size_t header_size = pcap->header_size;
    const struct frame model = {.interface_id = pcap->interface_id,
                                .link_type = pcap->link_type,
                                .fcs_size = pcap->fcs_size,
                                .process = {.name = NULL, .id = -1}};
    size_t count = 0;
    while (count < max && (size_t)(end - at) >= header_size) {
        struct record record = record_at(at, little, lengths);
        if (record.captured_size > INPUT_FRAME_SIZE_MAX ||
            (size_t)(end - at) - header_size < record.captured_size)
            break;
        if (!record.captured_size &&
            ((is_all_zero(&record) && !pcap->zeros_are_frames) || is_file_header(pcap, at)))
            break;
        struct frame *frame = &frames[count++];
        *frame = model;
        frame->time_ns =
            record.seconds * NS_PER_S + (int64_t)record.ticks * (int64_t)pcap->ns_per_tick;
        frame->captured_size = record.captured_size;
        frame->original_size = record.original_size > record.captured_size ? record.original_size
                                                                           : record.captured_size;
        frame->bytes = at + header_size;
        at += header_size + record.captured_size;
    }
    window->begin = (size_t)(at - window->bytes);
    return count;
}

/* A machine that crashed, or a writer that reserves space ahead, leaves zeros at the end: they
 * look like empty frames of 1970. Two records or more of nothing but zeros, as far as the window
 * reaches, are taken for that; a real empty frame of that time would be followed by others. */
static bool is_padding(struct input *input)
{
    (void)window_fill(&input->window, 2 * (size_t)input->pcap.header_size);
    const uint8_t *bytes = window_at(&input->window);
    size_t left = window_left(&input->window);
    return left >= 2 * (size_t)input->pcap.header_size && bytes[0] == 0 &&
           memcmp(bytes, bytes + 1, left - 1) == 0;
}

/* Steps over the header of a file that was joined to this one. False: it is cut, or its packets are
 * of another kind. */
static bool pass_file_header(struct input *input)
{
    static const char note[] = "several files, one after another";
    struct pcap_file *pcap = &input->pcap;
    struct window *window = &input->window;
    if (!window_fill(window, pcap->file_header_size)) {
        input_end(input, pcap->file_header_size);
        return false;
    }
    uint16_t link_type = (uint16_t)(load(window_at(window) + 20, pcap->little) & LINK_TYPE_MASK);
    if (link_type != pcap->link_type) {
        input_damage(input,
                     "before packet %llu at byte %llu another capture was joined to it, whose link "
                     "type is %u: name both files instead",
                     (unsigned long long)input->records + 1,
                     (unsigned long long)window_offset(window), link_type);
        return false;
    }
    window->begin += pcap->file_header_size;
    if (!pcap->is_joined)
        input_note(input, "joined", (const uint8_t *)note, sizeof note - 1);
    pcap->is_joined = true;
    return true;
}

static bool stands_at_file_header(struct input *input)
{
    const struct pcap_file *pcap = &input->pcap;
    return window_fill(&input->window, pcap->header_size) &&
           is_file_header(pcap, window_at(&input->window)) &&
           record_at(window_at(&input->window), pcap->little, pcap->lengths).captured_size == 0;
}

/* Makes a whole record stand at the window's front. False: the end, clean or damaged. */
static bool bring_record(struct input *input)
{
    struct pcap_file *pcap = &input->pcap;
    struct window *window = &input->window;
    unsigned long long record_number = input->records + 1;
    while (stands_at_file_header(input))
        if (!pass_file_header(input))
            return false;
    if (!window_fill(window, pcap->header_size)) {
        input_end(input, pcap->header_size);
        return false;
    }
    struct record record = record_at(window_at(window), pcap->little, pcap->lengths);
    if (is_all_zero(&record) && !pcap->zeros_are_frames) {
        pcap->zeros_are_frames = !is_padding(input);
        if (!pcap->zeros_are_frames) {
            input_damage(input,
                         "from packet %llu at byte %llu on there are only zeros: space that was "
                         "never written",
                         record_number, (unsigned long long)window_offset(window));
            return false;
        }
    }
    if (record.captured_size > INPUT_FRAME_SIZE_MAX) {
        input_damage(input,
                     "packet %llu at byte %llu claims %lu bytes: the file is damaged from there on",
                     record_number, (unsigned long long)window_offset(window),
                     (unsigned long)record.captured_size);
        return false;
    }
    if (!window_fill(window, pcap->header_size + (size_t)record.captured_size)) {
        input_end(input, pcap->header_size + (uint64_t)record.captured_size);
        return false;
    }
    return true;
}

size_t pcap_file_take(struct input *input, struct frame *frames, size_t max)
{
    const struct pcap_file *pcap = &input->pcap;
    if (pcap->lengths != PCAP_CAPTURED_FIRST)
        return take_records(input, frames, max, pcap->little, pcap->lengths);
    if (pcap->little)
        return take_records(input, frames, max, true, PCAP_CAPTURED_FIRST);
    return take_records(input, frames, max, false, PCAP_CAPTURED_FIRST);
}

size_t pcap_file_next(struct input *input, struct frame *frames, size_t max)
{
    input->batch_offset = window_offset(&input->window);
    size_t count = pcap_file_take(input, frames, max);
    if (count)
        return count;
    if (!bring_record(input))
        return 0;
    input->batch_offset = window_offset(&input->window);
    return pcap_file_take(input, frames, max);
}

void pcap_file_close(struct input *input)
{
    (void)input;
}

/* The variants that share a magic number differ in what follows the 16 bytes of a record header.
 * Each is tried on the first records. The magic's own layout is taken unless it contradicts itself
 * and another one fits without any contradiction: so a damaged standard file is not read as
 * something exotic (Wireshark takes the layout with the fewest contradictions, and does). Wrong
 * where the first three records of an exotic file are damaged. */
struct variant {
    const char *format; /* NULL: the magic's own */
    uint32_t header_size;
    bool has_device; /* interface index, protocol, packet type after the lengths */
    bool is_nokia;
};

static const struct variant standard_variants[] = {
    {NULL, RECORD_HEADER_SIZE, false, false},
    {"pcap (Red Hat 6.1)", MODIFIED_HEADER_SIZE, true, false},
    {"pcap (Nokia)", NOKIA_HEADER_SIZE, false, true},
};
static const struct variant modified_variants[] = {
    {NULL, MODIFIED_HEADER_SIZE, true, false},
    {"pcap (SuSE 6.3)", SS990915_HEADER_SIZE, true, false},
};

/* The added fields: Linux' if_packet.h gives packet types 0 to 4, if_ether.h the protocols that
 * are not EtherTypes; the computers of that time had fewer than 10,000 interfaces. */
static unsigned device_contradictions(const uint8_t *at, bool little)
{
    uint32_t interface_index = load(at, little);
    uint16_t protocol = little ? load_u16_le(at + 4) : load_u16(at + 4);
    uint8_t packet_type = at[6];
    bool protocol_known = protocol >= 0x0600 || protocol == 0x0060 || protocol == 0x0200 ||
                          protocol == 0x0400 || protocol <= 0x0017;
    return (interface_index > 10000) + !protocol_known + (packet_type > 4);
}

/* Seen are 0x[9b]fbf[bd][69]0[12], in either byte order of the machine. */
static unsigned nokia_contradictions(const uint8_t *at)
{
    uint32_t seen = load_u32_le(at);
    uint32_t part_1 = seen & 0xf0000000, part_2 = seen & 0xf000, part_3 = seen & 0x0f00;
    uint32_t part_4 = seen & 0x0f;
    bool fits = (seen & 0x0fff00f0) == 0x0fbf0000 &&
                (part_1 == 0x90000000 || part_1 == 0xb0000000) &&
                (part_2 == 0xb000 || part_2 == 0xd000) && (part_3 == 0x0600 || part_3 == 0x0900) &&
                (part_4 == 1 || part_4 == 2);
    return !fits;
}

static unsigned contradictions(const struct input *input, const struct variant *variant)
{
    const struct window *window = &input->window;
    bool little = input->pcap.little;
    struct reader reader = reader_over(window_at(window), window_left(window));
    unsigned found = 0;
    for (int i = 0; i < TRIED_RECORDS && reader_left(&reader); i++) {
        const uint8_t *at = reader_bytes(&reader, variant->header_size);
        if (!at)
            return found + 1;
        struct record record = record_at(at, little, PCAP_CAPTURED_FIRST);
        found += (record.ticks >= 1000000) + (record.captured_size > INPUT_FRAME_SIZE_MAX) +
                 (record.captured_size > input->pcap.snap) +
                 (record.original_size > 128u << 20) + /* no link carries that */
                 (record.captured_size > record.original_size);
        if (variant->has_device)
            found += device_contradictions(at + RECORD_HEADER_SIZE, little);
        if (variant->is_nokia)
            found += nokia_contradictions(at + RECORD_HEADER_SIZE);
        if (record.captured_size > INPUT_FRAME_SIZE_MAX)
            return found;
        reader_skip(&reader, record.captured_size);
    }
    return found + reader.failed;
}

static void choose_variant(struct input *input, const struct variant *variants, size_t count)
{
    size_t chosen = 0;
    while (chosen < count && contradictions(input, &variants[chosen]))
        chosen++;
    if (chosen == count)
        chosen = 0;
    input->pcap.header_size = variants[chosen].header_size;
    if (variants[chosen].format)
        input->facts.format = variants[chosen].format;
}

/* AIX writes version 2.2, nanoseconds, and interface types of RFC 1573 as link types. Those of
 * Ethernet (6) and loopback (24) are told from link types by the version. */
static bool convert_aix(struct input *input, uint32_t ns_per_tick)
{
    struct pcap_file *pcap = &input->pcap;
    if (ns_per_tick != 1000 || (pcap->link_type != 6 && pcap->link_type != 24))
        return false;
    pcap->link_type = pcap->link_type == 6 ? 1 : 0; /* LINKTYPE_ETHERNET, LINKTYPE_NULL */
    pcap->ns_per_tick = 1;
    input->facts.format = "pcap (AIX)";
    return true;
}

/* Version 2.4 since 1998; 543 is DG/UX. */
static bool accept_version(struct input *input, unsigned major, unsigned minor)
{
    if (major < 2) {
        input_damage(input, "its pcap version %u.%u is not one that can be read (2.x is)", major,
                     minor);
        return false;
    }
    if (major == 543 || (major == 2 && minor < 3))
        input->pcap.lengths = PCAP_ORIGINAL_FIRST;
    else if (major == 2 && minor == 3)
        input->pcap.lengths = PCAP_SMALLER_IS_CAPTURED;
    return true;
}

static bool accept_link_type(struct input *input, uint32_t field)
{
    if (field & LINK_RESERVED) {
        input_damage(input, "its link type field 0x%08lx sets reserved bits", (unsigned long)field);
        return false;
    }
    input->pcap.link_type = (uint16_t)(field & LINK_TYPE_MASK);
    if (field & LINK_FCS_PRESENT)
        input->pcap.fcs_size = (uint16_t)((field >> LINK_FCS_SHIFT) * LINK_FCS_UNIT);
    return true;
}

/* On a pipe the standard layout is taken at its word: looking at three records would wait for
 * packets that may come in an hour. */
static void find_variant(struct input *input, const struct magic *magic, bool is_old)
{
    bool is_standard = magic == &magics[0];
    bool is_modified = magic == &magics[2];
    if (is_old || (!is_standard && !is_modified) ||
        (is_standard && source_is_stream(input->source)))
        return;
    (void)window_fill(&input->window, TRIED_RECORDS * (SS990915_HEADER_SIZE + 1514));
    if (is_standard)
        choose_variant(input, standard_variants,
                       sizeof standard_variants / sizeof *standard_variants);
    else
        choose_variant(input, modified_variants,
                       sizeof modified_variants / sizeof *modified_variants);
}

bool pcap_file_open(struct input *input)
{
    struct pcap_file *pcap = &input->pcap;
    struct window *window = &input->window;
    pcap->little = magic_of(load_u32_le(window_at(window))) != NULL;
    const struct magic *magic = magic_of(load(window_at(window), pcap->little));
    size_t header_size = FILE_HEADER_SIZE + magic->extra_size;
    input->facts.format = magic->format;
    if (!window_fill(window, header_size)) {
        input_damage(input, "the file header is cut: %zu of its %zu bytes are there",
                     window_left(window), header_size);
        return false;
    }
    const uint8_t *at = window_at(window);
    unsigned major = pcap->little ? load_u16_le(at + 4) : load_u16(at + 4);
    unsigned minor = pcap->little ? load_u16_le(at + 6) : load_u16(at + 6);
    pcap->snap = load(at + 16, pcap->little);
    pcap->ns_per_tick = magic->ns_per_tick;
    pcap->header_size = RECORD_HEADER_SIZE;
    pcap->file_header_size = (uint32_t)header_size;
    memcpy(pcap->head, at, PCAP_HEAD_SIZE);
    if (!accept_version(input, major, minor) ||
        !accept_link_type(input, load(at + 20, pcap->little)))
        return false;
    window->begin += header_size;

    if (!(major == 2 && minor == 2 && convert_aix(input, magic->ns_per_tick)))
        find_variant(input, magic, pcap->lengths != PCAP_CAPTURED_FIRST);
    pcap->interface_id = input_new_interface(input, pcap->snap);
    return true;
}
