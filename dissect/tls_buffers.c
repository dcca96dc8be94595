/* Buffers for incomplete TLS messages: three sizes, recycled last-in first-out, under one cap.
 *
 * Stands beside tls.c, which borrows one only while a message is incomplete, so that the same few
 * warm buffers serve every handshake of a run. Deliberately never waits, grows a buffer or moves
 * one: where none is free the message goes unread, and that is counted. */
#include "tls_buffers.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

enum { SIZE_CLASSES = 3, CLASS_ITEMS_MAX = 1 << 20 };

/* An ordinary ClientHello fits the first, with post-quantum key shares and a ticket too; a chain of
 * certificates the second. A class takes its part of the cap and no more, so that peers who
 * announce long messages cannot take the room of ordinary hellos. */
static const struct {
    uint32_t room;
    uint32_t share; /* of the cap, in quarters */
} size_classes[SIZE_CLASSES] = {{4096, 1}, {16384, 1}, {TLS_MESSAGE_MAX, 2}};

struct message_buffer {
    uint32_t id;
    uint32_t size_class;
    uint8_t bytes[];
};

struct tls_buffers {
    struct pool pools[SIZE_CLASSES]; /* cap 0: the class has no room at all */
    uint64_t refused;
    struct tls_fingerprinter *fingerprinter;
};

struct tls_buffers *tls_buffers_new(size_t cap_bytes)
{
    struct tls_buffers *buffers = calloc(1, sizeof *buffers);
    assert(buffers);
    for (int i = 0; i < SIZE_CLASSES; i++) {
        size_t item_size = sizeof(struct message_buffer) + size_classes[i].room;
        size_t count = cap_bytes / 4 * size_classes[i].share / item_size;
        if (count > CLASS_ITEMS_MAX)
            count = CLASS_ITEMS_MAX;
        if (count > 0)
            pool_init(&buffers->pools[i], item_size, (uint32_t)count);
    }
    buffers->fingerprinter = tls_fingerprinter_new();
    return buffers;
}

void tls_buffers_free(struct tls_buffers *buffers)
{
    if (!buffers)
        return;
    for (int i = 0; i < SIZE_CLASSES; i++)
        if (buffers->pools[i].cap > 0)
            pool_free(&buffers->pools[i]);
    tls_fingerprinter_free(buffers->fingerprinter);
    free(buffers);
}

uint64_t tls_buffers_refused(const struct tls_buffers *buffers)
{
    return buffers->refused;
}

struct tls_fingerprinter *tls_buffers_fingerprinter(const struct tls_buffers *buffers)
{
    return buffers->fingerprinter;
}

bool tls_borrow(struct tls_buffers *buffers, struct tls_stream *stream, uint32_t size)
{
    assert(!stream->message);
    for (uint32_t i = 0; i < SIZE_CLASSES; i++) {
        uint32_t id;
        struct pool *pool = &buffers->pools[i];
        if (size_classes[i].room < size || pool->cap == 0)
            continue;
        struct message_buffer *buffer = pool_take(pool, &id);
        if (!buffer)
            continue; /* the next larger helps out */
        buffer->id = id;
        buffer->size_class = i;
        stream->message = buffer->bytes;
        stream->message_room = size_classes[i].room;
        return true;
    }
    buffers->refused++;
    return false;
}

void tls_give_back(struct tls_buffers *buffers, struct tls_stream *stream)
{
    if (!stream->message)
        return;
    struct message_buffer buffer;
    memcpy(&buffer, stream->message - offsetof(struct message_buffer, bytes), sizeof buffer);
    pool_give(&buffers->pools[buffer.size_class], buffer.id);
    stream->message = NULL;
    stream->message_room = 0;
}

void tls_close(struct tls_stream *stream, struct tls_buffers *buffers)
{
    tls_give_back(buffers, stream);
}
