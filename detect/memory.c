/* What a rule remembers: a pool of states and a table from number to state.
 *
 * Serves the engine only. Deliberately does not know what a state means or whose it is. */
#include "memory.h"

#include <string.h>

struct item {
    uint64_t key;
    uint64_t is_kept;
    /* the state follows, aligned to 16 bytes */
};

enum { MEMORY_SEED = 0x6d656d };

static uint64_t key_hash(uint64_t key)
{
    return hash_bytes(&key, sizeof key, MEMORY_SEED);
}

static bool item_has_key(const void *context, uint32_t id, const void *key)
{
    const struct memory *memory = context;
    const struct item *item = pool_at(&memory->pool, id);
    const uint64_t *wanted = key;
    return item->key == *wanted;
}

static uint32_t item_find(const struct memory *memory, uint64_t key)
{
    return table_find(&memory->table, key_hash(key), item_has_key, memory, &key);
}

void memory_init(struct memory *memory, size_t state_size, uint32_t cap)
{
    *memory = (struct memory){.state_size = state_size};
    pool_init(&memory->pool, sizeof(struct item) + state_size, cap);
    table_init(&memory->table, 16);
}

void memory_free(struct memory *memory)
{
    table_free(&memory->table);
    pool_free(&memory->pool);
}

void *memory_find(const struct memory *memory, uint64_t key)
{
    if (memory_is_empty(memory))
        return NULL;
    uint32_t id = item_find(memory, key);
    return id == TABLE_NONE ? NULL : (struct item *)pool_at(&memory->pool, id) + 1;
}

void memory_keep(struct memory *memory, uint64_t key, const void *state)
{
    uint32_t id;
    struct item *item = pool_take(&memory->pool, &id);
    if (!item) {
        memory->refused++;
        return;
    }
    *item = (struct item){.key = key, .is_kept = true};
    memcpy(item + 1, state, memory->state_size);
    table_insert(&memory->table, key_hash(key), id);
}

void memory_forget(struct memory *memory, uint64_t key)
{
    if (memory_is_empty(memory))
        return;
    uint32_t id = item_find(memory, key);
    if (id == TABLE_NONE)
        return;
    table_remove(&memory->table, key_hash(key), id);
    ((struct item *)pool_at(&memory->pool, id))->is_kept = false;
    pool_give(&memory->pool, id);
}

void *memory_next(const struct memory *memory, uint32_t *place, uint64_t *key)
{
    while (*place < memory->pool.touched) {
        struct item *item = pool_at(&memory->pool, (*place)++);
        if (item->is_kept) {
            *key = item->key;
            return item + 1;
        }
    }
    return NULL;
}
