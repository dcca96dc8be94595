/* The ring between the pipeline and a writer.
 *
 * Positions count bytes since the beginning and never wrap in practice; their remainder is the
 * place in the ring. A row never wraps: what is left at the ring's end is padded. Sleeping is
 * announced in an atomic flag first, so that the busy path takes no lock. */
#include "queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/clock.h"

bool queue_init(struct queue *queue, size_t size)
{
    assert((size & (size - 1)) == 0);
    memset(queue, 0, sizeof *queue);
    queue->size = size;
    queue->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (queue->bytes == MAP_FAILED)
        return false;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, &attributes);
    pthread_cond_init(&queue->drained, &attributes);
    pthread_condattr_destroy(&attributes);
    return true;
}

void queue_free(struct queue *queue)
{
    munmap(queue->bytes, queue->size);
    pthread_cond_destroy(&queue->filled);
    pthread_cond_destroy(&queue->drained);
    pthread_mutex_destroy(&queue->lock);
}

uint64_t queue_used(struct queue *queue)
{
    uint64_t tail = atomic_load(&queue->tail); /* first: the head never falls behind it */
    return atomic_load(&queue->head) - tail;
}

static void wake_consumer(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

static bool has_room(struct queue *queue, uint64_t head, size_t wanted)
{
    return queue->size - (head - atomic_load(&queue->tail)) >= wanted;
}

static void wait_for_room(struct queue *queue, uint64_t head, size_t wanted)
{
    pthread_mutex_lock(&queue->lock);
    atomic_store(&queue->producer_waits, true);
    while (!has_room(queue, head, wanted)) {
        pthread_cond_signal(&queue->filled);
        pthread_cond_wait(&queue->drained, &queue->lock);
    }
    atomic_store(&queue->producer_waits, false);
    pthread_mutex_unlock(&queue->lock);
}

static struct queued *place(const struct queue *queue, uint64_t position)
{
    return (struct queued *)(void *)(queue->bytes + (position & (queue->size - 1)));
}

/* A row never wraps. And where nothing waits, the ring is begun anew before all of it was used: so
 * it takes no memory that it does not need. The padding counts as full until the consumer is there.
 */
static size_t padding_before(struct queue *queue, uint64_t head, size_t wanted)
{
    enum { BEGIN_ANEW_AT = 4 }; /* a quarter */
    size_t at = (size_t)(head & (queue->size - 1));
    size_t to_end = queue->size - at;
    bool begins_anew = at >= queue->size / BEGIN_ANEW_AT && atomic_load(&queue->tail) == head;
    return to_end < wanted || begins_anew ? to_end : 0;
}

bool queue_put(struct queue *queue, uint32_t kind, const void *row, size_t size, bool may_wait)
{
    uint64_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
    size_t wanted = sizeof(struct queued) + size;
    wanted = (wanted + QUEUE_ALIGNMENT - 1) & ~(size_t)(QUEUE_ALIGNMENT - 1);
    assert(wanted <= queue->size / 8);
    size_t padding = padding_before(queue, head, wanted);
    if (!has_room(queue, head, padding + wanted)) {
        if (!may_wait)
            return false;
        wait_for_room(queue, head, padding + wanted);
    }
    if (padding) {
        *place(queue, head) = (struct queued){.size = (uint32_t)padding, .kind = QUEUE_PADDING};
        head += padding;
    }
    struct queued *queued = place(queue, head);
    *queued = (struct queued){.size = (uint32_t)wanted, .kind = kind};
    memcpy(queued + 1, row, size);
    atomic_store(&queue->head, head + wanted);
    if (atomic_load(&queue->consumer_sleeps) && queue_used(queue) >= queue->size / 2)
        wake_consumer(queue);
    return true;
}

void queue_stop(struct queue *queue)
{
    atomic_store(&queue->stopping, true);
    wake_consumer(queue);
}

bool queue_is_stopping(struct queue *queue)
{
    return atomic_load(&queue->stopping);
}

/* Sleeps until `patience_ns` have passed or the queue stops; `for_rows`: or until it is half full,
 * or the producer waits. */
static void sleep_until(struct queue *queue, int64_t patience_ns, bool for_rows)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    int64_t nanoseconds = deadline.tv_nsec + patience_ns % NS_PER_S;
    deadline.tv_sec += (time_t)(patience_ns / NS_PER_S + nanoseconds / NS_PER_S);
    deadline.tv_nsec = (long)(nanoseconds % NS_PER_S);
    pthread_mutex_lock(&queue->lock);
    atomic_store(&queue->consumer_sleeps, for_rows);
    while (!queue_is_stopping(queue) &&
           !(for_rows &&
             (queue_used(queue) >= queue->size / 2 || atomic_load(&queue->producer_waits))) &&
           pthread_cond_timedwait(&queue->filled, &queue->lock, &deadline) != ETIMEDOUT)
        continue;
    atomic_store(&queue->consumer_sleeps, false);
    pthread_mutex_unlock(&queue->lock);
}

void queue_wait(struct queue *queue, int64_t patience_ns)
{
    if (queue_used(queue) < queue->size / 2)
        sleep_until(queue, patience_ns, true);
}

void queue_rest(struct queue *queue, int64_t patience_ns)
{
    sleep_until(queue, patience_ns, false);
}

struct queue_walk queue_walk_begin(struct queue *queue)
{
    uint64_t at = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    uint64_t head = atomic_load(&queue->head);
    if (at < head && place(queue, at)->kind == QUEUE_PADDING) /* which may be most of the ring */
        at += place(queue, at)->size;
    uint64_t half = at + queue->size / 2;
    return (struct queue_walk){.queue = queue, .at = at, .end = head < half ? head : half};
}

const struct queued *queue_walk_next(struct queue_walk *walk)
{
    while (walk->at < walk->end) {
        const struct queued *queued = place(walk->queue, walk->at);
        walk->at += queued->size;
        if (queued->kind != QUEUE_PADDING)
            return queued;
    }
    return NULL;
}

void queue_release(struct queue *queue, const struct queue_walk *walk)
{
    atomic_store(&queue->tail, walk->at);
    if (atomic_load(&queue->producer_waits)) {
        pthread_mutex_lock(&queue->lock);
        pthread_cond_signal(&queue->drained);
        pthread_mutex_unlock(&queue->lock);
    }
}
