/* transparent-proxy, bag-unreachable, provider-untrusting: who answers, and what is not answered
 * besides couriers. */
#include "play.h"

#define PHONE   "10.1.2.3"
#define PAD     "10.1.2.4"
#define COURIER "17.57.144.10"
#define SECOND  "17.188.145.20"
#define MDM     "10.2.0.5"
#define API     "17.188.182.64"
#define INIT    "17.188.143.20"

/* ---- transparent-proxy ---- */

/* A session that works, answered from `hops` within `rtt_us`, its hello after `hello_us`. */
static void play_measured(struct play *play, const char *client, const char *server, uint16_t port,
                          double seconds, int16_t hops, int32_t rtt_us, int32_t hello_us)
{
    struct flow_record flow = healthy(play, client, server, port, seconds, 100);
    flow.hops_server = hops;
    flow.ttl_server = (int16_t)(64 - hops);
    flow.rtt_server_us = rtt_us;
    flow.tls_hello_us = hello_us;
    if (hops <= 2 && rtt_us <= 3000 && hello_us >= 10000)
        flow.path = PATH_TRANSPARENT_PROXY; /* as track/ would say */
    play_works(play, &flow);
    play_close(play, &flow);
}

static void a_handshake_answered_nearer_than_the_hello_is_a_proxys(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_measured(&play, PAD, SECOND, 443, 0, 12, 20000, 25000);
    play_measured(&play, PHONE, COURIER, 5223, 10, 1, 200, 45000);
    play_measured(&play, PHONE, COURIER, 5223, 200, 1, 200, 45000);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "transparent-proxy");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(finding->severity, SEVERITY_FAIL); /* although it works: not direct */
    assert_int_equal(finding->blocker_hops, 1);
    assert_int_equal(play.requirements[R4_DIRECT].status, STATUS_FAIL);
}

static void without_comparison_it_takes_three_sessions(void **state)
{
    (void)state;
    for (int count = 2; count <= 3; count++) {
        struct play play;
        play_begin(&play);
        for (int i = 0; i < count; i++)
            play_measured(&play, PHONE, COURIER, 5223, 200 * i, 1, 200, 45000);
        play_end(&play);
        assert_int_equal(play_finding(&play, "transparent-proxy") != NULL, count == 3);
    }
}

static void the_same_network_farther_away_by_another_port_tells_without_a_slow_hello(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_measured(&play, PAD, "17.57.144.77", 443, 0, 12, 20000, 22000);
    play_measured(&play, PHONE, COURIER, 5223, 10, 1, 200, 900);
    play_end(&play);
    assert_int_equal(assert_fires(&play, "transparent-proxy")->confidence, CONFIDENCE_LIKELY);
}

static void near_or_slow_alone_is_apples_own_matter(void **state)
{
    (void)state;
    const struct {
        int16_t hops;
        int32_t rtt_us, hello_us;
    } rows[] = {
        {12, 1000, 80000}, /* a short way with many routers, a slow server */
        {3, 900, 1500},    /* next door, and quick */
        {0, 20000, 60000}, /* a firewall rewrites TTLs */
        {1, 2500, 9000},   /* near, and not that much slower */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct play play;
        play_begin(&play);
        for (int session = 0; session < 4; session++)
            play_measured(&play, PHONE, COURIER, 5223, 200 * session, rows[i].hops, rows[i].rtt_us,
                          rows[i].hello_us);
        play_measured(&play, PAD, "17.188.7.7", 443, 1000, 12, 30000, 35000);
        play_end(&play);
        assert_silent(&play, "transparent-proxy");
    }
}

static struct flow_record downgraded(struct play *play, const char *client, double seconds)
{
    struct flow_record flow = turned_away(play, client, COURIER, 5223, seconds);
    flow.saw |= SAW_ONLY_TLS13_OFFERED | SAW_FATAL_ALERT_UP;
    flow.alert_up = 70;
    flow.tls_version = 0x0303;
    return flow;
}

static void an_older_version_than_offered_is_a_boxs_answer(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 2; i++) {
        struct flow_record flow = downgraded(&play, PHONE, 30 * i);
        play_close(&play, &flow);
    }
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "transparent-proxy");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(finding->severity, SEVERITY_FAIL);
    assert_silent(&play, "tls-rejected-by-client");
}

