/* An open-addressed table from a hash to an item number (usually of a pool).
 *
 * Each slot is eight bytes: the upper half of the hash as a tag, and the number. A look-up touches
 * one cache line in the common case and compares keys only where tags agree. Linear probing with
 * backward-shift deletion: no tombstones, so a flood leaves no scar. The table holds no keys:
 * the caller's `same` function looks at the item. Deliberately not thread-safe. */
#ifndef APNSCOPE_BASE_TABLE_H
#define APNSCOPE_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_NONE UINT32_MAX

struct table_slot {
    uint32_t tag;  /* the upper half of the hash, lowest bit set; 0 = empty slot */
    uint32_t item;
};

struct table {
    struct table_slot *slots;
    uint32_t mask;  /* slot count - 1; a power of two */
    uint32_t count; /* grows at three quarters full */
};

typedef bool (*table_same)(const void *context, uint32_t item, const void *key);

void table_init(struct table *table, uint32_t expected_items);
void table_free(struct table *table);
void table_insert(struct table *table, uint64_t hash, uint32_t item); /* the key is not yet in */
void table_remove(struct table *table, uint64_t hash, uint32_t item); /* the pair is in */

void table_copy(struct table *into, const struct table *from); /* into holds the same pairs */

static inline uint32_t table_tag(uint64_t hash)
{
    return (uint32_t)(hash >> 32) | 1u;
}

/* The home slot follows from the tag alone, so that growing and shifting need no key. */
static inline uint32_t table_home(const struct table *table, uint32_t tag)
{
    return (tag >> 1) & table->mask;
}

static inline void table_prefetch(const struct table *table, uint64_t hash)
{
    __builtin_prefetch(&table->slots[table_home(table, table_tag(hash))]);
}

/* The item that a look-up will most likely find, without looking at it: for prefetching. */
static inline uint32_t table_guess(const struct table *table, uint64_t hash)
{
    uint32_t tag = table_tag(hash);
    uint32_t i = table_home(table, tag);
    for (; table->slots[i].tag; i = (i + 1) & table->mask)
        if (table->slots[i].tag == tag)
            return table->slots[i].item;
    return TABLE_NONE;
}

static inline uint32_t table_find(const struct table *table, uint64_t hash, table_same same,
                                  const void *context, const void *key)
{
    uint32_t tag = table_tag(hash);
    uint32_t i = table_home(table, tag);
    for (; table->slots[i].tag; i = (i + 1) & table->mask)
        if (table->slots[i].tag == tag && same(context, table->slots[i].item, key))
            return table->slots[i].item;
    return TABLE_NONE;
}

/* A keyed 64-bit mix of `size` bytes; the same seed gives the same hash on every machine. */
uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed);

#endif
