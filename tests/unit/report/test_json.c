/* The JSON document: valid, complete, stable. */
#include "fill.h"

#include <jansson.h>

#include "report/rows.h"

static char *document_of(const struct fill *fill, const char *name, size_t *size)
{
    char path[128];
    struct fault fault = {0};
    struct report_options options = fill_options(fill);
    snprintf(path, sizeof path, "%s/%s", fill->directory, name);
    if (!report_json(&options, path, &fault))
        fail_msg("%s", fault.sentence);
    return fill_read(path, size);
}

static json_t *parsed(const char *text)
{
    json_error_t error;
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!document)
        fail_msg("line %d: %s", error.line, error.text);
    return document;
}

static const char *string_at(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void the_document_holds_the_verdict_and_every_table(void **state)
{
    (void)state;
    struct fill fill;
    fill_faulty(&fill);
    char *text = document_of(&fill, "report.json", NULL);
    json_t *document = parsed(text);
    assert_string_equal(string_at(document, "format"), "apnscope-report");
    assert_int_equal(json_integer_value(json_object_get(document, "version")), 1);
    json_t *verdict = json_object_get(document, "verdict");
    assert_string_equal(string_at(verdict, "name"), "fault-found");
    assert_int_equal(json_integer_value(json_object_get(verdict, "sessions")), 22);
    assert_int_equal(json_array_size(json_object_get(document, "requirements")), 10);
    assert_int_equal(json_array_size(json_object_get(document, "ports")), 5);
    json_t *tables = json_object_get(document, "tables");
    for (size_t i = 0; i < ROWS_KIND_COUNT; i++)
        assert_true(json_is_array(json_object_get(tables, row_tables[i].name)));
    assert_int_equal(json_array_size(json_object_get(tables, "flow")), 22);
    json_t *finding = json_array_get(json_object_get(tables, "finding"), 0);
    json_t *frames = json_object_get(json_object_get(finding, "evidence"), "frames");
    assert_int_equal(json_array_size(frames), 2);
    assert_true(json_is_null(json_object_get(finding, "blocker_ip")));
    json_decref(document);
    free(text);
    fill_remove(&fill);
}

static void keys_stand_in_the_order_that_is_published(void **state)
{
    (void)state;
    static const char *const order[] = {
        "format",         "version", "verdict",  "devices_by_verdict", "sites", "trend",
        "what_to_change", "rules",   "how_sure", "requirements",       "ports", "networks",
        "codes",          "tables"};
    struct fill fill;
    fill_healthy(&fill);
    char *text = document_of(&fill, "report.json", NULL);
    json_t *document = parsed(text), *value;
    const char *key;
    size_t at = 0;
    json_object_foreach(document, key, value)
    {
        assert_true(at < sizeof order / sizeof order[0]);
        assert_string_equal(key, order[at]);
        at++;
    }
    assert_int_equal(at, sizeof order / sizeof order[0]);
    json_decref(document);
    free(text);
    fill_remove(&fill);
}

static void the_same_database_gives_the_same_bytes(void **state)
{
    (void)state;
    struct fill fill;
    fill_hostile(&fill);
    size_t first_size, second_size;
    char *first = document_of(&fill, "first.json", &first_size);
    char *second = document_of(&fill, "second.json", &second_size);
    assert_int_equal(first_size, second_size);
    assert_memory_equal(first, second, first_size);
    free(first);
    free(second);
    fill_remove(&fill);
}

static void hostile_names_keep_their_value_and_are_harmless_as_text(void **state)
{
    (void)state;
    struct fill fill;
    fill_hostile(&fill);
    char *text = document_of(&fill, "report.json", NULL);
    for (const char *at = text; *at; at++)
        assert_true((uint8_t)*at >= 0x20 || *at == '\n');
    assert_null(strstr(text, "\xe2\x80\xae"));
    json_t *document = parsed(text);
    json_t *flows = json_object_get(json_object_get(document, "tables"), "flow");
    for (size_t i = 0; i < FILL_HOSTILE_COUNT; i++) {
        const char *sni = string_at(json_array_get(flows, i), "sni");
        bool is_utf8 = (uint8_t)fill_hostile_names[i][0] != 0xff;
        assert_string_equal(sni, is_utf8 ? fill_hostile_names[i] : "\\xff\\xfe not UTF-8");
    }
    json_decref(document);
    free(text);
    fill_remove(&fill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_holds_the_verdict_and_every_table),
        cmocka_unit_test(keys_stand_in_the_order_that_is_published),
        cmocka_unit_test(the_same_database_gives_the_same_bytes),
        cmocka_unit_test(hostile_names_keep_their_value_and_are_harmless_as_text),
    };
    return cmocka_run_group_tests_name("report/json", tests, NULL, NULL);
}
