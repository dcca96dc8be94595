/* The columns given away are the database's, in its order. */
#include "fill.h"

#include "report/rows.h"

struct published {
    const char *type, *name;
};

/* The store's tables of columns; hidden ones are not published. */
#define COLUMN(type, name, value, meaning) {#type, #name},
static const struct published run_columns[] = {
#include "store/run.def"
};
static const struct published flow_columns[] = {
#include "store/flow.def"
};
static const struct published device_columns[] = {
#include "store/device.def"
};
static const struct published finding_columns[] = {
#include "store/finding.def"
};
static const struct published step_columns[] = {
#include "store/step.def"
};
static const struct published requirement_columns[] = {
#include "store/requirement.def"
};
static const struct published quality_columns[] = {
#include "store/capture_quality.def"
};
static const struct published skipped_columns[] = {
#include "store/skipped.def"
};
static const struct published dns_columns[] = {
#include "store/dns_answer.def"
};
static const struct published attempts_columns[] = {
#include "store/attempts.def"
};
#undef COLUMN

static void assert_same(enum row_kind kind, const struct published *published, size_t count)
{
    const struct row_table *table = &row_tables[kind];
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(published[i].type, "hidden", 6) == 0)
            continue;
        assert_true(at < table->column_count);
        bool is_integer =
            strcmp(published[i].type, "integer") == 0 || strcmp(published[i].type, "total") == 0;
        assert_string_equal(table->columns[at].name, published[i].name);
        assert_int_equal(table->columns[at].is_text, !is_integer);
        at++;
    }
    assert_int_equal(at, table->column_count);
}

static void columns_are_those_of_the_database_in_its_order(void **state)
{
    (void)state;
#define SAME(kind, columns) assert_same(kind, columns, sizeof columns / sizeof columns[0])
    SAME(ROWS_RUN, run_columns);
    SAME(ROWS_FLOW, flow_columns);
    SAME(ROWS_DEVICE, device_columns);
    SAME(ROWS_FINDING, finding_columns);
    SAME(ROWS_STEP, step_columns);
    SAME(ROWS_REQUIREMENT, requirement_columns);
    SAME(ROWS_QUALITY, quality_columns);
    SAME(ROWS_SKIPPED, skipped_columns);
    SAME(ROWS_DNS, dns_columns);
    SAME(ROWS_ATTEMPTS, attempts_columns);
#undef SAME
}

static void a_copied_row_outlives_its_original(void **state)
{
    (void)state;
    char name[] = "one.example";
    struct dns_row row = {.run_id = 3, .name = name, .count = ROW_NULL};
    struct dns_row *copy = row_copy(ROWS_DNS, &row);
    memset(name, 'x', sizeof name - 1);
    assert_string_equal(copy->name, "one.example");
    assert_null(copy->answer);
    assert_int_equal(copy->run_id, 3);
    row_free(ROWS_DNS, copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_those_of_the_database_in_its_order),
        cmocka_unit_test(a_copied_row_outlives_its_original),
    };
    return cmocka_run_group_tests_name("report/rows", tests, NULL, NULL);
}
