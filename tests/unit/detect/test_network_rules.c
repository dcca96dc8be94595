/* The rules about proxies, DNS, retired and inbound connections, and the capture itself. */
#include "play.h"

#define PHONE "10.1.2.3"

static void play_proxied(struct play *play, double seconds, uint16_t status)
{
    struct flow_record flow = proxied(play, PHONE, seconds, status);
    play_tell(play, EVENT_PROXY_ANSWER, seconds + 0.05, &flow);
    play_close(play, &flow);
}

static void an_allowed_connect_names_the_proxy(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_proxied(&play, 0, 200);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "explicit-proxy");
    assert_int_equal(finding->severity, SEVERITY_WARN);
    assert_non_null(strstr(finding->summary, "through the proxy 10.0.0.8:3128"));
    assert_silent(&play, "proxy-denied");
    assert_string_equal(must_see_device(&play, PHONE)->works_on, "proxy");
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_DEGRADED);
    assert_int_equal(play.requirements[R4_DIRECT].status, STATUS_WARN);
}

static void a_refused_connect_says_why(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_proxied(&play, 0, 403);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "proxy-denied");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_non_null(strstr(finding->summary, "403"));
    assert_silent(&play, "explicit-proxy");
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_BROKEN);
}

static void a_407_before_a_200_is_authentication(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 4; i++) {
        play_proxied(&play, 100 * i, 407);
        play_proxied(&play, 100 * i + 1, 200);
    }
    play_end(&play);
    assert_silent(&play, "proxy-denied");
}

static void a_407_that_nothing_follows_is_a_denial(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_proxied(&play, 0, 407);
    play_end(&play);
    assert_int_equal(assert_fires(&play, "proxy-denied")->confidence, CONFIDENCE_LIKELY);
}

static void a_lone_502_that_passes_is_taken_back(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_proxied(&play, 0, 502);
    play_proxied(&play, 5, 200);
    play_end(&play);
    assert_silent(&play, "proxy-denied");
}

static void a_403_stays_although_other_hosts_are_allowed(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_proxied(&play, 0, 403);
    play_proxied(&play, 5, 200);
    play_end(&play);
    assert_fires(&play, "proxy-denied");
}

#define NAME "5-courier.push.apple.com"

static void answers_outside_apple_are_a_redirection(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_answer(&play, PHONE, NAME, DNS_A, DNS_NOERROR, "10.9.9.9", 1);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "dns-redirected");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(finding->server_port, 53);
    assert_string_equal(finding->display_filter,
                        "ip.addr == 10.1.2.3 && dns.qry.name == \"" NAME "\"");
    assert_non_null(strstr(finding->summary, "The resolver 10.0.0.53 told 10.1.2.3 that " NAME
                                             " is at 10.9.9.9, which is a private address"));
    assert_silent(&play, "dns-blocked");
}

