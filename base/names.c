/* Names kept once: an arena of chunks that never move, and a table to find equal names.
 *
 * Base of everything. A returned pointer may be read by any thread: later names are written to
 * other bytes of the arena, and the table and list that do move are looked at by the keeping
 * thread alone. Deliberately never forgets a single name: all go together, with names_free. */
#include "base/names.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"

/* CHUNK_SIZE: a few pages, so that a small run stays small. BOOKKEEPING_SIZE is charged to the cap
 * for each name: its pointer and length, and its share of a table that is half full on average. */
enum { CHUNK_SIZE = 65536, BOOKKEEPING_SIZE = 32 };

struct chunk {
    struct chunk *next;
    size_t size;
    size_t used;
    char bytes[];
};

struct kept_name {
    const char *string;
    size_t length;
};

struct names {
    struct chunk *chunks; /* the one being filled first */
    struct kept_name *kept;
    uint32_t kept_count;
    uint32_t kept_room;
    struct table table;
    size_t cap_bytes;
    size_t charged_bytes;
    uint64_t refused;
};

struct names *names_new(size_t cap_bytes)
{
    struct names *names = calloc(1, sizeof *names);
    assert(names);
    names->cap_bytes = cap_bytes;
    table_init(&names->table, 64);
    return names;
}

void names_free(struct names *names)
{
    if (!names)
        return;
    for (struct chunk *chunk = names->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    table_free(&names->table);
    free(names->kept);
    free(names);
}

static bool same_name(const void *context, uint32_t item, const void *key)
{
    const struct kept_name *kept = &((const struct names *)context)->kept[item];
    const struct kept_name *wanted = key;
    return kept->length == wanted->length &&
           memcmp(kept->string, wanted->string, wanted->length) == 0;
}

/* A chunk with room for `size` more bytes; NULL when there is no memory. */
static struct chunk *chunk_with_room(struct names *names, size_t size)
{
    if (names->chunks && names->chunks->size - names->chunks->used >= size)
        return names->chunks;
    size_t chunk_size = size > CHUNK_SIZE ? size : CHUNK_SIZE;
    struct chunk *chunk = malloc(sizeof *chunk + chunk_size);
    if (!chunk)
        return NULL;
    *chunk = (struct chunk){.next = names->chunks, .size = chunk_size};
    names->chunks = chunk;
    return chunk;
}

static bool make_room_in_list(struct names *names)
{
    if (names->kept_count < names->kept_room)
        return true;
    uint32_t room = names->kept_room ? names->kept_room * 2 : 64;
    struct kept_name *kept = realloc(names->kept, room * sizeof *kept);
    if (!kept)
        return false;
    names->kept = kept;
    names->kept_room = room;
    return true;
}

/* The name's own copy, charged to the cap; NULL when the cap is reached. */
static const char *keep_new(struct names *names, const struct kept_name *name, uint64_t hash)
{
    size_t charge = name->length + 1 + BOOKKEEPING_SIZE;
    if (name->length >= names->cap_bytes || names->cap_bytes - names->charged_bytes < charge)
        return NULL;
    struct chunk *chunk = chunk_with_room(names, name->length + 1);
    if (!chunk || !make_room_in_list(names))
        return NULL;
    char *copy = chunk->bytes + chunk->used;
    memcpy(copy, name->string, name->length);
    copy[name->length] = '\0';
    chunk->used += name->length + 1;
    names->charged_bytes += charge;
    names->kept[names->kept_count] = (struct kept_name){copy, name->length};
    table_insert(&names->table, hash, names->kept_count++);
    return copy;
}

const char *names_keep_bytes(struct names *names, const char *bytes, size_t length)
{
    struct kept_name name = {bytes, strnlen(bytes, length)};
    uint64_t hash = hash_bytes(name.string, name.length, 0);
    uint32_t item = table_find(&names->table, hash, same_name, names, &name);
    if (item != TABLE_NONE)
        return names->kept[item].string;
    const char *copy = keep_new(names, &name, hash);
    if (!copy)
        names->refused++;
    return copy;
}

const char *names_keep(struct names *names, const char *string)
{
    return names_keep_bytes(names, string, strlen(string));
}

uint64_t names_refused(const struct names *names)
{
    return names->refused;
}
