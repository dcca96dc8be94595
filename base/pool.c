/* Fixed-size items in a range of addresses that is set aside whole and made usable bit by bit.
 *
 * Base of everything. A given item's first bytes hold the number of the one given before it: the
 * free list costs nothing and hands out the warmest memory first. Deliberately never returns memory
 * to the system before pool_free. */
#include "base/pool.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

enum { ITEM_ALIGNMENT = 16, GROWTH_MIN = 64 << 10, LARGE_PAGE_SIZE = 2 << 20 };

static size_t rounded_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

void pool_init(struct pool *pool, size_t item_size, uint32_t cap)
{
    assert(item_size > 0 && cap > 0 && cap < POOL_NONE);
    *pool = (struct pool){
        .item_size = rounded_up(item_size, ITEM_ALIGNMENT), .cap = cap, .free_first = POOL_NONE};
}

/* Of addresses; a large page more than items need, so that they can begin at one. */
static size_t reserved_size(const struct pool *pool)
{
    return rounded_up(pool->cap * pool->item_size, LARGE_PAGE_SIZE) + LARGE_PAGE_SIZE;
}

void pool_free(struct pool *pool)
{
    if (pool->items)
        munmap(pool->range, reserved_size(pool));
    *pool = (struct pool){.free_first = POOL_NONE};
}

/* Addresses alone: what cannot be read or written counts nowhere as memory in use. */
static bool reserve(struct pool *pool)
{
    void *range = mmap(NULL, reserved_size(pool), PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED)
        return false;
    uintptr_t begin = rounded_up((uintptr_t)range, LARGE_PAGE_SIZE);
    pool->range = range;
    pool->items = (uint8_t *)range + (begin - (uintptr_t)range);
    return true;
}

/* Twice as much, by a large page at most. Small pools do without large pages, which come whole. */
static size_t next_usable(size_t usable)
{
    if (usable == 0)
        return GROWTH_MIN;
    return usable + (usable < LARGE_PAGE_SIZE ? usable : LARGE_PAGE_SIZE);
}

static bool make_usable(struct pool *pool, size_t needed)
{
    size_t usable = pool->usable;
    while (usable < needed)
        usable = next_usable(usable);
    if (mprotect(pool->items + pool->usable, usable - pool->usable, PROT_READ | PROT_WRITE) != 0)
        return false;
    if (pool->usable < LARGE_PAGE_SIZE && usable >= LARGE_PAGE_SIZE)
        (void)madvise(pool->items + LARGE_PAGE_SIZE,
                      reserved_size(pool) - 2 * (size_t)LARGE_PAGE_SIZE, MADV_HUGEPAGE);
    pool->usable = usable;
    return true;
}

/* The number of an item that was never handed out, or POOL_NONE at the cap or without memory. */
static uint32_t touch_next(struct pool *pool)
{
    size_t needed = ((size_t)pool->touched + 1) * pool->item_size;
    if (pool->touched == pool->cap || (!pool->items && !reserve(pool)))
        return POOL_NONE;
    if (needed > pool->usable && !make_usable(pool, needed))
        return POOL_NONE;
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

bool pool_copy(struct pool *into, const struct pool *from)
{
    assert(into->item_size == from->item_size);
    while (into->touched < from->touched)
        if (touch_next(into) == POOL_NONE)
            return false;
    for (uint32_t id = 0; id < from->touched; id++)
        memcpy(pool_at(into, id), pool_at(from, id), from->item_size);
    into->touched = from->touched;
    into->taken = from->taken;
    into->free_first = from->free_first;
    return true;
}
