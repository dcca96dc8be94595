/* Time as text and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void expect_clock(int64_t time_ns, const char *wanted)
{
    char text[CLOCK_TEXT_SIZE];
    assert_string_equal(clock_text(time_ns, text), wanted);
}

static void expect_duration(int64_t duration_ns, const char *wanted)
{
    char text[DURATION_TEXT_SIZE];
    assert_string_equal(duration_text(duration_ns, text), wanted);
}

static int64_t time_of(const char *text)
{
    int64_t time_ns = 0;
    assert_true(clock_parse(text, &time_ns));
    return time_ns;
}

static void a_time_is_iso_8601_in_utc_with_milliseconds(void **state)
{
    (void)state;
    expect_clock(0, "1970-01-01T00:00:00.000Z");
    expect_clock(INT64_C(1772366400123999999), "2026-03-01T12:00:00.123Z");
    expect_clock(INT64_C(951782400) * NS_PER_S, "2000-02-29T00:00:00.000Z");
    expect_clock(-1, "1969-12-31T23:59:59.999Z");
    expect_clock(TIME_UNKNOWN, "unknown");
    expect_clock(INT64_MAX, "2262-04-11T23:47:16.854Z");
    expect_clock(INT64_MIN + 1, "1677-09-21T00:12:43.145Z");
}

static void what_is_written_can_be_read(void **state)
{
    (void)state;
    assert_true(time_of("2026-03-01T12:00:00.123Z") == INT64_C(1772366400123000000));
    assert_true(time_of("2026-03-01T12:00:00.123456789") == INT64_C(1772366400123456789));
    assert_true(time_of("2026-03-01T12:00:00Z") == INT64_C(1772366400) * NS_PER_S);
    assert_true(time_of("2026-03-01T12:00") == INT64_C(1772366400) * NS_PER_S);
    assert_true(time_of("2026-03-01 12:00") == INT64_C(1772366400) * NS_PER_S);
    assert_true(time_of("2026-03-01") == INT64_C(1772323200) * NS_PER_S);
    assert_true(time_of("1760000000.5") == INT64_C(1760000000500000000));
    assert_true(time_of("0") == 0);
    assert_true(time_of("1969-12-31") == -86400 * NS_PER_S);
}

static void every_day_of_four_centuries_comes_back(void **state)
{
    char text[CLOCK_TEXT_SIZE];
    (void)state;
    for (int64_t day = -100000; day < 100000; day++) {
        int64_t time_ns = day * 86400 * NS_PER_S;
        assert_true(time_of(clock_text(time_ns, text)) == time_ns);
    }
}

static void local_times_with_their_offset_are_the_same_moment_everywhere(void **state)
{
    static const char *const same[] = {"2026-03-01T12:00:00Z", "2026-03-01T14:00+02:00",
                                       "2026-03-01T14:00:00.0+0200", "2026-02-28T22:30:00-13:30"};
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_true(time_of(same[i]) == time_of("2026-03-01T12:00"));
}

static void text_that_is_no_time_is_refused(void **state)
{
    static const char *const wrong[] = {"",
                                        "yesterday",
                                        "2026-02-29",
                                        "2026-13-01",
                                        "2026-00-10",
                                        "2026-01-01T24:00",
                                        "2026-01-01T10:60",
                                        "2026-1-1",
                                        "2026-01-01T",
                                        "2026-01-01Tx",
                                        "2026-01-01T10:00:00+1",
                                        "2026-01-01T10:00:00+24:00",
                                        "2026-01-01T10:00:00+01:60",
                                        "2026-01-01+01:00",
                                        "9999-01-01",
                                        "1.",
                                        ".5",
                                        "9223372036",
                                        "99999999999999999999",
                                        "-1"};
    int64_t time_ns;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (clock_parse(wrong[i], &time_ns))
            fail_msg("\"%s\" was taken for a time", wrong[i]);
}

static void a_duration_is_told_in_the_units_people_use(void **state)
{
    (void)state;
    expect_duration(0, "0 ns");
    expect_duration(850, "850 ns");
    expect_duration(350 * NS_PER_US, "350 µs");
    expect_duration(1500 * NS_PER_US, "1.5 ms");
    expect_duration(12 * NS_PER_MS, "12 ms");
    expect_duration(3200 * NS_PER_MS, "3.2 s");
    expect_duration(30 * NS_PER_S, "30 s");
    expect_duration(1835 * NS_PER_S, "30 min 35 s");
    expect_duration(1800 * NS_PER_S, "30 min");
    expect_duration(7500 * NS_PER_S, "2 h 05 min");
    expect_duration((3 * 86400 + 4 * 3600) * NS_PER_S, "3 d 04 h");
    expect_duration(-3200 * NS_PER_MS, "-3.2 s");
    expect_duration(TIME_UNKNOWN, "unknown");
}

static void rounding_moves_on_to_the_next_unit(void **state)
{
    (void)state;
    expect_duration(999999, "1 ms");
    expect_duration(999999999, "1 s");
    expect_duration(59960 * NS_PER_MS, "1 min");
    expect_duration(3599700 * NS_PER_MS, "1 h");
    expect_duration(INT64_MAX, "106751 d 23 h");
}

static void durations_are_read_with_and_without_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {{"90", 90}, {"90s", 90}, {"30m", 1800}, {"1h", 3600}, {"2d", 172800}, {"0", 0}};
    int64_t duration_ns;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(duration_parse(rows[i].text, &duration_ns));
        assert_true(duration_ns == rows[i].seconds * NS_PER_S);
    }
    assert_true(duration_parse("20ms", &duration_ns));
    assert_true(duration_ns == 20 * NS_PER_MS);
}

static void text_that_is_no_duration_is_refused(void **state)
{
    static const char *const wrong[] = {"",    "s",    "1w",      "-1s",
                                        "1 s", "1.5h", "200000d", "9999999999999999999s"};
    int64_t duration_ns;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(duration_parse(wrong[i], &duration_ns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_iso_8601_in_utc_with_milliseconds),
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(every_day_of_four_centuries_comes_back),
        cmocka_unit_test(local_times_with_their_offset_are_the_same_moment_everywhere),
        cmocka_unit_test(text_that_is_no_time_is_refused),
        cmocka_unit_test(a_duration_is_told_in_the_units_people_use),
        cmocka_unit_test(rounding_moves_on_to_the_next_unit),
        cmocka_unit_test(durations_are_read_with_and_without_unit),
        cmocka_unit_test(text_that_is_no_duration_is_refused),
    };
    return cmocka_run_group_tests_name("base clock", tests, NULL, NULL);
}
