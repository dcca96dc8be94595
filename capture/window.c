/* The reused buffer: moving the rest to the front, reading on, growing for a large record.
 *
 * See window.h. Deliberately not a ring: a record must stand in one piece. */
#include "window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void window_init(struct window *window, struct source *source, size_t size, uint64_t offset)
{
    *window = (struct window){.source = source, .size = size, .offset = offset};
    window->bytes = malloc(size);
    assert(window->bytes);
}

void window_free(struct window *window)
{
    free(window->bytes);
    window->bytes = NULL;
    window->begin = window->end = window->size = 0;
}

static void move_to_front(struct window *window)
{
    size_t left = window_left(window);
    if (window->begin && left)
        memmove(window->bytes, window->bytes + window->begin, left);
    window->offset += window->begin;
    window->begin = 0;
    window->end = left;
}

static void grow(struct window *window, size_t need)
{
    assert(need <= WINDOW_GROWN_MAX);
    while (window->size < need)
        window->size *= 2;
    window->bytes = realloc(window->bytes, window->size);
    assert(window->bytes);
}

bool window_fill(struct window *window, size_t need)
{
    if (window_left(window) >= need)
        return true;
    move_to_front(window);
    if (window->size < need)
        grow(window, need);
    while (window->end < need) {
        size_t got =
            source_read(window->source, window->bytes + window->end, window->size - window->end);
        if (!got)
            return false;
        window->end += got;
    }
    return true;
}

bool window_skip(struct window *window, uint64_t count)
{
    while (count > window_left(window)) {
        count -= window_left(window);
        window->begin = window->end;
        if (!window_fill(window, 1))
            return false;
    }
    window->begin += (size_t)count;
    return true;
}
