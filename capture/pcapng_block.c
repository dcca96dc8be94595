/* Framing of pcapng blocks: lengths, byte order, padding, what to pass over.
 *
 * See pcapng_block.h. Deliberately stops at the first block that contradicts itself: with the
 * length lost there is no way to find the next one that is not a guess. */
#include "pcapng_block.h"

#include "input.h"

static bool is_interpreted(uint32_t type)
{
    static const uint32_t types[] = {BLOCK_SECTION,  BLOCK_INTERFACE,  BLOCK_PACKET, BLOCK_SIMPLE,
                                     BLOCK_ENHANCED, BLOCK_STATISTICS, BLOCK_PROCESS};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i] == type)
            return true;
    return false;
}

static void tell_length(struct input *input, unsigned long size)
{
    input_damage(
        input,
        "the block at byte %llu, before packet %llu, claims %lu bytes: the file is damaged "
        "from there on",
        (unsigned long long)window_offset(&input->window), (unsigned long long)input->records + 1,
        size);
}

static void tell_trailer(struct input *input, uint64_t offset, unsigned long first,
                         unsigned long last)
{
    input_damage(input,
                 "the block at byte %llu, before packet %llu, begins with length %lu and ends with "
                 "%lu: the file is damaged from there on",
                 (unsigned long long)offset, (unsigned long long)input->records + 1, first, last);
}

static void tell_zeros(struct input *input)
{
    input_damage(input,
                 "from byte %llu on, after packet %llu, there are only zeros: space that was never "
                 "written",
                 (unsigned long long)window_offset(&input->window),
                 (unsigned long long)input->records);
}

/* Wireshark lists these blocks among the packets, so that they take a frame number. */
static bool takes_a_number(uint32_t type)
{
    return type == BLOCK_CUSTOM || type == BLOCK_CUSTOM_FIXED || type == BLOCK_JOURNAL;
}

/* NRB, DSB, custom and unknown blocks: passed over without being kept. */
static bool pass_over(struct input *input, const struct block *block, uint32_t size)
{
    uint64_t padded = ((uint64_t)size + 3) & ~UINT64_C(3);
    struct window *window = &input->window;
    uint64_t offset = window_offset(window);
    if (size > BLOCK_SKIP_SIZE_MAX) {
        tell_length(input, size);
        return false;
    }
    if (!window_skip(window, padded - 4) || !window_fill(window, 4)) {
        const char *error = source_error(input->source);
        input->ended = true;
        if (!error && source_is_followed(input->source))
            return false; /* it is being written */
        input_damage(input, "the block at byte %llu, before packet %llu, is cut%s%s",
                     (unsigned long long)offset, (unsigned long long)input->records + 1,
                     error ? ": " : " by the end of the file", error ? error : "");
        return false;
    }
    uint32_t last = block_u32(block, window_at(window));
    if (last != size) {
        tell_trailer(input, offset, size, last);
        return false;
    }
    window->begin += 4;
    input->number_gap += takes_a_number(block->type);
    return true;
}

/* Reads the head of the block at the front. Where a section begins, the byte order does too. */
static bool read_head(const struct window *window, bool section_little, struct block *block,
                      uint32_t *size)
{
    const uint8_t *at = window_at(window);
    block->little = section_little;
    block->type = block_u32(block, at);
    if (block->type == BLOCK_SECTION) {
        block->little = load_u32_le(at + 8) == BYTE_ORDER_MAGIC;
        if (!block->little && load_u32(at + 8) != BYTE_ORDER_MAGIC)
            return false;
    }
    *size = block_u32(block, at + 4);
    return true;
}

/* The common case, and all that is done while frames of this batch point into the window. */
static bool stands_whole(const struct window *window, uint32_t size, struct block *block)
{
    uint64_t padded = ((uint64_t)size + 3) & ~UINT64_C(3); /* some writers forget to round up */
    if (size < BLOCK_OVERHEAD || size > BLOCK_READ_SIZE_MAX || window_left(window) < padded)
        return false;
    const uint8_t *at = window_at(window);
    block->size = (size_t)padded;
    block->body = at + 8;
    block->body_size = block->size - BLOCK_OVERHEAD;
    return block_u32(block, at + padded - 4) == size;
}

/* Brings in what is missing, or says why the block cannot be had. */
static bool complete(struct input *input, uint32_t size, struct block *block)
{
    uint64_t padded = ((uint64_t)size + 3) & ~UINT64_C(3);
    if (block->type == 0 && size == 0)
        tell_zeros(input);
    else if (size < BLOCK_OVERHEAD || size > BLOCK_READ_SIZE_MAX)
        tell_length(input, size);
    else if (!window_fill(&input->window, (size_t)padded))
        input_end(input, padded);
    else if (stands_whole(&input->window, size, block))
        return true;
    else
        tell_trailer(input, window_offset(&input->window), size,
                     block_u32(block, window_at(&input->window) + (size_t)padded - 4));
    return false;
}

/* Without moving anything, and with no damage to tell. */
static bool may_pass_over(const struct window *window, uint32_t size, struct block block)
{
    return stands_whole(window, size, &block);
}

bool block_at_front(struct input *input, bool section_little, bool may_move, struct block *block)
{
    struct window *window = &input->window;
    for (;;) {
        if (window_left(window) < BLOCK_OVERHEAD) {
            if (!may_move)
                return false;
            if (!window_fill(window, BLOCK_OVERHEAD)) {
                input_end(input, BLOCK_OVERHEAD);
                return false;
            }
        }
        uint32_t size = 0;
        bool has_order = read_head(window, section_little, block, &size);
        bool interpreted = is_interpreted(block->type);
        if (has_order && interpreted && stands_whole(window, size, block))
            return true;
        if (!may_move && (interpreted || !has_order || !may_pass_over(window, size, *block)))
            return false;
        if (!has_order) {
            input_damage(input, "the section at byte %llu has no valid byte-order mark",
                         (unsigned long long)window_offset(window));
            return false;
        }
        if (interpreted || size < BLOCK_OVERHEAD)
            return complete(input, size, block);
        if (!pass_over(input, block, size))
            return false;
    }
}

bool option_next(const struct block *block, struct reader *list, struct option *option)
{
    const uint8_t *head = reader_bytes(list, 4);
    if (!head)
        return false;
    option->code = block_u16(block, head);
    option->size = block_u16(block, head + 2);
    if (option->code == 0) /* opt_endofopt */
        return false;
    option->bytes = reader_bytes(list, option->size);
    size_t padding = -(size_t)option->size & 3;
    reader_skip(list, padding < reader_left(list) ? padding : reader_left(list));
    return option->bytes != NULL;
}
