/* detect/timeline: moments, bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detect/timeline.h"

static void a_moment_is_found_where_it_was(void **state)
{
    struct timeline timeline = {0};
    (void)state;
    assert_false(timeline_has(&timeline, 0, UINT32_MAX));
    timeline_note(&timeline, 100);
    timeline_note(&timeline, 200);
    assert_true(timeline_has(&timeline, 100, 100));
    assert_true(timeline_has(&timeline, 150, 250));
    assert_false(timeline_has(&timeline, 101, 199));
    assert_false(timeline_has(&timeline, 201, 300));
}

static void an_earlier_moment_changes_nothing(void **state)
{
    struct timeline timeline = {0};
    (void)state;
    timeline_note(&timeline, 100);
    timeline_note(&timeline, 50);
    assert_int_equal(timeline.count, 1);
    assert_false(timeline_has(&timeline, 0, 60));
}

static void a_long_line_keeps_its_ends_and_invents_nothing(void **state)
{
    struct timeline timeline = {0};
    (void)state;
    for (uint32_t i = 0; i < 100000; i++)
        timeline_note(&timeline, 1000 + 10 * i);
    assert_in_range(timeline.count, TIMELINE_MAX / 2, TIMELINE_MAX);
    assert_true(timeline_has(&timeline, 1000, 1000));
    assert_false(timeline_has(&timeline, 0, 999));
    for (uint32_t i = 0; i < 100000 - 6250; i += 1000) /* a sixteenth of it, anywhere */
        assert_true(timeline_has(&timeline, 1000 + 10 * i, 1000 + 10 * (i + 6250)));
    for (uint32_t i = 0; i < timeline.count; i++)
        assert_int_equal(timeline.at_s[i] % 10, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_is_found_where_it_was),
        cmocka_unit_test(an_earlier_moment_changes_nothing),
        cmocka_unit_test(a_long_line_keeps_its_ends_and_invents_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
