/* track/stream: bytes in order, whatever the order of segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "track/stream.h"

enum { TEXT_SIZE = 4096 };

struct heard {
    uint8_t bytes[TEXT_SIZE];
    uint32_t size;
};

struct fixture {
    struct pool blocks;
    struct stream stream;
    struct heard heard;
    uint8_t text[TEXT_SIZE];
};

static void hear(void *context, const uint8_t *bytes, uint32_t size)
{
    struct heard *heard = (struct heard *)context;
    assert_true(heard->size + size <= TEXT_SIZE);
    memcpy(heard->bytes + heard->size, bytes, size);
    heard->size += size;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    stream_blocks_init(&fixture.blocks);
    fixture.stream = stream_fresh();
    for (uint32_t i = 0; i < TEXT_SIZE; i++)
        fixture.text[i] = (uint8_t)(i * 7 + i / 256);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = (struct fixture *)*state;
    stream_close(&fixture->stream, &fixture->blocks);
    assert_int_equal(fixture->blocks.taken, 0);
    pool_free(&fixture->blocks);
    return 0;
}

static const uint32_t origin = UINT32_MAX - 1000; /* wraps on the way */

static void give(struct fixture *fixture, uint32_t from, uint32_t to)
{
    stream_take(&fixture->stream, &fixture->blocks, origin + from, fixture->text + from, to - from,
                to - from, hear, &fixture->heard);
}

static void assert_heard(const struct fixture *fixture, uint32_t size)
{
    assert_int_equal(fixture->heard.size, size);
    assert_memory_equal(fixture->heard.bytes, fixture->text, size);
}

static void segments_in_order_are_handed_on_at_once(void **state)
{
    struct fixture *fixture = (struct fixture *)*state;
    give(fixture, 0, 100);
    assert_heard(fixture, 100);
    give(fixture, 100, 1500);
    assert_heard(fixture, 1500);
}

static void segments_in_any_order_give_the_same_bytes(void **state)
{
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct fixture *fixture = (struct fixture *)*state;
    for (int i = 0; i < 6; i++) {
        fixture->stream = stream_fresh();
        fixture->heard.size = 0;
        stream_start(&fixture->stream, origin);
        for (int j = 0; j < 3; j++)
            give(fixture, orders[i][j] * 1000u, orders[i][j] * 1000u + 1000);
        assert_heard(fixture, 3000);
    }
}

static void overlapping_and_repeated_segments_are_delivered_once(void **state)
{
    struct fixture *fixture = (struct fixture *)*state;
    stream_start(&fixture->stream, origin);
    give(fixture, 500, 900);
    give(fixture, 0, 300);
    give(fixture, 0, 300);
    give(fixture, 200, 600);
    give(fixture, 700, 1200);
    assert_heard(fixture, 1200);
}

static void a_merged_segment_larger_than_a_block_waits_whole(void **state)
{
    struct fixture *fixture = (struct fixture *)*state;
    stream_start(&fixture->stream, origin);
    give(fixture, 100, 4000);
    assert_int_equal(fixture->heard.size, 0);
    give(fixture, 0, 100);
    assert_heard(fixture, 4000);
}

static void a_segment_cut_by_the_snap_length_ends_the_reading(void **state)
{
    struct fixture *fixture = (struct fixture *)*state;
    stream_take(&fixture->stream, &fixture->blocks, origin, fixture->text, 60, 1000, hear,
                &fixture->heard);
    give(fixture, 1000, 1200);
    assert_heard(fixture, 60);
    assert_true(fixture->stream.broken);
}

static void more_waiting_than_the_bound_ends_the_reading(void **state)
{
    struct fixture *fixture = (struct fixture *)*state;
    stream_start(&fixture->stream, origin);
    for (uint32_t i = 0; i <= STREAM_BLOCKS_MAX; i++)
        give(fixture, 10 + 20 * i, 20 + 20 * i);
    assert_true(fixture->stream.broken);
    assert_int_equal(fixture->heard.size, 0);
}

#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM_TEST(segments_in_order_are_handed_on_at_once),
        STREAM_TEST(segments_in_any_order_give_the_same_bytes),
        STREAM_TEST(overlapping_and_repeated_segments_are_delivered_once),
        STREAM_TEST(a_merged_segment_larger_than_a_block_waits_whole),
        STREAM_TEST(a_segment_cut_by_the_snap_length_ends_the_reading),
        STREAM_TEST(more_waiting_than_the_bound_ends_the_reading),
    };
    return cmocka_run_group_tests_name("track/stream", tests, NULL, NULL);
}
