/* The ring between a capture thread and the analysis.
 *
 * See frame_queue.h. Positions count bytes since the beginning; their remainder is the place in the
 * ring. A frame never wraps: what is left at the ring's end is padded. */
#include "frame_queue.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

_Static_assert(sizeof(struct queued_frame) % 8 == 0, "frames follow one another aligned");

bool frame_queue_init(struct frame_queue *queue, size_t size, size_t digest_size)
{
    assert((size & (size - 1)) == 0 && digest_size % FRAME_QUEUE_ALIGNMENT == 0);
    memset(queue, 0, sizeof *queue);
    queue->size = size;
    queue->digest_size = digest_size;
    queue->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (queue->bytes == MAP_FAILED)
        queue->bytes = NULL;
    return queue->bytes != NULL;
}

void frame_queue_free(struct frame_queue *queue)
{
    if (queue->bytes)
        munmap(queue->bytes, queue->size);
    queue->bytes = NULL;
}

static struct queued_frame *place(const struct frame_queue *queue, uint64_t position)
{
    return (struct queued_frame *)(void *)(queue->bytes + (position & (queue->size - 1)));
}

/* A frame never wraps. And where nothing waits, the ring is begun anew before all of it was used:
 * so it stays in the cache, and takes no memory that it does not need. The padding counts as full
 * until the consumer looks. */
static size_t padding_before(const struct frame_queue *queue, uint64_t head, bool is_empty,
                             size_t room)
{
    enum { BEGIN_ANEW_AT = 4 }; /* a quarter */
    size_t at = (size_t)(head & (queue->size - 1));
    size_t to_end = queue->size - at;
    return to_end < room || (is_empty && at >= queue->size / BEGIN_ANEW_AT) ? to_end : 0;
}

struct queued_frame *frame_queue_room(struct frame_queue *queue, uint32_t captured_size)
{
    uint64_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_acquire);
    size_t room = sizeof(struct queued_frame) + queue->digest_size + captured_size;
    room = (room + FRAME_QUEUE_ALIGNMENT - 1) & ~(size_t)(FRAME_QUEUE_ALIGNMENT - 1);
    size_t padding = padding_before(queue, head, head == tail, room);
    if (head - tail + padding + room > queue->size) {
        atomic_fetch_add_explicit(&queue->dropped, 1, memory_order_relaxed);
        return NULL;
    }
    if (padding) { /* only its first bytes fit: size and mark stand where a header has them */
        place(queue, head)->room = (uint32_t)padding;
        place(queue, head)->is_padding = 1;
        head += padding;
        atomic_store_explicit(&queue->head, head, memory_order_release);
    }
    struct queued_frame *frame = place(queue, head);
    *frame = (struct queued_frame){.room = (uint32_t)room, .captured_size = captured_size};
    return frame;
}

void frame_queue_put(struct frame_queue *queue, const struct queued_frame *frame)
{
    uint64_t head = atomic_load_explicit(&queue->head, memory_order_relaxed) + frame->room;
    uint64_t waiting = head - atomic_load_explicit(&queue->tail, memory_order_relaxed);
    atomic_store_explicit(&queue->head, head, memory_order_release);
    if (waiting > atomic_load_explicit(&queue->highest, memory_order_relaxed))
        atomic_store_explicit(&queue->highest, waiting, memory_order_relaxed);
}

const struct queued_frame *frame_queue_peek(struct frame_queue *queue)
{
    uint64_t head = atomic_load_explicit(&queue->head, memory_order_acquire);
    while (queue->cursor != head) {
        const struct queued_frame *frame = place(queue, queue->cursor);
        if (!frame->is_padding)
            return frame;
        queue->cursor += frame->room;
    }
    return NULL;
}

void frame_queue_pass(struct frame_queue *queue)
{
    queue->cursor += place(queue, queue->cursor)->room;
}

void frame_queue_give_back(struct frame_queue *queue)
{
    atomic_store_explicit(&queue->tail, queue->cursor, memory_order_release);
}
