/* The part of a capture's bytes that is in memory: one buffer, reused for the whole file.
 *
 * Between source.h and the readers of pcap and pcapng. Frames point into the buffer; a record
 * that straddles its end is moved to the front and completed. Nothing moves but in window_fill and
 * window_skip, so frames stay valid until one of them is called. Deliberately knows no format. */
#ifndef APNSCOPE_CAPTURE_WINDOW_H
#define APNSCOPE_CAPTURE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

enum {
    WINDOW_SIZE_MAX = 512 << 10, /* stays in a level-2 cache or close to it */
    WINDOW_SIZE_MIN = 16 << 10,
    WINDOW_GROWN_MAX = 2 << 20 /* the largest record that a format may ask for */
};

struct window {
    struct source *source;
    uint8_t *bytes;
    size_t size;
    size_t begin; /* unread bytes are [begin, end) */
    size_t end;
    uint64_t offset; /* of bytes[0] in the (decompressed) file */
};

void window_init(struct window *window, struct source *source, size_t size, uint64_t offset);
void window_free(struct window *window);

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
