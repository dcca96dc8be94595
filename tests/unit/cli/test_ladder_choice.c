/* Which sessions' packets are stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/ladder_choice.h"

static struct flow_record failed(enum flow_outcome outcome, uint16_t port)
{
    struct flow_record flow = flow_record_blank();
    flow.role = ROLE_COURIER;
    flow.outcome = (uint8_t)outcome;
    flow.server_port = port;
    return flow;
}

static void a_session_that_worked_is_stored_as_example_or_evidence_only(void **state)
{
    struct ladder_choice choice = {0};
    struct flow_steps plain = {0}, example = {.is_example = true};
    struct flow_record works = failed(OUTCOME_ESTABLISHED, 5223);
    (void)state;
    assert_false(ladder_choice_takes(&choice, &works, &plain, false));
    assert_true(ladder_choice_takes(&choice, &works, &plain, true));
    assert_true(ladder_choice_takes(&choice, &works, &example, false));
}

static void what_cannot_be_judged_is_not_stored(void **state)
{
    static const enum flow_outcome outcomes[] = {OUTCOME_MIDSTREAM, OUTCOME_ONE_SIDED,
                                                 OUTCOME_UNFINISHED};
    struct ladder_choice choice = {0};
    struct flow_steps steps = {0};
    (void)state;
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        struct flow_record flow = failed(outcomes[i], 443);
        assert_false(ladder_choice_takes(&choice, &flow, &steps, false));
    }
}

static void of_each_kind_of_failure_some_are_stored(void **state)
{
    struct ladder_choice choice = {0};
    struct flow_steps steps = {0};
    struct flow_record silent = failed(OUTCOME_NO_ANSWER, 5223);
    struct flow_record fallback = failed(OUTCOME_NO_ANSWER, 443);
    struct flow_record refused = failed(OUTCOME_REFUSED, 5223);
    (void)state;
    for (int i = 0; i < LADDERS_OF_A_KIND; i++)
        assert_true(ladder_choice_takes(&choice, &silent, &steps, false));
    assert_false(ladder_choice_takes(&choice, &silent, &steps, false));
    assert_true(ladder_choice_takes(&choice, &silent, &steps, true)); /* a finding rests on it */
    assert_true(ladder_choice_takes(&choice, &fallback, &steps, false));
    assert_true(ladder_choice_takes(&choice, &refused, &steps, false));
}

static void findings_have_a_bound_of_their_own(void **state)
{
    struct ladder_choice choice = {0};
    struct flow_steps steps = {0};
    struct flow_record works = failed(OUTCOME_ESTABLISHED, 5223);
    (void)state;
    for (int i = 0; i < LADDERS_OF_FINDINGS; i++)
        assert_true(ladder_choice_takes(&choice, &works, &steps, true));
    assert_false(ladder_choice_takes(&choice, &works, &steps, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_that_worked_is_stored_as_example_or_evidence_only),
        cmocka_unit_test(what_cannot_be_judged_is_not_stored),
        cmocka_unit_test(of_each_kind_of_failure_some_are_stored),
        cmocka_unit_test(findings_have_a_bound_of_their_own),
    };
    return cmocka_run_group_tests_name("cli/ladder_choice", tests, NULL, NULL);
}