static void healthy_answers_are_silent(void **state)
{
    (void)state;
    struct {
        const char *name;
        uint16_t type;
        uint8_t rcode;
        const char *answers;
    } cases[] = {
        {NAME, DNS_A, DNS_NOERROR, "17.57.144.10 17.57.144.11"},
        {NAME, DNS_AAAA, DNS_NOERROR, "2620:149:a44::5"},
        {NAME, DNS_AAAA, DNS_NOERROR, "64:ff9b::1139:900a"},
        {NAME, DNS_AAAA, DNS_NOERROR, "2001:db8:64::1139:900a"}, /* a network's own NAT64 */
        {NAME, DNS_AAAA, DNS_NOERROR, "2620:149:208::1"},        /* Apple's wider allocation */
        {NAME, DNS_AAAA, DNS_NOERROR, ""},                       /* no data */
        {NAME, DNS_HTTPS, DNS_NOERROR, ""},
        {NAME, DNS_HTTPS, DNS_SERVFAIL, ""},
        {NAME, DNS_AAAA, DNS_NXDOMAIN, ""}, /* RFC 4074 */
        {NAME, DNS_A, DNS_SERVFAIL, ""},    /* once */
        {NAME, DNS_A, DNS_REFUSED, ""},     /* once */
        {"courier.push.apple.com", DNS_A, DNS_NOERROR, ""},
        {"courier.push.apple.com", DNS_A, DNS_NXDOMAIN, ""},
        {"push.apple.com", DNS_TXT, DNS_NXDOMAIN, ""},
        {"77-courier.push.apple.com", DNS_A, DNS_NXDOMAIN, ""}, /* no such courier */
        {"nonsense.push.apple.com", DNS_A, DNS_NXDOMAIN, ""},
        {"gateway.push.apple.com", DNS_A, DNS_NXDOMAIN, ""}, /* retired */
        {"init-p01st.push.apple.com", DNS_A, DNS_NOERROR, "203.0.113.5"},
        {"init-p01st.push.apple.com", DNS_A, DNS_NXDOMAIN, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct play play;
        play_begin(&play);
        play_answer(&play, PHONE, cases[i].name, cases[i].type, cases[i].rcode, cases[i].answers,
                    1);
        play_end(&play);
        assert_nothing_found(&play);
        assert_int_equal(play.device_count, 0); /* asking is not being a device */
    }
}

static void names_that_exist_and_are_denied_are_blocked(void **state)
{
    (void)state;
    const char *const names[] = {NAME, "0-courier2.push.apple.com", "50-courier.push.apple.com",
                                 "api.push.apple.com", "init.push.apple.com"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct play play;
        play_begin(&play);
        play_answer(&play, PHONE, names[i], DNS_A, DNS_NXDOMAIN, "", 1);
        play_end(&play);
        assert_int_equal(assert_fires(&play, "dns-blocked")->confidence, CONFIDENCE_LIKELY);
        assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_BROKEN);
        assert_int_equal(play.requirements[R8_DNS].status, STATUS_FAIL);
    }
}

static void addresses_that_lead_nowhere_are_blocked_not_redirected(void **state)
{
    (void)state;
    const char *const answers[] = {"0.0.0.0", "127.0.0.1"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct play play;
        play_begin(&play);
        play_answer(&play, PHONE, NAME, DNS_A, DNS_NOERROR, answers[i], 1);
        play_end(&play);
        assert_int_equal(assert_fires(&play, "dns-blocked")->confidence, CONFIDENCE_CERTAIN);
        assert_silent(&play, "dns-redirected");
    }
}

static void the_same_answer_seen_twice_counts_once(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_answer(&play, PHONE, NAME, DNS_A, DNS_REFUSED, "", 1);
    play.dns_id--;
    play_answer(&play, PHONE, NAME, DNS_A, DNS_REFUSED, "", 1.001);
    play_end(&play);
    assert_nothing_found(&play);
}

static void repeated_servfail_is_blocked(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 3; i++)
        play_answer(&play, PHONE, NAME, DNS_A, DNS_SERVFAIL, "", i);
    play_end(&play);
    assert_int_equal(assert_fires(&play, "dns-blocked")->count, 3);
}

static void a_resolver_that_hides_ipv6_is_not_blocking(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 20; i++)
        play_answer(&play, PHONE, NAME, DNS_AAAA, DNS_NOERROR, "::", 60 * i);
    play_healthy(&play, PHONE, "17.57.144.10", 5223, 5);
    play_end(&play);
    assert_nothing_found(&play);
}

static void a_captive_portal_before_the_login_is_forgiven(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_answer(&play, PHONE, NAME, DNS_A, DNS_NOERROR, "10.9.9.9", 1);
    play_answer(&play, PHONE, "6-courier.push.apple.com", DNS_A, DNS_NXDOMAIN, "", 20);
    play_answer(&play, PHONE, NAME, DNS_A, DNS_NOERROR, "17.57.144.10", 60);
    play_healthy(&play, PHONE, "17.57.144.10", 5223, 61);
    play_end(&play);
    assert_nothing_found(&play);
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_WORKS);
}

static void a_name_that_could_end_a_filter_stays_out_of_it(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_answer(&play, PHONE, "a\" || tcp.x.push.apple.com", DNS_A, DNS_NOERROR, "10.9.9.9", 1);
    play_end(&play);
    assert_string_equal(assert_fires(&play, "dns-redirected")->display_filter,
                        "ip.addr == 10.1.2.3 && dns");
}

static void retired_ports_are_named_and_make_an_mdm_server(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = attempt(&play, PHONE, "17.188.166.20", 2195, 0);
    play_close(&play, &flow);
    play_end(&play);
    assert_int_equal(assert_fires(&play, "legacy-provider-port")->severity, SEVERITY_WARN);
    assert_int_equal(must_see_device(&play, PHONE)->role, DEVICE_ROLE_MDM_SERVER);
    assert_int_equal(play.requirements[R6_MDM_SERVER].status, STATUS_WARN);
}

