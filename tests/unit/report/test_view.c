/* What a report says of a database: the verdict and its sentences. */
#include "fill.h"

#include "report/view.h"

static struct fill fill;
static struct view view;

static void load(void)
{
    static struct report_options options;
    struct fault fault = {0};
    options = fill_options(&fill);
    if (!view_load(&view, &options, &fault))
        fail_msg("%s", fault.sentence);
}

static int forget(void **state)
{
    (void)state;
    view_free(&view);
    fill_remove(&fill);
    return 0;
}

static void a_fault_is_named_with_the_share_of_devices_and_the_cause(void **state)
{
    (void)state;
    fill_faulty(&fill);
    load();
    assert_int_equal(view.verdict, VIEW_FAULTY);
    assert_string_equal(
        view.sentence, "The network keeps Apple push notifications from 1 of 7 devices and hinders "
                       "3 more. Main cause: TCP 5223 is blocked without an answer (TCP 5223).");
    assert_string_equal(view.who, "4 clients: 10.20.30.11, 10.20.30.12, 10.20.30.13, 10.20.40.7.");
    assert_non_null(strstr(view.since, "perhaps longer"));
    assert_int_equal(view.affected.count, 4);
}

static void an_interrupted_run_tells_until_when_it_ran(void **state)
{
    (void)state;
    bool is_told = false;
    fill_begin(&fill);
    fill_working(&fill, "10.20.50.21", "17.57.144.21", 5223, 5, 3594);
    fill.run.stored_ns = FILL_START_NS + 3600 * NS_PER_S;
    store_progress(fill.store, &fill.run, &fill.quality);
    store_close(fill.store);
    load();
    for (size_t i = 0; i < view.limit_count; i++)
        is_told |= strstr(view.limits[i], "known to have run until 2026-03-01") &&
                   strstr(view.limits[i], "its end was noted at 20");
    assert_true(is_told);
}

static void findings_are_grouped_by_code_and_the_gravest_comes_first(void **state)
{
    (void)state;
    fill_faulty(&fill);
    load();
    assert_int_equal(view.group_count, 3);
    assert_string_equal(view.groups[0]->code, "port-blocked-silent");
    assert_int_equal(view.groups[0]->findings, 3);
    assert_int_equal(view.groups[0]->who.count, 3);
    assert_string_equal(view.groups[1]->code, "tls-intercepted");
    assert_string_equal(view.groups[1]->where,
                        "At 10.20.0.1, 2 hops from the capture point; Apple's "
                        "servers are about 12 hops away.");
    assert_string_equal(view.groups[2]->code, "fallback-443");
}

static void a_port_fails_by_a_finding_and_passes_by_a_session_that_worked(void **state)
{
    (void)state;
    fill_faulty(&fill);
    load();
    assert_int_equal(view.ports[0].status, STATUS_WARN); /* 443: the fallback */
    assert_int_equal(view.ports[4].status, STATUS_FAIL); /* 5223 */
    assert_string_equal(view.ports[4].observed, "13 sessions: 3 worked, 10 failed");
    assert_int_equal(view.ports[3].status, STATUS_NOT_OBSERVED);
}

static void healthy_courier_sessions_say_look_elsewhere(void **state)
{
    (void)state;
    fill_healthy(&fill);
    load();
    assert_int_equal(view.verdict, VIEW_WORKS);
    assert_string_equal(view.sentence, "The network lets APNs work; look elsewhere. No fault was "
                                       "seen in 1 session of 1 device.");
    assert_int_equal(view.ports[4].status, STATUS_PASS);
    assert_string_equal(view.who, "Nobody, as far as was seen.");
}

static void sessions_older_than_the_capture_do_not_show_how_one_opens(void **state)
{
    (void)state;
    fill_begin(&fill);
    struct flow_record old = fill_flow(&fill, "10.0.0.4", "17.57.144.4", 5223, 0);
    old.outcome = OUTCOME_MIDSTREAM;
    store_flow(fill.store, &old);
    fill_device(&fill, "10.0.0.4", VERDICT_WORKS, "5223", "It works.", 1);
    fill_end(&fill);
    load();
    assert_int_equal(view.verdict, VIEW_WORKS);
    assert_string_equal(view.sentence,
                        "Push connections that were open already work; none was seen to open. No "
                        "fault was seen in 1 session of 1 device.");
}

