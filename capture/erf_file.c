/* Reader of Endace ERF captures: "ERF Types Reference Guide", EDM11-01.
 *
 * One of the formats behind input.h. A record: time stamp 8 (little endian, seconds in 32.32 fixed
 * point), type 1, flags 1, record length 2, loss counter or colour 2, wire length 2; where the
 * type's top bit is set, extension headers of 8 bytes follow, each with that bit for the next one.
 * Deliberately believes the type, not the card that is said to have written it. */
#include "erf_file.h"

#include "base/clock.h"
#include "base/reader.h"
#include "input.h"

enum {
    HEADER_SIZE = 16,
    EXTENSION_SIZE = 8,
    ETHERNET_PAD_SIZE = 2, /* offset and padding before an Ethernet frame */
    RECORD_ALIGNMENT = 8,
    TYPE_MASK = 0x7f,
    MORE_HEADERS = 0x80,
    FLAGS_RESERVED = 0xc0,
    INTERFACE_MASK = 0x03,
    INTERFACES = 4,
    FCS_SIZE = 4, /* of Ethernet, counted in the wire length */
    LINK_TYPE_NONE = UINT16_MAX
};

/* Time stamps of a first record that are believed: 1995, before the cards existed, to 2106. */
#define SECONDS_MIN UINT32_C(788918400)

enum kind {
    KIND_UNKNOWN,
    KIND_PACKET,
    KIND_META, /* Wireshark lists these among the packets, so they take a frame number */
    KIND_PAD   /* and these not */
};

struct type {
    enum kind kind;
    uint16_t link_type; /* LINKTYPE_ value */
    uint8_t pad_size;
    uint8_t fcs_size;
    bool has_loss_counter; /* else the field is a colour */
};

static const struct type hdlc = {KIND_PACKET, 50, 0, 0, true}; /* IP says where it ends */
static const struct type hdlc_coloured = {KIND_PACKET, 50, 0, 0, false};
static const struct type ether = {KIND_PACKET, 1, ETHERNET_PAD_SIZE, FCS_SIZE, true};
static const struct type ether_coloured = {KIND_PACKET, 1, ETHERNET_PAD_SIZE, FCS_SIZE, false};
static const struct type ipv4 = {KIND_PACKET, 228, 0, 0, false};
static const struct type ipv6 = {KIND_PACKET, 229, 0, 0, false};
static const struct type other = {KIND_PACKET, LINK_TYPE_NONE, 0, 0, false};
static const struct type meta = {KIND_META, 0, 0, 0, false};
static const struct type padding = {KIND_PAD, 0, 0, 0, false};
static const struct type unknown = {KIND_UNKNOWN, 0, 0, 0, false};

/* By number; what is missing is not in use. */
static const struct type *const types[] = {
    [1] = &hdlc,   [2] = &ether,          [3] = &other,           [4] = &other,
    [5] = &other,  [6] = &other,          [7] = &other,           [8] = &other,
    [9] = &other,  [10] = &hdlc_coloured, [11] = &ether_coloured, [12] = &other,
    [14] = &other, [15] = &hdlc_coloured, [16] = &ether_coloured, [17] = &other,
    [18] = &other, [19] = &hdlc_coloured, [20] = &ether_coloured, [21] = &other,
    [22] = &ipv4,  [23] = &ipv6,          [24] = &other,          [25] = &other,
    [27] = &meta,  [28] = &other,         [29] = &other,          [48] = &padding};

struct record {
    const struct type *type;
    uint8_t flags;
    uint16_t size; /* with all headers */
    uint16_t counter;
    uint16_t wire_size;
    uint32_t seconds;
    uint32_t fraction; /* of 2^32 */
    bool has_extensions;
};

static const struct type *type_of(uint8_t octet)
{
    uint8_t number = octet & TYPE_MASK;
    bool is_known = number < sizeof types / sizeof *types && types[number];
    return is_known ? types[number] : &unknown;
}

static struct record record_at(const uint8_t *at)
{
    return (struct record){.fraction = load_u32_le(at),
                           .seconds = load_u32_le(at + 4),
                           .type = type_of(at[8]),
                           .has_extensions = (at[8] & MORE_HEADERS) != 0,
                           .flags = at[9],
                           .size = load_u16(at + 10),
                           .counter = load_u16(at + 12),
                           .wire_size = load_u16(at + 14)};
}

static bool is_sound(const struct record *record)
{
    return record->type->kind != KIND_UNKNOWN && (record->flags & FLAGS_RESERVED) == 0 &&
           record->size >= HEADER_SIZE;
}

/* Two records must be sound, as long as cards make them, and not a year apart; or one that ends
 * with the file, or with a header that is cut. Random bytes pass once in some 2^20. Padding is no
 * evidence: zeros and digits look like it. */
static bool are_records(struct reader reader)
{
    enum { YEAR_S = 366 * 24 * 3600 };
    uint32_t before = 0;
    unsigned found = 0;
    while (found < 2 && reader_left(&reader) >= HEADER_SIZE) {
        struct record record = record_at(reader.at);
        if (!is_sound(&record) || record.size % RECORD_ALIGNMENT != 0)
            return false;
        reader_skip(&reader, record.size);
        found += record.type->kind != KIND_PAD;
        if (record.type->kind != KIND_PACKET)
            continue; /* some writers give these no time */
        bool is_near = !before || record.seconds - before + YEAR_S <= 2 * (uint32_t)YEAR_S;
        if (record.seconds < SECONDS_MIN || !is_near)
            return false;
        before = record.seconds;
    }
    return found >= 2 || (found == 1 && !reader.failed);
}

