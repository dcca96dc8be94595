/* Fixed-size items in large chunks, recycled last-in first-out so that memory stays warm.
 *
 * A page fault costs tens of microseconds, so memory is touched once and reused. Items are named
 * by a small integer (for compact tables) and by pointer; neither changes while the item is taken.
 * Bounded by `cap` items: at the cap pool_take returns NULL, and the caller decides what to give
 * up. Items are not cleared. */
#ifndef APNSCOPE_BASE_POOL_H
#define APNSCOPE_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

enum { POOL_CHUNK_ITEMS = 256 };
#define POOL_NONE UINT32_MAX

struct pool {
    size_t item_size; /* rounded up to 16 bytes */
    uint32_t cap;
    uint32_t taken;   /* items in use now */
    uint32_t touched; /* items ever handed out: [0, touched) have memory */
    uint32_t free_first;
    uint8_t **chunks;
    uint32_t chunk_count;
};

void pool_init(struct pool *pool, size_t item_size, uint32_t cap);
void pool_free(struct pool *pool);

/* A taken item and, when `id` is not NULL, its number; NULL at the cap. */
void *pool_take(struct pool *pool, uint32_t *id);
void pool_give(struct pool *pool, uint32_t id);

static inline void *pool_at(const struct pool *pool, uint32_t id)
{
    return pool->chunks[id / POOL_CHUNK_ITEMS] + (size_t)(id % POOL_CHUNK_ITEMS) * pool->item_size;
}

#endif
