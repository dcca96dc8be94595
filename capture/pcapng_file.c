/* Reader of pcapng files: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html
 *
 * One of the formats behind input.h; pcapng_block.c does the framing. Several sections of either
 * byte order, several interfaces with their own link type, snap length and clock, and Apple's
 * process blocks. Deliberately passes over names, secrets and custom blocks. */
#include "pcapng_file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/reader.h"
#include "base/text.h"
#include "input.h"
#include "pcapng_block.h"

/* A crafted file could hold a hundred million interfaces in two gigabytes. */
enum { INTERFACES_MAX = 65536, PROCESSES_MAX = 65536 };

/* Option codes: draft sections 3.5, 4.1, 4.2, 4.3, 4.6; 0x8001 and up are Apple's. */
enum {
    OPTION_COMMENT = 1,
    SECTION_HARDWARE = 2,
    SECTION_OS = 3,
    SECTION_APPLICATION = 4,
    INTERFACE_RESOLUTION = 9,
    INTERFACE_FCS_SIZE = 13,
    INTERFACE_TIME_OFFSET = 14,
    PACKET_FLAGS = 2,
    PACKET_DROPS = 4,
    PACKET_PROCESS = 0x8001,
    PACKET_EFFECTIVE_PROCESS = 0x8003,
    STATISTICS_INTERFACE_DROPS = 5,
    STATISTICS_KERNEL_DROPS = 7,
    PROCESS_NAME = 2
};

bool pcapng_file_is(const uint8_t *bytes, size_t size)
{
    return size >= 4 && load_u32(bytes) == BLOCK_SECTION;
}

void pcapng_set_resolution(struct pcapng_interface *interface, uint8_t octet)
{
    unsigned exponent = octet & 0x7f;
    interface->units_per_s = 1;
    if (octet & 0x80)
        interface->units_per_s = exponent < 64 ? UINT64_C(1) << exponent : UINT64_MAX;
    else
        for (unsigned i = 0; i < exponent; i++)
            interface->units_per_s = interface->units_per_s > UINT64_MAX / 10
                                         ? UINT64_MAX /* finer than any clock: all is second 0 */
                                         : interface->units_per_s * 10;
    uint64_t second = (uint64_t)NS_PER_S;
    bool divides = interface->units_per_s <= second && second % interface->units_per_s == 0;
    interface->ns_per_unit = divides ? second / interface->units_per_s : 0;
}

static int64_t add_offset(int64_t time_ns, int64_t offset_s)
{
    int64_t offset_ns, sum_ns;
    if (__builtin_mul_overflow(offset_s, NS_PER_S, &offset_ns) ||
        __builtin_add_overflow(time_ns, offset_ns, &sum_ns))
        return offset_s < 0 ? -TIME_LIMIT_NS : TIME_LIMIT_NS;
    return sum_ns;
}

int64_t pcapng_time_ns(const struct pcapng_interface *interface, uint64_t units)
{
    __extension__ typedef unsigned __int128 wide;
    int64_t time_ns;
    if (interface->ns_per_unit && units <= (uint64_t)INT64_MAX / interface->ns_per_unit) {
        time_ns = (int64_t)(units * interface->ns_per_unit);
    } else {
        wide ns = (wide)units * (uint64_t)NS_PER_S / interface->units_per_s;
        time_ns = ns > (wide)INT64_MAX ? INT64_MAX : (int64_t)ns;
    }
    if (interface->offset_s)
        time_ns = add_offset(time_ns, interface->offset_s);
    if (time_ns < -TIME_LIMIT_NS)
        return -TIME_LIMIT_NS;
    return time_ns > TIME_LIMIT_NS ? TIME_LIMIT_NS : time_ns;
}

/* Room for one more item in an array that doubles. False at `most`. */
static bool make_room(void **items, size_t item_size, size_t count, size_t *room, size_t most)
{
    if (count < *room)
        return true;
    if (count >= most)
        return false;
    *room = *room ? *room * 2 : 8;
    *items = realloc(*items, *room * item_size);
    assert(*items);
    return true;
}

static bool start_section(struct input *input, const struct block *block)
{
    struct pcapng_file *pcapng = &input->pcapng;
    unsigned long long offset = window_offset(&input->window);
    if (block->body_size < 16) {
        input_damage(input, "the section header at byte %llu is too short", offset);
        return false;
    }
    unsigned major = block_u16(block, block->body + 4);
    unsigned minor = block_u16(block, block->body + 6);
    if (major != 1) {
        input_damage(input,
                     "the section at byte %llu is of pcapng version %u.%u, which cannot be read "
                     "(1.x can)",
                     offset, major, minor);
        return false;
    }
    pcapng->little = block->little;
    pcapng->interface_count = 0;
    pcapng->process_count = 0;
    static const char *const labels[] = {[OPTION_COMMENT] = "comment",
                                         [SECTION_HARDWARE] = "hardware",
                                         [SECTION_OS] = "OS",
                                         [SECTION_APPLICATION] = "application"};
    struct reader list = reader_over(block->body + 16, block->body_size - 16);
    struct option option;
    while (option_next(block, &list, &option))
        if (option.code < sizeof labels / sizeof *labels)
            input_note(input, labels[option.code], option.bytes, option.size);
    return true;
}

