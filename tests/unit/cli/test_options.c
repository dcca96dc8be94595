/* The command line: what is understood, and the sentences that refuse the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cli/settings.h"

enum { WORDS_MAX = 8 };

/* Reads "analyze WORD..." */
static bool reads(struct settings *settings, struct fault *fault, const char *const *words)
{
    char *argv[WORDS_MAX + 2] = {(char *)(uintptr_t) "analyze"};
    int argc = 1;
    for (size_t i = 0; words[i]; i++)
        argv[argc++] = (char *)(uintptr_t)words[i];
    return settings_read(settings, IN_ANALYZE, argc, argv, fault);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void assert_refused(const char *const *words, const char *part)
{
    struct settings settings;
    struct fault fault = {{0}};
    assert_false(reads(&settings, &fault, words));
    if (!strstr(fault.sentence, part))
        fail_msg("\"%s\" does not contain \"%s\"", fault.sentence, part);
}

static void a_filter_is_kept_as_it_is_written(void **state)
{
    (void)state;
    struct settings settings;
    struct fault fault = {{0}};
    assert_true(reads(&settings, &fault, WORDS("--filter", "host 17.1.2.3 or icmp", "a.pcap")));
    assert_string_equal(settings.filter, "host 17.1.2.3 or icmp");
    assert_int_equal(settings.argument_count, 1);
}

static void times_may_carry_an_offset(void **state)
{
    (void)state;
    struct settings settings;
    struct fault fault = {{0}};
    assert_true(reads(&settings, &fault,
                      WORDS("--since", "2026-03-01T10:00+02:00", "--until=2026-03-01T08:30Z")));
    assert_true(settings.until_ns - settings.since_ns == 30 * 60 * NS_PER_S);
    assert_refused(WORDS("--since", "yesterday"), "2026-03-01T10:00+02:00");
    assert_refused(WORDS("--since", "2026-03-02", "--until", "2026-03-01"), "later time");
}

static void keepalive_and_idle_limit_are_minutes_at_least(void **state)
{
    (void)state;
    struct settings settings;
    struct fault fault = {{0}};
    assert_true(reads(&settings, &fault, WORDS("--keepalive", "20m", "--idle-limit=2h")));
    assert_true(settings.keepalive_ns == 20 * 60 * NS_PER_S);
    assert_true(settings.idle_limit_ns == 2 * 3600 * NS_PER_S);
    assert_refused(WORDS("--keepalive", "30s"), "a minute or more");
    assert_refused(WORDS("--idle-limit", "soon"), "a minute or more");
}

static void a_duration_has_a_unit_and_is_more_than_nothing(void **state)
{
    (void)state;
    struct settings settings;
    struct fault fault = {{0}};
    assert_true(reads(&settings, &fault, WORDS("--follow", "--duration", "30m")));
    assert_true(settings.follow);
    assert_true(settings.duration_ns == 30 * 60 * NS_PER_S);
    assert_refused(WORDS("--duration", "soon"), "soon is not a time span");
    assert_refused(WORDS("--duration", "0"), "90s, 30m or 8h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_is_kept_as_it_is_written),
        cmocka_unit_test(times_may_carry_an_offset),
        cmocka_unit_test(keepalive_and_idle_limit_are_minutes_at_least),
        cmocka_unit_test(a_duration_has_a_unit_and_is_more_than_nothing),
    };
    return cmocka_run_group_tests_name("cli/options", tests, NULL, NULL);
}
