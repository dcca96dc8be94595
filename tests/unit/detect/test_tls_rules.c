/* tls-intercepted, tls-rejected-by-client, off-net-courier, unexpected-protocol: what is said
 * inside a session, and by whom. */
#include "play.h"

#define PHONE   "10.1.2.3"
#define COURIER "17.57.144.10"
#define SECOND  "17.57.145.20"

static const struct certificate_facts proxy_certificate = {
    .subject = "CN=courier.push.apple.com",
    .issuer = "CN=Corp Inspection CA,O=Corp",
    .issuer_common_name = "Corp Inspection CA",
    .top_issuer = "CN=Corp Root,O=Corp",
    .names_push_host = true,
    .judgement = CHAIN_FOREIGN,
};

static struct certificate_facts judged(enum chain_judgement judgement)
{
    struct certificate_facts facts = proxy_certificate;
    facts.judgement = judgement;
    return facts;
}

/* The certificate is read, the client refuses it, the session ends. */
static void play_certificate(struct play *play, struct flow_record *flow,
                             const struct certificate_facts *facts)
{
    flow->certificate = facts;
    flow->certificate_frame = ++play->frames;
    flow->saw |= SAW_CERTIFICATE;
    flow->tls_version = 0x0303;
    play_tell(play, EVENT_CERTIFICATE, 1, flow);
    play_close(play, flow);
}

static void a_foreign_certificate_is_interception(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = turned_away(&play, PHONE, COURIER, 5223, 0);
    flow.saw |= SAW_FATAL_ALERT_UP;
    flow.alert_up = 48;
    flow.alert_frame = 77;
    play_certificate(&play, &flow, &proxy_certificate);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "tls-intercepted");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_non_null(strstr(finding->summary, "issued by CN=Corp Inspection CA,O=Corp"));
    assert_int_equal(finding->frame_count, 3);
    assert_int_equal(finding->frames[2].number, 77);
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_BROKEN);
}

static void chains_that_apple_or_the_user_accept_are_silent(void **state)
{
    (void)state;
    const enum chain_judgement silent[] = {CHAIN_CANNOT_TELL, CHAIN_APPLE, CHAIN_APPLE_PUBLIC,
                                           CHAIN_TRUSTED};
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        struct play play;
        struct certificate_facts facts = judged(silent[i]);
        play_begin(&play);
        struct flow_record flow = healthy(&play, PHONE, COURIER, 5223, 0, 100);
        play_certificate(&play, &flow, &facts);
        play_end(&play);
        assert_nothing_found(&play);
    }
}

static void another_host_counts_more_when_a_push_name_was_asked_for(void **state)
{
    (void)state;
    struct certificate_facts facts = judged(CHAIN_OTHER_HOST);
    facts.subject = "CN=firewall.corp.example";
    for (int named = 0; named < 2; named++) {
        struct play play;
        play_begin(&play);
        struct flow_record flow = turned_away(&play, PHONE, COURIER, 5223, 0);
        flow.sni = named ? "courier.push.apple.com" : NULL;
        play_certificate(&play, &flow, &facts);
        play_end(&play);
        assert_int_equal(assert_fires(&play, "tls-intercepted")->confidence,
                         named ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
    }
}

static void another_service_of_apples_on_443_is_no_interception(void **state)
{
    (void)state;
    struct certificate_facts facts = judged(CHAIN_OTHER_HOST);
    facts.subject = "CN=gateway.icloud.com,O=Apple Inc.,C=US";
    facts.issuer = "CN=Some Public CA";
    struct play play;
    play_begin(&play);
    struct flow_record flow = healthy(&play, PHONE, COURIER, 443, 0, 100);
    flow.reason = SCOPE_BY_FALLBACK;
    flow.sni = "gateway.icloud.com";
    play_certificate(&play, &flow, &facts);
    play_end(&play);
    assert_silent(&play, "tls-intercepted");
}

static void one_cause_is_one_finding(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 5; i++) {
        struct flow_record flow = turned_away(&play, PHONE, COURIER, 5223, 60 * i);
        flow.saw |= SAW_FATAL_ALERT_UP;
        flow.alert_up = 48;
        play_certificate(&play, &flow, &proxy_certificate);
    }
    play_end(&play);
    assert_int_equal(assert_fires(&play, "tls-intercepted")->count, 5);
    assert_silent(&play, "tls-rejected-by-client");
}

static struct flow_record alerting(struct play *play, double seconds, int16_t alert)
{
    struct flow_record flow = turned_away(play, PHONE, COURIER, 5223, seconds);
    flow.saw |= SAW_FATAL_ALERT_UP;
    flow.alert_up = alert;
    flow.alert_frame = ++play->frames;
    return flow;
}

