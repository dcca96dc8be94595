/* The Markdown report: reads as it did, and is harmless. */
#include "fill.h"

static char *page_of(const struct fill *fill)
{
    char path[128];
    struct fault fault = {0};
    struct report_options options = fill_options(fill);
    snprintf(path, sizeof path, "%s/report.md", fill->directory);
    if (!report_markdown(&options, path, &fault))
        fail_msg("%s", fault.sentence);
    return fill_read(path, NULL);
}

static void the_page_reads_as_it_did(void **state)
{
    (void)state;
    struct fill fill;
    fill_faulty(&fill);
    char *page = page_of(&fill);
    fill_assert_golden("faulty.md", page);
    free(page);
    fill_remove(&fill);
}

static void hostile_names_are_text(void **state)
{
    (void)state;
    struct fill fill;
    fill_hostile(&fill);
    char *page = page_of(&fill);
    bool is_code = false; /* in spans of code "<" is text (CommonMark section 6.1) */
    for (const char *at = page; *at; at++) {
        if (strncmp(at, "``", 2) == 0) {
            is_code = !is_code;
            at++;
        }
        assert_true(is_code || strncmp(at, "<b", 2) != 0);
        assert_true(is_code || strncmp(at, "<s", 2) != 0);
        assert_true(is_code || strncmp(at, "<i", 2) != 0);
        assert_true(*at == '\n' || (unsigned char)*at >= 0x20);
    }
    free(page);
    fill_remove(&fill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_reads_as_it_did),
        cmocka_unit_test(hostile_names_are_text),
    };
    return cmocka_run_group_tests_name("report/markdown", tests, NULL, NULL);
}
