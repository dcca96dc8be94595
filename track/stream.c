/* The first bytes of one direction of a TCP stream, in order (RFC 9293 section 3.4).
 *
 * Feeds track/conversation.c, which has TLS and HTTP heads read from it. Does not count
 * retransmissions (track/sequence.c does) and does not keep what it has handed on. */
#include "stream.h"

#include <assert.h>
#include <string.h>

#include "sequence.h"

struct block {
    uint32_t sequence;
    uint32_t next_block;
    uint16_t size;
    bool cut_after; /* the capture lacks the bytes that follow */
    uint8_t bytes[STREAM_BLOCK_SIZE];
};

void stream_blocks_init(struct pool *blocks)
{
    pool_init(blocks, sizeof(struct block), STREAM_BLOCKS_CAP);
}

struct stream stream_fresh(void)
{
    return (struct stream){.first_block = POOL_NONE};
}

void stream_start(struct stream *stream, uint32_t sequence)
{
    if (!stream->known) {
        stream->next = sequence;
        stream->known = true;
    }
}

void stream_close(struct stream *stream, struct pool *blocks)
{
    while (stream->first_block != POOL_NONE) {
        uint32_t id = stream->first_block;
        stream->first_block = ((struct block *)pool_at(blocks, id))->next_block;
        pool_give(blocks, id);
    }
    stream->block_count = 0;
}

void stream_break(struct stream *stream, struct pool *blocks)
{
    stream->broken = true;
    stream_close(stream, blocks);
}

/* Puts a copy of at most one block into the waiting list, by sequence; false at a bound. */
static bool keep_block(struct stream *stream, struct pool *blocks, uint32_t sequence,
                       const uint8_t *bytes, uint32_t size, bool cut_after)
{
    uint32_t id;
    if (stream->block_count >= STREAM_BLOCKS_MAX)
        return false;
    struct block *block = (struct block *)pool_take(blocks, &id);
    if (!block)
        return false;
    block->sequence = sequence;
    block->size = (uint16_t)size;
    block->cut_after = cut_after;
    memcpy(block->bytes, bytes, size);
    uint32_t *link = &stream->first_block;
    while (*link != POOL_NONE) {
        struct block *other = (struct block *)pool_at(blocks, *link);
        if (sequence_distance(other->sequence, sequence) < 0)
            break;
        link = &other->next_block;
    }
    block->next_block = *link;
    *link = id;
    stream->block_count++;
    return true;
}

static void keep_ahead(struct stream *stream, struct pool *blocks, uint32_t sequence,
                       const uint8_t *bytes, uint32_t size, bool cut)
{
    while (size > 0) {
        uint32_t part = size < STREAM_BLOCK_SIZE ? size : STREAM_BLOCK_SIZE;
        if (!keep_block(stream, blocks, sequence, bytes, part, cut && part == size)) {
            stream_break(stream, blocks);
            return;
        }
        sequence += part;
        bytes += part;
        size -= part;
    }
}

/* Hands on what of [sequence, sequence + size) is new; the caller knows it is not ahead. */
static void hand_on(struct stream *stream, uint32_t sequence, const uint8_t *bytes, uint32_t size,
                    stream_sink sink, void *context)
{
    uint32_t old = stream->next - sequence;
    if (old >= size)
        return;
    stream->next = sequence + size;
    sink(context, bytes + old, size - old);
}

static void hand_on_waiting(struct stream *stream, struct pool *blocks, stream_sink sink,
                            void *context)
{
    while (stream->first_block != POOL_NONE && !stream->broken) {
        uint32_t id = stream->first_block;
        struct block *block = (struct block *)pool_at(blocks, id);
        if (sequence_distance(stream->next, block->sequence) > 0)
            return;
        bool cut = block->cut_after;
        stream->first_block = block->next_block;
        stream->block_count--;
        hand_on(stream, block->sequence, block->bytes, block->size, sink, context);
        pool_give(blocks, id);
        if (cut)
            stream_break(stream, blocks);
    }
}

void stream_take(struct stream *stream, struct pool *blocks, uint32_t sequence,
                 const uint8_t *bytes, uint32_t size, uint32_t wire_size, stream_sink sink,
                 void *context)
{
    if (stream->broken || wire_size == 0)
        return;
    stream_start(stream, sequence);
    bool cut = size < wire_size;
    int32_t ahead = sequence_distance(stream->next, sequence);
    if (ahead > 0) {
        if (size > 0)
            keep_ahead(stream, blocks, sequence, bytes, size, cut);
        return;
    }
    if (sequence_distance(stream->next, sequence + wire_size) <= 0)
        return;
    hand_on(stream, sequence, bytes, size, sink, context);
    if (cut && sequence_distance(stream->next, sequence + wire_size) > 0)
        stream_break(stream, blocks);
    else
        hand_on_waiting(stream, blocks, sink, context);
}