static struct flow_record inbound(struct play *play, const char *apple, uint16_t port)
{
    struct flow_record flow = attempt(play, apple, "192.0.2.10", port, 0);
    flow.server_is_apple = false;
    flow.role = ROLE_INBOUND;
    return flow;
}

static void connections_from_apple_are_one_finding_for_each_inside_port(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record one = inbound(&play, "17.57.144.10", 22);
    struct flow_record two = inbound(&play, "17.57.144.11", 22);
    play_close(&play, &one);
    play_close(&play, &two);
    play_end(&play);
    assert_int_equal(play.finding_count, 1);
    assert_int_equal(assert_fires(&play, "inbound-from-apple")->count, 2);
    assert_int_equal(play.device_count, 0);
    assert_int_equal(play.requirements[R7_OUTBOUND_ONLY].status, STATUS_WARN);
}

static void crawlers_mail_and_sessions_seen_from_their_middle_are_not_inbound(void **state)
{
    (void)state;
    const uint16_t ports[] = {25, 80, 443};
    struct play play;
    play_begin(&play);
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        struct flow_record flow = inbound(&play, "17.58.100.1", ports[i]);
        play_close(&play, &flow);
    }
    struct flow_record midstream = inbound(&play, "17.57.144.10", 50000);
    midstream.saw = SAW_UP | SAW_DOWN;
    play_close(&play, &midstream);
    play_end(&play);
    assert_nothing_found(&play);
}

static void half_of_the_sessions_one_sided_withholds_judgement(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 3; i++) {
        struct flow_record flow = attempt(&play, PHONE, "17.57.144.10", 5223, 10 * i);
        flow.outcome = OUTCOME_ONE_SIDED;
        play_close(&play, &flow);
    }
    play_healthy(&play, "10.1.2.9", "17.57.144.10", 5223, 100);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "capture-one-sided");
    assert_int_equal(finding->severity, SEVERITY_INFO);
    assert_int_equal(finding->count, 3);
    assert_int_equal(play.requirements[R0_CAPTURE].status, STATUS_FAIL);
    const struct device_record *device = must_see_device(&play, PHONE);
    assert_int_equal(device->verdict, VERDICT_UNKNOWN);
    assert_string_equal(device->reason, "only one direction of 3 sessions was captured");
}

static void what_is_left_of_a_blocked_attempt_is_no_doubt_of_the_block(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 3; i++) {
        struct flow_record flow = unanswered(&play, PHONE, "17.57.144.10", 5223, 40 * i, 30);
        play_close(&play, &flow);
    }
    struct flow_record late = attempt(&play, PHONE, "17.57.144.10", 5223, 200);
    late.outcome = OUTCOME_ONE_SIDED; /* its packets after it was given up */
    late.saw = SAW_UP;
    late.packets_up = 3;
    late.retransmissions_up = 2;
    play_close(&play, &late);
    struct flow_record answer = attempt(&play, PHONE, "17.57.144.10", 5223, 300);
    answer.outcome = OUTCOME_ONE_SIDED; /* the server's to a farewell: an ACK and a reset */
    answer.saw = SAW_DOWN | SAW_RST_DOWN;
    answer.packets_up = 0;
    answer.packets_down = 2;
    play_close(&play, &answer);
    play_end(&play);
    const struct device_record *device = must_see_device(&play, PHONE);
    assert_int_equal(device->verdict, VERDICT_BROKEN);
}

static void a_blocked_network_is_not_a_one_sided_capture(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play.quality.flows_up_only = 5;
    for (int i = 0; i < 5; i++) {
        struct flow_record flow = unanswered(&play, PHONE, "17.57.144.10", 5223, 40 * i, 30);
        play_close(&play, &flow);
    }
    play_end(&play);
    assert_silent(&play, "capture-one-sided");
}

static void one_odd_session_among_whole_ones_is_not_one_sided(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = attempt(&play, PHONE, "17.57.144.10", 5223, 0);
    flow.outcome = OUTCOME_ONE_SIDED;
    play_close(&play, &flow);
    play_healthy(&play, PHONE, "17.57.144.10", 5223, 100);
    play_healthy(&play, PHONE, "17.57.144.10", 5223, 200);
    play_end(&play);
    assert_nothing_found(&play);
}