/* The draft says bits; some writers put octets (4). No link has a check sequence of under 8 bits,
 * and none of 8 octets or more. */
static uint16_t fcs_size(uint8_t value)
{
    return value < 8 ? value : value / 8;
}

static void interface_option(struct input *input, struct pcapng_interface *interface,
                             const struct block *block, const struct option *option)
{
    switch (option->code) {
    case INTERFACE_RESOLUTION:
        if (option->size >= 1)
            pcapng_set_resolution(interface, option->bytes[0]);
        break;
    case INTERFACE_FCS_SIZE:
        if (option->size >= 1)
            interface->fcs_size = fcs_size(option->bytes[0]);
        break;
    case INTERFACE_TIME_OFFSET:
        if (option->size >= 8)
            interface->offset_s = (int64_t)block_u64(block, option->bytes);
        break;
    case OPTION_COMMENT:
        input_note(input, "interface comment", option->bytes, option->size);
        break;
    default:
        break;
    }
}

static bool add_interface(struct input *input, const struct block *block)
{
    struct pcapng_file *pcapng = &input->pcapng;
    void *items = pcapng->interfaces;
    bool has_room = make_room(&items, sizeof *pcapng->interfaces, pcapng->interface_count,
                              &pcapng->interface_room, INTERFACES_MAX);
    pcapng->interfaces = items;
    if (!has_room || block->body_size < 8) {
        input_damage(input, "the interface description at byte %llu %s",
                     (unsigned long long)window_offset(&input->window),
                     has_room ? "is too short" : "is one of more than 65,536 in its section");
        return false;
    }
    struct pcapng_interface *interface = &pcapng->interfaces[pcapng->interface_count++];
    *interface = (struct pcapng_interface){.link_type = block_u16(block, block->body),
                                           .snap = block_u32(block, block->body + 4)};
    interface->id = input_new_interface(input, interface->snap);
    pcapng_set_resolution(interface, 6); /* microseconds where not said */
    struct reader list = reader_over(block->body + 8, block->body_size - 8);
    struct option option;
    while (option_next(block, &list, &option))
        interface_option(input, interface, block, &option);
    return true;
}

/* Statistics are totals since the capture began: the latest block replaces the one before. */
static bool read_statistics(struct input *input, const struct block *block)
{
    struct pcapng_file *pcapng = &input->pcapng;
    uint32_t index = block->body_size >= 12 ? block_u32(block, block->body) : UINT32_MAX;
    if (index >= pcapng->interface_count)
        return true; /* no packet depends on it */
    struct pcapng_interface *interface = &pcapng->interfaces[index];
    struct reader list = reader_over(block->body + 12, block->body_size - 12);
    struct option option;
    uint64_t lost_interface = 0, lost_kernel = 0;
    bool known = false;
    while (option_next(block, &list, &option)) {
        if (option.size < 8 ||
            (option.code != STATISTICS_INTERFACE_DROPS && option.code != STATISTICS_KERNEL_DROPS))
            continue;
        *(option.code == STATISTICS_KERNEL_DROPS ? &lost_kernel : &lost_interface) =
            block_u64(block, option.bytes);
        known = true;
    }
    if (!known)
        return true;
    input->drops.interface += lost_interface - interface->dropped_interface;
    input->drops.kernel += lost_kernel - interface->dropped_kernel;
    input->drops.known = true;
    interface->dropped_interface = lost_interface;
    interface->dropped_kernel = lost_kernel;
    interface->has_statistics = true;
    return true;
}

static bool add_process(struct input *input, const struct block *block)
{
    struct pcapng_file *pcapng = &input->pcapng;
    void *items = pcapng->processes;
    bool has_room = make_room(&items, sizeof *pcapng->processes, pcapng->process_count,
                              &pcapng->process_room, PROCESSES_MAX);
    pcapng->processes = items;
    if (!has_room)
        return true; /* packets that name it have no process: the capture goes on */
    struct process *process = &pcapng->processes[pcapng->process_count++];
    *process = (struct process){.name = NULL, .id = -1};
    if (block->body_size < 4)
        return true; /* still counts: packets name processes by their place */
    process->id = (int32_t)block_u32(block, block->body);
    struct reader list = reader_over(block->body + 4, block->body_size - 4);
    struct option option;
    char name[128];
    while (option_next(block, &list, &option)) {
        if (option.code != PROCESS_NAME || option.size == 0)
            continue;
        size_t size = option.size;
        while (size && option.bytes[size - 1] == 0)
            size--;
        text_printable(name, sizeof name, option.bytes, size);
        process->name = name[0] ? names_keep(input->shared->names, name) : NULL;
    }
    return true;
}