static void one_refusal_is_never_reported(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = alerting(&play, 0, 48);
    play_close(&play, &flow);
    play_end(&play);
    assert_nothing_found(&play);
}

static void two_alerts_without_a_success_between_are_reported(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 2; i++) {
        struct flow_record flow = alerting(&play, 60 * i, 42);
        play_close(&play, &flow);
    }
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "tls-rejected-by-client");
    assert_int_equal(finding->count, 2);
    assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
    assert_non_null(strstr(finding->summary, "bad_certificate"));
    assert_int_equal(finding->frame_count, 2);
}

static void a_success_between_two_alerts_makes_them_chance(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 6; i++) {
        struct flow_record flow = alerting(&play, 60 * i, 42);
        play_close(&play, &flow);
        play_healthy(&play, PHONE, COURIER, 5223, 60 * i + 10);
    }
    play_end(&play);
    assert_silent(&play, "tls-rejected-by-client");
}

static void closing_without_a_connect_message_counts_from_the_third_time(void **state)
{
    (void)state;
    for (int times = 1; times <= 4; times++) {
        struct play play;
        play_begin(&play);
        for (int i = 0; i < times; i++) {
            struct flow_record flow = turned_away(&play, PHONE, COURIER, 5223, 60 * i);
            play_close(&play, &flow);
        }
        play_end(&play);
        assert_int_equal(play_finding(&play, "tls-rejected-by-client") != NULL, times >= 3);
    }
}

static void encrypted_alerts_of_a_device_count_like_alerts(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 2; i++) {
        struct flow_record flow = turned_away(&play, PHONE, COURIER, 443, 60 * i);
        flow.saw |= SAW_FATAL_ALERT_UP | SAW_ALERT_ENCRYPTED;
        play_close(&play, &flow);
    }
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "tls-rejected-by-client");
    assert_non_null(strstr(finding->summary, "an encrypted alert"));
}

static void port_tests_and_browsers_may_refuse_what_they_like(void **state)
{
    (void)state;
    const char *const alpns[] = {"h2,http/1.1", "http/1.1"};
    for (size_t i = 0; i < sizeof alpns / sizeof *alpns; i++) {
        struct play play;
        play_begin(&play);
        for (int time = 0; time < 5; time++) {
            struct flow_record flow = alerting(&play, 60 * time, 48);
            flow.alpn = alpns[i];
            play_close(&play, &flow);
        }
        play_end(&play);
        assert_silent(&play, "tls-rejected-by-client");
    }
}

static void a_monitoring_probe_without_alpn_that_just_closes_is_silent(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 5; i++) {
        struct flow_record flow = turned_away(&play, PHONE, COURIER, 5223, 300 * i);
        flow.alpn = NULL;
        play_close(&play, &flow);
    }
    play_end(&play);
    assert_silent(&play, "tls-rejected-by-client");
}

static void refusing_apples_own_certificate_is_the_devices_matter(void **state)
{
    (void)state;
    struct certificate_facts facts = judged(CHAIN_APPLE);
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 5; i++) {
        struct flow_record flow = alerting(&play, 60 * i, 45);
        play_certificate(&play, &flow, &facts);
    }
    play_end(&play);
    assert_silent(&play, "tls-rejected-by-client");
}

static void an_mdm_server_with_an_old_store_is_another_rules_matter(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 5; i++) {
        struct flow_record flow = alerting(&play, 60 * i, 48);
        flow.role = ROLE_PROVIDER;
        flow.server_port = 443;
        flow.sni = "api.push.apple.com";
        flow.alpn = "h2";
        play_close(&play, &flow);
    }
    play_end(&play);
    assert_silent(&play, "tls-rejected-by-client");
}

static struct flow_record off_net(struct play *play, const char *server, const char *sni)
{
    struct flow_record flow = healthy(play, PHONE, server, 443, 0, 100);
    flow.server_is_apple = false;
    flow.path = PATH_OFF_NET;
    flow.sni = sni;
    return flow;
}

static void a_push_name_at_a_private_address_is_off_net(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = off_net(&play, "10.9.9.9", "courier.push.apple.com");
    play_close(&play, &flow);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "off-net-courier");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_non_null(strstr(finding->summary, "it is a private one"));
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_DEGRADED);
}

