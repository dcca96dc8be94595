/* The ring of blocks and the thread that fills it.
 *
 * See read_ahead.h. Blocks are numbered from the beginning; block n lies in slot n % block_count.
 * They are filled in order, by one thread at a time. */
#include "read_ahead.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    BLOCK_ALIGNMENT = 4096,
    BLOCK_SIZE_MAX = 128 << 10,
    BLOCK_SIZE_MIN = 16 << 10,
    BLOCKS_MIN = 8,
    BLOCKS_MAX = READ_AHEAD_SIZE / BLOCK_SIZE_MAX,
    BLOCKS_HELD = 2 /* the one at hand, and the one before it */
};

struct block {
    size_t size;
    uint64_t stored; /* stored bytes read up to its end */
};

struct read_ahead {
    struct fetcher *fetcher;
    struct source *source;
    struct read_ahead *next; /* of the fetcher's */
    uint8_t *memory;
    uint64_t block_count;
    size_t block_size;
    size_t room; /* in front of each */
    bool is_stream;
    bool is_filling;
    bool has_ended;
    bool is_ending;  /* read_ahead_end waits for the last filling */
    uint64_t filled; /* blocks */
    uint64_t taken;
    uint64_t stored; /* stored bytes up to the end of the block taken last */
    struct block blocks[BLOCKS_MAX];
};

struct fetcher {
    pthread_t thread;
    pthread_mutex_t lock; /* over all that is below, and over the rings but for the blocks' bytes */
    pthread_cond_t wanted;
    pthread_cond_t done;
    struct read_ahead *first;
    bool is_resting;
    bool is_awaited;
    bool stops;
};

/* ---- filling ---- */

static struct block *block_of(struct read_ahead *ahead, uint64_t number)
{
    return &ahead->blocks[number % ahead->block_count];
}

static uint8_t *bytes_of(const struct read_ahead *ahead, uint64_t number)
{
    size_t slot = (size_t)(number % ahead->block_count);
    return ahead->memory + slot * (ahead->room + ahead->block_size) + ahead->room;
}

static uint64_t free_blocks(const struct read_ahead *ahead)
{
    uint64_t given_back = ahead->taken < BLOCKS_HELD ? 0 : ahead->taken - BLOCKS_HELD;
    return ahead->block_count - (ahead->filled - given_back);
}

static bool may_fill(const struct read_ahead *ahead)
{
    return !ahead->is_filling && !ahead->has_ended && free_blocks(ahead);
}

/* A pipe gives what it has; everything else fills its blocks. */
static size_t read_block(struct read_ahead *ahead, uint8_t *bytes)
{
    size_t size = 0, got;
    do {
        got = source_read(ahead->source, bytes + size, ahead->block_size - size);
        size += got;
    } while (got && size < ahead->block_size && !ahead->is_stream);
    return size;
}

/* Waking is dear, so a taker who outran the fetcher is let sleep until half of the ring is full.
 * What comes from a pipe may be all for an hour. */
static bool is_worth_waking_for(const struct read_ahead *ahead)
{
    return ahead->is_stream || ahead->has_ended || ahead->is_ending ||
           ahead->filled - ahead->taken >= ahead->block_count / 2;
}

/* The lock is held, but not while reading. */
static void fill(struct read_ahead *ahead)
{
    struct fetcher *fetcher = ahead->fetcher;
    uint64_t number = ahead->filled;
    ahead->is_filling = true;
    pthread_mutex_unlock(&fetcher->lock);
    size_t size = read_block(ahead, bytes_of(ahead, number));
    uint64_t stored = source_stored_read(ahead->source);
    pthread_mutex_lock(&fetcher->lock);
    *block_of(ahead, number) = (struct block){.size = size, .stored = stored};
    ahead->is_filling = false;
    ahead->has_ended = size == 0;
    ahead->filled += size != 0;
    if (fetcher->is_awaited && is_worth_waking_for(ahead))
        pthread_cond_signal(&fetcher->done);
}

/* ---- the thread ---- */

static struct read_ahead *emptiest(const struct fetcher *fetcher)
{
    struct read_ahead *emptiest = NULL;
    for (struct read_ahead *ahead = fetcher->first; ahead; ahead = ahead->next)
        if (may_fill(ahead) && (!emptiest || free_blocks(ahead) > free_blocks(emptiest)))
            emptiest = ahead;
    return emptiest;
}

static void *fetch(void *context)
{
    struct fetcher *fetcher = context;
    pthread_mutex_lock(&fetcher->lock);
    while (!fetcher->stops) {
        struct read_ahead *ahead = emptiest(fetcher);
        if (ahead) {
            fill(ahead);
            continue;
        }
        fetcher->is_resting = true;
        pthread_cond_wait(&fetcher->wanted, &fetcher->lock);
        fetcher->is_resting = false;
    }
    pthread_mutex_unlock(&fetcher->lock);
    return NULL;
}