static bool take_other(struct input *input, const struct block *block)
{
    bool fine = true;
    switch (block->type) {
    case BLOCK_SECTION:
        fine = start_section(input, block);
        break;
    case BLOCK_INTERFACE:
        fine = add_interface(input, block);
        break;
    case BLOCK_STATISTICS:
        fine = read_statistics(input, block);
        break;
    default:
        fine = add_process(input, block);
        break;
    }
    if (fine)
        input->window.begin += block->size;
    return fine;
}

/* The three kinds of packet blocks in one shape. */
struct packet_block {
    uint32_t interface_index;
    uint32_t captured_size;
    uint32_t original_size;
    uint64_t time_units;
    uint64_t drops; /* lost before this packet, as it says; 0: none or not said */
    size_t head_size;
    bool has_time;
    bool is_complete; /* the fixed fields are all there */
};

static void count_drops(struct input *input, struct pcapng_interface *interface, uint64_t drops)
{
    input->drops.known = true;
    if (interface->has_statistics)
        return;
    interface->dropped_interface += drops;
    input->drops.interface += drops;
}

static struct packet_block read_packet(const struct pcapng_file *pcapng, const struct block *block)
{
    struct packet_block packet = {.head_size = 20, .has_time = true};
    const uint8_t *body = block->body;
    if (block->type == BLOCK_SIMPLE) {
        packet = (struct packet_block){.head_size = 4};
        if (block->body_size < packet.head_size)
            return packet;
        packet.original_size = block_u32(block, body);
        uint32_t snap = pcapng->interface_count ? pcapng->interfaces[0].snap : 0;
        size_t room = block->body_size - packet.head_size;
        packet.captured_size = snap && snap < packet.original_size ? snap : packet.original_size;
        if (packet.captured_size > room)
            packet.captured_size = (uint32_t)room;
        packet.is_complete = true;
        return packet;
    }
    if (block->body_size < packet.head_size)
        return packet;
    bool is_obsolete = block->type == BLOCK_PACKET;
    packet.interface_index = is_obsolete ? block_u16(block, body) : block_u32(block, body);
    uint32_t drops = is_obsolete ? block_u16(block, body + 2) : 0;
    packet.drops = drops == 0xffff ? 0 : drops; /* 0xffff: not known */
    packet.time_units = (uint64_t)block_u32(block, body + 4) << 32 | block_u32(block, body + 8);
    packet.captured_size = block_u32(block, body + 12);
    packet.original_size = block_u32(block, body + 16);
    packet.is_complete = true;
    return packet;
}

static bool fits(const struct pcapng_file *pcapng, const struct block *block,
                 const struct packet_block *packet)
{
    return packet->is_complete && packet->interface_index < pcapng->interface_count &&
           packet->captured_size <= INPUT_FRAME_SIZE_MAX &&
           packet->captured_size <= block->body_size - packet->head_size;
}

static void tell_packet(struct input *input, const struct packet_block *packet)
{
    unsigned long long record = input->records + 1;
    unsigned long long offset = window_offset(&input->window);
    if (!packet->is_complete)
        input_damage(input,
                     "packet %llu at byte %llu is too short for its kind of block: the file is "
                     "damaged from there on",
                     record, offset);
    else if (input->pcapng.interface_count == 0)
        input_damage(
            input,
            "packet %llu at byte %llu names interface %lu, but its section describes none: "
            "the file is damaged from there on",
            record, offset, (unsigned long)packet->interface_index);
    else if (packet->interface_index >= input->pcapng.interface_count)
        input_damage(input,
                     "packet %llu at byte %llu names interface %lu, but its section describes %zu: "
                     "the file is damaged from there on",
                     record, offset, (unsigned long)packet->interface_index,
                     input->pcapng.interface_count);
    else
        input_damage(input,
                     "packet %llu at byte %llu claims %lu bytes: the file is damaged from there on",
                     record, offset, (unsigned long)packet->captured_size);
}

static void set_process(const struct pcapng_file *pcapng, uint32_t index, struct frame *frame)
{
    if (index < pcapng->process_count)
        frame->process = pcapng->processes[index];
}

/* Options of a packet. Counts and comments are taken once, even when a batch is read again after
 * parking. */
