/* The open-addressed table's slower half (insert, remove, grow) and the hash.
 *
 * Base of everything. Deliberately never shrinks: a table that was once large will be again. */
#include "base/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SLOTS_MIN = 16 };

static uint32_t slots_for(uint32_t items)
{
    uint64_t slots = SLOTS_MIN;
    while (slots / 4 * 3 < items)
        slots *= 2;
    assert(slots <= UINT64_C(1) << 31); /* the home comes from 31 bits of tag */
    return (uint32_t)slots;
}

/* A look-up in a large table misses the cache and, with small pages, the processor's table of pages
 * as well. */
static struct table_slot *cleared_slots(size_t count)
{
    enum { LARGE_PAGE_SIZE = 2 << 20 };
    size_t size = count * sizeof(struct table_slot);
    if (size < LARGE_PAGE_SIZE / 2)
        return calloc(count, sizeof(struct table_slot));
    size = (size + LARGE_PAGE_SIZE - 1) / LARGE_PAGE_SIZE * LARGE_PAGE_SIZE;
    struct table_slot *slots = aligned_alloc(LARGE_PAGE_SIZE, size);
    if (!slots)
        return NULL;
    (void)madvise(slots, size, MADV_HUGEPAGE);
    return memset(slots, 0, count * sizeof *slots);
}

void table_init(struct table *table, uint32_t expected_items)
{
    uint32_t slots = slots_for(expected_items);
    *table = (struct table){.slots = cleared_slots(slots), .mask = slots - 1};
    assert(table->slots);
}

void table_free(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}

static void place(struct table *table, struct table_slot slot)
{
    uint32_t i = table_home(table, slot.tag);
    while (table->slots[i].tag)
        i = (i + 1) & table->mask;
    table->slots[i] = slot;
}

/* Twice the slots. Without memory for them the table stays as it is: fuller and slower. */
static void grow(struct table *table)
{
    struct table larger = {.mask = table->mask * 2 + 1, .count = table->count};
    if (larger.mask >= UINT32_MAX / 2 + 1u)
        return;
    larger.slots = cleared_slots((size_t)larger.mask + 1);
    if (!larger.slots)
        return;
    for (uint32_t i = 0; i <= table->mask; i++)
        if (table->slots[i].tag)
            place(&larger, table->slots[i]);
    free(table->slots);
    *table = larger;
}

void table_insert(struct table *table, uint64_t hash, uint32_t item)
{
    if (table->count >= (table->mask + 1) / 4 * 3)
        grow(table);
    assert(table->count < table->mask); /* one slot stays empty, or a look-up would never end */
    place(table, (struct table_slot){table_tag(hash), item});
    table->count++;
}

void table_remove(struct table *table, uint64_t hash, uint32_t item)
{
    struct table_slot wanted = {table_tag(hash), item};
    uint32_t hole = table_home(table, wanted.tag);
    while (table->slots[hole].tag != wanted.tag || table->slots[hole].item != item) {
        assert(table->slots[hole].tag);
        hole = (hole + 1) & table->mask;
    }
    /* Backward shift: a later slot of the run moves into the hole unless its home lies between. */
    for (uint32_t i = (hole + 1) & table->mask; table->slots[i].tag; i = (i + 1) & table->mask) {
        uint32_t home = table_home(table, table->slots[i].tag);
        if (((i - home) & table->mask) >= ((i - hole) & table->mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole] = (struct table_slot){0, 0};
    table->count--;
}

void table_copy(struct table *into, const struct table *from)
{
    size_t size = ((size_t)from->mask + 1) * sizeof *from->slots;
    if (into->mask != from->mask) {
        free(into->slots);
        into->slots = malloc(size);
        assert(into->slots);
    }
    memcpy(into->slots, from->slots, size);
    into->mask = from->mask;
    into->count = from->count;
}

/* The hash multiplies two 64-bit words into 128 bits and folds the halves together: the family of
 * wyhash. Words are read little-endian, so that a hash is the same on every machine. Keyed against
 * crafted collisions only as far as the seed is secret. */
#define SECRET_0 UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio: odd, bits well spread */
#define SECRET_1 UINT64_C(0xd1b54a32d192ed03)
#define SECRET_2 UINT64_C(0x8cb92ba72f3d8dd7)

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The last 0 to 16 bytes as two words. From 8 bytes on the words overlap instead of looping. */
static inline void tail_words(const uint8_t *bytes, size_t size, uint64_t *a, uint64_t *b)
{
    *a = *b = 0;
    if (size >= 8) {
        *a = word_at(bytes);
        *b = word_at(bytes + size - 8);
        return;
    }
    for (size_t i = 0; i < size; i++)
        *a |= (uint64_t)bytes[i] << (8 * i);
}

uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed)
{
    const uint8_t *at = bytes;
    uint64_t state = seed ^ fold(seed ^ SECRET_0, SECRET_1);
    uint64_t a;
    uint64_t b;
    size_t left = size;
    for (; left > 16; left -= 16, at += 16)
        state = fold(word_at(at) ^ SECRET_1, word_at(at + 8) ^ state);
    tail_words(at, left, &a, &b);
    state = fold(a ^ SECRET_1, b ^ state);
    return fold(state ^ SECRET_2, SECRET_0 ^ size);
}
