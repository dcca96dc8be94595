/* The pipeline with the options that change what is read; what it concludes is the scenarios'
 * matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cli/pipeline.h"
#include "report/report.h"

#define DATABASE   "pipeline-test.db"
#define JSON       "pipeline-test.json"
#define PROHIBITED TEST_SOURCE_DIR "/tests/pcaps/prohibited-by-a-router.pcap"

static int remove_files(void **state)
{
    (void)state;
    unlink(DATABASE);
    unlink(DATABASE "-wal");
    unlink(DATABASE "-shm");
    unlink(JSON);
    return 0;
}

static bool analyze(struct settings *settings, struct pipeline_result *result, struct fault *fault)
{
    static const struct pipeline_hooks hooks = {0};
    const char *path = PROHIBITED;
    settings->database = DATABASE;
    remove_files(NULL);
    return pipeline_run(settings, &path, 1, 0, &hooks, result, fault);
}

static struct settings plain(void)
{
    return (struct settings){.since_ns = TIME_UNKNOWN, .until_ns = TIME_UNKNOWN};
}

/* The JSON report; freed by the caller. */
static char *report(void)
{
    struct fault fault = {{0}};
    struct report_options options = {
        .database = DATABASE,
        .range = {.all_runs = true, .since_ns = ROW_NULL, .until_ns = ROW_NULL}};
    if (!report_json(&options, JSON, &fault))
        fail_msg("%s", fault.sentence);
    FILE *file = fopen(JSON, "rb");
    char *text = NULL;
    size_t room = 0;
    assert_non_null(file);
    assert_true(getdelim(&text, &room, '\0', file) > 0);
    fclose(file);
    return text;
}

static void a_filter_keeps_the_icmp_errors_about_what_it_keeps(void **state)
{
    (void)state;
    struct settings settings = plain();
    struct pipeline_result result;
    struct fault fault = {{0}};
    settings.filter = "host 17.57.144.10"; /* two SYNs, and what the router says of them */
    assert_true(analyze(&settings, &result, &fault));
    assert_int_equal(result.quality.frames - result.quality.skipped[SKIP_FILTERED], 4);
    char *text = report();
    assert_non_null(strstr(text, "port-unreachable"));
    assert_null(strstr(text, "17.57.146.24"));
    assert_non_null(strstr(text, "--filter 'host 17.57.144.10'"));
    free(text);
}

static void a_filter_that_nothing_passes_is_no_clean_bill(void **state)
{
    (void)state;
    struct settings settings = plain();
    struct pipeline_result result;
    struct fault fault = {{0}};
    settings.filter = "host 192.0.2.1";
    assert_false(analyze(&settings, &result, &fault));
    assert_non_null(strstr(fault.sentence, "none of its 20 packets passes the filter"));
    assert_int_not_equal(access(DATABASE, F_OK), 0);
}

static void a_filter_that_is_wrong_is_refused_before_anything_is_read(void **state)
{
    (void)state;
    struct settings settings = plain();
    struct pipeline_result result;
    struct fault fault = {{0}};
    settings.filter = "vlan 7";
    assert_false(analyze(&settings, &result, &fault));
    assert_non_null(strstr(fault.sentence, "link headers"));
}

static void a_time_range_holds_its_beginning_and_not_its_end(void **state)
{
    (void)state;
    struct settings settings = plain();
    struct pipeline_result result;
    struct fault fault = {{0}};
    assert_true(clock_parse("2026-03-01T08:00", &settings.since_ns));
    assert_true(clock_parse("2026-03-01T08:00:01", &settings.until_ns));
    assert_true(analyze(&settings, &result, &fault)); /* the SYN at 0 s, its answer; not at 1 s */
    assert_int_equal(result.quality.frames - result.quality.skipped[SKIP_FILTERED], 2);
    settings.since_ns = settings.until_ns + 3600 * NS_PER_S;
    settings.until_ns = TIME_UNKNOWN;
    assert_false(analyze(&settings, &result, &fault));
    assert_non_null(strstr(fault.sentence, "lies in the time range"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_keeps_the_icmp_errors_about_what_it_keeps),
        cmocka_unit_test(a_filter_that_nothing_passes_is_no_clean_bill),
        cmocka_unit_test(a_filter_that_is_wrong_is_refused_before_anything_is_read),
        cmocka_unit_test(a_time_range_holds_its_beginning_and_not_its_end),
    };
    return cmocka_run_group_tests_name("cli/pipeline", tests, NULL, remove_files);
}
