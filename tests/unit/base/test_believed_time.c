/* base/believed_time: what goes on, what is borne out, what stands alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/believed_time.h"

#define AT(seconds) (INT64_C(1772352000) * NS_PER_S + (seconds) * NS_PER_S)

static void small_steps_go_on(void **state)
{
    (void)state;
    assert_true(time_goes_on(AT(0), AT(0)));
    assert_true(time_goes_on(AT(0), AT(60)));
    assert_true(time_goes_on(AT(0), AT(-1)));
    assert_false(time_goes_on(AT(0), AT(60) + 1));
    assert_false(time_goes_on(AT(0), AT(-1) - 1));
    assert_false(time_goes_on(AT(0), INT64_MAX));
    assert_false(time_goes_on(AT(0), INT64_MIN));
    assert_false(time_goes_on(INT64_MIN, INT64_MAX));
    assert_true(time_goes_on(INT64_MIN, INT64_MIN));
    assert_true(time_goes_on(INT64_MAX, INT64_MAX));
}

static void a_jump_ahead_is_borne_out_by_what_comes_at_or_after_it(void **state)
{
    (void)state;
    assert_true(time_bears_out(AT(0), AT(3600), AT(3600)));
    assert_true(time_bears_out(AT(0), AT(3600), AT(3599)));
    assert_true(time_bears_out(AT(0), AT(3600), AT(9000)));
    assert_false(time_bears_out(AT(0), AT(3600), AT(1)));
    assert_false(time_bears_out(AT(0), AT(3600), AT(3000)));
    assert_false(time_bears_out(AT(0), INT64_MAX, AT(1)));
    int64_t years = 10LL * 365 * 24 * 3600;
    assert_true(time_bears_out(AT(0), AT(years), AT(years + 3600)));
    assert_false(time_bears_out(AT(0), AT(years), AT(2 * years)));
    assert_true(time_bears_out(AT(0), AT(3 * 24 * 3600), AT(years)));
}

static void a_step_back_is_borne_out_by_what_stays_below(void **state)
{
    (void)state;
    assert_true(time_bears_out(AT(0), AT(-3600), AT(-3600)));
    assert_true(time_bears_out(AT(0), AT(-3600), AT(-1800)));
    assert_false(time_bears_out(AT(0), AT(-3600), AT(0)));
    assert_false(time_bears_out(AT(0), AT(-3600), AT(30)));
    assert_false(time_bears_out(AT(0), AT(-3600), AT(-7200)));
    assert_false(time_bears_out(AT(0), INT64_MIN, AT(1)));
}

static void what_stands_alone_is_believed_within_hours(void **state)
{
    (void)state;
    assert_true(time_may_stand_alone(AT(0), AT(4 * 3600)));
    assert_true(time_may_stand_alone(AT(0), AT(-4 * 3600)));
    assert_false(time_may_stand_alone(AT(0), AT(4 * 3600 + 1)));
    assert_false(time_may_stand_alone(AT(0), INT64_MIN));
    assert_false(time_may_stand_alone(INT64_MIN, AT(0)));
}

static void a_first_time_is_of_this_world(void **state)
{
    (void)state;
    assert_true(time_is_of_this_world(AT(0)));
    assert_false(time_is_of_this_world(0));
    assert_false(time_is_of_this_world(INT64_MAX));
    assert_false(time_is_of_this_world(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_steps_go_on),
        cmocka_unit_test(a_jump_ahead_is_borne_out_by_what_comes_at_or_after_it),
        cmocka_unit_test(a_step_back_is_borne_out_by_what_stays_below),
        cmocka_unit_test(what_stands_alone_is_believed_within_hours),
        cmocka_unit_test(a_first_time_is_of_this_world),
    };
    return cmocka_run_group_tests_name("believed time", tests, NULL, NULL);
}
