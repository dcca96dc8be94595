/* track/sequence: new, again, late, or missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "track/sequence.h"

static const int64_t reorder_ns = 3 * NS_PER_MS;

static enum segment_kind take(struct sequence *sequence, uint32_t first, uint32_t size,
                              int64_t now_ns)
{
    return sequence_take(sequence, first, size, 0, now_ns, reorder_ns);
}

static void bytes_in_order_are_new(void **state)
{
    (void)state;
    struct sequence sequence = {0};
    assert_int_equal(take(&sequence, 1000, 100, 1), SEGMENT_NEW);
    assert_int_equal(take(&sequence, 1100, 100, 2), SEGMENT_NEW);
    assert_int_equal(take(&sequence, 1200, 0, 3), SEGMENT_EMPTY);
}

static void bytes_seen_before_are_a_retransmission(void **state)
{
    (void)state;
    struct sequence sequence = {0};
    take(&sequence, 1000, 100, 0);
    assert_int_equal(take(&sequence, 1000, 100, NS_PER_S), SEGMENT_RETRANSMISSION);
    assert_int_equal(take(&sequence, 1050, 50, NS_PER_S), SEGMENT_RETRANSMISSION);
    assert_int_equal(take(&sequence, 1050, 100, NS_PER_S), SEGMENT_NEW);
}

static void a_hole_filled_at_once_was_reordering_and_later_a_retransmission(void **state)
{
    (void)state;
    struct sequence soon = {0};
    take(&soon, 1000, 100, 0);
    assert_int_equal(take(&soon, 1200, 100, 10), SEGMENT_AHEAD);
    assert_int_equal(take(&soon, 1100, 100, 20), SEGMENT_OUT_OF_ORDER);

    struct sequence late = {0};
    take(&late, 1000, 100, 0);
    assert_int_equal(take(&late, 1200, 100, 10), SEGMENT_AHEAD);
    assert_int_equal(take(&late, 1100, 100, NS_PER_S), SEGMENT_RETRANSMISSION);
}

/* As after path MTU discovery: 1448 bytes that were lost come again in segments of 1248. */
static void a_hole_is_also_filled_by_segments_that_reach_over_its_edge(void **state)
{
    (void)state;
    struct sequence sequence = {0};
    take(&sequence, 1000, 1, 0);
    assert_int_equal(take(&sequence, 2449, 1170, 10), SEGMENT_AHEAD);
    assert_int_equal(take(&sequence, 1001, 1248, 20), SEGMENT_OUT_OF_ORDER);
    assert_int_equal(take(&sequence, 2249, 1248, 30), SEGMENT_OUT_OF_ORDER);
    assert_int_equal(sequence_acknowledged(&sequence, 3619, 40), 0);
    assert_int_equal(sequence_acknowledged(&sequence, 3619, 40 + 60 * NS_PER_S), 0);

    struct sequence merged = {0};
    take(&merged, 1000, 1, 0);
    assert_int_equal(take(&merged, 1101, 100, 10), SEGMENT_AHEAD);
    assert_int_equal(take(&merged, 1001, 300, 20), SEGMENT_NEW);
    assert_int_equal(sequence_acknowledged(&merged, 1301, 30), 0);
    assert_int_equal(sequence_acknowledged(&merged, 1301, 30 + 60 * NS_PER_S), 0);
}

static void a_probe_just_below_the_next_byte_is_a_keepalive(void **state)
{
    (void)state;
    struct sequence sequence = {0};
    take(&sequence, 1000, 100, 0);
    assert_int_equal(take(&sequence, 1099, 0, NS_PER_S), SEGMENT_KEEPALIVE);
    assert_int_equal(take(&sequence, 1099, 1, NS_PER_S), SEGMENT_KEEPALIVE);
}

static void numbers_wrap_around(void **state)
{
    (void)state;
    struct sequence sequence = {0};
    take(&sequence, UINT32_MAX - 49, 50, 0);
    assert_int_equal(take(&sequence, 0, 50, 1), SEGMENT_NEW);
    assert_int_equal(take(&sequence, UINT32_MAX - 49, 50, NS_PER_S), SEGMENT_RETRANSMISSION);
}

static void an_ack_ahead_of_its_data_is_not_a_loss(void **state)
{
    (void)state;
    struct sequence sequence = {0};
    take(&sequence, 1000, 100, 0);
    assert_int_equal(sequence_acknowledged(&sequence, 1200, 10 * NS_PER_MS), 0);
    assert_int_equal(take(&sequence, 1100, 100, 11 * NS_PER_MS), SEGMENT_NEW);
    assert_int_equal(sequence_acknowledged(&sequence, 1200, NS_PER_S), 0);
}

static void acknowledged_bytes_that_never_come_are_missing_once(void **state)
{
    (void)state;
    struct sequence sequence = {0};
    take(&sequence, 1000, 100, 0);
    assert_int_equal(sequence_acknowledged(&sequence, 1300, NS_PER_S), 0);
    assert_int_equal(sequence_acknowledged(&sequence, 1300, 2 * NS_PER_S), 200);
    assert_int_equal(sequence_acknowledged(&sequence, 1300, 3 * NS_PER_S), 0);
}

static void an_acknowledged_hole_is_missing(void **state)
{
    (void)state;
    struct sequence sequence = {0};
    take(&sequence, 1000, 100, 0);
    take(&sequence, 1200, 100, 1);
    assert_int_equal(sequence_acknowledged(&sequence, 1300, NS_PER_S), 0);
    assert_int_equal(sequence_acknowledged(&sequence, 1300, 2 * NS_PER_S), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_in_order_are_new),
        cmocka_unit_test(bytes_seen_before_are_a_retransmission),
        cmocka_unit_test(a_hole_filled_at_once_was_reordering_and_later_a_retransmission),
        cmocka_unit_test(a_hole_is_also_filled_by_segments_that_reach_over_its_edge),
        cmocka_unit_test(a_probe_just_below_the_next_byte_is_a_keepalive),
        cmocka_unit_test(numbers_wrap_around),
        cmocka_unit_test(an_ack_ahead_of_its_data_is_not_a_loss),
        cmocka_unit_test(acknowledged_bytes_that_never_come_are_missing_once),
        cmocka_unit_test(an_acknowledged_hole_is_missing),
    };
    return cmocka_run_group_tests_name("track/sequence", tests, NULL, NULL);
}