/* Signals are the main thread's to handle. */
static bool start_thread(struct fetcher *fetcher)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&fetcher->thread, NULL, fetch, fetcher);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result == 0;
}

static void destroy(struct fetcher *fetcher)
{
    pthread_cond_destroy(&fetcher->wanted);
    pthread_cond_destroy(&fetcher->done);
    pthread_mutex_destroy(&fetcher->lock);
    free(fetcher);
}

struct fetcher *fetcher_new(void)
{
    struct fetcher *fetcher = calloc(1, sizeof *fetcher);
    assert(fetcher);
    pthread_mutex_init(&fetcher->lock, NULL);
    pthread_cond_init(&fetcher->wanted, NULL);
    pthread_cond_init(&fetcher->done, NULL);
    if (start_thread(fetcher))
        return fetcher;
    destroy(fetcher);
    return NULL;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (!fetcher)
        return;
    assert(!fetcher->first);
    pthread_mutex_lock(&fetcher->lock);
    fetcher->stops = true;
    pthread_cond_signal(&fetcher->wanted);
    pthread_mutex_unlock(&fetcher->lock);
    pthread_join(fetcher->thread, NULL);
    destroy(fetcher);
}

/* ---- the taker ---- */

static void make_ring(struct read_ahead *ahead, size_t size)
{
    size_t block_size = size / BLOCKS_MIN;
    if (block_size > BLOCK_SIZE_MAX)
        block_size = BLOCK_SIZE_MAX;
    if (block_size < BLOCK_SIZE_MIN)
        block_size = BLOCK_SIZE_MIN;
    size_t count = size / block_size;
    ahead->block_size = block_size;
    ahead->block_count = count < BLOCKS_MIN ? BLOCKS_MIN : count > BLOCKS_MAX ? BLOCKS_MAX : count;
    ahead->room = block_size / 2;
    ahead->memory =
        aligned_alloc(BLOCK_ALIGNMENT, ahead->block_count * (ahead->block_size + ahead->room));
    assert(ahead->memory);
}

struct read_ahead *read_ahead_begin(struct fetcher *fetcher, struct source *source, size_t size)
{
    struct read_ahead *ahead = calloc(1, sizeof *ahead);
    assert(ahead);
    make_ring(ahead, size);
    ahead->fetcher = fetcher;
    ahead->source = source;
    ahead->is_stream = source_is_stream(source);
    ahead->stored = source_stored_read(source);
    pthread_mutex_lock(&fetcher->lock);
    ahead->next = fetcher->first;
    fetcher->first = ahead;
    pthread_cond_signal(&fetcher->wanted);
    pthread_mutex_unlock(&fetcher->lock);
    return ahead;
}

static void await_block(struct fetcher *fetcher)
{
    fetcher->is_awaited = true;
    pthread_cond_wait(&fetcher->done, &fetcher->lock);
    fetcher->is_awaited = false;
}

static void take_off_the_list(struct read_ahead *ahead)
{
    struct read_ahead **link = &ahead->fetcher->first;
    while (*link != ahead)
        link = &(*link)->next;
    *link = ahead->next;
}

void read_ahead_end(struct read_ahead *ahead)
{
    struct fetcher *fetcher = ahead->fetcher;
    if (ahead->is_stream)
        source_interrupt(ahead->source);
    pthread_mutex_lock(&fetcher->lock);
    take_off_the_list(ahead);
    ahead->is_ending = true;
    while (ahead->is_filling)
        await_block(fetcher);
    pthread_mutex_unlock(&fetcher->lock);
    if (ahead->is_stream)
        source_go_on(ahead->source);
    free(ahead->memory);
    free(ahead);
}

/* The thread, too, is let rest until half of the ring is free. */
static void wake_if_worthwhile(const struct read_ahead *ahead)
{
    struct fetcher *fetcher = ahead->fetcher;
    if (fetcher->is_resting && free_blocks(ahead) >= ahead->block_count / 2)
        pthread_cond_signal(&fetcher->wanted);
}

size_t read_ahead_next(struct read_ahead *ahead, uint8_t **bytes)
{
    struct fetcher *fetcher = ahead->fetcher;
    size_t size = 0;
    pthread_mutex_lock(&fetcher->lock);
    while (ahead->filled == ahead->taken && !ahead->has_ended) {
        if (may_fill(ahead))
            fill(ahead);
        else
            await_block(fetcher);
    }
    if (ahead->filled > ahead->taken) {
        const struct block *block = block_of(ahead, ahead->taken);
        *bytes = bytes_of(ahead, ahead->taken++);
        size = block->size;
        ahead->stored = block->stored;
    }
    wake_if_worthwhile(ahead);
    pthread_mutex_unlock(&fetcher->lock);
    return size;
}

size_t read_ahead_room(const struct read_ahead *ahead)
{
    return ahead->room;
}

uint64_t read_ahead_stored(const struct read_ahead *ahead)
{
    return ahead->stored;
}
