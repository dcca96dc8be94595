/* The published words: unique, kebab-case, each with a meaning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "base/address.h"
#include "model/event.h"
#include "model/vocabulary.h"

/* Lower-case letters and digits in parts joined by single hyphens. */
static bool is_kebab_case(const char *word)
{
    bool after_hyphen = true;
    for (; *word; word++) {
        if (*word == '-' && after_hyphen)
            return false;
        if (*word != '-' && !(*word >= 'a' && *word <= 'z') && !(*word >= '0' && *word <= '9'))
            return false;
        after_hyphen = *word == '-';
    }
    return !after_hyphen;
}

typedef const char *(*word_function)(int value);

#define WORD_OF(noun, type)                                                                        \
    static const char *noun##_of(int value)                                                        \
    {                                                                                              \
        return noun((type)value);                                                                  \
    }
WORD_OF(role_name, enum flow_role)
WORD_OF(path_name, enum flow_path)
WORD_OF(outcome_name, enum flow_outcome)
WORD_OF(ending_name, enum flow_ending)
WORD_OF(severity_name, enum severity)
WORD_OF(confidence_name, enum confidence)
WORD_OF(scope_name, enum finding_scope)
WORD_OF(device_role_name, enum device_role)
WORD_OF(verdict_name, enum device_verdict)
WORD_OF(status_name, enum requirement_status)
WORD_OF(step_name, enum step_what)
WORD_OF(skip_reason_name, enum skip_reason)
WORD_OF(run_state_name, enum run_state)
WORD_OF(event_name, enum event_kind)
WORD_OF(role_meaning, enum flow_role)
WORD_OF(path_meaning, enum flow_path)
WORD_OF(outcome_meaning, enum flow_outcome)
WORD_OF(ending_meaning, enum flow_ending)
WORD_OF(step_meaning, enum step_what)
WORD_OF(skip_reason_meaning, enum skip_reason)

static const struct vocabulary {
    word_function name;
    word_function meaning; /* NULL: it has none */
    int first;             /* 1 where word 0 is "not known" */
    int count;
} vocabularies[] = {
    {role_name_of, role_meaning_of, 1, ROLE_COUNT},
    {path_name_of, path_meaning_of, 0, PATH_COUNT},
    {outcome_name_of, outcome_meaning_of, 1, OUTCOME_COUNT},
    {ending_name_of, ending_meaning_of, 1, ENDED_COUNT},
    {step_name_of, step_meaning_of, 1, STEP_WHAT_COUNT},
    {skip_reason_name_of, skip_reason_meaning_of, 1, SKIP_COUNT},
    {severity_name_of, NULL, 0, SEVERITY_COUNT},
    {confidence_name_of, NULL, 0, CONFIDENCE_COUNT},
    {scope_name_of, NULL, 0, SCOPE_COUNT},
    {device_role_name_of, NULL, 0, DEVICE_ROLE_COUNT},
    {verdict_name_of, NULL, 0, VERDICT_COUNT},
    {status_name_of, NULL, 0, STATUS_COUNT},
    {run_state_name_of, NULL, 0, RUN_STATE_COUNT},
    {event_name_of, NULL, 0, EVENT_COUNT},
};
enum { VOCABULARY_COUNT = sizeof vocabularies / sizeof vocabularies[0] };

static void every_published_word_is_kebab_case(void **state)
{
    (void)state;
    for (int v = 0; v < VOCABULARY_COUNT; v++)
        for (int i = vocabularies[v].first; i < vocabularies[v].count; i++) {
            assert_non_null(vocabularies[v].name(i));
            if (!is_kebab_case(vocabularies[v].name(i)))
                fail_msg("\"%s\" is not kebab-case", vocabularies[v].name(i));
        }
}

