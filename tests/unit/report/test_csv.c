/* CSV files: read back by the rules of RFC 4180, and harmless in a spreadsheet. */
#include "fill.h"

#include <sys/stat.h>

#include "report/rows.h"

enum { FIELDS_MAX = 80 };

/* One record, its fields unquoted in place; returns where the next one starts. */
static char *read_record(char *at, char *fields[FIELDS_MAX], size_t *count)
{
    *count = 0;
    for (;;) {
        char *out = at;
        assert_true(*count < FIELDS_MAX);
        fields[(*count)++] = at;
        bool is_quoted = *at == '"';
        at += is_quoted;
        while (is_quoted ? !(at[0] == '"' && at[1] != '"') : *at != ',' && *at != '\r') {
            assert_int_not_equal(*at, '\0');
            at += at[0] == '"';
            *out++ = *at++;
        }
        at += is_quoted;
        char separator = *at++;
        *out = '\0';
        if (separator == ',')
            continue;
        assert_int_equal(separator, '\r');
        assert_int_equal(*at, '\n');
        return at + 1;
    }
}

static char *csv_of(const struct fill *fill, const char *table)
{
    char folder[128], path[192];
    struct fault fault = {0};
    struct report_options options = fill_options(fill);
    snprintf(folder, sizeof folder, "%s/csv", fill->directory);
    if (!report_csv(&options, folder, &fault))
        fail_msg("%s", fault.sentence);
    snprintf(path, sizeof path, "%s/%s.csv", folder, table);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    return fill_read(path, NULL);
}

static void every_table_is_a_file_headed_by_its_column_names(void **state)
{
    (void)state;
    struct fill fill;
    fill_faulty(&fill);
    for (size_t t = 0; t < ROWS_KIND_COUNT; t++) {
        char *fields[FIELDS_MAX], *text = csv_of(&fill, row_tables[t].name);
        size_t count;
        char *rest = read_record(text, fields, &count);
        assert_int_equal(count, row_tables[t].column_count);
        for (size_t i = 0; i < count; i++)
            assert_string_equal(fields[i], row_tables[t].columns[i].name);
        while (*rest) {
            rest = read_record(rest, fields, &count);
            assert_int_equal(count, row_tables[t].column_count);
        }
        free(text);
    }
    fill_remove(&fill);
}

static void findings_are_written_as_they_were(void **state)
{
    (void)state;
    struct fill fill;
    fill_faulty(&fill);
    char *text = csv_of(&fill, "finding");
    fill_assert_golden("finding.csv", text);
    free(text);
    fill_remove(&fill);
}

static size_t column_of(char *fields[FIELDS_MAX], size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i], name) == 0)
            return i;
    fail_msg("no column %s", name);
    return 0;
}

static void hostile_names_come_back_defused(void **state)
{
    (void)state;
    static const char *const expected[FILL_HOSTILE_COUNT] = {
        "<script>alert(1)</script>",
        "'=cmd|' /C calc'!A0",
        "'+1+1",
        "'-2",
        "'@SUM(A1)",
        "'\\x09tab first",
        "'\\x0dreturn first",
        "\\x1b[2J\\x1b]0;owned\\x07",
        "abc\\xe2\\x80\\xaegpj.exe",
        "\\xff\\xfe not UTF-8",
        "\"quoted\", with 'comma' & <b>, \\x0d\\x0aand a line",
        "%s%n",
        "</title></style><img src=x onerror=alert(1)>"};
    struct fill fill;
    fill_hostile(&fill);
    char *fields[FIELDS_MAX], *text = csv_of(&fill, "flow");
    size_t count;
    char *rest = read_record(text, fields, &count);
    size_t sni = column_of(fields, count, "sni");
    for (size_t i = 0; i < FILL_HOSTILE_COUNT; i++) {
        rest = read_record(rest, fields, &count);
        assert_string_equal(fields[sni], expected[i]);
    }
    rest = read_record(rest, fields, &count);
    assert_int_equal(strlen(fields[sni]), 255);
    assert_int_equal(*rest, '\0');
    free(text);
    fill_remove(&fill);
}

static void standard_output_is_refused_with_a_sentence(void **state)
{
    (void)state;
    struct fill fill;
    struct fault fault = {0};
    fill_healthy(&fill);
    struct report_options options = fill_options(&fill);
    assert_false(report_csv(&options, "-", &fault));
    assert_non_null(strstr(fault.sentence, "folder"));
    assert_false(report_csv(&options, fill.database, &fault));
    assert_non_null(strstr(fault.sentence, "not a folder"));
    fill_remove(&fill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_is_a_file_headed_by_its_column_names),
        cmocka_unit_test(findings_are_written_as_they_were),
        cmocka_unit_test(hostile_names_come_back_defused),
        cmocka_unit_test(standard_output_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests_name("report/csv", tests, NULL, NULL);
}
