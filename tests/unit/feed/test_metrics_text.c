/* The page that Prometheus reads. */
#include "feed_sample.h"

#include "feed/metrics_text.h"

static char *page_of(enum metrics_format format, const struct metrics_state *state)
{
    char *text;
    size_t size;
    struct feed_origin origin = sample_origin();
    FILE *out = open_memstream(&text, &size);
    metrics_write(out, format, &origin, state);
    fclose(out);
    return text;
}

static struct metrics_state *sample_state(void)
{
    struct metrics_state *state = calloc(1, sizeof *state);
    state->report.now_ns = SAMPLE_NS + NS_PER_S;
    state->report.quality.last_ns = SAMPLE_NS + 1500 * NS_PER_MS;
    state->report.lag_ns = -5;
    state->report.interface_count = 2;
    state->report.interfaces[0].interface = "eth1";
    state->report.interfaces[0].received = 1000;
    state->report.interfaces[1].interface = "a\"b\\c\nd";
    state->report.interfaces[1].dropped_queue = 7;
    state->report.ended[OUTCOME_REFUSED] = 4;
    state->codes[0] = (struct metrics_code){"port-refused", SEVERITY_FAIL, 2, 3, 1};
    state->code_count = 1;
    return state;
}

static void assert_line(const char *page, const char *line)
{
    const char *found = strstr(page, line);
    if (!found || (found != page && found[-1] != '\n') || found[strlen(line)] != '\n')
        fail_msg("no line %s in\n%s", line, page);
}

static void numbers_have_names_labels_and_help(void **state)
{
    struct metrics_state *sample = sample_state();
    char *page = page_of(METRICS_PROMETHEUS, sample);
    (void)state;
    assert_line(page, "# TYPE apnscope_packets_received_total counter");
    assert_line(page, "apnscope_packets_received_total{interface=\"eth1\"} 1000");
    assert_line(page, "apnscope_findings{code=\"port-refused\",severity=\"fail\"} 2");
    assert_line(page, "apnscope_findings_found_total{code=\"port-refused\",severity=\"fail\"} 3");
    assert_line(page, "apnscope_sessions_ended_total{outcome=\"refused\"} 4");
    assert_line(page, "apnscope_last_packet_time_seconds 1767225601.500");
    assert_line(page, "apnscope_lag_seconds 0.000");
    assert_line(page, "apnscope_build_info{version=\"1.2.3\"} 1");
    assert_null(strstr(page, "# EOF"));
    free(page);
    free(sample);
}

static void labels_are_escaped(void **state)
{
    struct metrics_state *sample = sample_state();
    char *page = page_of(METRICS_PROMETHEUS, sample);
    (void)state;
    assert_line(page,
                "apnscope_packets_dropped_total{interface=\"a\\\"b\\\\c\\nd\",by=\"queue\"} 7");
    free(page);
    free(sample);
}

static void openmetrics_names_families_without_total_and_says_where_it_ends(void **state)
{
    struct metrics_state *sample = sample_state();
    char *page = page_of(METRICS_OPENMETRICS, sample);
    (void)state;
    assert_line(page, "# TYPE apnscope_packets_received counter");
    assert_line(page, "apnscope_packets_received_total{interface=\"eth1\"} 1000");
    assert_string_equal(page + strlen(page) - 6, "# EOF\n");
    free(page);
    free(sample);
}

static void before_the_first_second_only_the_build_is_known(void **state)
{
    struct metrics_state *sample = calloc(1, sizeof *sample);
    char *page = page_of(METRICS_PROMETHEUS, sample);
    (void)state;
    assert_line(page, "apnscope_build_info{version=\"1.2.3\"} 1");
    assert_null(strstr(page, "packets"));
    free(page);
    free(sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_names_labels_and_help),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(openmetrics_names_families_without_total_and_says_where_it_ends),
        cmocka_unit_test(before_the_first_second_only_the_build_is_known),
    };
    return cmocka_run_group_tests_name("feed/metrics_text", tests, NULL, NULL);
}
