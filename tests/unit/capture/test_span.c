/* capture/span: when a capture begins and ends, whatever single frames say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/span.h"

#define AT(seconds) (INT64_C(1772352000) * NS_PER_S + (int64_t)(seconds)*NS_PER_S)
#define YEARS       (365 * 24 * 3600)

static struct capture_quality told;

/* Seconds from the start; the last one is LAST. */
enum { LAST = INT32_MIN };

static void span_of(const int32_t *seconds)
{
    struct span span = span_fresh();
    for (; *seconds != LAST; seconds++)
        span_take(&span, AT(*seconds), true);
    told = (struct capture_quality){.first_ns = TIME_UNKNOWN, .last_ns = TIME_UNKNOWN};
    span_tell(&span, &told);
}

#define SPAN(...) span_of((const int32_t[]){__VA_ARGS__, LAST})

static void expect(int64_t first, int64_t last, int64_t end, uint64_t steps, uint64_t strays)
{
    assert_int_equal(told.first_ns, AT(first));
    assert_int_equal(told.last_ns, AT(last));
    assert_int_equal(told.end_ns, AT(end));
    assert_int_equal(told.backward_steps, steps);
    assert_int_equal(told.stray_times, strays);
}

static void frames_in_order_span_from_the_first_to_the_last(void **state)
{
    (void)state;
    SPAN(0, 1, 2, 7200, 7201, 20000);
    expect(0, 20000, 20000, 0, 0);
    SPAN(5);
    expect(5, 5, 5, 0, 0);
}

static void small_steps_back_are_counted(void **state)
{
    (void)state;
    SPAN(10, 9, 10, 12, 11);
    expect(9, 12, 11, 2, 0);
    assert_int_equal(told.largest_step_back_ns, NS_PER_S);
}

static void a_clock_that_was_set_back_is_one_step(void **state)
{
    (void)state;
    SPAN(1000, 1001, 400, 401, 450);
    expect(400, 1001, 450, 1, 0);
    assert_int_equal(told.largest_step_back_ns, 601 * NS_PER_S);
    SPAN(1000, 1001, 400); /* the last frame of all */
    expect(400, 1001, 400, 1, 0);
}

static void damaged_times_are_neither_beginning_nor_end(void **state)
{
    (void)state;
    SPAN(0, 1, 20 * YEARS, 2, 3);
    expect(0, 3, 3, 0, 1);
    SPAN(0, 1, -20 * YEARS, 2, 3);
    expect(0, 3, 3, 0, 1);
    SPAN(0, 1, 20 * YEARS, 30 * YEARS, -20 * YEARS, 2);
    expect(0, 2, 2, 0, 3);
    SPAN(0, 1, 20 * YEARS);
    expect(0, 1, 1, 0, 1);
    SPAN(0, 1, 20 * YEARS, 1, 20 * YEARS, 1, 20 * YEARS);
    expect(0, 1, 1, 0, 3);
}

static void a_damaged_first_time_is_not_the_beginning(void **state)
{
    (void)state;
    struct span span = span_fresh();
    span_take(&span, 0, true);
    span_take(&span, AT(0), true);
    span_take(&span, AT(1), true);
    told = (struct capture_quality){.first_ns = TIME_UNKNOWN, .last_ns = TIME_UNKNOWN};
    span_tell(&span, &told);
    expect(0, 1, 1, 0, 1);
}

/* A device without a clock of its own counts from 1970. */
static void a_capture_may_be_of_another_age(void **state)
{
    (void)state;
    struct span span = span_fresh();
    for (int i = 0; i < 4; i++)
        span_take(&span, i * NS_PER_S, true);
    told = (struct capture_quality){.first_ns = TIME_UNKNOWN, .last_ns = TIME_UNKNOWN};
    span_tell(&span, &told);
    assert_int_equal(told.first_ns, 0);
    assert_int_equal(told.last_ns, 3 * NS_PER_S);
    assert_int_equal(told.stray_times, 0);
}

static void frames_that_do_not_count_leave_the_span_alone(void **state)
{
    (void)state;
    struct span span = span_fresh();
    for (int i = 0; i < 10; i++)
        span_take(&span, AT(i), i >= 3 && i < 6);
    told = (struct capture_quality){.first_ns = TIME_UNKNOWN, .last_ns = TIME_UNKNOWN};
    span_tell(&span, &told);
    expect(3, 5, 9, 0, 0);
}

static void any_number_may_be_a_time(void **state)
{
    (void)state;
    static const int64_t times[] = {INT64_MIN, INT64_MAX, 0, INT64_MIN, INT64_MAX, -1, INT64_MAX};
    struct span span = span_fresh();
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        span_take(&span, times[i], true);
    told = (struct capture_quality){.first_ns = TIME_UNKNOWN, .last_ns = TIME_UNKNOWN};
    span_tell(&span, &told);
    assert_true(told.first_ns <= told.last_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_in_order_span_from_the_first_to_the_last),
        cmocka_unit_test(small_steps_back_are_counted),
        cmocka_unit_test(a_clock_that_was_set_back_is_one_step),
        cmocka_unit_test(damaged_times_are_neither_beginning_nor_end),
        cmocka_unit_test(a_damaged_first_time_is_not_the_beginning),
        cmocka_unit_test(a_capture_may_be_of_another_age),
        cmocka_unit_test(frames_that_do_not_count_leave_the_span_alone),
        cmocka_unit_test(any_number_may_be_a_time),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
