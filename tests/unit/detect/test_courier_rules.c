/* fallback-443 and courier-unreachable: pairs and runs of attempts, in every order in which they
 * can become known. */
#include "play.h"

#define PHONE   "10.1.2.3"
#define COURIER "17.57.144.10"
#define SECOND  "17.57.145.20"

static void a_fallback_is_found_whichever_flow_is_known_first(void **state)
{
    (void)state;
    for (int failure_is_first = 0; failure_is_first < 2; failure_is_first++) {
        struct play play;
        play_begin(&play);
        struct flow_record failed = unanswered(&play, PHONE, COURIER, 5223, 0, 16);
        struct flow_record fallback = healthy(&play, PHONE, SECOND, 443, 30, 600);
        if (failure_is_first)
            play_close(&play, &failed);
        play_works(&play, &fallback);
        if (!failure_is_first)
            play_close(&play, &failed);
        play_close(&play, &fallback);
        play_end(&play);
        const struct finding *finding = assert_fires(&play, "fallback-443");
        assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
        assert_int_equal(finding->count, 1);
        assert_int_equal(finding->flow_number, fallback.number);
        assert_int_equal(finding->server_port, 443);
        assert_non_null(strstr(finding->summary,
                               "fell back to 17.57.145.20:443, 30 s after it tried "
                               "17.57.144.10:5223, where no answer reached it"));
        assert_string_equal(finding->display_filter,
                            "ip.addr == 10.1.2.3 && (tcp.port == 5223 || tcp.port == 443)");
        assert_silent(&play, "courier-unreachable");
        const struct device_record *device = must_see_device(&play, PHONE);
        assert_int_equal(device->verdict, VERDICT_DEGRADED);
        assert_string_equal(device->works_on, "443");
    }
}

static void each_fallback_is_counted_once(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 3; i++) {
        struct flow_record failed = refused(&play, PHONE, COURIER, 5223, 1000 * i, 62);
        struct flow_record fallback = healthy(&play, PHONE, SECOND, 443, 1000 * i + 0.5, 900);
        play_close(&play, &failed);
        play_works(&play, &fallback);
        play_close(&play, &fallback);
    }
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "fallback-443");
    assert_int_equal(finding->count, 3);
    assert_non_null(strstr(finding->summary, "3 times from"));
    assert_non_null(strstr(finding->display_filter, "||"));
}

static void a_session_known_by_its_timing_alone_is_only_likely(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record failed = unanswered(&play, PHONE, COURIER, 5223, 0, 16);
    struct flow_record fallback = healthy(&play, PHONE, SECOND, 443, 30, 600);
    fallback.reason = SCOPE_BY_FALLBACK;
    play_works(&play, &fallback);
    play_close(&play, &failed);
    play_close(&play, &fallback);
    play_end(&play);
    assert_int_equal(assert_fires(&play, "fallback-443")->confidence, CONFIDENCE_LIKELY);
}

static void a_443_session_much_later_or_before_is_no_fallback(void **state)
{
    (void)state;
    const double opened[] = {100, -5, 5};
    for (size_t i = 0; i < sizeof opened / sizeof *opened; i++) {
        struct play play;
        play_begin(&play);
        struct flow_record failed = unanswered(&play, PHONE, COURIER, 5223, 0, 16);
        struct flow_record other = healthy(&play, PHONE, SECOND, 443, opened[i], 600);
        play_works(&play, &other);
        play_close(&play, &failed);
        play_close(&play, &other);
        play_end(&play);
        assert_silent(&play, "fallback-443");
    }
}

static void one_fallback_of_a_device_that_works_on_5223_is_ordinary(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record failed = unanswered(&play, PHONE, COURIER, 5223, 0, 16);
    struct flow_record fallback = healthy(&play, PHONE, SECOND, 443, 30, 60);
    play_close(&play, &failed);
    play_works(&play, &fallback);
    play_close(&play, &fallback);
    play_healthy(&play, PHONE, COURIER, 5223, 100);
    play_end(&play);
    assert_nothing_found(&play);
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_WORKS);
}

static void an_unfinished_attempt_before_443_is_no_fallback(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record tried = attempt(&play, PHONE, COURIER, 5223, 0);
    struct flow_record other = healthy(&play, PHONE, SECOND, 443, 1, 600);
    play_works(&play, &other);
    play_close(&play, &tried);
    play_close(&play, &other);
    play_end(&play);
    assert_nothing_found(&play);
}

static void both_ports_failing_cut_the_device_off(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record one = unanswered(&play, PHONE, COURIER, 5223, 0, 30);
    struct flow_record two = refused(&play, PHONE, SECOND, 443, 30, 62);
    play_close(&play, &two);
    play_close(&play, &one);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "courier-unreachable");
    assert_int_equal(finding->count, 2);
    assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
    assert_int_equal(finding->frame_count, 2);
    assert_non_null(strstr(finding->summary, "1 on 5223 (no-answer), 1 on 443 (refused)"));
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_BROKEN);
}

