/* Reader of Solaris snoop captures: RFC 1761, version 2.
 *
 * One of the formats behind input.h. Everything is in network byte order; records are padded, and
 * say themselves how far. Deliberately reads the drop counter, which few writers fill, and believes
 * it: a writer that leaves it at zero says that it lost nothing. */
#include "snoop_file.h"

#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "input.h"

enum {
    FILE_HEADER_SIZE = 16,   /* magic 8, version 4, datalink type 4 */
    RECORD_HEADER_SIZE = 24, /* original, included, record length, drops, seconds, microseconds */
    VERSION = 2,
    /* RFC 1761 section 3: 0 is IEEE 802.3, 4 Ethernet; both are Ethernet frames in practice. */
    DATALINK_8023 = 0,
    DATALINK_ETHERNET = 4,
    LINK_TYPE_ETHERNET = 1,
    LINK_TYPE_NONE = UINT16_MAX, /* counted by dissect/ as one that is not read */
    PADDING_MAX = 4096           /* writers pad to 4 bytes; more than this is damage */
};

static const uint8_t magic[8] = {'s', 'n', 'o', 'o', 'p', 0, 0, 0};

bool snoop_file_is(const uint8_t *bytes, size_t size)
{
    return size >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0;
}

bool snoop_file_open(struct input *input)
{
    struct window *window = &input->window;
    input->facts.format = "snoop";
    if (!window_fill(window, FILE_HEADER_SIZE)) {
        input_damage(input, "the file header is cut: %zu of its %d bytes are there",
                     window_left(window), FILE_HEADER_SIZE);
        return false;
    }
    uint32_t version = load_u32(window_at(window) + 8);
    uint32_t datalink = load_u32(window_at(window) + 12);
    if (version != VERSION) {
        input_damage(input, "its snoop version %lu is not one that can be read (2 is)",
                     (unsigned long)version);
        return false;
    }
    bool is_ethernet = datalink == DATALINK_8023 || datalink == DATALINK_ETHERNET;
    input->snoop.link_type = is_ethernet ? LINK_TYPE_ETHERNET : LINK_TYPE_NONE;
    input->snoop.interface_id = input_new_interface(input, 0);
    window->begin += FILE_HEADER_SIZE;
    return true;
}

struct record {
    uint32_t original_size;
    uint32_t captured_size;
    uint32_t size; /* with its header and padding */
    uint32_t drops;
    int64_t time_ns;
};

static struct record record_at(const uint8_t *at)
{
    return (struct record){.original_size = load_u32(at),
                           .captured_size = load_u32(at + 4),
                           .size = load_u32(at + 8),
                           .drops = load_u32(at + 12),
                           .time_ns = load_u32(at + 16) * NS_PER_S + load_u32(at + 20) * NS_PER_US};
}

static bool is_sound(const struct record *record)
{
    return record->captured_size <= INPUT_FRAME_SIZE_MAX &&
           record->size >= RECORD_HEADER_SIZE + record->captured_size &&
           record->size - RECORD_HEADER_SIZE - record->captured_size <= PADDING_MAX;
}

/* Makes a whole record stand at the window's front. False: the end, clean or damaged. */
static bool bring_record(struct input *input)
{
    struct window *window = &input->window;
    if (!window_fill(window, RECORD_HEADER_SIZE)) {
        input_end(input, RECORD_HEADER_SIZE);
        return false;
    }
    struct record record = record_at(window_at(window));
    if (!is_sound(&record)) {
        input_damage(input,
                     "packet %llu at byte %llu claims %lu bytes in %lu: the file is damaged from "
                     "there on",
                     (unsigned long long)input->records + 1,
                     (unsigned long long)window_offset(window), (unsigned long)record.captured_size,
                     (unsigned long)record.size);
        return false;
    }
    if (window_fill(window, record.size))
        return true;
    input_end(input, record.size);
    return false;
}

static size_t take_records(struct input *input, struct frame *frames, size_t max)
{
    struct window *window = &input->window;
    size_t count = 0;
    while (count < max && window_left(window) >= RECORD_HEADER_SIZE) {
        struct record record = record_at(window_at(window));
        if (!is_sound(&record) || window_left(window) < record.size)
            break;
        frames[count++] = (struct frame){
            .time_ns = record.time_ns,
            .captured_size = record.captured_size,
            .original_size = record.original_size > record.captured_size ? record.original_size
                                                                         : record.captured_size,
            .interface_id = input->snoop.interface_id,
            .link_type = input->snoop.link_type,
            .bytes = window_at(window) + RECORD_HEADER_SIZE,
            .process = {.name = NULL, .id = -1}};
        input->drops.kernel = record.drops; /* since the capture began */
        input->drops.known = true;
        window->begin += record.size;
    }
    return count;
}

size_t snoop_file_next(struct input *input, struct frame *frames, size_t max)
{
    input->batch_offset = window_offset(&input->window);
    size_t count = take_records(input, frames, max);
    if (count || !bring_record(input))
        return count;
    input->batch_offset = window_offset(&input->window);
    return take_records(input, frames, max);
}

void snoop_file_close(struct input *input)
{
    (void)input;
}
