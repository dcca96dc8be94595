/* The part of a capture's bytes that is in memory: one buffer, reused for the whole file, or the
 * blocks of a ring that a second thread fills.
 *
 * Between source.h, read_ahead.h and the readers of pcap and pcapng. Frames point into the bytes; a
 * record that straddles their end is moved in front of what follows it. Nothing moves but in
 * window_fill and window_skip, so frames stay valid until one of them is called. Deliberately knows
 * no format. */
#ifndef APNSCOPE_CAPTURE_WINDOW_H
#define APNSCOPE_CAPTURE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "read_ahead.h"
#include "source.h"

enum {
    WINDOW_SIZE_MAX = 512 << 10, /* stays in a level-2 cache or close to it */
    WINDOW_SIZE_MIN = 16 << 10,
    WINDOW_GROWN_MAX = 2 << 20 /* the largest record that a format may ask for */
};

struct window {
    struct source *source;
    struct read_ahead *ahead; /* NULL: the source is read directly */
    uint8_t *own;
    size_t own_size;
    uint8_t *bytes; /* `own`, or in a block of `ahead` */
    size_t begin;   /* unread bytes are [begin, end) */
    size_t end;
    uint64_t offset; /* of bytes[0] in the (decompressed) file */
};

void window_init(struct window *window, struct source *source, size_t size, uint64_t offset);
void window_free(struct window *window);

/* From now on by blocks, about `size` bytes ahead. The source is the window's until it is read to
 * its end, or window_free. */
void window_read_ahead(struct window *window, struct fetcher *fetcher, size_t size);
/* Unread bytes go right in front of `block`, where there must be room for them, and the window goes
 * on with it. For parts.c, which reads blocks itself. */
void window_go_on(struct window *window, uint8_t *block, size_t size);
/* Unread bytes go into the window's own buffer: the block may be used for something else. */
void window_keep_rest(struct window *window);
/* Stored bytes read for what was in the window so far. */
uint64_t window_stored_read(const struct window *window);

/* Makes at least `need` (<= WINDOW_GROWN_MAX) unread bytes stand in one piece, reading and growing
 * as needed. False: the file has no more; what is left stays. */
bool window_fill(struct window *window, size_t need);

/* Passes over `count` bytes without keeping them. False: the file ended before. */
bool window_skip(struct window *window, uint64_t count);

static inline size_t window_left(const struct window *window)
{
    return window->end - window->begin;
}

static inline const uint8_t *window_at(const struct window *window)
{
    return window->bytes + window->begin;
}

/* Where the next unread byte is in the (decompressed) file. */
static inline uint64_t window_offset(const struct window *window)
{
    return window->offset + window->begin;
}

#endif
