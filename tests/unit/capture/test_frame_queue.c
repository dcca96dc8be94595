/* The ring between a capture thread and the analysis. */
#include "builder.h"

#include <pthread.h>

#include "capture/frame_queue.h"

enum { SIZE = 4096 };

static void put_number_frame(struct frame_queue *queue, uint32_t number, bool *kept)
{
    uint32_t size = 60 + number % 130;
    struct queued_frame *frame = frame_queue_room(queue, size);
    *kept = frame != NULL;
    if (!frame)
        return;
    frame->time_ns = number;
    frame->original_size = size + 1;
    memset(queued_frame_digest(frame), (int)(~number & 0xff), queue->digest_size);
    memset(queued_frame_bytes(queue, frame), (int)(number & 0xff), size);
    frame_queue_put(queue, frame);
}

static void check_frame(const struct frame_queue *queue, const struct queued_frame *frame)
{
    uint32_t number = (uint32_t)frame->time_ns;
    assert_int_equal(frame->captured_size, 60 + number % 130);
    assert_int_equal(frame->original_size, frame->captured_size + 1);
    for (uint32_t i = 0; i < frame->captured_size; i++)
        assert_int_equal(queued_frame_bytes(queue, frame)[i], number & 0xff);
    const uint8_t *digest = queued_frame_digest(frame);
    for (size_t i = 0; i < queue->digest_size; i++)
        assert_int_equal(digest[i], ~number & 0xff);
}

static void frames_come_out_whole_and_in_order_around_the_ring(void **state)
{
    struct frame_queue queue;
    bool kept;
    int64_t expected = 0;
    (void)state;
    assert_true(frame_queue_init(&queue, 2 * SIZE, 0)); /* a quarter of it holds nine frames */
    for (uint32_t number = 0; number < 5000; number++) {
        put_number_frame(&queue, number, &kept);
        assert_true(kept);
        if (number % 9 != 8)
            continue;
        for (const struct queued_frame *frame; (frame = frame_queue_peek(&queue));) {
            assert_int_equal(frame->time_ns, expected++);
            check_frame(&queue, frame);
            frame_queue_pass(&queue);
        }
        frame_queue_give_back(&queue);
    }
    assert_int_equal(atomic_load(&queue.dropped), 0);
    assert_in_range(atomic_load(&queue.highest), 9 * 84, 2 * SIZE);
    frame_queue_free(&queue);
}

static void a_full_queue_drops_counts_and_recovers(void **state)
{
    struct frame_queue queue;
    bool kept = true;
    uint32_t count = 0;
    (void)state;
    assert_true(frame_queue_init(&queue, SIZE, 0));
    while (kept)
        put_number_frame(&queue, count++, &kept);
    assert_int_equal(atomic_load(&queue.dropped), 1);
    assert_in_range(count, 20, 50);
    while (frame_queue_peek(&queue))
        frame_queue_pass(&queue);
    put_number_frame(&queue, 0, &kept);
    assert_false(kept); /* looked at, not yet given back: the bytes are still in use */
    frame_queue_give_back(&queue);
    put_number_frame(&queue, 0, &kept);
    assert_true(kept);
    frame_queue_free(&queue);
}

static void a_frame_larger_than_the_ring_is_dropped(void **state)
{
    struct frame_queue queue;
    (void)state;
    assert_true(frame_queue_init(&queue, SIZE, 0));
    assert_null(frame_queue_room(&queue, 2 * SIZE));
    assert_int_equal(atomic_load(&queue.dropped), 1);
    assert_null(frame_queue_peek(&queue));
    frame_queue_free(&queue);
}

enum { MANY = 200000 };

static void *produce(void *context)
{
    struct frame_queue *queue = (struct frame_queue *)context;
    bool kept;
    for (uint32_t number = 0; number < MANY; number++)
        put_number_frame(queue, number, &kept);
    return NULL;
}

static void two_threads_lose_nothing_but_what_is_counted(void **state)
{
    struct frame_queue queue;
    pthread_t thread;
    uint64_t taken = 0;
    int64_t last = -1;
    (void)state;
    assert_true(frame_queue_init(&queue, 1 << 16, 48));
    assert_int_equal(pthread_create(&thread, NULL, produce, &queue), 0);
    while (taken + atomic_load(&queue.dropped) < MANY) {
        for (const struct queued_frame *frame; (frame = frame_queue_peek(&queue)); taken++) {
            assert_true(frame->time_ns > last);
            last = frame->time_ns;
            check_frame(&queue, frame);
            frame_queue_pass(&queue);
        }
        frame_queue_give_back(&queue);
    }
    pthread_join(thread, NULL);
    assert_null(frame_queue_peek(&queue));
    frame_queue_free(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_whole_and_in_order_around_the_ring),
        cmocka_unit_test(a_full_queue_drops_counts_and_recovers),
        cmocka_unit_test(a_frame_larger_than_the_ring_is_dropped),
        cmocka_unit_test(two_threads_lose_nothing_but_what_is_counted),
    };
    return cmocka_run_group_tests_name("capture/frame_queue", tests, NULL, NULL);
}