static void configuration_on_a_cdn_is_apples_own_choice(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = off_net(&play, "203.0.113.5", "init-p01st.push.apple.com");
    flow.role = ROLE_BAG;
    play_close(&play, &flow);
    struct flow_record misjudged = off_net(&play, "203.0.113.5", "init.push.apple.com");
    play_close(&play, &misjudged);
    play_end(&play);
    assert_silent(&play, "off-net-courier");
}

static void addresses_that_may_be_apples_are_not_off_net(void **state)
{
    (void)state;
    const char *const servers[] = {"2001:db8:64::1139:900a", "2620:149:208::1", "64:ff9b::1139:1"};
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        struct play play;
        play_begin(&play);
        struct flow_record flow = off_net(&play, servers[i], "courier.push.apple.com");
        flow.client_ip = ip("2001:db8::3");
        play_close(&play, &flow);
        play_end(&play);
        assert_nothing_found(&play);
    }
}

static void a_users_own_apple_prefix_is_not_off_net(void **state)
{
    (void)state;
    struct prefix prefix;
    struct play play;
    play_begin(&play);
    assert_true(prefix_parse("198.51.100.0/24", &prefix));
    engine_add_apple_net(play.engine, &prefix);
    struct flow_record flow = off_net(&play, "198.51.100.9", "courier.push.apple.com");
    play_close(&play, &flow);
    play_end(&play);
    assert_nothing_found(&play);
}

static struct flow_record not_tls(struct play *play)
{
    struct flow_record flow = healthy(play, PHONE, COURIER, 5223, 0, 10);
    flow.role = ROLE_UNKNOWN_PUSH_PORT;
    flow.saw = SAW_SYN | SAW_SYN_ACK | SAW_HANDSHAKE | SAW_UP | SAW_DOWN | SAW_NOT_TLS;
    flow.bytes_up = 20;
    flow.ndpi_protocol = "SSH";
    flow.outcome = OUTCOME_ESTABLISHED;
    return flow;
}

static void something_other_than_tls_is_named(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record flow = not_tls(&play);
    play_close(&play, &flow);
    play_end(&play);
    assert_non_null(strstr(assert_fires(&play, "unexpected-protocol")->summary, "spoke SSH to"));
}

static void what_was_seen_in_part_or_elsewhere_is_not_named(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct play play;
        play_begin(&play);
        struct flow_record flow = not_tls(&play);
        switch (i) {
        case 0:
            flow.saw |= SAW_CUT_PAYLOAD;
            break;
        case 1:
            flow.saw &= ~(uint32_t)SAW_SYN;
            break;
        case 2:
            flow.saw |= SAW_GAP_UP;
            break;
        case 3:
            flow.server_is_apple = false;
            break;
        case 4:
            flow.bytes_up = 0;
            break;
        case 5:
            flow.outcome = OUTCOME_MIDSTREAM;
            break;
        }
        play_close(&play, &flow);
        play_end(&play);
        assert_silent(&play, "unexpected-protocol");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_foreign_certificate_is_interception),
        cmocka_unit_test(chains_that_apple_or_the_user_accept_are_silent),
        cmocka_unit_test(another_host_counts_more_when_a_push_name_was_asked_for),
        cmocka_unit_test(another_service_of_apples_on_443_is_no_interception),
        cmocka_unit_test(one_cause_is_one_finding),
        cmocka_unit_test(one_refusal_is_never_reported),
        cmocka_unit_test(two_alerts_without_a_success_between_are_reported),
        cmocka_unit_test(a_success_between_two_alerts_makes_them_chance),
        cmocka_unit_test(closing_without_a_connect_message_counts_from_the_third_time),
        cmocka_unit_test(encrypted_alerts_of_a_device_count_like_alerts),
        cmocka_unit_test(port_tests_and_browsers_may_refuse_what_they_like),
        cmocka_unit_test(a_monitoring_probe_without_alpn_that_just_closes_is_silent),
        cmocka_unit_test(refusing_apples_own_certificate_is_the_devices_matter),
        cmocka_unit_test(an_mdm_server_with_an_old_store_is_another_rules_matter),
        cmocka_unit_test(a_push_name_at_a_private_address_is_off_net),
        cmocka_unit_test(configuration_on_a_cdn_is_apples_own_choice),
        cmocka_unit_test(addresses_that_may_be_apples_are_not_off_net),
        cmocka_unit_test(a_users_own_apple_prefix_is_not_off_net),
        cmocka_unit_test(something_other_than_tls_is_named),
        cmocka_unit_test(what_was_seen_in_part_or_elsewhere_is_not_named),
    };
    return cmocka_run_group_tests_name("rules about TLS", tests, NULL, NULL);
}
