/* Facts for the system's log. */
#include "feed_sample.h"

#include <syslog.h>

#include "feed/structured.h"

static struct structured structured;

static const char *value_of(const char *name)
{
    for (size_t i = 0; i < structured.count; i++)
        if (strcmp(structured.fields[i].name, name) == 0)
            return structured.fields[i].value;
    return NULL;
}

static void a_finding_has_its_facts_as_fields(void **state)
{
    struct feed_origin origin = sample_origin();
    struct finding finding = sample_finding();
    (void)state;
    origin.evidence_folder = "/var/lib/excerpts";
    assert_true(structured_fill(&structured, &origin, RECORD_FINDING, &finding));
    assert_int_equal(structured.priority, LOG_ERR);
    assert_string_equal(structured.message, "port-refused: 10.0.0.5 was refused");
    assert_string_equal(value_of("code"), "port-refused");
    assert_string_equal(value_of("client_ip"), "10.0.0.5");
    assert_string_equal(value_of("server_port"), "5223");
    assert_string_equal(value_of("blocker_hops"), "1");
    assert_string_equal(value_of("action"), "new");
    assert_string_equal(value_of("evidence_file"), "/var/lib/excerpts/20260101T000000Z-000017-"
                                                   "port-refused-10.0.0.5.pcapng");
    assert_null(value_of("site"));
    assert_null(value_of("message"));
}

static void priorities_follow_severities(void **state)
{
    static const int priorities[] = {LOG_INFO, LOG_WARNING, LOG_ERR};
    struct feed_origin origin = sample_origin();
    struct finding finding = sample_finding();
    (void)state;
    for (int i = 0; i < SEVERITY_COUNT; i++) {
        finding.severity = (enum severity)i;
        assert_true(structured_fill(&structured, &origin, RECORD_FINDING, &finding));
        assert_int_equal(structured.priority, priorities[i]);
    }
}

static void a_finding_seen_again_is_not_logged_again(void **state)
{
    struct feed_origin origin = sample_origin();
    struct finding finding = sample_finding();
    (void)state;
    assert_false(structured_fill(&structured, &origin, RECORD_CHANGED, &finding));
}

static void a_device_that_works_from_the_beginning_is_no_news(void **state)
{
    struct feed_origin origin = sample_origin();
    struct device_change change = {
        .device = {.ip = sample_address("10.0.0.5"), .verdict = VERDICT_WORKS},
        .before = VERDICT_COUNT};
    (void)state;
    assert_false(structured_fill(&structured, &origin, RECORD_DEVICE, &change));
    change.before = VERDICT_BROKEN;
    assert_true(structured_fill(&structured, &origin, RECORD_DEVICE, &change));
    assert_string_equal(value_of("verdict_before"), "broken");
}

/* RFC 5424 section 6.3.3. */
static void structured_data_escapes_what_ends_it(void **state)
{
    char line[8192];
    struct text text = text_over(line, sizeof line);
    struct feed_origin origin = sample_origin();
    struct finding finding = sample_finding();
    (void)state;
    origin.site = "a\"b]c\\d";
    assert_true(structured_fill(&structured, &origin, RECORD_FINDING, &finding));
    structured_write(&structured, &text);
    assert_memory_equal(line, "[apnscope@32473 code=\"port-refused\" ", 36);
    assert_non_null(strstr(line, " site=\"a\\\"b\\]c\\\\d\"]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_has_its_facts_as_fields),
        cmocka_unit_test(priorities_follow_severities),
        cmocka_unit_test(a_finding_seen_again_is_not_logged_again),
        cmocka_unit_test(a_device_that_works_from_the_beginning_is_no_news),
        cmocka_unit_test(structured_data_escapes_what_ends_it),
    };
    return cmocka_run_group_tests_name("feed/structured", tests, NULL, NULL);
}
