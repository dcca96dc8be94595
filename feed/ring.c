/* Packets in chains of blocks.
 *
 * See ring.h. A chain is a queue of bytes over blocks of one size, in which a frame is a header and
 * its bytes; the oldest frame is taken off by moving over it. Deliberately not thread-safe: the
 * evidence's thread owns it. */
#include "ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/table.h"

enum { BLOCK_SIZE = 1024, RING_SEED = 0x72696e67, HALF_OPEN = 0, ANSWERED = 1, LISTS = 2 };

struct block {
    uint32_t next;
    uint8_t bytes[BLOCK_SIZE - sizeof(uint32_t)];
};

enum { BLOCK_ROOM = sizeof(((struct block *)0)->bytes) };

struct kept {
    uint64_t frame;
    int64_t time_ns;
    uint32_t captured_size;
    uint32_t original_size;
    uint32_t interface_id;
    uint16_t link_type;
    uint16_t fcs_size;
};

struct chain {
    uint32_t first, last; /* POOL_NONE: empty */
    uint32_t begin, end;  /* of the oldest byte in `first`; behind the newest in `last` */
    uint32_t size;
    uint32_t blocks;
};

struct session {
    struct ring_session seen;
    struct chain head, tail;
    uint32_t older, newer; /* in its list */
    uint8_t list;
    uint8_t sides; /* bits of the ends that sent */
    bool head_is_full;
};

struct ring {
    struct pool blocks;
    struct pool sessions;
    struct table table;
    struct list {
        uint32_t oldest, newest;
        uint32_t blocks;
    } lists[LISTS];
    uint32_t block_count;
};

static struct session *session_at(const struct ring *ring, uint32_t number)
{
    return (struct session *)pool_at(&ring->sessions, number);
}

static struct block *block_at(const struct ring *ring, uint32_t number)
{
    return (struct block *)pool_at(&ring->blocks, number);
}

/* ---- keys ---- */

struct ring_key ring_key_of(const struct address *source, uint16_t source_port,
                            const struct address *destination, uint16_t destination_port,
                            bool *is_swapped)
{
    int order = memcmp(source->byte, destination->byte, sizeof source->byte);
    bool is_higher = order > 0 || (order == 0 && source_port > destination_port);
    *is_swapped = is_higher;
    if (is_higher)
        return (struct ring_key){{*destination, *source}, {destination_port, source_port}};
    return (struct ring_key){{*source, *destination}, {source_port, destination_port}};
}

static bool same_key(const void *context, uint32_t number, const void *key)
{
    const struct ring *ring = (const struct ring *)context;
    return memcmp(&session_at(ring, number)->seen.key, key, sizeof(struct ring_key)) == 0;
}

/* ---- the lists ---- */

static void leave_list(struct ring *ring, struct session *session)
{
    struct list *list = &ring->lists[session->list];
    if (session->older == POOL_NONE)
        list->oldest = session->newer;
    else
        session_at(ring, session->older)->newer = session->newer;
    if (session->newer == POOL_NONE)
        list->newest = session->older;
    else
        session_at(ring, session->newer)->older = session->older;
    list->blocks -= session->head.blocks + session->tail.blocks;
}

static void join_list(struct ring *ring, uint32_t number, unsigned which)
{
    struct session *session = session_at(ring, number);
    struct list *list = &ring->lists[which];
    session->list = (uint8_t)which;
    session->older = list->newest;
    session->newer = POOL_NONE;
    if (list->newest == POOL_NONE)
        list->oldest = number;
    else
        session_at(ring, list->newest)->newer = number;
    list->newest = number;
    list->blocks += session->head.blocks + session->tail.blocks;
}

/* ---- chains ---- */

static struct chain empty_chain(void)
{
    return (struct chain){.first = POOL_NONE, .last = POOL_NONE};
}

static void drop_first_block(struct ring *ring, struct session *session, struct chain *chain)
{
    uint32_t block = chain->first;
    chain->first = block_at(ring, block)->next;
    chain->begin = 0;
    if (chain->first == POOL_NONE)
        *chain = empty_chain();
    else
        chain->blocks--;
    ring->lists[session->list].blocks--;
    pool_give(&ring->blocks, block);
}

static void empty(struct ring *ring, struct session *session, struct chain *chain)
{
    while (chain->first != POOL_NONE)
        drop_first_block(ring, session, chain);
}

static void forget(struct ring *ring, uint32_t number)
{
    struct session *session = session_at(ring, number);
    uint64_t hash = hash_bytes(&session->seen.key, sizeof session->seen.key, RING_SEED);
    empty(ring, session, &session->head);
    empty(ring, session, &session->tail);
    leave_list(ring, session);
    table_remove(&ring->table, hash, number);
    pool_give(&ring->sessions, number);
}

