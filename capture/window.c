/* Moving what is left of a record in front of what follows it, reading on, growing for a large one.
 *
 * See window.h. Deliberately never lets a record stand in two pieces. */
#include "window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void window_init(struct window *window, struct source *source, size_t size, uint64_t offset)
{
    *window = (struct window){.source = source, .own_size = size, .offset = offset};
    window->own = window->bytes = malloc(size);
    assert(window->own);
}

void window_free(struct window *window)
{
    if (window->ahead)
        read_ahead_end(window->ahead);
    free(window->own);
    *window = (struct window){.source = window->source};
}

void window_read_ahead(struct window *window, struct fetcher *fetcher, size_t size)
{
    window->ahead = read_ahead_begin(fetcher, window->source, size);
}

uint64_t window_stored_read(const struct window *window)
{
    return window->ahead ? read_ahead_stored(window->ahead) : source_stored_read(window->source);
}

static uint8_t *buffer_for(struct window *window, size_t need)
{
    if (need <= window->own_size)
        return window->own;
    while (window->own_size < need)
        window->own_size *= 2;
    uint8_t *larger = malloc(window->own_size);
    assert(larger);
    return larger;
}

/* Unread bytes go to the front of the window's own buffer, with room for `room` more. */
static void move_to_own(struct window *window, size_t room)
{
    size_t left = window_left(window);
    uint8_t *buffer = buffer_for(window, left + room);
    memmove(buffer, window_at(window), left);
    if (buffer != window->own) {
        free(window->own);
        window->own = buffer;
    }
    window->offset += window->begin;
    window->bytes = window->own;
    window->begin = 0;
    window->end = left;
}

void window_go_on(struct window *window, uint8_t *block, size_t size)
{
    size_t left = window_left(window);
    memcpy(block - left, window_at(window), left);
    window->offset += window->begin;
    window->bytes = block - left;
    window->begin = 0;
    window->end = left + size;
}

void window_keep_rest(struct window *window)
{
    move_to_own(window, 0);
}

/* The ring has ended, and may be given back once nothing in it is needed. */
static void read_directly(struct window *window)
{
    window_keep_rest(window);
    read_ahead_end(window->ahead);
    window->ahead = NULL;
}

/* What is left goes in front of the next block. Where it is too much for that, both go into the
 * window's own buffer. */
static void take_block(struct window *window, uint8_t *block, size_t size)
{
    if (window_left(window) <= read_ahead_room(window->ahead)) {
        window_go_on(window, block, size);
        return;
    }
    move_to_own(window, size);
    memcpy(window->own + window->end, block, size);
    window->end += size;
}

static bool fill_directly(struct window *window, size_t need)
{
    move_to_own(window, need - window_left(window));
    while (window->end < need) {
        size_t got =
            source_read(window->source, window->own + window->end, window->own_size - window->end);
        if (!got)
            return false;
        window->end += got;
    }
    return true;
}

bool window_fill(struct window *window, size_t need)
{
    assert(need <= WINDOW_GROWN_MAX);
    while (window->ahead && window_left(window) < need) {
        uint8_t *block;
        size_t size = read_ahead_next(window->ahead, &block);
        if (size)
            take_block(window, block, size);
        else
            read_directly(window);
    }
    return window_left(window) >= need || fill_directly(window, need);
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