static void an_empty_capture_concludes_nothing(void **state)
{
    (void)state;
    fill_begin(&fill);
    fill_end(&fill);
    load();
    assert_int_equal(view.verdict, VIEW_NOTHING);
    assert_string_equal(view.sentence,
                        "Nothing of APNs was seen in this capture: nothing can be concluded.");
    assert_string_equal(view.who, "Cannot be told.");
    for (int i = 0; i < REQUIREMENT_COUNT; i++)
        assert_int_equal(view.requirements[i].status, STATUS_NOT_OBSERVED);
}

static void packets_that_could_not_be_read_are_told_where_they_are_many(void **state)
{
    (void)state;
    fill_begin(&fill);
    fill.quality.skipped[SKIP_ENCRYPTED] = 40000;
    fill.quality.skipped[SKIP_NOT_TCP] = 8000; /* is no trouble */
    fill.quality.skipped[SKIP_IP_BAD] = 2;     /* nor are a few */
    fill_end(&fill);
    load();
    unsigned told = 0;
    for (size_t i = 0; i < view.limit_count; i++)
        if (strstr(view.limits[i], "could not be read")) {
            assert_string_equal(view.limits[i],
                                "Packets that could not be read: 40,000 of 48,213; the link layer "
                                "is encrypted (802.11 protected frame, ESP).");
            told++;
        }
    assert_int_equal(told, 1);
}

static unsigned count_limits(const char *words)
{
    unsigned count = 0;
    for (size_t i = 0; i < view.limit_count; i++)
        count += strstr(view.limits[i], words) != NULL;
    return count;
}

static void fill_note(const char *code, const char *summary)
{
    struct finding note = fill_finding(&fill, code, SEVERITY_INFO, "::", summary);
    note.scope = SCOPE_SITE;
    store_finding(fill.store, &note);
}

static void a_flaw_of_the_capture_is_told_once(void **state)
{
    (void)state;
    fill_begin(&fill);
    fill.quality.truncated = true;
    fill.quality.gap_bytes = 375820;
    fill.quality.flows_evicted = 3;
    snprintf(fill.quality.damage, sizeof fill.quality.damage, "packet 46 is cut");
    fill_requirement(&fill, R0_CAPTURE, STATUS_WARN, 1, 0, "Read, not without loss: packet 46.");
    fill_note("capture-truncated", "The capture is cut or damaged: packet 46 is cut.");
    fill_note("capture-loss", "375,820 bytes were acknowledged but never captured.");
    fill_end(&fill);
    load();
    assert_int_equal(count_limits("cut"), 1);
    assert_int_equal(count_limits("46"), 1);
    assert_int_equal(count_limits("acknowledged"), 1);
    assert_int_equal(count_limits("Sessions given up because too many were open: 3."), 1);
}

static void a_flaw_without_a_note_is_told_all_the_same(void **state)
{
    (void)state;
    fill_begin(&fill);
    fill.quality.gap_bytes = 2;
    fill_note("capture-loss", "12 bytes of another capture were never captured.");
    fill_end(&fill);
    load();
    assert_int_equal(count_limits("missing here: 2 bytes."), 1);
}

static void a_list_of_addresses_comes_before_what_single_devices_meet(void **state)
{
    (void)state;
    fill_begin(&fill);
    struct finding blocked =
        fill_finding(&fill, "port-blocked-silent", SEVERITY_FAIL, "10.0.0.4", "No answer.");
    store_finding(fill.store, &blocked);
    struct finding list = fill_finding(&fill, "partial-reachability", SEVERITY_FAIL,
                                       "::", "Some of Apple's networks answer.");
    list.scope = SCOPE_SITE;
    store_finding(fill.store, &list);
    fill_end(&fill);
    load();
    assert_string_equal(view.groups[0]->code, "partial-reachability");
}

static void failures_on_a_port_that_works_are_counted_and_no_fault(void **state)
{
    (void)state;
    fill_begin(&fill);
    fill_working(&fill, "10.0.0.4", "17.57.144.4", 5223, 1, 3598);
    fill_working(&fill, "10.0.0.5", "17.57.144.4", 443, 1, 3598);
    fill_unanswered(&fill, "10.0.0.4", "17.57.144.9", 5223, 600);
    fill_unanswered(&fill, "10.0.0.4", "17.57.144.9", 5223, 1200);
    fill_device(&fill, "10.0.0.4", VERDICT_WORKS, "5223", "", 4);
    fill_end(&fill);
    load();
    unsigned told = 0;
    for (size_t i = 0; i < view.limit_count; i++)
        if (strstr(view.limits[i], "that failed")) {
            assert_string_equal(view.limits[i],
                                "Sessions to port 5223 that failed: 2 of 3 judged; too few, or too "
                                "much like chance, to call a fault.");
            told++;
        }
    assert_int_equal(told, 1);
}

