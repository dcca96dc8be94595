/* store/upkeep: what a live run asks for besides rows. */
#include "store_sample.h"

#include "base/clock.h"
#include "store/row_writer.h"

static struct finding sample_finding(uint64_t number)
{
    struct finding finding = {.number = number,
                              .code = "port-blocked-silent",
                              .severity = SEVERITY_FAIL,
                              .scope = SCOPE_DEVICE,
                              .client_ip = sample_address("10.0.0.5"),
                              .server_port = 5223,
                              .first_ns = SAMPLE_START,
                              .last_ns = SAMPLE_START,
                              .count = 1};
    return finding;
}

static struct store *begin_with_flows(const char *path, const struct run_record *run,
                                      uint64_t flows)
{
    struct store *store = sample_begin(path, run);
    for (uint64_t number = 1; number <= flows; number++) {
        struct flow_record flow = sample_flow(number);
        store_flow(store, &flow);
    }
    return store;
}

static void a_finding_that_is_told_again_stays_one_row(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct finding finding = sample_finding(1);
    store_finding(store, &finding);
    finding.count = 7;
    store_finding(store, &finding);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT count(*), max(count) FROM finding"), "1|7");
}

static void a_finding_that_was_taken_back_is_gone_and_the_others_stay(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct finding first = sample_finding(1), second = sample_finding(2);
    second.client_ip = sample_address("10.0.0.6");
    store_finding(store, &first);
    store_finding(store, &second);
    store_withdraw(store, 1);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT count(*), max(client_ip) FROM finding"),
                        "1|10.0.0.6");
}

static void a_session_told_while_it_lasts_stays_one_row(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct flow_record flow = sample_flow(1);
    for (uint64_t packets = 1; packets <= 3; packets++) {
        flow.packets_up = packets;
        store_flow(store, &flow);
    }
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT count(*), max(packets_up) FROM flow"), "1|3");
}

static void the_run_is_told_how_far_it_is(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct capture_quality quality = {.frames = 5, .dropped_kernel = 2};
    quality.skipped[SKIP_NONE + 1] = 3;
    run.packets = 5;
    store_progress(store, &run, &quality);
    quality.skipped[SKIP_NONE + 1] = 4;
    run.packets = 9;
    store_progress(store, &run, &quality);
    store_close(store); /* without an end */
    assert_string_equal(sample_ask(path, "SELECT packets, state FROM run"), "9|interrupted");
    assert_string_equal(sample_ask(path, "SELECT count FROM skipped"), "4");
}

static void what_is_older_is_deleted(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = begin_with_flows(path, &run, 100);
    store_retain(store, SAMPLE_START + 50 * NS_PER_S, 0); /* sample flows last one second */
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT count(*), min(number) FROM flow"), "52|49");
}

static void tell_answers(struct store *store, size_t count, int64_t time_ns)
{
    struct dns_message dns = {.type = DNS_A, .is_response = true};
    struct event event = {.kind = EVENT_DNS_ANSWER, .dns = &dns, .time_ns = time_ns};
    for (size_t i = 0; i < count; i++) {
        snprintf(dns.name, sizeof dns.name, "%zu-courier.push.apple.com", i);
        store_dns(store, &event);
    }
}

static void answers_that_are_deleted_make_room(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    tell_answers(store, DNS_ROWS_MAX + 7, SAMPLE_START);
    store_retain(store, SAMPLE_START + 1, 0);
    tell_answers(store, 3, SAMPLE_START + 2);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT count(*) FROM dns_answer"), "3");
    assert_string_equal(
        sample_ask(path, "SELECT value FROM capture_quality WHERE name = 'dns_answers_not_stored'"),
        "7");
}

static void an_old_run_goes_when_its_last_session_is_gone(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record old = sample_run('a'), run = sample_run('b');
    old.last_ns = SAMPLE_START;
    sample_write(path, &old, 10);
    struct store *store = sample_begin(path, &run);
    store_retain(store, SAMPLE_START + 86400 * NS_PER_S, 0);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT count(*), min(sha256) = max(sha256) FROM run"),
                        "1|1");
    assert_string_equal(sample_ask(path, "SELECT count(*) FROM flow"), "0");
}

static void beyond_a_size_the_oldest_sessions_go(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = begin_with_flows(path, &run, 5000);
    store_retain(store, INT64_MIN, 200000);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT count(*), min(number) FROM flow"), "3000|2001");
    run = sample_run('b');
    store = sample_begin(path, &run);
    store_retain(store, INT64_MIN, INT64_C(1) << 40);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT count(*) FROM flow"), "3000");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sample_setup, sample_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_finding_that_is_told_again_stays_one_row),
        TEST(a_finding_that_was_taken_back_is_gone_and_the_others_stay),
        TEST(a_session_told_while_it_lasts_stays_one_row),
        TEST(the_run_is_told_how_far_it_is),
        TEST(what_is_older_is_deleted),
        TEST(answers_that_are_deleted_make_room),
        TEST(an_old_run_goes_when_its_last_session_is_gone),
        TEST(beyond_a_size_the_oldest_sessions_go),
    };
    return cmocka_run_group_tests_name("store/upkeep", tests, NULL, NULL);
}
