/* Fixed-size items in chunks that never move.
 *
 * Base of everything. A given item's first bytes hold the number of the one given before it: the
 * free list costs nothing and hands out the warmest memory first. Deliberately never returns a
 * chunk to the system before pool_free. */
#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_ALIGNMENT = 16, CHUNK_ALIGNMENT = 64 };

void pool_init(struct pool *pool, size_t item_size, uint32_t cap)
{
    assert(item_size > 0 && cap > 0 && cap < POOL_NONE - POOL_CHUNK_ITEMS);
    uint32_t chunks = (cap + POOL_CHUNK_ITEMS - 1) / POOL_CHUNK_ITEMS;
    *pool = (struct pool){
        .item_size = (item_size + ITEM_ALIGNMENT - 1) / ITEM_ALIGNMENT * ITEM_ALIGNMENT,
        .cap = cap,
        .free_first = POOL_NONE,
        .chunks = calloc(chunks, sizeof(uint8_t *)),
    };
    assert(pool->chunks);
}

void pool_free(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->chunk_count; i++)
        free(pool->chunks[i]);
    free(pool->chunks);
    *pool = (struct pool){.free_first = POOL_NONE};
}

/* The number of an item that was never handed out, or POOL_NONE at the cap or without memory. */
static uint32_t touch_next(struct pool *pool)
{
    if (pool->touched == pool->cap)
        return POOL_NONE;
    if (pool->touched == pool->chunk_count * POOL_CHUNK_ITEMS) {
        uint8_t *chunk = aligned_alloc(CHUNK_ALIGNMENT, POOL_CHUNK_ITEMS * pool->item_size);
        if (!chunk)
            return POOL_NONE;
        pool->chunks[pool->chunk_count++] = chunk;
    }
    return pool->touched++;
}

void *pool_take(struct pool *pool, uint32_t *id)
{
    uint32_t taken = pool->free_first;
    if (taken != POOL_NONE)
        memcpy(&pool->free_first, pool_at(pool, taken), sizeof pool->free_first);
    else
        taken = touch_next(pool);
    if (taken == POOL_NONE)
        return NULL;
    pool->taken++;
    if (id)
        *id = taken;
    return pool_at(pool, taken);
}

void pool_give(struct pool *pool, uint32_t id)
{
    assert(id < pool->touched && pool->taken > 0);
    memcpy(pool_at(pool, id), &pool->free_first, sizeof pool->free_first);
    pool->free_first = id;
    pool->taken--;
}
