/* The evidence of a finding as JSON. */
#include "store_sample.h"

#include "store/evidence.h"

static struct finding finding_with_frame(const char *shows)
{
    struct finding finding = {.number = 1, .frame_count = 1};
    finding.frames[0].number = 17;
    finding.frames[0].time_ns = SAMPLE_START + 1500 * NS_PER_MS;
    snprintf(finding.frames[0].shows, sizeof finding.frames[0].shows, "%s", shows);
    snprintf(finding.reasoning, sizeof finding.reasoning, "Nothing answered.");
    return finding;
}

static void assert_evidence(const struct finding *finding, const char *expected)
{
    char buffer[EVIDENCE_TEXT_SIZE];
    const char *text = evidence_text(finding, buffer);
    assert_string_equal(text, expected);
}

static void evidence_names_frames_times_and_reasoning(void **state)
{
    struct finding finding = finding_with_frame("SYN");
    (void)state;
    assert_evidence(&finding, "{\"frames\":[{\"number\":17,\"time\":\"2026-01-01T00:00:01.500Z\","
                              "\"time_ns\":1767225601500000000,\"shows\":\"SYN\"}],"
                              "\"reasoning\":\"Nothing answered.\"}");
}

static void limits_are_there_only_where_something_limits(void **state)
{
    struct finding finding = finding_with_frame("SYN");
    (void)state;
    finding.frame_count = 0;
    snprintf(finding.limits, sizeof finding.limits, "3 frames were dropped.");
    assert_evidence(&finding, "{\"frames\":[],\"reasoning\":\"Nothing answered.\","
                              "\"limits\":\"3 frames were dropped.\"}");
}

static void an_unknown_time_is_left_out(void **state)
{
    struct finding finding = finding_with_frame("SYN");
    (void)state;
    finding.frames[0].time_ns = TIME_UNKNOWN;
    assert_evidence(&finding, "{\"frames\":[{\"number\":17,\"shows\":\"SYN\"}],"
                              "\"reasoning\":\"Nothing answered.\"}");
}

static void quotes_and_broken_bytes_stay_valid_json(void **state)
{
    struct finding finding = finding_with_frame("a\"b\\\n\x01");
    (void)state;
    memcpy(finding.reasoning, "x\xff", 3);
    finding.frames[0].time_ns = TIME_UNKNOWN;
    assert_evidence(&finding, "{\"frames\":[{\"number\":17,\"shows\":\"a\\\"b\\\\\\n\\u0001\"}],"
                              "\"reasoning\":\"x\\\\xff\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_names_frames_times_and_reasoning),
        cmocka_unit_test(limits_are_there_only_where_something_limits),
        cmocka_unit_test(an_unknown_time_is_left_out),
        cmocka_unit_test(quotes_and_broken_bytes_stay_valid_json),
    };
    return cmocka_run_group_tests_name("store/evidence", tests, NULL, NULL);
}