/* The one that goes, other than the session in hand, which is the newest of its list. */
static uint32_t victim(const struct ring *ring, uint32_t in_hand)
{
    uint32_t half_open = ring->lists[HALF_OPEN].oldest, answered = ring->lists[ANSWERED].oldest;
    if (half_open == in_hand)
        half_open = POOL_NONE;
    if (answered == in_hand)
        answered = POOL_NONE;
    if (half_open == POOL_NONE || answered == POOL_NONE)
        return half_open == POOL_NONE ? answered : half_open;
    if (ring->lists[HALF_OPEN].blocks > ring->block_count / 2)
        return half_open;
    return session_at(ring, half_open)->seen.last_ns < session_at(ring, answered)->seen.last_ns
               ? half_open
               : answered;
}

static bool add_block(struct ring *ring, uint32_t number, struct chain *chain)
{
    uint32_t id;
    while (!pool_take(&ring->blocks, &id)) {
        uint32_t gone = victim(ring, number);
        if (gone == POOL_NONE)
            return false;
        forget(ring, gone);
    }
    block_at(ring, id)->next = POOL_NONE;
    if (chain->last == POOL_NONE)
        chain->first = id;
    else
        block_at(ring, chain->last)->next = id;
    chain->last = id;
    chain->end = 0;
    chain->blocks++;
    ring->lists[session_at(ring, number)->list].blocks++;
    return true;
}

static bool append(struct ring *ring, uint32_t number, struct chain *chain, const void *bytes,
                   size_t size)
{
    const uint8_t *at = (const uint8_t *)bytes;
    while (size) {
        if ((chain->last == POOL_NONE || chain->end == BLOCK_ROOM) &&
            !add_block(ring, number, chain))
            return false;
        size_t room = BLOCK_ROOM - chain->end, part = size < room ? size : room;
        memcpy(block_at(ring, chain->last)->bytes + chain->end, at, part);
        chain->end += (uint32_t)part;
        chain->size += (uint32_t)part;
        at += part;
        size -= part;
    }
    return true;
}

/* Copies `size` bytes from a place on, and moves the place behind them. */
static void copy_out(const struct ring *ring, uint32_t *block, uint32_t *offset, void *into,
                     size_t size)
{
    uint8_t *at = (uint8_t *)into;
    while (size) {
        if (*offset == BLOCK_ROOM) {
            *block = block_at(ring, *block)->next;
            *offset = 0;
        }
        size_t room = BLOCK_ROOM - *offset, part = size < room ? size : room;
        if (at) {
            memcpy(at, block_at(ring, *block)->bytes + *offset, part);
            at += part;
        }
        *offset += (uint32_t)part;
        size -= part;
    }
}

static void drop_oldest(struct ring *ring, struct session *session, struct chain *chain)
{
    struct kept kept;
    uint32_t block = chain->first, offset = chain->begin;
    copy_out(ring, &block, &offset, &kept, sizeof kept);
    copy_out(ring, &block, &offset, NULL, kept.captured_size);
    uint32_t size = chain->size - (uint32_t)sizeof kept - kept.captured_size;
    while (chain->first != block)
        drop_first_block(ring, session, chain);
    chain->begin = offset;
    chain->size = size;
    if (!size)
        empty(ring, session, chain);
}

/* ---- taking ---- */

struct ring *ring_new(size_t size)
{
    struct ring *ring = (struct ring *)calloc(1, sizeof *ring);
    assert(ring);
    ring->block_count = (uint32_t)(size / BLOCK_SIZE);
    pool_init(&ring->blocks, sizeof(struct block), ring->block_count);
    pool_init(&ring->sessions, sizeof(struct session), RING_SESSIONS_MAX);
    table_init(&ring->table, 64);
    for (int i = 0; i < LISTS; i++)
        ring->lists[i] = (struct list){.oldest = POOL_NONE, .newest = POOL_NONE};
    return ring;
}

void ring_free(struct ring *ring)
{
    if (!ring)
        return;
    table_free(&ring->table);
    pool_free(&ring->sessions);
    pool_free(&ring->blocks);
    free(ring);
}

static uint32_t new_session(struct ring *ring, const struct ring_key *key, uint64_t hash,
                            const struct frame *frame)
{
    uint32_t number;
    struct session *session;
    while (!(session = (struct session *)pool_take(&ring->sessions, &number)))
        forget(ring, victim(ring, POOL_NONE));
    *session = (struct session){
        .seen = {.key = *key, .first_ns = frame->time_ns, .first_frame = frame->number},
        .head = empty_chain(),
        .tail = empty_chain()};
    table_insert(&ring->table, hash, number);
    join_list(ring, number, HALF_OPEN);
    return number;
}

