/* What a rule remembers of one flow or device, found by a number; part of the engine.
 *
 * An item exists only once a rule left something other than zeros in its state, so that a healthy
 * network costs one comparison. Bounded: at the cap new states are refused and counted. */
#ifndef APNSCOPE_DETECT_MEMORY_H
#define APNSCOPE_DETECT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/table.h"

struct memory {
    struct pool pool;
    struct table table;
    size_t state_size; /* 0: the rule remembers nothing */
    uint64_t refused;
};

void memory_init(struct memory *memory, size_t state_size, uint32_t cap);
void memory_free(struct memory *memory);

static inline bool memory_is_empty(const struct memory *memory)
{
    return memory->table.count == 0;
}

void *memory_find(const struct memory *memory, uint64_t key); /* NULL: nothing remembered */
void memory_keep(struct memory *memory, uint64_t key, const void *state); /* not yet in */
void memory_forget(struct memory *memory, uint64_t key);

/* Walks the kept states in the order of their places: start with *place = 0; NULL at the end. */
void *memory_next(const struct memory *memory, uint32_t *place, uint64_t *key);

#endif