static void apples_own_certificate_excuses_an_old_server(void **state)
{
    (void)state;
    static const struct certificate_facts genuine = {.judgement = CHAIN_APPLE};
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 3; i++) {
        struct flow_record flow = downgraded(&play, PHONE, 30 * i);
        flow.certificate = &genuine;
        play_close(&play, &flow);
    }
    play_end(&play);
    assert_silent(&play, "transparent-proxy");
    assert_silent(&play, "tls-intercepted");
}

static void interception_that_is_told_by_the_certificate_is_told_once(void **state)
{
    (void)state;
    static const struct certificate_facts foreign = {
        .subject = "CN=x", .issuer = "CN=Corp", .judgement = CHAIN_FOREIGN};
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 3; i++) {
        struct flow_record flow = downgraded(&play, PHONE, 30 * i);
        flow.certificate = &foreign;
        flow.certificate_frame = 5;
        play_tell(&play, EVENT_CERTIFICATE, 30 * i, &flow);
        play_close(&play, &flow);
    }
    play_end(&play);
    assert_fires(&play, "tls-intercepted");
    assert_silent(&play, "transparent-proxy");
    assert_silent(&play, "tls-rejected-by-client");
}

/* ---- bag-unreachable ---- */

static void play_fetch(struct play *play, const char *client, double seconds,
                       enum flow_outcome outcome)
{
    struct flow_record flow = outcome == OUTCOME_ESTABLISHED
                                  ? healthy(play, client, INIT, 443, seconds, 1)
                                  : refused(play, client, INIT, 443, seconds, 63);
    flow.role = ROLE_BAG;
    flow.sni = "init.push.apple.com";
    flow.outcome = (uint8_t)outcome;
    play_close(play, &flow);
}

static void play_question(struct play *play, const char *client, uint16_t type, double seconds)
{
    struct dns_message dns = {.type = type, .id = ++play->dns_id};
    snprintf(dns.name, sizeof dns.name, "push.apple.com");
    struct event event = {.kind = EVENT_DNS_QUERY,
                          .time_ns = at(seconds),
                          .frame = ++play->frames,
                          .dns = &dns,
                          .client = ip(client),
                          .resolver = ip("10.0.0.53")};
    engine_observe(play->engine, &event);
}

static void a_failed_fetch_and_the_question_after_it_are_certain(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_fetch(&play, PHONE, 0, OUTCOME_REFUSED);
    play_question(&play, PHONE, DNS_TXT, 2);
    play_healthy(&play, PHONE, COURIER, 5223, 3);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "bag-unreachable");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_WORKS);
}

static void failed_fetches_count_from_the_second_and_are_forgiven_by_a_success(void **state)
{
    (void)state;
    for (int failures = 1; failures <= 2; failures++)
        for (int forgiven = 0; forgiven < 2; forgiven++) {
            struct play play;
            play_begin(&play);
            for (int i = 0; i < failures; i++)
                play_fetch(&play, PHONE, 20 * i, OUTCOME_REFUSED);
            if (forgiven)
                play_fetch(&play, PHONE, 60, OUTCOME_ESTABLISHED);
            play_end(&play);
            assert_int_equal(play_finding(&play, "bag-unreachable") != NULL,
                             failures == 2 && !forgiven);
        }
}

static void questions_alone_are_only_possible_and_only_of_devices(void **state)
{
    (void)state;
    for (int is_device = 0; is_device < 2; is_device++) {
        struct play play;
        play_begin(&play);
        if (is_device)
            play_healthy(&play, PHONE, COURIER, 5223, 0);
        play_question(&play, PHONE, DNS_TXT, 10);
        play_question(&play, PHONE, DNS_A, 11);
        play_question(&play, PHONE, DNS_TXT, 12); /* the same question again */
        if (is_device)
            play_question(&play, PHONE, DNS_TXT, 600);
        play_question(&play, PAD, DNS_TXT, 10);
        play_question(&play, PAD, DNS_TXT, 600);
        play_end(&play);
        const struct finding *finding = play_finding(&play, "bag-unreachable");
        assert_int_equal(finding != NULL, is_device);
        if (finding)
            assert_int_equal(finding->confidence, CONFIDENCE_POSSIBLE);
    }
}

static void a_device_that_reaches_nothing_has_one_finding_for_it(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_fetch(&play, PHONE, 0, OUTCOME_REFUSED);
    play_fetch(&play, PHONE, 20, OUTCOME_REFUSED);
    for (int i = 0; i < 3; i++) {
        struct flow_record flow = refused(&play, PHONE, COURIER, 5223, 30 + 60 * i, 63);
        play_close(&play, &flow);
        flow = refused(&play, PHONE, COURIER, 443, 31 + 60 * i, 63);
        play_close(&play, &flow);
    }
    play_end(&play);
    assert_fires(&play, "courier-unreachable");
    assert_silent(&play, "bag-unreachable");
}

