/* The ring of blocks and the thread that fills it.
 *
 * See read_ahead.h. Blocks are numbered from the beginning; block n lies in slot n % BLOCKS. They are
 * filled in order, by one thread at a time. */
#include "read_ahead.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    BLOCK_ALIGNMENT = 4096,
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
    size_t block_size;
    size_t room;
    bool is_stream;
    bool is_filling;
    bool has_ended;
    uint64_t filled; /* blocks */
    uint64_t taken;
    uint64_t stored; /* stored bytes up to the end of the block taken last */
    struct block blocks[READ_AHEAD_BLOCKS];
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
    bool has_ended;
};

/* ---- filling ---- */

static struct block *block_of(struct read_ahead *ahead, uint64_t number)
{
    return &ahead->blocks[number % READ_AHEAD_BLOCKS];
}

static uint8_t *bytes_of(const struct read_ahead *ahead, uint64_t number)
{
    size_t slot = (size_t)(number % READ_AHEAD_BLOCKS);
    return ahead->memory + slot * (ahead->room + ahead->block_size) + ahead->room;
}

static uint64_t free_blocks(const struct read_ahead *ahead)
{
    uint64_t given_back = ahead->taken < BLOCKS_HELD ? 0 : ahead->taken - BLOCKS_HELD;
    return READ_AHEAD_BLOCKS - (ahead->filled - given_back);
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
    if (fetcher->is_awaited)
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

/* Waiting for a pipe is the one thing that only cancelling ends; see read_ahead_end. */
static void fill_as_fetcher(struct read_ahead *ahead)
{
    int before;
    if (ahead->is_stream)
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    fill(ahead);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
}

static void *fetch(void *context)
{
    struct fetcher *fetcher = context;
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_mutex_lock(&fetcher->lock);
    while (!fetcher->stops) {
        struct read_ahead *ahead = emptiest(fetcher);
        if (ahead) {
            fill_as_fetcher(ahead);
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

static void stop_thread(struct fetcher *fetcher, bool at_once)
{
    pthread_mutex_lock(&fetcher->lock);
    fetcher->stops = true;
    pthread_cond_signal(&fetcher->wanted);
    pthread_mutex_unlock(&fetcher->lock);
    if (at_once)
        pthread_cancel(fetcher->thread);
    pthread_join(fetcher->thread, NULL);
    fetcher->has_ended = true;
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
    fetcher->has_ended = true;
    fetcher_free(fetcher);
    return NULL;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (!fetcher)
        return;
    assert(!fetcher->first);
    if (!fetcher->has_ended)
        stop_thread(fetcher, false);
    pthread_cond_destroy(&fetcher->wanted);
    pthread_cond_destroy(&fetcher->done);
    pthread_mutex_destroy(&fetcher->lock);
    free(fetcher);
}

/* ---- the taker ---- */

struct read_ahead *read_ahead_begin(struct fetcher *fetcher, struct source *source,
                                    size_t block_size)
{
    struct read_ahead *ahead = calloc(1, sizeof *ahead);
    assert(ahead && block_size >= READ_AHEAD_BLOCK_MIN && block_size <= READ_AHEAD_BLOCK_MAX);
    *ahead = (struct read_ahead){.fetcher = fetcher,
                                 .source = source,
                                 .next = fetcher->first,
                                 .block_size = block_size,
                                 .room = block_size / 2,
                                 .is_stream = source_is_stream(source),
                                 .stored = source_stored_read(source)};
    ahead->memory =
        aligned_alloc(BLOCK_ALIGNMENT, READ_AHEAD_BLOCKS * (ahead->block_size + ahead->room));
    assert(ahead->memory);
    pthread_mutex_lock(&fetcher->lock);
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
    if (ahead->is_stream && !fetcher->has_ended)
        stop_thread(fetcher, true);
    pthread_mutex_lock(&fetcher->lock);
    take_off_the_list(ahead);
    while (ahead->is_filling && !fetcher->has_ended)
        await_block(fetcher);
    pthread_mutex_unlock(&fetcher->lock);
    free(ahead->memory);
    free(ahead);
}

/* Waking the thread is dear, so it is let rest until half of the ring is free. */
static void wake_if_worthwhile(const struct read_ahead *ahead)
{
    struct fetcher *fetcher = ahead->fetcher;
    if (fetcher->is_resting && free_blocks(ahead) >= READ_AHEAD_BLOCKS / 2)
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
