/* The terminal summary, against what it said before. */
#include "fill.h"

#include "report/visible.h"

static char *summary_of(const struct fill *fill, unsigned width, bool colour)
{
    char path[128];
    struct fault fault = {0};
    struct report_options options = fill_options(fill);
    options.width = width;
    options.colour = colour;
    snprintf(path, sizeof path, "%s/summary.txt", fill->directory);
    if (!report_text(&options, path, &fault))
        fail_msg("%s", fault.sentence);
    return fill_read(path, NULL);
}

static void assert_lines_fit(const char *text, size_t width)
{
    for (const char *line = text; *line;) {
        size_t size = strcspn(line, "\n");
        if (visible_columns(line, size) > width)
            fail_msg("too wide: %.*s", (int)size, line);
        line += size + (line[size] == '\n');
    }
}

static void a_faulty_network_reads_as_it_did(void **state)
{
    (void)state;
    struct fill fill;
    fill_faulty(&fill);
    char *text = summary_of(&fill, 0, false);
    fill_assert_golden("faulty.txt", text);
    assert_lines_fit(text, 80);
    assert_null(strchr(text, '\033'));
    free(text);
    fill_remove(&fill);
}

static void a_healthy_network_reads_as_it_did(void **state)
{
    (void)state;
    struct fill fill;
    fill_healthy(&fill);
    char *text = summary_of(&fill, 0, false);
    fill_assert_golden("healthy.txt", text);
    free(text);
    fill_remove(&fill);
}

static void an_empty_capture_reads_as_it_did(void **state)
{
    (void)state;
    struct fill fill;
    fill_begin(&fill);
    fill_end(&fill);
    char *text = summary_of(&fill, 0, false);
    fill_assert_golden("empty.txt", text);
    free(text);
    fill_remove(&fill);
}

static void a_narrow_terminal_is_respected(void **state)
{
    (void)state;
    struct fill fill;
    fill_faulty(&fill);
    char *text = summary_of(&fill, 60, false);
    assert_lines_fit(text, 60);
    free(text);
    fill_remove(&fill);
}

static void colour_comes_only_when_asked_for_and_ends_where_it_began(void **state)
{
    (void)state;
    struct fill fill;
    fill_faulty(&fill);
    char *text = summary_of(&fill, 0, true);
    unsigned starts = 0, ends = 0;
    for (const char *at = text; (at = strchr(at, '\033')); at++) {
        bool is_end = strncmp(at, "\033[0m", 4) == 0;
        starts += !is_end;
        ends += is_end;
    }
    assert_true(starts > 10);
    assert_int_equal(starts, ends);
    assert_non_null(strstr(text, "\033[1;31mFault found:\033[0m"));
    free(text);
    fill_remove(&fill);
}

static void hostile_names_move_no_cursor(void **state)
{
    (void)state;
    struct fill fill;
    fill_hostile(&fill);
    char *text = summary_of(&fill, 0, false);
    for (const char *at = text; *at; at++)
        assert_true((uint8_t)*at >= 0x20 || *at == '\n');
    assert_non_null(strstr(text, "\\x1b[2J"));
    free(text);
    fill_remove(&fill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_faulty_network_reads_as_it_did),
        cmocka_unit_test(a_healthy_network_reads_as_it_did),
        cmocka_unit_test(an_empty_capture_reads_as_it_did),
        cmocka_unit_test(a_narrow_terminal_is_respected),
        cmocka_unit_test(colour_comes_only_when_asked_for_and_ends_where_it_began),
        cmocka_unit_test(hostile_names_move_no_cursor),
    };
    return cmocka_run_group_tests_name("report/text", tests, NULL, NULL);
}
