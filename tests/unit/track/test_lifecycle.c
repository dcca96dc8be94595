/* track/lifecycle: the table of states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "track/lifecycle.h"

static void a_handshake_leads_from_syn_to_established(void **state)
{
    (void)state;
    enum lifecycle_state at = lifecycle_next(STATE_NEW, ON_SYN);
    assert_int_equal(at, STATE_SYN_SENT);
    at = lifecycle_next(at, ON_SYN_ACK);
    assert_int_equal(at, STATE_SYN_RECEIVED);
    assert_int_equal(lifecycle_next(at, ON_UP), STATE_ESTABLISHED);
}

static void a_reset_means_refused_only_before_an_answer(void **state)
{
    (void)state;
    assert_int_equal(lifecycle_next(STATE_SYN_SENT, ON_RST_DOWN), STATE_REFUSED);
    assert_int_equal(lifecycle_next(STATE_SYN_RECEIVED, ON_RST_DOWN), STATE_RESET);
    assert_int_equal(lifecycle_next(STATE_ESTABLISHED, ON_RST_DOWN), STATE_RESET);
}

static void an_attempt_answered_after_a_forged_refusal_goes_on(void **state)
{
    (void)state;
    assert_int_equal(lifecycle_next(STATE_REFUSED, ON_SYN_ACK), STATE_SYN_RECEIVED);
}

static void a_session_seen_from_its_middle_is_midstream_until_it_closes(void **state)
{
    (void)state;
    assert_int_equal(lifecycle_next(STATE_NEW, ON_DOWN), STATE_MIDSTREAM);
    assert_int_equal(lifecycle_next(STATE_MIDSTREAM, ON_UP), STATE_MIDSTREAM);
    assert_int_equal(lifecycle_next(STATE_MIDSTREAM, ON_FIN_UP), STATE_CLIENT_CLOSED);
    assert_int_equal(lifecycle_next(STATE_CLIENT_CLOSED, ON_FIN_DOWN), STATE_CLOSED);
}

static void what_has_ended_stays_ended(void **state)
{
    (void)state;
    for (int stimulus = 0; stimulus < STIMULUS_COUNT; stimulus++) {
        assert_int_equal(lifecycle_next(STATE_CLOSED, (enum lifecycle_stimulus)stimulus),
                         STATE_CLOSED);
        if (stimulus != ON_RESUMED)
            assert_int_equal(lifecycle_next(STATE_RESET, (enum lifecycle_stimulus)stimulus),
                             STATE_RESET);
    }
}

static void a_reset_that_neither_side_heeds_ends_nothing(void **state)
{
    (void)state;
    assert_int_equal(lifecycle_next(STATE_RESET, ON_RESUMED), STATE_ESTABLISHED);
}

static void every_state_can_be_reached_and_has_a_name(void **state)
{
    (void)state;
    for (int wanted = STATE_NEW + 1; wanted < STATE_COUNT; wanted++) {
        int reached = 0;
        for (int from = 0; from < STATE_COUNT; from++)
            for (int on = 0; on < STIMULUS_COUNT; on++)
                reached |= from != wanted &&
                           lifecycle_next((enum lifecycle_state)from,
                                          (enum lifecycle_stimulus)on) == (unsigned)wanted;
        assert_true(reached);
        assert_non_null(lifecycle_name((enum lifecycle_state)wanted));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_leads_from_syn_to_established),
        cmocka_unit_test(a_reset_means_refused_only_before_an_answer),
        cmocka_unit_test(an_attempt_answered_after_a_forged_refusal_goes_on),
        cmocka_unit_test(a_session_seen_from_its_middle_is_midstream_until_it_closes),
        cmocka_unit_test(what_has_ended_stays_ended),
        cmocka_unit_test(a_reset_that_neither_side_heeds_ends_nothing),
        cmocka_unit_test(every_state_can_be_reached_and_has_a_name),
    };
    return cmocka_run_group_tests_name("track/lifecycle", tests, NULL, NULL);
}
