/* Recent packets of sessions, in bounded memory.
 *
 * Private to feed/. Of each session the first packets are kept, which say how it began, and the
 * latest ones; no session takes more than its share. Where room is short the session that was
 * silent longest goes, but those that nobody answered never take more than half, so that a flood of
 * SYNs does not push out what works. */
#ifndef APNSCOPE_FEED_RING_H
#define APNSCOPE_FEED_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "model/frame.h"

enum {
    RING_SIZE = 64 << 20,
    RING_HEAD_MAX = 16 << 10, /* bytes of a session's first packets */
    RING_TAIL_MAX = 80 << 10, /* of its latest; a frame of more than that is left out */
    RING_SESSIONS_MAX = 32768
};

/* Both ends, in a fixed order; ports 0 for fragments. Without holes. */
struct ring_key {
    struct address end[2];
    uint16_t port[2];
};

/* `is_swapped`: the given source became end[1]. */
struct ring_key ring_key_of(const struct address *source, uint16_t source_port,
                            const struct address *destination, uint16_t destination_port,
                            bool *is_swapped);

struct ring_session {
    struct ring_key key;
    int64_t first_ns, last_ns;
    uint64_t first_frame, last_frame;
    uint32_t size; /* bytes kept */
};

struct ring;

struct ring *ring_new(size_t size);
void ring_free(struct ring *ring); /* NULL is fine */

/* Keeps a copy of the frame; `side` is the end that sent it. */
void ring_take(struct ring *ring, const struct ring_key *key, unsigned side,
               const struct frame *frame);

/* Every session, in no order; the number names it until the next ring_take. */
void ring_each(const struct ring *ring, void *context,
               void (*each)(void *context, uint32_t number, const struct ring_session *session));

/* Where a kept frame is. */
struct ring_place {
    uint64_t frame;
    uint32_t block;
    uint32_t offset;
};
/* Every frame of a session, oldest first. */
void ring_frames(const struct ring *ring, uint32_t number, void *context,
                 void (*each)(void *context, const struct ring_place *place));
/* The frame with its bytes, copied into *buffer, which grows as needed (free it). */
struct frame ring_read(const struct ring *ring, const struct ring_place *place, uint8_t **buffer,
                       size_t *buffer_size);

#endif
