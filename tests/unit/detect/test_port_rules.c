/* The rules about ports: port-blocked-silent, port-refused, port-unreachable; where they speak
 * and the healthy things at which they stay silent. */
#include "play.h"

#define PHONE   "10.1.2.3"
#define OTHER   "10.1.2.4"
#define COURIER "17.57.144.10"
#define SECOND  "17.57.145.20"
#define THIRD   "17.188.130.7"

static void an_unanswered_attempt_next_to_a_working_443_is_certain(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record fallback = healthy(&play, PHONE, SECOND, 443, 30.1, 600);
    struct flow_record flow = unanswered(&play, PHONE, COURIER, 5223, 0, 30);
    play_works(&play, &fallback);
    play_close(&play, &flow);
    play_close(&play, &fallback);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "port-blocked-silent");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(finding->severity, SEVERITY_FAIL);
    assert_int_equal(finding->flow_number, flow.number);
    assert_int_equal(finding->server_port, 5223);
    assert_int_equal(finding->frame_count, 2);
    assert_string_equal(finding->summary,
                        "10.1.2.3 sent 7 SYNs over 30 s to 17.57.144.10:5223 and nothing came "
                        "back, at 2026-03-01T10:00:00.000Z.");
    assert_non_null(strstr(finding->reasoning, "courier session on 443 of the same device"));
    char filter[FINDING_FILTER_SIZE];
    snprintf(filter, sizeof filter,
             "ip.addr == 10.1.2.3 && ip.addr == 17.57.144.10 && tcp.port == %u && tcp.port == 5223",
             flow.client_port);
    assert_string_equal(finding->display_filter, filter);
}

static void success_elsewhere_makes_it_certain_even_when_it_is_known_later(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = unanswered(&play, PHONE, COURIER, 5223, 0, 30);
    play_close(&play, &flow);
    play_healthy(&play, OTHER, SECOND, 443, 100);
    play_end(&play);
    assert_int_equal(assert_fires(&play, "port-blocked-silent")->confidence, CONFIDENCE_CERTAIN);
}

static void without_anything_to_compare_it_is_likely(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = unanswered(&play, PHONE, COURIER, 5223, 0, 30);
    play_close(&play, &flow);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "port-blocked-silent");
    assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
    assert_non_null(strstr(finding->reasoning, "outage of the whole uplink"));
}

static void a_lone_short_attempt_of_a_device_that_shows_nothing_else_is_only_possible(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = unanswered(&play, PHONE, COURIER, 5223, 0, 4);
    play_close(&play, &flow);
    play_end(&play);
    assert_int_equal(assert_fires(&play, "port-blocked-silent")->confidence, CONFIDENCE_POSSIBLE);
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_UNKNOWN);
}

static void a_lone_failure_of_a_device_that_gets_through_is_not_reported(void **state)
{
    (void)state;
    for (int success_is_first = 0; success_is_first < 2; success_is_first++) {
        struct play play;
        play_begin(&play);
        struct flow_record flow = unanswered(&play, PHONE, COURIER, 5223, 100, 30);
        if (success_is_first)
            play_healthy(&play, PHONE, SECOND, 5223, 10);
        play_close(&play, &flow);
        if (!success_is_first)
            play_healthy(&play, PHONE, SECOND, 5223, 200);
        play_end(&play);
        assert_nothing_found(&play);
    }
}

static void failures_that_go_on_to_several_servers_are_reported_despite_a_success(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_healthy(&play, PHONE, COURIER, 5223, 0);
    for (int i = 0; i < 4; i++) {
        struct flow_record flow =
            unanswered(&play, PHONE, i % 2 ? SECOND : THIRD, 5223, 100 + 60 * i, 30);
        play_close(&play, &flow);
    }
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "port-blocked-silent");
    assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
    assert_int_equal(finding->count, 4); /* those held back at first included */
    assert_int_equal(finding->first_ns, at(100));
}

