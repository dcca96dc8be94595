/* The engine: merging, bounds, memory, the verdict on devices, the audit table, the rules' words.
 */
#include "play.h"

#include <stdlib.h>

#include "detect/devices.h"
#include "detect/engine.h"
#include "detect/findings.h"
#include "detect/memory.h"
#include "detect/sentences.h"

#define PHONE   "10.1.2.3"
#define COURIER "17.57.144.10"

static struct finding sample(const char *code, enum finding_scope scope, const char *client,
                             const char *server, uint16_t port, double seconds)
{
    struct finding finding;
    memset(&finding, 0, sizeof finding);
    finding.code = code;
    finding.scope = scope;
    finding.confidence = CONFIDENCE_LIKELY;
    finding.client_ip = ip(client);
    finding.server_ip = ip(server);
    finding.server_port = port;
    finding.first_ns = finding.last_ns = at(seconds);
    finding.count = 1;
    return finding;
}

static void findings_merge_by_their_scope(void **state)
{
    (void)state;
    struct {
        enum finding_scope scope;
        const char *client, *server;
        uint16_t port;
        bool merges;
    } cases[] = {
        {SCOPE_DEVICE, PHONE, "17.1.1.2", 5223, true},
        {SCOPE_DEVICE, PHONE, COURIER, 443, false},
        {SCOPE_DEVICE, "10.1.2.4", COURIER, 5223, false},
        {SCOPE_FLOW, PHONE, COURIER, 5223, true},
        {SCOPE_FLOW, PHONE, "17.1.1.2", 5223, false},
        {SCOPE_SITE, "10.1.2.4", COURIER, 5223, true},
        {SCOPE_SITE, PHONE, "17.1.1.2", 5223, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct findings findings;
        findings_init(&findings, 10);
        struct finding one = sample("x", cases[i].scope, PHONE, COURIER, 5223, 0);
        struct finding two =
            sample("x", cases[i].scope, cases[i].client, cases[i].server, cases[i].port, 5);
        findings_raise(&findings, &one, 0);
        findings_raise(&findings, &two, 0);
        assert_int_equal(findings_count(&findings), cases[i].merges ? 1 : 2);
        findings_free(&findings);
    }
}

static void merging_widens_and_keeps_the_surest_evidence(void **state)
{
    (void)state;
    struct findings findings;
    findings_init(&findings, 10);
    const enum confidence order[] = {CONFIDENCE_LIKELY, CONFIDENCE_POSSIBLE, CONFIDENCE_CERTAIN,
                                     CONFIDENCE_CERTAIN};
    const double times[] = {10, 5, 20, 15};
    for (size_t i = 0; i < 4; i++) {
        struct finding finding = sample("x", SCOPE_DEVICE, PHONE, COURIER, 5223, times[i]);
        finding.confidence = order[i];
        finding.flow_number = i + 1;
        findings_raise(&findings, &finding, 0);
    }
    const struct finding *merged = &findings_at(&findings, 0)->finding;
    assert_int_equal(merged->count, 4);
    assert_int_equal(merged->first_ns, at(5));
    assert_int_equal(merged->last_ns, at(20));
    assert_int_equal(merged->confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(merged->flow_number, 3);
    findings_free(&findings);
}

static void beyond_the_cap_findings_are_counted(void **state)
{
    (void)state;
    struct findings findings;
    findings_init(&findings, 2);
    for (uint16_t port = 1; port <= 5; port++) {
        struct finding finding = sample("x", SCOPE_DEVICE, PHONE, COURIER, port, port);
        assert_int_equal(findings_raise(&findings, &finding, 0), port <= 2);
    }
    assert_int_equal(findings.beyond_cap, 3);
    findings_free(&findings);
}

static void a_session_is_evidence_while_a_finding_rests_on_it_first(void **state)
{
    (void)state;
    struct findings findings;
    findings_init(&findings, 10);
    struct finding likely = sample("x", SCOPE_DEVICE, PHONE, COURIER, 5223, 1);
    struct finding again = likely, surer = likely;
    likely.flow_number = 7;
    again.flow_number = 8;
    surer.flow_number = 9;
    surer.confidence = CONFIDENCE_CERTAIN;
    findings_raise(&findings, &likely, 0);
    findings_raise(&findings, &again, 0);
    assert_true(findings_rest_on(&findings, 7));
    assert_false(findings_rest_on(&findings, 8)); /* counted, not shown */
    findings_raise(&findings, &surer, 0);
    assert_true(findings_rest_on(&findings, 9));
    assert_false(findings_rest_on(&findings, 7)); /* its place was taken */
    findings_free(&findings);
}

static void findings_come_in_order_of_time_then_code(void **state)
{
    (void)state;
    struct findings findings;
    uint32_t count;
    findings_init(&findings, 10);
    struct finding late = sample("a", SCOPE_DEVICE, PHONE, COURIER, 1, 9);
    struct finding early_b = sample("b", SCOPE_DEVICE, PHONE, COURIER, 1, 1);
    struct finding early_a = sample("a", SCOPE_DEVICE, "10.1.2.9", COURIER, 1, 1);
    findings_raise(&findings, &late, 0);
    findings_raise(&findings, &early_b, 1);
    findings_raise(&findings, &early_a, 0);
    uint32_t *ids = findings_sorted(&findings, &count);
    assert_int_equal(count, 3);
    assert_int_equal(ids[0], 2);
    assert_int_equal(ids[1], 1);
    assert_int_equal(ids[2], 0);
    free(ids);
    findings_free(&findings);
}

static void a_memory_gives_back_what_was_kept_until_it_is_forgotten(void **state)
{
    (void)state;
    struct memory memory;
    memory_init(&memory, sizeof(uint64_t), 100);
    for (uint64_t key = 0; key < 150; key++) {
        uint64_t value = key * 7;
        memory_keep(&memory, key, &value);
    }
    assert_int_equal(memory.refused, 50);
    for (uint64_t key = 0; key < 100; key += 2)
        memory_forget(&memory, key);
    memory_forget(&memory, 12345);
    for (uint64_t key = 0; key < 100; key++) {
        uint64_t *value = memory_find(&memory, key);
        assert_int_equal(value != NULL, key % 2 == 1);
        assert_true(!value || *value == key * 7);
    }
    uint32_t place = 0, walked = 0;
    uint64_t key;
    while (memory_next(&memory, &place, &key))
        walked++;
    assert_int_equal(walked, 50);
    memory_free(&memory);
}

static void hops_follow_from_the_next_initial_ttl(void **state)
{
    (void)state;
    const int16_t ttls[][2] = {{-1, -1}, {0, 32},  {32, 0},  {33, 31}, {52, 12},
                               {64, 0},  {128, 0}, {120, 8}, {255, 0}, {243, 12}};
    for (size_t i = 0; i < sizeof ttls / sizeof *ttls; i++)
        assert_int_equal(hops_of_ttl(ttls[i][0]), ttls[i][1]);
}

static void push_hosts_are_known_by_their_ends(void **state)
{
    (void)state;
    assert_true(is_push_host("courier.push.apple.com"));
    assert_true(is_push_host("7-COURIER.push.apple.com:443"));
    assert_true(is_push_host("courier.push.apple.com."));
    assert_true(is_push_host("pop-eu-push-apple.com.akadns.net"));
    assert_false(is_push_host("courier.push.apple.com.evil.example"));
    assert_false(is_push_host("notpush.apple.com"));
    assert_false(is_push_host(NULL));
    assert_true(is_bag_host("init-p01st.push.apple.com"));
    assert_false(is_bag_host("init.example"));
    assert_true(is_provider_host("api.sandbox.push.apple.com"));
    assert_false(is_provider_host("courier.push.apple.com"));
}

/* What is done to a device, and what must be said of it. */
struct verdict_case {
    const char *what;
    uint16_t worked_5223, worked_443, worked_proxy, failed_5223, failed_443;
    bool success_is_later;
    bool has_fail;
    enum device_verdict verdict;
    const char *works_on;
};

static void the_verdict_table_holds(void **state)
{
    (void)state;
    const struct verdict_case cases[] = {
        {"only successes", 3, 0, 0, 0, 0, true, false, VERDICT_WORKS, "5223"},
        {"both ports", 3, 1, 0, 0, 0, true, false, VERDICT_WORKS, "5223,443"},
        {"failures without a finding", 3, 0, 0, 1, 0, true, false, VERDICT_WORKS, "5223"},
        {"a finding, success later", 3, 0, 0, 5, 0, true, true, VERDICT_WORKS, "5223"},
        {"a finding, no success later", 3, 0, 0, 5, 0, false, true, VERDICT_DEGRADED, "5223"},
        {"fallback only", 0, 2, 0, 2, 0, true, true, VERDICT_DEGRADED, "443"},
        {"443 without 5223", 0, 2, 0, 0, 0, true, false, VERDICT_DEGRADED, "443"},
        {"proxy only", 0, 0, 2, 0, 0, true, false, VERDICT_DEGRADED, "proxy"},
        {"nothing works", 0, 0, 0, 3, 3, true, true, VERDICT_BROKEN, ""},
        {"an attempt that proves it is not over", 0, 0, 0, 0, 0, true, true, VERDICT_BROKEN, ""},
        {"nothing worked, nobody knows why", 0, 0, 0, 1, 0, true, false, VERDICT_UNKNOWN, ""},
        {"nothing tried", 0, 0, 0, 0, 0, true, false, VERDICT_UNKNOWN, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct verdict_case *one = &cases[i];
        struct device device;
        memset(&device, 0, sizeof device);
        device.way[WAY_COURIER_5223].worked = one->worked_5223;
        device.way[WAY_COURIER_443].worked = one->worked_443;
        device.way[WAY_COURIER_PROXY].worked = one->worked_proxy;
        device.way[WAY_COURIER_5223].failed = one->failed_5223;
        device.way[WAY_COURIER_443].failed = one->failed_443;
        device.way[WAY_COURIER_5223].worked_s = one->worked_5223 ? one->success_is_later * 100 : 0;
        bool stands = one->has_fail && !device_recovered(&device, 5223, 50);
        struct device_record record = device_judge(&device, stands ? "port-x" : NULL);
        if (record.verdict != one->verdict || strcmp(record.works_on, one->works_on) != 0)
            fail_msg("%s: verdict %d on \"%s\" (%s)", one->what, record.verdict, record.works_on,
                     record.reason);
        assert_true(record.reason[0]);
        assert_null(strstr(record.reason, "0 attempts"));
    }
}

static void a_server_that_only_sends_is_judged_by_its_own_ways(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 2; i++) {
        struct flow_record flow = healthy(&play, PHONE, COURIER, i ? 443 : 2197, 10 * i, 60);
        flow.role = ROLE_PROVIDER;
        flow.sni = "api.push.apple.com";
        flow.alpn = "h2";
        play_works(&play, &flow);
        play_close(&play, &flow);
    }
    play_end(&play);
    const struct device_record *device = must_see_device(&play, PHONE);
    assert_int_equal(device->role, DEVICE_ROLE_MDM_SERVER);
    assert_int_equal(device->verdict, VERDICT_WORKS);
    assert_string_equal(device->works_on, "443,2197");
    assert_int_equal(play.requirements[R6_MDM_SERVER].status, STATUS_PASS);
    assert_int_equal(play.requirements[R1_PORT_5223].status, STATUS_NOT_OBSERVED);
    assert_int_equal(play.requirements[R2_FALLBACK_443].status, STATUS_NOT_OBSERVED);
}

static void overlapping_networks_are_told_apart_by_lane(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record good = healthy(&play, PHONE, COURIER, 5223, 0, 60);
    struct flow_record bad = unanswered(&play, PHONE, COURIER, 5223, 0, 30);
    good.lane = 100;
    bad.lane = 200;
    play_close(&play, &good);
    play_close(&play, &bad);
    play_end(&play);
    assert_int_equal(play.device_count, 2);
    assert_int_equal(play.devices[0].lane, 100);
    assert_int_equal(play.devices[0].verdict, VERDICT_WORKS);
    assert_int_equal(play.devices[1].lane, 200);
    assert_int_equal(play.devices[1].verdict, VERDICT_UNKNOWN); /* only possible: others work */
}

static void a_healthy_capture_passes_what_it_shows_and_no_more(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_healthy(&play, PHONE, COURIER, 5223, 0);
    play_healthy(&play, PHONE, "17.188.130.7", 5223, 20);
    struct flow_record lasting = healthy(&play, PHONE, COURIER, 5223, 40, 3000);
    play_works(&play, &lasting);
    play_close(&play, &lasting);
    play_answer(&play, PHONE, "5-courier.push.apple.com", DNS_A, DNS_NOERROR, COURIER, 1);
    play_end(&play);
    assert_nothing_found(&play);
    const enum requirement_status expected[REQUIREMENT_COUNT] = {
        [R0_CAPTURE] = STATUS_PASS,
        [R1_PORT_5223] = STATUS_PASS,
        [R2_FALLBACK_443] = STATUS_NOT_OBSERVED,
        [R3_WHOLE_RANGE] = STATUS_PASS,
        [R4_DIRECT] = STATUS_PASS,
        [R5_PERSISTS] = STATUS_PASS,
        [R6_MDM_SERVER] = STATUS_NOT_OBSERVED,
        [R7_OUTBOUND_ONLY] = STATUS_PASS,
        [R8_DNS] = STATUS_PASS,
        [R9_IPV6] = STATUS_NOT_OBSERVED};
    assert_int_equal(play.requirement_count, REQUIREMENT_COUNT);
    for (int code = 0; code < REQUIREMENT_COUNT; code++) {
        assert_int_equal(play.requirements[code].code, code);
        if (play.requirements[code].status != expected[code])
            fail_msg("R%d: %d: %s", code, play.requirements[code].status,
                     play.requirements[code].summary);
        assert_true(play.requirements[code].summary[0]);
    }
    assert_int_equal(play.requirements[R1_PORT_5223].seen, 3);
    assert_string_equal(play.requirements[R1_PORT_5223].summary,
                        "Courier sessions on port 5223: 3 of 3 worked.");
}

static void an_empty_capture_observes_nothing(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play.quality.frames = 0;
    play_end(&play);
    for (int code = 0; code < REQUIREMENT_COUNT; code++)
        assert_int_equal(play.requirements[code].status, STATUS_NOT_OBSERVED);
}

static void a_capture_without_apns_cannot_support_a_judgement(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play.quality.flows_tracked = 0;
    play_end(&play);
    assert_int_equal(play.requirements[R0_CAPTURE].status, STATUS_FAIL);
    assert_nothing_found(&play);
}

static void a_capture_of_dns_alone_supports_a_little(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play.quality.flows_tracked = 0;
    play_answer(&play, PHONE, "5-courier.push.apple.com", DNS_A, DNS_NOERROR, COURIER, 1);
    play_end(&play);
    assert_int_equal(play.requirements[R0_CAPTURE].status, STATUS_WARN);
    assert_int_equal(play.requirements[R8_DNS].status, STATUS_PASS);
}

static void a_blocked_port_fails_its_own_requirement_only(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record failed = unanswered(&play, PHONE, COURIER, 5223, 0, 30);
    struct flow_record fallback = healthy(&play, PHONE, "17.57.145.20", 443, 30, 600);
    play_works(&play, &fallback);
    play_close(&play, &failed);
    play_close(&play, &fallback);
    play_end(&play);
    assert_int_equal(play.requirements[R1_PORT_5223].status, STATUS_FAIL);
    assert_int_equal(play.requirements[R2_FALLBACK_443].status, STATUS_PASS);
    assert_int_equal(play.requirements[R6_MDM_SERVER].status, STATUS_NOT_OBSERVED);
    assert_int_equal(play.requirements[R3_WHOLE_RANGE].status, STATUS_NOT_OBSERVED);
    assert_int_equal(play.requirements[R1_PORT_5223].failed, 1);
}

static void the_range_is_open_only_when_networks_answer_and_none_is_shut(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_healthy(&play, PHONE, COURIER, 5223, 0);
    play_healthy(&play, PHONE, "17.188.130.7", 5223, 20);
    for (int i = 0; i < 2; i++) {
        struct flow_record flow = unanswered(&play, PHONE, "17.249.1.1", 5223, 100 + i, 30);
        play_close(&play, &flow);
    }
    play_end(&play);
    assert_int_equal(play.requirements[R3_WHOLE_RANGE].status, STATUS_NOT_OBSERVED);
    assert_int_equal(play.requirements[R3_WHOLE_RANGE].failed, 1);
}

static void ipv6_is_judged_against_ipv4(void **state)
{
    (void)state;
    for (int ipv4_works = 0; ipv4_works < 2; ipv4_works++) {
        struct play play;
        play_begin(&play);
        for (int i = 0; i < 2; i++) {
            struct flow_record flow =
                unanswered(&play, "2001:db8::3", "2620:149:a44::5", 5223, 100 * i, 30);
            play_close(&play, &flow);
        }
        if (ipv4_works)
            play_healthy(&play, PHONE, COURIER, 5223, 0);
        play_end(&play);
        assert_int_equal(play.requirements[R9_IPV6].status,
                         ipv4_works ? STATUS_FAIL : STATUS_NOT_OBSERVED);
    }
}

static void a_session_killed_by_silence_does_not_count_as_lasting(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    struct flow_record died = healthy(&play, PHONE, COURIER, 5223, 0, 3000);
    died.last_down_ns = at(600);
    play_close(&play, &died);
    play_end(&play);
    assert_int_equal(play.requirements[R5_PERSISTS].status, STATUS_NOT_OBSERVED);
}

static void count_device(void *context, const struct device_record *device)
{
    (void)device;
    ++*(unsigned *)context;
}

static void a_flood_of_invented_senders_costs_no_real_device_its_place(void **state)
{
    (void)state;
    struct play play;
    unsigned early = 0;
    enum { SENDERS = DEVICES_UNPROVEN_MAX + 1000 };
    play_begin(&play);
    engine_on_early_device(play.engine, &early, count_device);
    play_healthy(&play, PHONE, COURIER, 5223, 0);
    struct flow_record flow = attempt(&play, "0.0.0.0", COURIER, 5223, 1);
    for (uint32_t i = 0; i < SENDERS; i++) {
        const uint8_t sender[4] = {10, 100 + (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        flow.client_ip = address_from_ipv4(sender);
        flow.number = ++play.flows;
        play_close(&play, &flow);
    }
    assert_int_equal(early, 1000);
    assert_int_equal(engine_losses(play.engine).devices, 1000);
    assert_int_equal(play.engine->devices.proven.count, 1);
    assert_int_equal(play.engine->devices.unproven.count, DEVICES_UNPROVEN_MAX);
    struct address phone = ip(PHONE);
    assert_true(devices_find(&play.engine->devices, &phone, 0) != DEVICE_NONE);
    engine_free(play.engine);
}

struct verdicts {
    uint32_t findings;
    uint32_t broken;
};

static void count_finding(void *context, const struct finding *finding)
{
    (void)finding;
    ((struct verdicts *)context)->findings++;
}

static void count_verdict(void *context, const struct device_record *device)
{
    ((struct verdicts *)context)->broken += device->verdict == VERDICT_BROKEN;
}

static void a_device_whose_finding_did_not_fit_is_broken_all_the_same(void **state)
{
    (void)state;
    struct play play;
    struct verdicts verdicts = {0};
    enum { DEVICES = DETECT_FINDINGS_MAX + 100 };
    play_begin(&play);
    struct flow_record flow = unanswered(&play, PHONE, COURIER, 5223, 1, 30);
    for (uint32_t i = 0; i < DEVICES; i++) {
        const uint8_t client[4] = {10, 9, (uint8_t)(i >> 8), (uint8_t)i};
        flow.client_ip = address_from_ipv4(client);
        flow.number = ++play.flows;
        play_close(&play, &flow);
    }
    struct engine_results results = {.context = &verdicts, count_finding, count_verdict, NULL};
    engine_finish(play.engine, &results);
    assert_int_equal(verdicts.findings, DETECT_FINDINGS_MAX);
    assert_int_equal(verdicts.broken, DEVICES);
    assert_int_equal(engine_losses(play.engine).findings, 100);
    engine_free(play.engine);
}

static void at_the_cap_the_oldest_idle_device_goes(void **state)
{
    (void)state;
    struct devices devices;
    struct address addresses[3] = {ip("10.0.0.1"), ip("10.0.0.2"), ip("10.0.0.3")};
    struct play play = {0};
    devices_init(&devices, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(devices_crowded_out(&devices), DEVICE_NONE);
        uint32_t id = devices_add(&devices, &addresses[i], 0);
        struct flow_record flow = healthy(&play, PHONE, COURIER, 5223, i, 1);
        devices_session_closed(&devices, id, &flow);
    }
    uint32_t first = devices_find(&devices, &addresses[0], 0);
    uint32_t second = devices_find(&devices, &addresses[1], 0);
    for (int i = 1; i < 3; i++)
        devices_at(&devices, devices_find(&devices, &addresses[i], 0))->was_active = false;
    assert_int_equal(devices_crowded_out(&devices), second); /* the first was active */
    devices_remove(&devices, second);
    assert_int_equal(devices_find(&devices, &addresses[1], 0), DEVICE_NONE);
    assert_int_equal(devices_find(&devices, &addresses[0], 0), first);
    devices_free(&devices);
}

static void healthy_devices_leave_nothing_in_any_rules_memory(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    for (int i = 0; i < 50; i++)
        play_healthy(&play, PHONE, COURIER, 5223, 20 * i);
    for (size_t i = 0; i < detector_count; i++)
        assert_true(memory_is_empty(&play.engine->memories[i]));
    engine_free(play.engine);
}

static void the_same_events_give_the_same_findings(void **state)
{
    (void)state;
    struct play plays[2];
    for (int i = 0; i < 2; i++) {
        struct play *play = &plays[i];
        play_begin(play);
        for (int device = 0; device < 10; device++) {
            char client[16];
            snprintf(client, sizeof client, "10.3.0.%d", 10 - device);
            struct flow_record flow = unanswered(play, client, COURIER, 5223, 7, 30);
            play_close(play, &flow);
        }
        play_end(play);
    }
    assert_int_equal(plays[0].finding_count, 10);
    assert_memory_equal(plays[0].findings, plays[1].findings, sizeof plays[0].findings);
    assert_memory_equal(plays[0].devices, plays[1].devices, sizeof plays[0].devices);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(plays[0].findings[i].number, i + 1);
    assert_int_equal(plays[0].devices[0].ip.byte[15], 1);
}

static void a_long_summary_loses_its_tail_not_its_times(void **state)
{
    (void)state;
    struct finding finding = sample("x", SCOPE_DEVICE, PHONE, COURIER, 5223, 0);
    memset(finding.summary, 'a', sizeof finding.summary - 1);
    summary_finish(&finding);
    assert_non_null(strstr(finding.summary, "aaa, at 2026-03-01T10:00:00.000Z."));
}

static bool ends_as_sentence(const char *text)
{
    size_t length = strlen(text);
    return length > 20 && text[length - 1] == '.';
}

static void every_rule_says_all_that_reports_print(void **state)
{
    (void)state;
    assert_true(detector_count >= 17);
    for (size_t i = 0; i < detector_count; i++) {
        const struct detector *rule = detector_list[i];
        assert_true(i == 0 || strcmp(detector_list[i - 1]->code, rule->code) < 0);
        assert_ptr_equal(detector_by_code(rule->code), rule);
        assert_true(rule->observe && rule->events && rule->title && *rule->title);
        const char *texts[] = {rule->meaning, rule->rests_on, rule->looks_like, rule->innocent,
                               rule->remedy};
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            if (!texts[t] || !ends_as_sentence(texts[t]))
                fail_msg("%s: text %zu is no sentence", rule->code, t);
    }
    assert_null(detector_by_code("no-such-rule"));
    assert_null(detector_by_code(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_merge_by_their_scope),
        cmocka_unit_test(merging_widens_and_keeps_the_surest_evidence),
        cmocka_unit_test(beyond_the_cap_findings_are_counted),
        cmocka_unit_test(a_session_is_evidence_while_a_finding_rests_on_it_first),
        cmocka_unit_test(findings_come_in_order_of_time_then_code),
        cmocka_unit_test(a_memory_gives_back_what_was_kept_until_it_is_forgotten),
        cmocka_unit_test(hops_follow_from_the_next_initial_ttl),
        cmocka_unit_test(push_hosts_are_known_by_their_ends),
        cmocka_unit_test(the_verdict_table_holds),
        cmocka_unit_test(a_server_that_only_sends_is_judged_by_its_own_ways),
        cmocka_unit_test(overlapping_networks_are_told_apart_by_lane),
        cmocka_unit_test(a_healthy_capture_passes_what_it_shows_and_no_more),
        cmocka_unit_test(an_empty_capture_observes_nothing),
        cmocka_unit_test(a_capture_without_apns_cannot_support_a_judgement),
        cmocka_unit_test(a_capture_of_dns_alone_supports_a_little),
        cmocka_unit_test(a_blocked_port_fails_its_own_requirement_only),
        cmocka_unit_test(the_range_is_open_only_when_networks_answer_and_none_is_shut),
        cmocka_unit_test(ipv6_is_judged_against_ipv4),
        cmocka_unit_test(a_session_killed_by_silence_does_not_count_as_lasting),
        cmocka_unit_test(a_flood_of_invented_senders_costs_no_real_device_its_place),
        cmocka_unit_test(a_device_whose_finding_did_not_fit_is_broken_all_the_same),
        cmocka_unit_test(at_the_cap_the_oldest_idle_device_goes),
        cmocka_unit_test(healthy_devices_leave_nothing_in_any_rules_memory),
        cmocka_unit_test(the_same_events_give_the_same_findings),
        cmocka_unit_test(a_long_summary_loses_its_tail_not_its_times),
        cmocka_unit_test(every_rule_says_all_that_reports_print),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
