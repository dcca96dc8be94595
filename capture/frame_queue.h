/* Frames on their way from a capture thread to the analysis: a ring of bytes.
 *
 * Private to capture/. One producer, one consumer, no lock: a frame costs one copy. The producer
 * never waits: what does not fit is counted. The consumer reads frames in place and gives them back
 * many at a time. Deliberately not base/queue.h, whose producer may wait and wakes the consumer. */
#ifndef APNSCOPE_CAPTURE_FRAME_QUEUE_H
#define APNSCOPE_CAPTURE_FRAME_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queued_frame {
    uint32_t room; /* of header and bytes in the ring; a multiple of FRAME_QUEUE_ALIGNMENT */
    uint32_t is_padding;
    uint32_t captured_size;
    uint32_t original_size;
    int64_t time_ns;
    /* the digest follows, and the bytes */
};

enum { FRAME_QUEUE_ALIGNMENT = 16 };

struct frame_queue {
    uint8_t *bytes;
    size_t digest_size;    /* of what the producer notes of each frame; a multiple of 16 */
    size_t size;           /* a power of two */
    _Atomic uint64_t head; /* bytes ever put */
    _Atomic uint64_t tail; /* bytes ever given back */
    uint64_t cursor;       /* the consumer's: bytes ever looked at */
    _Atomic uint64_t dropped;
    _Atomic uint64_t highest; /* the most bytes that ever waited */
};

/* False: no memory. */
bool frame_queue_init(struct frame_queue *queue, size_t size, size_t digest_size);
void frame_queue_free(struct frame_queue *queue);

/* Producer: room for a frame, to be filled in and then put. NULL: there is none, counted. */
struct queued_frame *frame_queue_room(struct frame_queue *queue, uint32_t captured_size);
void frame_queue_put(struct frame_queue *queue, const struct queued_frame *frame);

/* Consumer: the next frame that was not passed yet; NULL: none now. */
const struct queued_frame *frame_queue_peek(struct frame_queue *queue);
void frame_queue_pass(struct frame_queue *queue);
/* Consumer: all that was passed is done with. */
void frame_queue_give_back(struct frame_queue *queue);

static inline void *queued_frame_digest(const struct queued_frame *frame)
{
    return (void *)(uintptr_t)(frame + 1);
}

static inline uint8_t *queued_frame_bytes(const struct frame_queue *queue,
                                          const struct queued_frame *frame)
{
    return (uint8_t *)queued_frame_digest(frame) + queue->digest_size;
}

static inline uint64_t frame_queue_waiting(const struct frame_queue *queue)
{
    uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    return atomic_load_explicit(&queue->head, memory_order_relaxed) - tail;
}

#endif
