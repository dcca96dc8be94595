/* The ring between the pipeline and a writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/queue.h"

enum { SIZE = 4096, ROW_SIZE = 200, ROW_FLOW = 1, ROW_DEVICE = 2 };

static void fill_row(uint8_t row[ROW_SIZE], uint32_t number)
{
    memset(row, (int)(number & 0xff), ROW_SIZE);
    memcpy(row, &number, sizeof number);
}

static uint32_t row_number(const struct queued *queued)
{
    uint32_t number;
    const uint8_t *row = queued_row(queued);
    memcpy(&number, row, sizeof number);
    for (size_t i = sizeof number; i < ROW_SIZE; i++)
        assert_int_equal(row[i], number & 0xff);
    return number;
}

static void rows_come_out_whole_and_in_order(void **state)
{
    struct queue queue;
    uint8_t row[ROW_SIZE];
    uint32_t expected = 0;
    (void)state;
    assert_true(queue_init(&queue, SIZE));
    for (uint32_t number = 0; number < 1000; number++) { /* around the ring many times */
        fill_row(row, number);
        assert_true(queue_put(&queue, ROW_FLOW, row, ROW_SIZE, false));
        if (number % 7 != 6)
            continue;
        struct queue_walk walk = queue_walk_begin(&queue);
        for (const struct queued *queued; (queued = queue_walk_next(&walk));)
            assert_int_equal(row_number(queued), expected++);
        queue_release(&queue, &walk);
    }
    assert_true(expected > 990);
    queue_free(&queue);
}

static void a_full_queue_refuses_and_recovers(void **state)
{
    struct queue queue;
    uint8_t row[ROW_SIZE] = {0};
    uint32_t kept = 0;
    (void)state;
    assert_true(queue_init(&queue, SIZE));
    while (queue_put(&queue, ROW_FLOW, row, ROW_SIZE, false))
        kept++;
    assert_in_range(kept, SIZE / (ROW_SIZE + 32) - 1, SIZE / ROW_SIZE);
    struct queue_walk walk = queue_walk_begin(&queue);
    while (queue_walk_next(&walk))
        continue;
    queue_release(&queue, &walk);
    assert_true(queue_put(&queue, ROW_FLOW, row, ROW_SIZE, false));
    queue_free(&queue);
}

static void rows_stay_until_they_are_released(void **state)
{
    struct queue queue;
    uint8_t row[ROW_SIZE];
    (void)state;
    assert_true(queue_init(&queue, SIZE));
    fill_row(row, 7);
    assert_true(queue_put(&queue, ROW_DEVICE, row, ROW_SIZE, false));
    for (int i = 0; i < 2; i++) {
        struct queue_walk walk = queue_walk_begin(&queue);
        const struct queued *queued = queue_walk_next(&walk);
        assert_non_null(queued);
        assert_int_equal(queued->kind, ROW_DEVICE);
        assert_int_equal(row_number(queued), 7);
        assert_null(queue_walk_next(&walk));
    }
    queue_free(&queue);
}

struct consumed {
    struct queue *queue;
    uint32_t next;
    bool in_order;
};

static void *consume(void *context)
{
    struct consumed *consumed = context;
    for (;;) {
        queue_wait(consumed->queue, NS_PER_S);
        bool stopping = queue_is_stopping(consumed->queue);
        struct queue_walk walk = queue_walk_begin(consumed->queue);
        const struct queued *queued = queue_walk_next(&walk);
        if (!queued && stopping)
            return NULL;
        for (; queued; queued = queue_walk_next(&walk)) {
            uint32_t number;
            memcpy(&number, queued_row(queued), sizeof number);
            consumed->in_order = consumed->in_order && number == consumed->next;
            consumed->next++;
        }
        queue_release(consumed->queue, &walk);
    }
}

static void two_threads_lose_nothing(void **state)
{
    enum { ROWS = 50000 };
    struct queue queue;
    uint8_t row[ROW_SIZE];
    pthread_t thread;
    (void)state;
    assert_true(queue_init(&queue, SIZE));
    struct consumed consumed = {.queue = &queue, .in_order = true};
    assert_int_equal(pthread_create(&thread, NULL, consume, &consumed), 0);
    for (uint32_t number = 0; number < ROWS; number++) {
        fill_row(row, number);
        assert_true(queue_put(&queue, ROW_FLOW, row, 8 + number % (ROW_SIZE - 8), true));
    }
    queue_stop(&queue);
    pthread_join(thread, NULL);
    assert_true(consumed.in_order);
    assert_int_equal(consumed.next, ROWS);
    queue_free(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_out_whole_and_in_order),
        cmocka_unit_test(a_full_queue_refuses_and_recovers),
        cmocka_unit_test(rows_stay_until_they_are_released),
        cmocka_unit_test(two_threads_lose_nothing),
    };
    return cmocka_run_group_tests_name("base/queue", tests, NULL, NULL);
}
