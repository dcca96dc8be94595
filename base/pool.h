/* Fixed-size items in one range of addresses, recycled last-in first-out so that memory stays warm.
 *
 * A page fault costs up to tens of microseconds, so memory is touched once and reused; a look-up in
 * a large pool misses the cache and, with small pages, the processor's table of pages as well, so
 * what goes beyond the first 2 MiB is asked for in large pages. Items are named by a small integer
 * (for compact tables) and by pointer; neither changes while the item is taken. Bounded by `cap`
 * items: at the cap pool_take returns NULL, and the caller decides what to give up. Items are not
 * cleared. */
#ifndef APNSCOPE_BASE_POOL_H
#define APNSCOPE_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_NONE UINT32_MAX

struct pool {
    size_t item_size; /* rounded up to 16 bytes */
    uint32_t cap;
    uint32_t taken;   /* items in use now */
    uint32_t touched; /* items ever handed out: [0, touched) have memory */
    uint32_t free_first;
    void *range;    /* the addresses set aside */
    uint8_t *items; /* in it; NULL: none was ever taken */
    size_t usable;  /* bytes at `items` that have memory, or will have it when touched */
};

void pool_init(struct pool *pool, size_t item_size, uint32_t cap);
void pool_free(struct pool *pool);

/* A taken item and, when `id` is not NULL, its number; NULL at the cap. */
void *pool_take(struct pool *pool, uint32_t *id);
void pool_give(struct pool *pool, uint32_t id);

/* Makes `into`, of the same item size, hold the same items under the same numbers; false: no memory,
 * or a lower cap. Memory that it has is used again. */
bool pool_copy(struct pool *into, const struct pool *from);

static inline void *pool_at(const struct pool *pool, uint32_t id)
{
    return pool->items + (size_t)id * pool->item_size;
}

#endif