static void an_unfinished_attempt_is_never_a_block(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = attempt(&play, PHONE, COURIER, 5223, 3599);
    flow.syn_count = 2;
    play_close(&play, &flow);
    play_end(&play);
    assert_nothing_found(&play);
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_UNKNOWN);
}

static void a_one_sided_session_is_never_a_block(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = attempt(&play, PHONE, COURIER, 5223, 10);
    flow.outcome = OUTCOME_ONE_SIDED;
    flow.packets_up = 40;
    play_close(&play, &flow);
    play_end(&play);
    assert_silent(&play, "port-blocked-silent");
}

static void an_unanswered_attempt_on_a_retired_port_is_not_a_block(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = unanswered(&play, PHONE, COURIER, 2195, 0, 30);
    play_close(&play, &flow);
    play_end(&play);
    assert_silent(&play, "port-blocked-silent");
    assert_silent(&play, "courier-unreachable");
    assert_fires(&play, "legacy-provider-port");
}

static void attempts_outside_apple_are_nobodys_business(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = unanswered(&play, PHONE, "198.51.100.7", 5223, 0, 30);
    flow.server_is_apple = false;
    play_close(&play, &flow);
    play_end(&play);
    assert_silent(&play, "port-blocked-silent");
}

static void ipv6_that_fails_while_ipv4_works_is_not_a_blocked_port(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    /* dual stack seen as one client: the same lane and the IPv4 session of the same address */
    play_healthy(&play, "2001:db8::3", "64:ff9b::1139:900a", 5223, 0);
    for (int i = 0; i < 5; i++) {
        struct flow_record flow =
            unanswered(&play, "2001:db8::3", "2620:149:a44::5", 5223, 100 + 60 * i, 30);
        play_close(&play, &flow);
    }
    play_end(&play);
    assert_silent(&play, "port-blocked-silent");
}

static void a_refusal_from_nearer_than_apple_names_the_distance(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_healthy(&play, PHONE, SECOND, 443, 0);
    struct flow_record flow = refused(&play, PHONE, COURIER, 5223, 20, 62);
    play_close(&play, &flow);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "port-refused");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(finding->blocker_hops, 2);
    assert_non_null(strstr(finding->summary, "by a box 2 hops away (Apple is 12)"));
}

static void a_lone_refusal_from_apples_own_distance_is_one_servers(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_healthy(&play, OTHER, SECOND, 5223, 0);
    struct flow_record flow = refused(&play, PHONE, COURIER, 5223, 20, 51);
    play_close(&play, &flow);
    play_end(&play);
    assert_nothing_found(&play);
}

static void refusals_by_the_far_end_of_every_server_are_reported(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_healthy(&play, PHONE, SECOND, 443, 0);
    struct flow_record one = refused(&play, PHONE, COURIER, 5223, 20, 51);
    struct flow_record two = refused(&play, PHONE, THIRD, 5223, 80, 51);
    play_close(&play, &one);
    play_close(&play, &two);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "port-refused");
    assert_int_equal(finding->blocker_hops, -1);
    assert_non_null(strstr(finding->summary, "from Apple's own distance"));
    assert_int_equal(finding->count, 2);
}

static void a_reset_ttl_near_255_is_not_taken_for_a_distance(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_healthy(&play, PHONE, SECOND, 443, 0);
    struct flow_record flow = refused(&play, PHONE, COURIER, 5223, 20, 254);
    play_close(&play, &flow);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "port-refused");
    assert_int_equal(finding->blocker_hops, -1);
    assert_non_null(strstr(finding->reasoning, "does not tell who sent it"));
}

static void a_session_that_the_server_resets_later_is_not_a_refusal(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = healthy(&play, PHONE, COURIER, 5223, 0, 100);
    flow.ended_by = ENDED_SERVER_RESET;
    flow.saw |= SAW_RST_DOWN;
    play_close(&play, &flow);
    play_end(&play);
    assert_nothing_found(&play);
}