static void no_word_is_published_twice_in_one_vocabulary(void **state)
{
    (void)state;
    for (int v = 0; v < VOCABULARY_COUNT; v++)
        for (int i = vocabularies[v].first; i < vocabularies[v].count; i++)
            for (int k = vocabularies[v].first; k < i; k++)
                assert_string_not_equal(vocabularies[v].name(i), vocabularies[v].name(k));
}

static void not_known_has_no_name(void **state)
{
    (void)state;
    for (int v = 0; v < VOCABULARY_COUNT; v++)
        if (vocabularies[v].first == 1)
            assert_null(vocabularies[v].name(0));
}

static void every_word_of_the_tables_has_a_meaning(void **state)
{
    (void)state;
    for (int v = 0; v < VOCABULARY_COUNT; v++)
        for (int i = 0; vocabularies[v].meaning && i < vocabularies[v].count; i++)
            assert_true(strlen(vocabularies[v].meaning(i)) > 5);
}

static void requirements_are_r0_to_r9(void **state)
{
    char code[4] = "R?";
    (void)state;
    assert_int_equal(REQUIREMENT_COUNT, 10);
    for (int i = 0; i < REQUIREMENT_COUNT; i++) {
        code[1] = (char)('0' + i);
        assert_string_equal(requirement_name((enum requirement_code)i), code);
        assert_non_null(requirement_title((enum requirement_code)i));
    }
}

static void names_that_other_programs_read_have_not_changed(void **state)
{
    (void)state;
    assert_string_equal(role_name(ROLE_UNKNOWN_PUSH_PORT), "unknown-push-port");
    assert_string_equal(path_name(PATH_TRANSPARENT_PROXY), "transparent-proxy");
    assert_string_equal(outcome_name(OUTCOME_TLS_NO_ANSWER), "tls-no-answer");
    assert_string_equal(ending_name(ENDED_FORGED_RESET), "forged-reset");
    assert_string_equal(severity_name(SEVERITY_FAIL), "fail");
    assert_string_equal(confidence_name(CONFIDENCE_CERTAIN), "certain");
    assert_string_equal(scope_name(SCOPE_SITE), "site");
    assert_string_equal(device_role_name(DEVICE_ROLE_MDM_SERVER), "mdm-server");
    assert_string_equal(verdict_name(VERDICT_DEGRADED), "degraded");
    assert_string_equal(status_name(STATUS_NOT_OBSERVED), "not-observed");
    assert_string_equal(run_state_name(RUN_TRUNCATED), "truncated");
}

static void severities_and_confidences_can_be_compared(void **state)
{
    (void)state;
    assert_true(SEVERITY_INFO < SEVERITY_WARN && SEVERITY_WARN < SEVERITY_FAIL);
    assert_true(CONFIDENCE_POSSIBLE < CONFIDENCE_LIKELY && CONFIDENCE_LIKELY < CONFIDENCE_CERTAIN);
}

static void every_apple_range_is_a_prefix_as_written(void **state)
{
    static const char *const ranges[] = {
#define APPLE_RANGE(prefix, listed, note) prefix,
#include "model/apple_range.def"
#undef APPLE_RANGE
    };
    (void)state;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        struct prefix prefix;
        char text[PREFIX_TEXT_SIZE];
        assert_true(prefix_parse(ranges[i], &prefix));
        assert_string_equal(prefix_text(&prefix, text), ranges[i]); /* no host bits, canonical */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_word_is_kebab_case),
        cmocka_unit_test(no_word_is_published_twice_in_one_vocabulary),
        cmocka_unit_test(not_known_has_no_name),
        cmocka_unit_test(every_word_of_the_tables_has_a_meaning),
        cmocka_unit_test(requirements_are_r0_to_r9),
        cmocka_unit_test(names_that_other_programs_read_have_not_changed),
        cmocka_unit_test(severities_and_confidences_can_be_compared),
        cmocka_unit_test(every_apple_range_is_a_prefix_as_written),
    };
    return cmocka_run_group_tests_name("model vocabulary", tests, NULL, NULL);
}