bool erf_file_is(struct window *window)
{
    if (!window_fill(window, HEADER_SIZE))
        return false;
    struct record first = record_at(window_at(window));
    if (!is_sound(&first) || first.type->kind == KIND_PAD)
        return false;
    (void)window_fill(window, (size_t)first.size + HEADER_SIZE); /* the second one's header */
    return are_records(reader_over(window_at(window), window_left(window)));
}

bool erf_file_open(struct input *input)
{
    input->facts.format = "ERF";
    input->erf.first_interface = input_new_interface(input, 0);
    for (int i = 1; i < INTERFACES; i++)
        (void)input_new_interface(input, 0);
    return true;
}

/* Rounded to the nearest nanosecond, as Wireshark does. */
static int64_t time_of(const struct record *record)
{
    uint64_t scaled = (uint64_t)record->fraction * (uint64_t)NS_PER_S + (UINT64_C(1) << 31);
    return record->seconds * NS_PER_S + (int64_t)(scaled >> 32);
}

/* What is in front of the packet, or more than the record holds. */
static uint32_t head_size(const struct record *record, const uint8_t *at)
{
    uint32_t size = HEADER_SIZE;
    bool more = record->has_extensions;
    while (more && size + EXTENSION_SIZE <= record->size) {
        more = (at[size] & MORE_HEADERS) != 0;
        size += EXTENSION_SIZE;
    }
    return more ? UINT32_MAX : size + record->type->pad_size;
}

/* Counted once, even when a batch is read again after parking. */
static void count_drops(struct input *input, const struct record *record, uint64_t number)
{
    if (!record->type->has_loss_counter)
        return;
    input->drops.known = true;
    if (number > input->erf.noticed_records)
        input->drops.interface += record->counter;
}

/* False: the record contradicts itself. */
static bool take_packet(struct input *input, const struct record *record, struct frame *frame)
{
    const uint8_t *at = window_at(&input->window);
    uint32_t head = head_size(record, at);
    if (head > record->size)
        return false;
    uint32_t room = record->size - head; /* the packet, and padding up to the next record */
    *frame = (struct frame){.time_ns = time_of(record),
                            .captured_size = room < record->wire_size ? room : record->wire_size,
                            .original_size = record->wire_size,
                            .interface_id =
                                input->erf.first_interface + (record->flags & INTERFACE_MASK),
                            .link_type = record->type->link_type,
                            .fcs_size = record->type->fcs_size,
                            .bytes = at + head,
                            .process = {.name = NULL, .id = -1}};
    return true;
}

/* Makes a whole record stand at the window's front. False: the end, clean or damaged. */
static bool bring_record(struct input *input)
{
    struct window *window = &input->window;
    unsigned long long number = input->records + 1, offset = window_offset(window);
    if (!window_fill(window, HEADER_SIZE)) {
        input_end(input, HEADER_SIZE);
        return false;
    }
    struct record record = record_at(window_at(window));
    if (!is_sound(&record)) {
        input_damage(input,
                     "packet %llu at byte %llu is of type %u and %u bytes long, which cannot be: "
                     "the file is damaged from there on",
                     number, offset, window_at(window)[8] & TYPE_MASK, record.size);
        return false;
    }
    if (window_fill(window, record.size))
        return true;
    input_end(input, record.size);
    return false;
}

/* The packets that stand whole in the window. Other records are passed over before the first one
 * only, so that a batch can be read again from where it began. False: the record at the front
 * contradicts itself. */
static bool take_records(struct input *input, struct frame *frames, size_t max, size_t *count)
{
    struct window *window = &input->window;
    while (*count < max && window_left(window) >= HEADER_SIZE) {
        struct record record = record_at(window_at(window));
        if (!is_sound(&record) || window_left(window) < record.size)
            return true;
        if (record.type->kind != KIND_PACKET) {
            if (*count)
                return true;
            input->number_gap += record.type->kind == KIND_META;
            window->begin += record.size;
            continue;
        }
        if (!*count) {
            input->batch_offset = window_offset(window);
            input->batch_gap = input->number_gap;
        }
        if (!take_packet(input, &record, &frames[*count]))
            return false;
        frames[(*count)++].number = input->number_gap;
        count_drops(input, &record, input->records + *count);
        input->number_gap = 0;
        window->begin += record.size;
    }
    return true;
}

size_t erf_file_next(struct input *input, struct frame *frames, size_t max)
{
    size_t count = 0;
    do {
        if (!take_records(input, frames, max, &count) && !count) {
            input_damage(input,
                         "packet %llu at byte %llu has more headers than bytes: the file is "
                         "damaged from there on",
                         (unsigned long long)input->records + 1,
                         (unsigned long long)window_offset(&input->window));
            return 0;
        }
    } while (!count && bring_record(input));
    if (input->records + count > input->erf.noticed_records)
        input->erf.noticed_records = input->records + count;
    return count;
}

void erf_file_close(struct input *input)
{
    (void)input;
}
