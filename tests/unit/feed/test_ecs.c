/* JSON objects of what a live run tells. */
#include "feed_sample.h"

#include "feed/ecs.h"

static json_t *object_of(enum record_kind kind, const void *record)
{
    static struct feed_origin origin;
    origin = sample_origin();
    struct ecs_writer writer = {&origin, community_id_new()};
    json_t *object = ecs_object(&writer, kind, record);
    community_id_free(writer.community);
    return object;
}

/* The member with that dotted name; NULL: none. */
static const json_t *at(const json_t *object, const char *name)
{
    char part[64];
    for (const char *dot; object && (dot = strchr(name, '.')) != NULL; name = dot + 1) {
        snprintf(part, sizeof part, "%.*s", (int)(dot - name), name);
        object = json_object_get(object, part);
    }
    return object ? json_object_get(object, name) : NULL;
}

static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(at(object, name));
    return text ? text : "";
}

static void a_finding_has_its_rule_its_ends_and_its_proof(void **state)
{
    struct finding finding = sample_finding();
    json_t *object = object_of(RECORD_FINDING, &finding);
    (void)state;
    assert_string_equal(text_at(object, "@timestamp"), "2026-01-01T00:00:01.000Z");
    assert_string_equal(text_at(object, "event.kind"), "alert");
    assert_string_equal(text_at(object, "event.action"), "finding-new");
    assert_int_equal(json_integer_value(at(object, "event.severity")), 73);
    assert_string_equal(text_at(object, "rule.id"), "port-refused");
    assert_string_equal(text_at(object, "rule.name"), "Port refused");
    assert_string_equal(text_at(object, "source.ip"), "10.0.0.5");
    assert_string_equal(text_at(object, "destination.ip"), "17.1.2.3");
    assert_int_equal(json_integer_value(at(object, "destination.port")), 5223);
    assert_string_equal(text_at(object, "message"), "10.0.0.5 was refused");
    assert_int_equal(json_integer_value(at(object, "apnscope.finding.blocker_hops")), 1);
    const json_t *frame = json_array_get(at(object, "apnscope.finding.frames"), 0);
    assert_int_equal(json_integer_value(json_object_get(frame, "number")), 4);
    assert_null(at(object, "apnscope.finding.evidence_file"));
    json_decref(object);
}

static void hostile_names_survive_as_values_and_not_as_bytes(void **state)
{
    struct finding finding = sample_finding();
    (void)state;
    snprintf(finding.summary, sizeof finding.summary, "%s", HOSTILE);
    json_t *object = object_of(RECORD_FINDING, &finding);
    char *line = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    for (const char *byte = line; *byte; byte++)
        assert_in_range(*byte, ' ', '~');
    json_t *read = json_loads(line, 0, NULL);
    assert_non_null(read);
    assert_non_null(strstr(text_at(read, "message"), "a\"b"));
    free(line);
    json_decref(read);
    json_decref(object);
}

static void a_withdrawal_names_what_is_taken_back(void **state)
{
    struct finding finding = {.number = 17,
                              .code = "port-refused",
                              .client_ip = sample_address("10.0.0.5"),
                              .summary = "10.0.0.5 reached Apple since",
                              .first_ns = TIME_UNKNOWN,
                              .last_ns = SAMPLE_NS,
                              .blocker_hops = -1};
    json_t *object = object_of(RECORD_WITHDRAWN, &finding);
    (void)state;
    assert_string_equal(text_at(object, "event.action"), "finding-withdrawn");
    assert_int_equal(json_integer_value(at(object, "apnscope.finding.number")), 17);
    assert_non_null(strstr(text_at(object, "message"), "port-refused of 10.0.0.5"));
    assert_string_equal(text_at(object, "event.reason"), "10.0.0.5 reached Apple since");
    assert_null(at(object, "event.start"));
    json_decref(object);
}

static void a_session_has_ends_counts_and_tls(void **state)
{
    struct flow_record flow = sample_flow();
    json_t *object = object_of(RECORD_FLOW, &flow);
    (void)state;
    assert_string_equal(text_at(object, "event.outcome"), "success");
    assert_int_equal(json_integer_value(at(object, "event.duration")), 90 * NS_PER_S);
    assert_int_equal(json_integer_value(at(object, "source.bytes")), 700);
    assert_int_equal(json_integer_value(at(object, "network.packets")), 11);
    assert_string_equal(text_at(object, "tls.version"), "1.3");
    assert_string_equal(text_at(object, "tls.client.server_name"), "courier.push.apple.com");
    assert_string_equal(text_at(object, "apnscope.flow.role"), "courier");
    assert_memory_equal(text_at(object, "network.community_id"), "1:", 2);
    assert_null(at(object, "process.pid"));
    json_decref(object);
}

static void only_a_new_verdict_is_told_of_a_device(void **state)
{
    struct device_change change = {.device = {.number = 1,
                                              .ip = sample_address("2001:db8::5"),
                                              .verdict = VERDICT_BROKEN,
                                              .mac = {0xa, 0xb, 0xc, 0xd, 0xe, 0xf},
                                              .has_mac = true,
                                              .first_ns = SAMPLE_NS,
                                              .last_ns = SAMPLE_NS},
                                   .before = VERDICT_BROKEN};
    (void)state;
    assert_null(object_of(RECORD_DEVICE, &change));
    change.before = VERDICT_WORKS;
    json_t *object = object_of(RECORD_DEVICE, &change);
    assert_string_equal(text_at(object, "apnscope.device.verdict_before"), "works");
    assert_string_equal(text_at(object, "source.mac"), "0A-0B-0C-0D-0E-0F");
    assert_string_equal(text_at(object, "network.type"), "ipv6");
    assert_string_equal(text_at(object, "event.outcome"), "failure");
    json_decref(object);
}

static void statistics_are_told_once_an_interval(void **state)
{
    struct feed_report *report = calloc(1, sizeof *report);
    (void)state;
    report->began_ns = SAMPLE_NS;
    report->now_ns = SAMPLE_NS + 60 * NS_PER_S;
    report->quality.frames = 12;
    report->quality.last_ns = TIME_UNKNOWN;
    report->interface_count = 1;
    report->interfaces[0].interface = "eth1";
    report->interfaces[0].dropped_kernel = 3;
    assert_null(object_of(RECORD_REPORT, report));
    report->is_interval = true;
    json_t *object = object_of(RECORD_REPORT, report);
    assert_string_equal(text_at(object, "event.kind"), "metric");
    assert_int_equal(json_integer_value(at(object, "apnscope.statistics.packets")), 12);
    const json_t *one = json_array_get(at(object, "apnscope.statistics.interfaces"), 0);
    assert_int_equal(json_integer_value(at(one, "dropped.kernel")), 3);
    assert_null(at(object, "apnscope.statistics.last_packet"));
    json_decref(object);
    free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_has_its_rule_its_ends_and_its_proof),
        cmocka_unit_test(hostile_names_survive_as_values_and_not_as_bytes),
        cmocka_unit_test(a_withdrawal_names_what_is_taken_back),
        cmocka_unit_test(a_session_has_ends_counts_and_tls),
        cmocka_unit_test(only_a_new_verdict_is_told_of_a_device),
        cmocka_unit_test(statistics_are_told_once_an_interval),
    };
    return cmocka_run_group_tests_name("feed/ecs", tests, NULL, NULL);
}
