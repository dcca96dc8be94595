/* `apnscope show` and `apnscope checks`, as they print. */
#include "fill.h"

#include <fcntl.h>
#include <unistd.h>

static int saved_output = -1;

static void catch_output(const struct fill *fill)
{
    char path[128];
    snprintf(path, sizeof path, "%s/out.txt", fill->directory);
    fflush(stdout);
    saved_output = dup(STDOUT_FILENO);
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(saved_output >= 0 && file >= 0);
    assert_true(dup2(file, STDOUT_FILENO) >= 0);
    close(file);
}

static char *caught_output(const struct fill *fill)
{
    char path[128];
    snprintf(path, sizeof path, "%s/out.txt", fill->directory);
    fflush(stdout);
    dup2(saved_output, STDOUT_FILENO);
    close(saved_output);
    return fill_read(path, NULL);
}

static char *list_of(const struct fill *fill, enum report_list list)
{
    struct fault fault = {0};
    struct report_options options = fill_options(fill);
    catch_output(fill);
    bool shown = report_list(&options, list, &fault);
    char *text = caught_output(fill);
    assert_true(shown);
    return text;
}

static void lists_read_as_they_did(void **state)
{
    (void)state;
    static const char *const goldens[] = {[SHOW_DEVICES] = "show_devices.txt",
                                          [SHOW_FLOWS] = "show_flows.txt",
                                          [SHOW_FINDINGS] = "show_findings.txt",
                                          [SHOW_RUNS] = "show_runs.txt"};
    struct fill fill;
    fill_faulty(&fill);
    for (int list = SHOW_DEVICES; list <= SHOW_RUNS; list++) {
        char *text = list_of(&fill, (enum report_list)list);
        fill_assert_golden(goldens[list], text);
        free(text);
    }
    fill_remove(&fill);
}

static void an_empty_list_says_so(void **state)
{
    (void)state;
    struct fill fill;
    fill_begin(&fill);
    fill_end(&fill);
    char *text = list_of(&fill, SHOW_FINDINGS);
    assert_string_equal(text, "No finding.\n");
    free(text);
    fill_remove(&fill);
}

static void a_session_is_drawn_as_a_ladder(void **state)
{
    (void)state;
    struct fill fill;
    struct fault fault = {0};
    fill_faulty(&fill);
    struct report_options options = fill_options(&fill);
    catch_output(&fill);
    bool shown = report_flow(&options, 1, &fault) && report_flow(&options, 2, &fault) &&
                 report_flow(&options, 19, &fault);
    char *text = caught_output(&fill);
    assert_true(shown);
    fill_assert_golden("show_flow.txt", text);
    free(text);
    fill_remove(&fill);
}

static void a_finding_shows_its_evidence(void **state)
{
    (void)state;
    struct fill fill;
    struct fault fault = {0};
    fill_faulty(&fill);
    struct report_options options = fill_options(&fill);
    catch_output(&fill);
    bool shown = report_finding(&options, 7, &fault);
    char *text = caught_output(&fill);
    assert_true(shown);
    fill_assert_golden("show_finding.txt", text);
    free(text);
    fill_remove(&fill);
}

static void a_number_that_is_not_there_is_a_sentence(void **state)
{
    (void)state;
    struct fill fill;
    struct fault fault = {0};
    fill_healthy(&fill);
    struct report_options options = fill_options(&fill);
    assert_false(report_flow(&options, 4711, &fault));
    assert_non_null(strstr(fault.sentence, "no flow 4711"));
    assert_false(report_finding(&options, 4711, &fault));
    assert_non_null(strstr(fault.sentence, "show findings"));
    fill_remove(&fill);
}

static void hostile_names_move_no_cursor(void **state)
{
    (void)state;
    struct fill fill;
    struct fault fault = {0};
    fill_hostile(&fill);
    struct report_options options = fill_options(&fill);
    catch_output(&fill);
    bool shown =
        report_list(&options, SHOW_FLOWS, &fault) && report_list(&options, SHOW_FINDINGS, &fault);
    for (int64_t id = 1; id <= FILL_HOSTILE_COUNT + 1; id++)
        shown = shown && report_flow(&options, id, &fault) && report_finding(&options, id, &fault);
    char *text = caught_output(&fill);
    assert_true(shown);
    for (const char *at = text; *at; at++)
        assert_true((uint8_t)*at >= 0x20 || *at == '\n');
    assert_null(strstr(text, "\xe2\x80\xae"));
    free(text);
    fill_remove(&fill);
}

static void checks_read_as_they_did(void **state)
{
    (void)state;
    const struct report_catalogue catalogue = {fill_codes, sizeof fill_codes / sizeof *fill_codes};
    for (int markdown = 0; markdown < 2; markdown++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        report_checks(&catalogue, markdown, 0, out);
        fclose(out);
        fill_assert_golden(markdown ? "checks.md" : "checks.txt", text);
        free(text);
    }
}

static void a_fault_is_found_only_where_a_finding_fails(void **state)
{
    (void)state;
    struct fill fill;
    struct fault fault = {0};
    bool fault_found = false;
    fill_faulty(&fill);
    struct report_options options = fill_options(&fill);
    assert_true(report_has_fault(&options, &fault_found, &fault));
    assert_true(fault_found);
    fill_remove(&fill);
    fill_healthy(&fill);
    options = fill_options(&fill);
    assert_true(report_has_fault(&options, &fault_found, &fault));
    assert_false(fault_found);
    fill_remove(&fill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_read_as_they_did),
        cmocka_unit_test(an_empty_list_says_so),
        cmocka_unit_test(a_session_is_drawn_as_a_ladder),
        cmocka_unit_test(a_finding_shows_its_evidence),
        cmocka_unit_test(a_number_that_is_not_there_is_a_sentence),
        cmocka_unit_test(hostile_names_move_no_cursor),
        cmocka_unit_test(checks_read_as_they_did),
        cmocka_unit_test(a_fault_is_found_only_where_a_finding_fails),
    };
    return cmocka_run_group_tests_name("report/show", tests, NULL, NULL);
}
