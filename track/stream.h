/* The first bytes of one direction of a TCP stream, in order.
 *
 * Segments come as captured: split, reordered, overlapping, retransmitted. What continues the
 * stream is handed on at once without a copy; what is ahead waits in a few recycled blocks. Bytes
 * are delivered once, and where copies of a byte differ the first captured one counts. Bounded
 * per stream and in all: beyond the bound, or when bytes are known to be missing, the stream is
 * `broken` and gives nothing more. */
#ifndef APNSCOPE_TRACK_STREAM_H
#define APNSCOPE_TRACK_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"

enum {
    STREAM_BLOCK_SIZE = 1536,  /* payload bytes of a waiting block: one full segment */
    STREAM_BLOCKS_MAX = 48,    /* of one stream: a 64 KiB merged segment fits */
    STREAM_BLOCKS_CAP = 8192   /* of all streams: 12 MiB */
};

struct stream {
    uint32_t next;        /* sequence number of the next byte to hand on */
    uint32_t first_block; /* waiting blocks by sequence number; POOL_NONE: none */
    uint8_t block_count;
    bool known;           /* `next` is set */
    bool broken;
};

typedef void (*stream_sink)(void *context, const uint8_t *bytes, uint32_t size);

void stream_blocks_init(struct pool *blocks);

struct stream stream_fresh(void);
/* Where the stream starts: the SYN's sequence number plus one. */
void stream_start(struct stream *stream, uint32_t sequence);

/* Takes a segment's payload; `wire_size` may exceed `size` when the snap length cut it: the stream
 * is then broken after the captured part. */
void stream_take(struct stream *stream, struct pool *blocks, uint32_t sequence,
                 const uint8_t *bytes, uint32_t size, uint32_t wire_size, stream_sink sink,
                 void *context);

/* Bytes are known to be missing from the capture: nothing more can be read in order. */
void stream_break(struct stream *stream, struct pool *blocks);

/* Gives waiting blocks back. */
void stream_close(struct stream *stream, struct pool *blocks);

#endif