/* ---- provider-untrusting ---- */

static const struct certificate_facts apples = {.subject = "CN=api.push.apple.com,O=Apple Inc.",
                                                .issuer_common_name = "Apple Public Server CA",
                                                .judgement = CHAIN_APPLE_PUBLIC};

static struct flow_record refusing(struct play *play, double seconds,
                                   const struct certificate_facts *certificate, int16_t alert)
{
    struct flow_record flow = turned_away(play, MDM, API, 443, seconds);
    flow.role = ROLE_PROVIDER;
    flow.sni = "api.push.apple.com";
    flow.alpn = "h2";
    flow.saw |= SAW_FATAL_ALERT_UP;
    flow.certificate = certificate;
    flow.alert_up = alert;
    flow.alert_frame = ++play->frames;
    if (alert < 0)
        flow.saw |= SAW_ALERT_ENCRYPTED;
    return flow;
}

static void an_mdm_server_that_refuses_apples_own_certificate_is_behind_the_times(void **state)
{
    (void)state;
    const struct {
        const struct certificate_facts *certificate;
        int16_t alert;
        int confidence; /* -1: silent */
    } rows[] = {
        {&apples, 48, CONFIDENCE_CERTAIN},
        {&apples, 46, CONFIDENCE_CERTAIN},
        {NULL, 48, CONFIDENCE_LIKELY},
        {NULL, -1, CONFIDENCE_LIKELY},
        {&apples, 40, -1}, /* handshake_failure: not about trust */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct play play;
        play_begin(&play);
        for (int session = 0; session < (rows[i].alert < 0 ? 3 : 2); session++) {
            struct flow_record flow =
                refusing(&play, 60 * session, rows[i].certificate, rows[i].alert);
            play_close(&play, &flow);
        }
        play_end(&play);
        const struct finding *finding = play_finding(&play, "provider-untrusting");
        assert_int_equal(finding ? (int)finding->confidence : -1, rows[i].confidence);
        if (finding)
            assert_int_equal(play.requirements[R6_MDM_SERVER].status, STATUS_FAIL);
    }
}

static void one_refusal_or_one_before_a_success_is_an_administrators_test(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 4; i++) {
        struct flow_record flow = refusing(&play, 100 * i, &apples, 48);
        play_close(&play, &flow);
        struct flow_record works = healthy(&play, MDM, API, 443, 100 * i + 50, 10);
        works.role = ROLE_PROVIDER;
        play_works(&play, &works);
        play_close(&play, &works);
    }
    play_end(&play);
    assert_nothing_found(&play);
}

static void what_a_box_next_door_shows_in_secret_is_not_held_against_the_mdm_server(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 3; i++) {
        struct flow_record flow = refusing(&play, 60 * i, NULL, -1);
        flow.hops_server = 1;
        flow.rtt_server_us = 150;
        play_close(&play, &flow);
    }
    play_end(&play);
    assert_silent(&play, "provider-untrusting");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_answered_nearer_than_the_hello_is_a_proxys),
        cmocka_unit_test(without_comparison_it_takes_three_sessions),
        cmocka_unit_test(the_same_network_farther_away_by_another_port_tells_without_a_slow_hello),
        cmocka_unit_test(near_or_slow_alone_is_apples_own_matter),
        cmocka_unit_test(an_older_version_than_offered_is_a_boxs_answer),
        cmocka_unit_test(apples_own_certificate_excuses_an_old_server),
        cmocka_unit_test(interception_that_is_told_by_the_certificate_is_told_once),
        cmocka_unit_test(a_failed_fetch_and_the_question_after_it_are_certain),
        cmocka_unit_test(failed_fetches_count_from_the_second_and_are_forgiven_by_a_success),
        cmocka_unit_test(questions_alone_are_only_possible_and_only_of_devices),
        cmocka_unit_test(a_device_that_reaches_nothing_has_one_finding_for_it),
        cmocka_unit_test(an_mdm_server_that_refuses_apples_own_certificate_is_behind_the_times),
        cmocka_unit_test(one_refusal_or_one_before_a_success_is_an_administrators_test),
        cmocka_unit_test(what_a_box_next_door_shows_in_secret_is_not_held_against_the_mdm_server),
    };
    return cmocka_run_group_tests_name("rules about ways", tests, NULL, NULL);
}
