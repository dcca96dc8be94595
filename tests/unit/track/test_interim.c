/* track/interim: what stands of sessions that are not over, without changing what becomes of
 * them. */
#include "segments.h"
#include "tracked.h"

static struct flow_record changed, settled;
static size_t changed_count, settled_count;

static bool has_room;

static bool on_changed(void *context, const struct flow_record *flow)
{
    (void)context;
    if (has_room) {
        changed = *flow;
        changed_count++;
    }
    return has_room;
}

static void on_settled(void *context, const struct flow_record *flow)
{
    (void)context;
    settled = *flow;
    settled_count++;
}

static int begin_with_room(void **state)
{
    has_room = true;
    return begin(state);
}

static void take(double seconds, bool up, uint8_t flags)
{
    struct packet packet = segment(seconds, 3, up, flags);
    tracker_take(tracker, &packet, 1);
}

/* How many are settled at that time. */
static size_t ask(double seconds)
{
    struct track_interim interim = {
        .changed = on_changed, .changed_max = 100, .settled = on_settled, .settled_max = 100};
    changed_count = settled_count = 0;
    tracker_advance(tracker, at(seconds));
    tracker_interim(tracker, &interim);
    return settled_count;
}

static void a_silent_attempt_is_settled_a_second_after_the_syn_that_proves_it(void **state)
{
    (void)state;
    take(0, true, TCP_SYN);
    take(1, true, TCP_SYN);
    assert_int_equal(ask(2.5), 0);
    take(3, true, TCP_SYN);
    assert_int_equal(ask(3.5), 0); /* an answer may be on its way */
    assert_int_equal(ask(4.1), 1);
    assert_int_equal(settled.outcome, OUTCOME_NO_ANSWER);
    assert_int_equal(settled.syn_count, 3);
}

static void a_syn_repeated_every_second_is_settled_by_those_before_it(void **state)
{
    (void)state;
    for (int second = 0; second < 4; second++)
        take(second, true, TCP_SYN);
    assert_int_equal(ask(3.01), 1);
}

static void what_is_settled_stays_so_while_the_same_is_repeated(void **state)
{
    (void)state;
    take(0, true, TCP_SYN);
    take(1, true, TCP_SYN);
    take(3, true, TCP_SYN);
    assert_int_equal(ask(4.1), 1);
    take(7, true, TCP_SYN);
    assert_int_equal(ask(7.05), 1);
    assert_int_equal(settled.syn_count, 4);
}

static void silence_is_measured_where_the_clock_was_set_back(void **state)
{
    const double back = 3600;
    (void)state;
    take(0, true, TCP_SYN);
    take(1, true, TCP_SYN);
    take(3 - back, true, TCP_SYN);
    take(7 - back, true, TCP_SYN); /* bears it out */
    ask(60 - back);
    assert_int_equal(done_count, 0);
    ask(90 - back);
    assert_int_equal(done_count, 1);
}

static void the_clock_bears_out_a_single_packet(void **state)
{
    const double back = 3600;
    (void)state;
    take(0, true, TCP_SYN);
    ask(0.1);
    take(3 - back, true, TCP_SYN);
    ask(3.1 - back);
    ask(60 - back);
    assert_int_equal(done_count, 0);
    ask(90 - back);
    assert_int_equal(done_count, 1);
}

static void an_answer_unsettles_it(void **state)
{
    (void)state;
    take(0, true, TCP_SYN);
    take(1, true, TCP_SYN);
    take(3, true, TCP_SYN);
    assert_int_equal(ask(4.1), 1);
    take(7, true, TCP_SYN);
    take(7.02, false, TCP_SYN | TCP_ACK);
    assert_int_equal(ask(9), 0);
}

static void a_refusal_is_settled_when_no_answer_followed_it(void **state)
{
    (void)state;
    take(0, true, TCP_SYN);
    take(0.01, false, TCP_RST | TCP_ACK);
    assert_int_equal(ask(0.5), 0);
    assert_int_equal(ask(1.1), 1);
    assert_int_equal(settled.outcome, OUTCOME_REFUSED);
}

static void a_session_is_told_when_it_changed_and_not_again(void **state)
{
    (void)state;
    take(0, true, TCP_SYN);
    take(0.02, false, TCP_SYN | TCP_ACK);
    ask(1);
    assert_int_equal(changed_count, 1);
    assert_int_equal(changed.packets_down, 1);
    ask(2);
    assert_int_equal(changed_count, 0);
    take(2.5, true, TCP_ACK);
    ask(3);
    assert_int_equal(changed_count, 1);
    assert_int_equal(changed.packets_up, 2);
}

static void what_there_was_no_room_for_is_told_later(void **state)
{
    (void)state;
    take(0, true, TCP_SYN);
    has_room = false;
    ask(1);
    has_room = true;
    ask(2);
    assert_int_equal(changed_count, 1);
}

static void asking_changes_nothing_of_what_becomes_of_it(void **state)
{
    (void)state;
    take(0, true, TCP_SYN);
    ask(0.5);
    take(1, true, TCP_SYN);
    ask(1.5);
    assert_int_equal(done_count, 0);
    finish();
    assert_int_equal(done_count, 1);
    assert_int_equal(done[0].outcome, OUTCOME_UNFINISHED);
    assert_int_equal(done[0].ended_by, ENDED_CAPTURE_END);
    assert_int_equal(done[0].syn_count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_with_room, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_silent_attempt_is_settled_a_second_after_the_syn_that_proves_it),
        TEST(a_syn_repeated_every_second_is_settled_by_those_before_it),
        TEST(what_is_settled_stays_so_while_the_same_is_repeated),
        TEST(silence_is_measured_where_the_clock_was_set_back),
        TEST(the_clock_bears_out_a_single_packet),
        TEST(an_answer_unsettles_it),
        TEST(a_refusal_is_settled_when_no_answer_followed_it),
        TEST(a_session_is_told_when_it_changed_and_not_again),
        TEST(what_there_was_no_room_for_is_told_later),
        TEST(asking_changes_nothing_of_what_becomes_of_it),
    };
    return cmocka_run_group_tests_name("track/interim", tests, NULL, NULL);
}