static void a_cut_capture_is_told_and_limits_other_findings(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play.quality.truncated = true;
    snprintf(play.quality.damage, sizeof play.quality.damage, "ends in frame 9 at byte 1234");
    struct flow_record flow = unanswered(&play, PHONE, "17.57.144.10", 5223, 0, 30);
    play_close(&play, &flow);
    play_end(&play);
    assert_non_null(strstr(assert_fires(&play, "capture-truncated")->summary, "byte 1234"));
    assert_string_equal(assert_fires(&play, "port-blocked-silent")->limits,
                        "the capture is cut or damaged");
    assert_int_equal(play.requirements[R0_CAPTURE].status, STATUS_WARN);
}

static void a_clock_that_steps_back_is_told_where_queues_do_not_explain_it(void **state)
{
    static const struct {
        int64_t step_ns;
        bool is_told;
    } steps[] = {{400 * NS_PER_MS, false}, {500 * NS_PER_MS, true}};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct play play;
        play_begin(&play);
        play.quality.backward_steps = 1;
        play.quality.largest_step_back_ns = steps[i].step_ns;
        play_healthy(&play, PHONE, "17.57.144.10", 5223, 0);
        play_end(&play);
        assert_int_equal(play_finding(&play, "capture-clock") != NULL, steps[i].is_told);
    }
}

static void times_beyond_any_date_are_told(void **state)
{
    struct play play;
    (void)state;
    play_begin(&play);
    play_healthy(&play, PHONE, "17.57.144.10", 5223, 0);
    play.quality.first_ns = play.quality.last_ns = TIME_LIMIT_NS;
    play_end(&play);
    const struct finding *told = play_finding(&play, "capture-clock");
    assert_non_null(told);
    assert_non_null(strstr(told->summary, "beyond any date"));
}

static void cut_frames_of_other_traffic_do_not_matter(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play.quality.frames_cut = 500;
    play_end(&play);
    assert_nothing_found(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allowed_connect_names_the_proxy),
        cmocka_unit_test(a_refused_connect_says_why),
        cmocka_unit_test(a_407_before_a_200_is_authentication),
        cmocka_unit_test(a_407_that_nothing_follows_is_a_denial),
        cmocka_unit_test(a_lone_502_that_passes_is_taken_back),
        cmocka_unit_test(a_403_stays_although_other_hosts_are_allowed),
        cmocka_unit_test(answers_outside_apple_are_a_redirection),
        cmocka_unit_test(healthy_answers_are_silent),
        cmocka_unit_test(names_that_exist_and_are_denied_are_blocked),
        cmocka_unit_test(addresses_that_lead_nowhere_are_blocked_not_redirected),
        cmocka_unit_test(the_same_answer_seen_twice_counts_once),
        cmocka_unit_test(repeated_servfail_is_blocked),
        cmocka_unit_test(a_resolver_that_hides_ipv6_is_not_blocking),
        cmocka_unit_test(a_captive_portal_before_the_login_is_forgiven),
        cmocka_unit_test(a_name_that_could_end_a_filter_stays_out_of_it),
        cmocka_unit_test(retired_ports_are_named_and_make_an_mdm_server),
        cmocka_unit_test(connections_from_apple_are_one_finding_for_each_inside_port),
        cmocka_unit_test(crawlers_mail_and_sessions_seen_from_their_middle_are_not_inbound),
        cmocka_unit_test(half_of_the_sessions_one_sided_withholds_judgement),
        cmocka_unit_test(what_is_left_of_a_blocked_attempt_is_no_doubt_of_the_block),
        cmocka_unit_test(a_blocked_network_is_not_a_one_sided_capture),
        cmocka_unit_test(one_odd_session_among_whole_ones_is_not_one_sided),
        cmocka_unit_test(a_cut_capture_is_told_and_limits_other_findings),
        cmocka_unit_test(a_clock_that_steps_back_is_told_where_queues_do_not_explain_it),
        cmocka_unit_test(times_beyond_any_date_are_told),
        cmocka_unit_test(cut_frames_of_other_traffic_do_not_matter),
    };
    return cmocka_run_group_tests_name("rules about the network", tests, NULL, NULL);
}