static void an_icmp_error_names_its_router(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_healthy(&play, PHONE, SECOND, 443, 0);
    struct flow_record flow = unreachable(&play, PHONE, COURIER, 5223, 20, 3, 13);
    play_close(&play, &flow);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "port-unreachable");
    struct address router = ip("10.0.0.1");
    assert_true(address_equal(&finding->blocker_ip, &router));
    assert_non_null(strstr(finding->summary, "administratively prohibited"));
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
}

static void only_codes_that_say_no_for_good_are_blamed(void **state)
{
    (void)state;
    struct {
        const char *client, *server;
        uint8_t type, code;
        bool fires;
    } cases[] = {
        {PHONE, COURIER, 3, 0, true},
        {PHONE, COURIER, 3, 1, true},
        {PHONE, COURIER, 3, 9, true},
        {PHONE, COURIER, 3, 10, true},
        {PHONE, COURIER, 3, 13, true},
        {PHONE, COURIER, 3, 3, true},
        {PHONE, COURIER, 3, 4, false},
        {PHONE, COURIER, 11, 0, true}, /* only a circle's comes so far */
        {PHONE, COURIER, 11, 1, false},
        {"2001:db8::3", "2620:149:a44::5", 1, 1, true},
        {"2001:db8::3", "2620:149:a44::5", 1, 5, true},
        {"2001:db8::3", "2620:149:a44::5", 1, 6, true},
        {"2001:db8::3", "2620:149:a44::5", 1, 0, false},
        {"2001:db8::3", "2620:149:a44::5", 1, 4, true},
        {"2001:db8::3", "2620:149:a44::5", 2, 0, false},
        {"2001:db8::3", "2620:149:a44::5", 3, 0, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct play play;
        play_begin(&play);
        struct flow_record flow = unreachable(&play, cases[i].client, cases[i].server, 5223, 0,
                                              cases[i].type, cases[i].code);
        play_close(&play, &flow);
        play_end(&play);
        assert_int_equal(play_finding(&play, "port-unreachable") != NULL, cases[i].fires);
    }
}

static void a_lone_host_unreachable_while_the_port_works_is_a_passing_outage(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = unreachable(&play, PHONE, COURIER, 5223, 0, 3, 1);
    play_close(&play, &flow);
    play_healthy(&play, PHONE, COURIER, 5223, 5);
    play_end(&play);
    assert_nothing_found(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unanswered_attempt_next_to_a_working_443_is_certain),
        cmocka_unit_test(success_elsewhere_makes_it_certain_even_when_it_is_known_later),
        cmocka_unit_test(without_anything_to_compare_it_is_likely),
        cmocka_unit_test(a_lone_short_attempt_of_a_device_that_shows_nothing_else_is_only_possible),
        cmocka_unit_test(a_lone_failure_of_a_device_that_gets_through_is_not_reported),
        cmocka_unit_test(failures_that_go_on_to_several_servers_are_reported_despite_a_success),
        cmocka_unit_test(an_unfinished_attempt_is_never_a_block),
        cmocka_unit_test(a_one_sided_session_is_never_a_block),
        cmocka_unit_test(an_unanswered_attempt_on_a_retired_port_is_not_a_block),
        cmocka_unit_test(attempts_outside_apple_are_nobodys_business),
        cmocka_unit_test(ipv6_that_fails_while_ipv4_works_is_not_a_blocked_port),
        cmocka_unit_test(a_refusal_from_nearer_than_apple_names_the_distance),
        cmocka_unit_test(a_lone_refusal_from_apples_own_distance_is_one_servers),
        cmocka_unit_test(refusals_by_the_far_end_of_every_server_are_reported),
        cmocka_unit_test(a_reset_ttl_near_255_is_not_taken_for_a_distance),
        cmocka_unit_test(a_session_that_the_server_resets_later_is_not_a_refusal),
        cmocka_unit_test(an_icmp_error_names_its_router),
        cmocka_unit_test(only_codes_that_say_no_for_good_are_blamed),
        cmocka_unit_test(a_lone_host_unreachable_while_the_port_works_is_a_passing_outage),
    };
    return cmocka_run_group_tests_name("rules about ports", tests, NULL, NULL);
}
