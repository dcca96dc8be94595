/* Rows on their way from the pipeline's thread to a writer's: the database's, an output's.
 *
 * One producer, one consumer, a fixed ring of bytes: a row costs the producer one copy and two
 * atomic operations. Rows stay in the ring until the consumer releases them, that is, until they
 * are written, so that what failed can be tried again. Deliberately does not know what a row is:
 * its kind is the user's number, from 1. */
#ifndef APNSCOPE_BASE_QUEUE_H
#define APNSCOPE_BASE_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queued {
    uint32_t size; /* of header and row, a multiple of QUEUE_ALIGNMENT */
    uint32_t kind; /* the user's; QUEUE_PADDING is the queue's own */
    uint64_t unused;
    /* the row follows */
};

enum { QUEUE_ALIGNMENT = 16, QUEUE_PADDING = 0 };

struct queue {
    uint8_t *bytes;
    size_t size;           /* a power of two */
    _Atomic uint64_t head; /* bytes ever put; the producer's */
    _Atomic uint64_t tail; /* bytes ever released; the consumer's */
    atomic_bool consumer_sleeps;
    atomic_bool producer_waits;
    atomic_bool stopping;
    pthread_mutex_t lock; /* of the two conditions only */
    pthread_cond_t filled;
    pthread_cond_t drained;
};

bool queue_init(struct queue *queue, size_t size); /* false: no memory */
void queue_free(struct queue *queue);

/* Producer. Copies a row in; when the queue is full waits, or returns false. A row is at most an
 * eighth of the queue. */
bool queue_put(struct queue *queue, uint32_t kind, const void *row, size_t size, bool may_wait);
/* Bytes of rows that are not released; by any thread. */
uint64_t queue_used(struct queue *queue);
/* Producer: no more rows. The consumer sees it at once. */
void queue_stop(struct queue *queue);

/* Consumer. Waits until the queue is half full, `patience_ns` have passed, or the queue stopped. */
void queue_wait(struct queue *queue, int64_t patience_ns);
/* Consumer. Sleeps `patience_ns` or until the queue stops. */
void queue_rest(struct queue *queue, int64_t patience_ns);
bool queue_is_stopping(struct queue *queue);

/* Consumer: walks the rows that are in the queue now, up to half of its size, without releasing
 * them. */
struct queue_walk {
    const struct queue *queue;
    uint64_t at, end;
};
struct queue_walk queue_walk_begin(struct queue *queue);
/* The next row; NULL at the end. */
const struct queued *queue_walk_next(struct queue_walk *walk);
/* Gives back everything up to where the walk stands. */
void queue_release(struct queue *queue, const struct queue_walk *walk);

static inline const void *queued_row(const struct queued *queued)
{
    return queued + 1;
}

#endif