static void read_packet_options(struct input *input, struct pcapng_interface *interface,
                                const struct block *block, struct reader list, uint64_t record,
                                struct frame *frame)
{
    bool is_new = record > input->pcapng.noticed_records;
    struct option option;
    char label[48];
    while (option_next(block, &list, &option)) {
        if (option.code == OPTION_COMMENT && is_new) {
            snprintf(label, sizeof label, "comment on packet %llu", (unsigned long long)record);
            input_note(input, label, option.bytes, option.size);
        } else if (option.code == PACKET_FLAGS && option.size >= 4 &&
                   block->type == BLOCK_ENHANCED) {
            uint32_t octets = block_u32(block, option.bytes) >> 5 & 0xf; /* section 4.3.1 */
            frame->fcs_size = octets ? (uint16_t)octets : frame->fcs_size;
        } else if (option.code == PACKET_DROPS && option.size >= 8 && is_new &&
                   block->type == BLOCK_ENHANCED) {
            count_drops(input, interface, block_u64(block, option.bytes));
        } else if (option.code == PACKET_PROCESS && option.size >= 4) {
            set_process(&input->pcapng, block_u32(block, option.bytes), frame);
        } else if (option.code == PACKET_EFFECTIVE_PROCESS && option.size >= 4 &&
                   frame->process.id == -1) {
            set_process(&input->pcapng, block_u32(block, option.bytes), frame);
        }
    }
}

/* False: the block contradicts itself; nothing was changed. `record` is its number in the file. */
static bool take_packet(struct input *input, const struct block *block, uint64_t record,
                        struct frame *frame, struct packet_block *packet)
{
    struct pcapng_file *pcapng = &input->pcapng;
    *packet = read_packet(pcapng, block);
    if (!fits(pcapng, block, packet))
        return false;
    struct pcapng_interface *interface = &pcapng->interfaces[packet->interface_index];
    if (packet->has_time)
        input->last_time_ns = pcapng_time_ns(interface, packet->time_units);
    else
        input->has_timeless = true;
    *frame = (struct frame){.time_ns = input->last_time_ns,
                            .captured_size = packet->captured_size,
                            .original_size = packet->original_size > packet->captured_size
                                                 ? packet->original_size
                                                 : packet->captured_size,
                            .interface_id = interface->id,
                            .link_type = interface->link_type,
                            .fcs_size = interface->fcs_size,
                            .bytes = block->body + packet->head_size,
                            .process = {.name = NULL, .id = -1}};
    if (packet->drops && record > pcapng->noticed_records)
        count_drops(input, interface, packet->drops);
    size_t data_size = (packet->captured_size + (size_t)3) & ~(size_t)3;
    size_t used = packet->head_size + data_size;
    if (block->type != BLOCK_SIMPLE && block->body_size >= used + 4)
        read_packet_options(input, interface, block,
                            reader_over(block->body + used, block->body_size - used), record,
                            frame);
    input->window.begin += block->size;
    return true;
}

static bool is_packet(const struct block *block)
{
    return block->type == BLOCK_ENHANCED || block->type == BLOCK_SIMPLE ||
           block->type == BLOCK_PACKET;
}

/* A batch holds packets alone: what changes the state of the section is taken before its first
 * one, so that a batch can be read again from where it began. */
size_t pcapng_file_next(struct input *input, struct frame *frames, size_t max)
{
    struct pcapng_file *pcapng = &input->pcapng;
    struct packet_block packet;
    struct block block;
    size_t count = 0;
    while (count < max && block_at_front(input, pcapng->little, count == 0, &block)) {
        if (!is_packet(&block)) {
            if (count || !take_other(input, &block))
                break;
            continue;
        }
        if (!count) {
            input->batch_offset = window_offset(&input->window);
            input->batch_gap = input->number_gap;
        }
        if (!take_packet(input, &block, input->records + count + 1, &frames[count], &packet)) {
            if (!count)
                tell_packet(input, &packet);
            break;
        }
        frames[count++].number = input->number_gap;
        input->number_gap = 0;
    }
    if (input->records + count > pcapng->noticed_records)
        pcapng->noticed_records = input->records + count;
    return count;
}

size_t pcapng_file_take(struct input *input, struct frame *frames, size_t max)
{
    struct packet_block packet;
    struct block block;
    size_t count = 0;
    while (count < max && block_at_front(input, input->pcapng.little, false, &block)) {
        if (!is_packet(&block)) {
            if (count || !take_other(input, &block))
                break;
            continue;
        }
        if (!take_packet(input, &block, input->records + count + 1, &frames[count], &packet))
            break;
        frames[count++].number = input->number_gap;
        input->number_gap = 0;
    }
    return count;
}

bool pcapng_file_open(struct input *input)
{
    struct block block;
    input->facts.format = "pcapng";
    return block_at_front(input, true, true, &block) && take_other(input, &block);
}

void pcapng_file_close(struct input *input)
{
    free(input->pcapng.interfaces);
    free(input->pcapng.processes);
    input->pcapng.interfaces = NULL;
    input->pcapng.processes = NULL;
}