static void attempts_without_a_finding_are_neither_a_fault_nor_works(void **state)
{
    (void)state;
    fill_begin(&fill);
    fill_unanswered(&fill, "10.0.0.4", "17.57.144.4", 5223, 3590);
    fill_device(&fill, "10.0.0.4", VERDICT_UNKNOWN, "", "Too little was seen.", 1);
    fill_end(&fill);
    load();
    assert_int_equal(view.verdict, VIEW_UNCLEAR);
    assert_non_null(strstr(view.sentence, "nothing can be concluded"));
    assert_int_equal(view.ports[4].status, STATUS_NOT_OBSERVED);
}

static void a_capture_that_supports_no_judgement_withholds_the_verdict(void **state)
{
    (void)state;
    fill_begin(&fill);
    fill_working(&fill, "10.0.0.4", "17.57.144.4", 5223, 5, 100);
    fill_requirement(&fill, R0_CAPTURE, STATUS_FAIL, 1, 1, "Only one direction was captured.");
    fill_end(&fill);
    load();
    assert_int_equal(view.verdict, VIEW_UNCLEAR);
    assert_non_null(strstr(view.sentence, "Only one direction was captured."));
}

static void warnings_alone_are_no_fault(void **state)
{
    (void)state;
    fill_begin(&fill);
    fill_working(&fill, "10.0.0.4", "17.57.144.4", 443, 5, 100);
    fill_device(&fill, "10.0.0.4", VERDICT_DEGRADED, "443", "Only on 443.", 1);
    struct finding warning = fill_finding(&fill, "fallback-443", SEVERITY_WARN, "10.0.0.4", "443");
    store_finding(fill.store, &warning);
    fill_end(&fill);
    load();
    assert_int_equal(view.verdict, VIEW_WARNS);
    assert_non_null(
        strstr(view.sentence, "1 warning, first of all \"Devices fall back to TCP 443\""));
    assert_string_equal(view.who, "10.0.0.4.");
}

static void a_fault_without_sessions_is_still_a_fault(void **state)
{
    (void)state;
    fill_begin(&fill);
    struct finding blocked = fill_finding(&fill, "dns-blocked", SEVERITY_FAIL, "10.0.0.4", "DNS");
    blocked.first_ns = FILL_START_NS + 1200 * NS_PER_S;
    store_finding(fill.store, &blocked);
    fill_end(&fill);
    load();
    assert_int_equal(view.verdict, VIEW_FAULTY);
    assert_string_equal(view.sentence, "A fault on the way to Apple's push service was found. Main "
                                       "cause: Push names do not resolve (TCP 5223).");
    assert_non_null(strstr(view.since, "20 min into the capture"));
}

static void attempts_at_retired_ports_are_neither_pass_nor_fail(void **state)
{
    (void)state;
    fill_begin(&fill);
    fill_unanswered(&fill, "10.0.0.4", "17.188.166.1", 2195, 5);
    fill_end(&fill);
    load();
    assert_int_equal(view.ports[1].status, STATUS_NOT_OBSERVED);
    assert_non_null(strstr(view.ports[1].observed, "neither a block nor a pass"));
}

static void each_remedy_is_said_once(void **state)
{
    (void)state;
    const struct view_group *group;
    fill_faulty(&fill);
    load();
    assert_string_equal(view_remedy(&view, 0, &group),
                        "Allow outbound TCP 5223 to 17.0.0.0/8 from the device networks, without "
                        "inspection.");
    assert_string_equal(group->code, "port-blocked-silent");
    assert_non_null(view_remedy(&view, 1, &group));
    assert_null(view_remedy(&view, 2, &group)); /* the warning's is for later */
}

static void only_the_surest_findings_of_a_code_are_kept(void **state)
{
    (void)state;
    fill_begin(&fill);
    for (unsigned i = 0; i < 3 * VIEW_KEPT; i++) {
        char client[32];
        snprintf(client, sizeof client, "10.1.%u.%u", i / 250, i % 250 + 1);
        struct finding finding =
            fill_finding(&fill, "port-blocked-silent", SEVERITY_FAIL, client, "blocked");
        finding.confidence = i % 3 == 2 ? CONFIDENCE_CERTAIN : CONFIDENCE_POSSIBLE;
        store_finding(fill.store, &finding);
    }
    fill_end(&fill);
    load();
    assert_int_equal(view.groups[0]->findings, 3 * VIEW_KEPT);
    assert_int_equal(view.groups[0]->kept_count, VIEW_KEPT);
    assert_int_equal(view.groups[0]->who.count, 3 * VIEW_KEPT);
    for (size_t i = 0; i < VIEW_KEPT; i++) {
        assert_string_equal(view.groups[0]->kept[i]->confidence, "certain");
        assert_true(i == 0 || view.groups[0]->kept[i - 1]->id < view.groups[0]->kept[i]->id);
    }
    assert_non_null(strstr(view.who, "and 145 more"));
}