static void keep(struct ring *ring, uint32_t number, const struct frame *frame)
{
    struct session *session = session_at(ring, number);
    struct kept kept = {.frame = frame->number,
                        .time_ns = frame->time_ns,
                        .captured_size = frame->captured_size,
                        .original_size = frame->original_size,
                        .interface_id = frame->interface_id,
                        .link_type = frame->link_type,
                        .fcs_size = frame->fcs_size};
    uint32_t size = (uint32_t)sizeof kept + frame->captured_size;
    struct chain *chain = &session->head;
    if (size > RING_TAIL_MAX)
        return;
    if (session->head_is_full || chain->size + size > RING_HEAD_MAX) {
        session->head_is_full = true;
        chain = &session->tail;
        while (chain->size + size > RING_TAIL_MAX)
            drop_oldest(ring, session, chain);
    }
    /* With no room at all the frame would be half there: the session begins anew. */
    if (!append(ring, number, chain, &kept, sizeof kept) ||
        !append(ring, number, chain, frame->bytes, frame->captured_size)) {
        empty(ring, session, &session->head);
        empty(ring, session, &session->tail);
        session->head_is_full = false;
    }
}

void ring_take(struct ring *ring, const struct ring_key *key, unsigned side,
               const struct frame *frame)
{
    uint64_t hash = hash_bytes(key, sizeof *key, RING_SEED);
    uint32_t number = table_find(&ring->table, hash, same_key, ring, key);
    if (number == TABLE_NONE)
        number = new_session(ring, key, hash, frame);
    struct session *session = session_at(ring, number);
    session->sides |= (uint8_t)(1u << side);
    session->seen.last_ns = frame->time_ns;
    session->seen.last_frame = frame->number;
    leave_list(ring, session);
    join_list(ring, number, session->sides == 3 ? ANSWERED : HALF_OPEN);
    keep(ring, number, frame);
    session->seen.size = session->head.size + session->tail.size;
}

/* ---- reading ---- */

static void each_of_list(const struct ring *ring, const struct list *list, void *context,
                         void (*each)(void *context, uint32_t number,
                                      const struct ring_session *session))
{
    for (uint32_t number = list->oldest; number != POOL_NONE;
         number = session_at(ring, number)->newer)
        each(context, number, &session_at(ring, number)->seen);
}

void ring_each(const struct ring *ring, void *context,
               void (*each)(void *context, uint32_t number, const struct ring_session *session))
{
    for (int i = 0; i < LISTS; i++)
        each_of_list(ring, &ring->lists[i], context, each);
}

static void frames_of(const struct ring *ring, const struct chain *chain, void *context,
                      void (*each)(void *context, const struct ring_place *place))
{
    uint32_t block = chain->first, offset = chain->begin;
    for (uint32_t left = chain->size; left;) {
        struct kept kept;
        struct ring_place place = {.block = block, .offset = offset};
        copy_out(ring, &block, &offset, &kept, sizeof kept);
        place.frame = kept.frame;
        each(context, &place);
        copy_out(ring, &block, &offset, NULL, kept.captured_size);
        left -= (uint32_t)sizeof kept + kept.captured_size;
    }
}

void ring_frames(const struct ring *ring, uint32_t number, void *context,
                 void (*each)(void *context, const struct ring_place *place))
{
    const struct session *session = session_at(ring, number);
    frames_of(ring, &session->head, context, each);
    frames_of(ring, &session->tail, context, each);
}

struct frame ring_read(const struct ring *ring, const struct ring_place *place, uint8_t **buffer,
                       size_t *buffer_size)
{
    struct kept kept;
    uint32_t block = place->block, offset = place->offset;
    copy_out(ring, &block, &offset, &kept, sizeof kept);
    if (*buffer_size < kept.captured_size) {
        *buffer = (uint8_t *)realloc(*buffer, kept.captured_size);
        assert(*buffer);
        *buffer_size = kept.captured_size;
    }
    copy_out(ring, &block, &offset, *buffer, kept.captured_size);
    return (struct frame){.number = kept.frame,
                          .time_ns = kept.time_ns,
                          .captured_size = kept.captured_size,
                          .original_size = kept.original_size,
                          .interface_id = kept.interface_id,
                          .link_type = kept.link_type,
                          .fcs_size = kept.fcs_size,
                          .bytes = *buffer,
                          .process = {.id = -1}};
}