static void one_port_failing_for_a_minute_cuts_the_device_off(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 3; i++) {
        struct flow_record flow = unanswered(&play, PHONE, COURIER, 5223, 40 * i, 30);
        play_close(&play, &flow);
    }
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "courier-unreachable");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(finding->count, 3);
}

static void a_single_failed_attempt_does_not_cut_off(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = unanswered(&play, PHONE, COURIER, 5223, 0, 30);
    play_close(&play, &flow);
    play_end(&play);
    assert_silent(&play, "courier-unreachable");
}

static void a_short_outage_that_passes_is_taken_back(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record one = unanswered(&play, PHONE, COURIER, 5223, 0, 30);
    struct flow_record two = unanswered(&play, PHONE, SECOND, 443, 30, 30);
    play_close(&play, &one);
    play_close(&play, &two);
    play_healthy(&play, PHONE, COURIER, 5223, 70);
    play_end(&play);
    assert_nothing_found(&play);
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_WORKS);
}

static void a_long_outage_stays_on_record_and_the_device_works_again(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 30; i++) {
        struct flow_record flow = unanswered(&play, PHONE, COURIER, i % 2 ? 443 : 5223, 60 * i, 30);
        play_close(&play, &flow);
    }
    play_healthy(&play, PHONE, COURIER, 5223, 2000);
    play_end(&play);
    assert_fires(&play, "courier-unreachable");
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_WORKS);
}

/* Attempts on both ports that fail for twenty minutes. */
static void play_long_failure(struct play *play)
{
    for (int i = 0; i < 20; i++) {
        struct flow_record flow =
            unanswered(play, PHONE, COURIER, i % 2 ? 443 : 5223, 100 + 60 * i, 30);
        play_close(play, &flow);
    }
}

static void attempts_that_fail_beside_an_open_session_do_not_cut_off(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record open = healthy(&play, PHONE, COURIER, 5223, 0, 3000);
    play_works(&play, &open); /* and it is not closed before the others are judged */
    play_long_failure(&play);
    play_end(&play);
    assert_silent(&play, "courier-unreachable");
}

static void a_session_seen_from_its_middle_takes_it_back_at_its_end(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record open = healthy(&play, PHONE, COURIER, 5223, 0, 3000);
    open.outcome = OUTCOME_MIDSTREAM;
    open.established_ns = TIME_UNKNOWN;
    open.saw = SAW_UP | SAW_DOWN | SAW_SERVER_DATA;
    play_long_failure(&play);
    play_close(&play, &open);
    play_end(&play);
    assert_silent(&play, "courier-unreachable");
}

static void a_session_of_which_half_was_captured_may_well_work(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 3; i++) {
        struct flow_record flow = unanswered(&play, PHONE, COURIER, 5223, 60 * i, 30);
        play_close(&play, &flow);
    }
    struct flow_record half = attempt(&play, PHONE, SECOND, 443, 30);
    half.outcome = OUTCOME_ONE_SIDED;
    half.last_ns = at(900);
    play_close(&play, &half);
    play_end(&play);
    assert_fires(&play, "port-blocked-silent");
    assert_silent(&play, "courier-unreachable");
    const struct device_record *device = must_see_device(&play, PHONE);
    assert_int_equal(device->verdict, VERDICT_UNKNOWN);
    assert_string_equal(device->reason,
                        "only one direction of 1 session was captured; port-blocked-silent stands");
}

static void silence_is_never_a_fault(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_end(&play);
    assert_nothing_found(&play);
    assert_int_equal(play.device_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fallback_is_found_whichever_flow_is_known_first),
        cmocka_unit_test(each_fallback_is_counted_once),
        cmocka_unit_test(a_session_known_by_its_timing_alone_is_only_likely),
        cmocka_unit_test(a_443_session_much_later_or_before_is_no_fallback),
        cmocka_unit_test(one_fallback_of_a_device_that_works_on_5223_is_ordinary),
        cmocka_unit_test(an_unfinished_attempt_before_443_is_no_fallback),
        cmocka_unit_test(both_ports_failing_cut_the_device_off),
        cmocka_unit_test(one_port_failing_for_a_minute_cuts_the_device_off),
        cmocka_unit_test(a_single_failed_attempt_does_not_cut_off),
        cmocka_unit_test(a_short_outage_that_passes_is_taken_back),
        cmocka_unit_test(a_long_outage_stays_on_record_and_the_device_works_again),
        cmocka_unit_test(attempts_that_fail_beside_an_open_session_do_not_cut_off),
        cmocka_unit_test(a_session_seen_from_its_middle_takes_it_back_at_its_end),
        cmocka_unit_test(a_session_of_which_half_was_captured_may_well_work),
        cmocka_unit_test(silence_is_never_a_fault),
    };
    return cmocka_run_group_tests_name("rules about couriers", tests, NULL, NULL);
}