/* Two captures of one site: the device that was broken in the first works in the second. */
static void a_device_of_two_runs_is_counted_once_with_its_worst_verdict(void **state)
{
    (void)state;
    struct fault fault = {0};
    fill_begin(&fill);
    fill_unanswered(&fill, "10.0.0.4", "17.57.144.4", 5223, 5);
    fill_device(&fill, "10.0.0.4", VERDICT_BROKEN, "", "No answer.", 1);
    fill_requirement(&fill, R1_PORT_5223, STATUS_FAIL, 1, 1, "No answer.");
    fill_end(&fill);
    fill.run.sha256[0] = 'b';
    fill.flows = 0;
    if (!store_open(&fill.store, fill.database, STORE_WAIT, &fault) ||
        !store_begin(fill.store, &fill.run, &fault))
        fail_msg("%s", fault.sentence);
    fill_working(&fill, "10.0.0.4", "17.57.144.4", 5223, 5, 100);
    fill_device(&fill, "10.0.0.4", VERDICT_WORKS, "5223", "It works.", 1);
    fill_requirement(&fill, R1_PORT_5223, STATUS_PASS, 1, 0, "It works.");
    fill_end(&fill);

    struct report_options options = fill_options(&fill);
    options.range.all_runs = true;
    if (!view_load(&view, &options, &fault))
        fail_msg("%s", fault.sentence);
    assert_int_equal(view.run_count, 2);
    assert_int_equal(view.sessions, 2);
    assert_int_equal(view.device_total, 1);
    assert_int_equal(view.devices[DEVICE_ROLE_DEVICE][VERDICT_BROKEN], 1);
    assert_int_equal(view.requirements[R1_PORT_5223].status, STATUS_FAIL);
    assert_int_equal(view.requirements[R1_PORT_5223].seen, 2);
}

static void a_range_without_runs_is_a_sentence(void **state)
{
    (void)state;
    struct fault fault = {0};
    fill_healthy(&fill);
    struct report_options options = fill_options(&fill);
    options.range.run_id = 999;
    assert_false(view_load(&view, &options, &fault));
    assert_non_null(strstr(fault.sentence, "no run matches"));
}

#define VIEW_TEST(name) cmocka_unit_test_teardown(name, forget)
int main(void)
{
    const struct CMUnitTest tests[] = {
        VIEW_TEST(a_fault_is_named_with_the_share_of_devices_and_the_cause),
        VIEW_TEST(an_interrupted_run_tells_until_when_it_ran),
        VIEW_TEST(findings_are_grouped_by_code_and_the_gravest_comes_first),
        VIEW_TEST(a_port_fails_by_a_finding_and_passes_by_a_session_that_worked),
        VIEW_TEST(healthy_courier_sessions_say_look_elsewhere),
        VIEW_TEST(sessions_older_than_the_capture_do_not_show_how_one_opens),
        VIEW_TEST(an_empty_capture_concludes_nothing),
        VIEW_TEST(packets_that_could_not_be_read_are_told_where_they_are_many),
        VIEW_TEST(a_flaw_of_the_capture_is_told_once),
        VIEW_TEST(a_flaw_without_a_note_is_told_all_the_same),
        VIEW_TEST(a_list_of_addresses_comes_before_what_single_devices_meet),
        VIEW_TEST(failures_on_a_port_that_works_are_counted_and_no_fault),
        VIEW_TEST(attempts_without_a_finding_are_neither_a_fault_nor_works),
        VIEW_TEST(a_capture_that_supports_no_judgement_withholds_the_verdict),
        VIEW_TEST(warnings_alone_are_no_fault),
        VIEW_TEST(a_fault_without_sessions_is_still_a_fault),
        VIEW_TEST(attempts_at_retired_ports_are_neither_pass_nor_fail),
        VIEW_TEST(each_remedy_is_said_once),
        VIEW_TEST(only_the_surest_findings_of_a_code_are_kept),
        VIEW_TEST(a_device_of_two_runs_is_counted_once_with_its_worst_verdict),
        VIEW_TEST(a_range_without_runs_is_a_sentence),
    };
    return cmocka_run_group_tests_name("report/view", tests, NULL, NULL);
}
