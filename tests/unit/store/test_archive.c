/* Reading runs back: every column, which rows, in what order, and without a trace. */
#include "store_sample.h"

#include <sys/mount.h>

#include "base/clock.h"

static struct archive *open_archive(const char *path)
{
    struct archive *archive;
    struct fault fault = {""};
    if (!archive_open(&archive, path, &fault))
        fail_msg("%s", fault.sentence);
    return archive;
}

/* ---- what the callbacks saw ---- */

struct seen {
    size_t count;
    size_t stop_after; /* 0: never */
    char ids[512];
};

static bool see_id(struct seen *seen, int64_t id)
{
    size_t length = strlen(seen->ids);
    snprintf(seen->ids + length, sizeof seen->ids - length, "%s%lld", length ? "," : "",
             (long long)id);
    return ++seen->count != seen->stop_after;
}

static bool see_flow(void *context, const struct flow_row *row)
{
    return see_id(context, row->id);
}

static bool see_run(void *context, const struct run_row *row)
{
    return see_id(context, row->id);
}

static bool see_finding(void *context, const struct finding_row *row)
{
    return see_id(context, row->id);
}

static const char *flows_of(struct archive *archive, const struct archive_range *range)
{
    static struct seen seen;
    struct fault fault = {""};
    seen = (struct seen){0};
    assert_true(archive_flows(archive, range, see_flow, &seen, &fault));
    return seen.ids;
}

/* ---- columns ---- */

static bool check_full(void *context, const struct flow_row *row)
{
    *(bool *)context = true;
    assert_int_equal(row->id, 1);
    assert_int_equal(row->run_id, 1);
    assert_int_equal(row->number, 1);
    assert_string_equal(row->client_ip, "10.0.0.5");
    assert_string_equal(row->client_mac, "02:00:00:00:00:09");
    assert_int_equal(row->client_port, 40001);
    assert_string_equal(row->server_ip, "2620:149:a44::1");
    assert_int_equal(row->server_port, 5223);
    assert_string_equal(row->role, "courier");
    assert_string_equal(row->outcome, "established");
    assert_string_equal(row->sni, "courier.push.apple.com");
    assert_null(row->alpn);
    assert_int_equal(row->vlan, ROW_NULL);
    assert_int_equal(row->established_ns, ROW_NULL);
    assert_int_equal(row->started_ns, SAMPLE_START + NS_PER_S);
    assert_int_equal(row->packets_up, 12);
    assert_int_equal(row->rtt_server_us, ROW_NULL);
    assert_int_equal(row->tls_hello_us, 0);
    assert_int_equal(row->proxy_status, 407);
    assert_int_equal(row->out_of_order, 3);
    assert_int_equal(row->process_id, ROW_NULL);
    assert_int_equal(row->last_frame, 99);
    return true;
}

static void a_flow_is_read_as_it_was_written(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct flow_record flow = sample_flow(1);
    struct fault fault;
    bool checked = false;
    flow.server_ip = sample_address("2620:149:a44::1");
    flow.has_client_mac = true;
    memcpy(flow.client_mac, (const uint8_t[]){2, 0, 0, 0, 0, 9}, 6);
    flow.sni = "courier.push.apple.com";
    flow.packets_up = 12, flow.tls_hello_us = 0, flow.proxy_status = 407, flow.out_of_order = 3;
    flow.last_frame = 99;
    store_flow(store, &flow);
    sample_end(store, &run);
    struct archive *archive = open_archive(path);
    assert_true(archive_flows(archive, NULL, check_full, &checked, &fault));
    assert_true(checked);
    archive_close(archive);
}

static bool check_chosen(void *context, const struct flow_row *row)
{
    *(bool *)context = true;
    assert_string_equal(row->server_ip, "17.57.144.84");
    assert_int_equal(row->server_port, 5223);
    assert_int_equal(row->id, ROW_NULL);
    assert_null(row->client_ip);
    assert_null(row->outcome);
    assert_int_equal(row->started_ns, ROW_NULL);
    return true;
}

static void columns_that_were_not_asked_for_are_not_known(void **state)
{
    static const char *const columns[] = {"server_port", "server_ip", NULL};
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct flow_record flow = sample_flow(1);
    struct archive_range range = {.columns = columns};
    struct fault fault;
    bool checked = false;
    flow.server_ip = sample_address("17.57.144.84");
    store_flow(store, &flow);
    sample_end(store, &run);
    struct archive *archive = open_archive(path);
    assert_true(archive_flows(archive, &range, check_chosen, &checked, &fault));
    assert_true(checked);
    archive_close(archive);
}

static bool check_device(void *context, const struct device_row *row)
{
    ++*(int *)context;
    assert_string_equal(row->ip, "10.0.0.5");
    assert_null(row->mac);
    assert_null(row->works_on);
    assert_string_equal(row->verdict, "broken");
    assert_int_equal(row->sessions, 4);
    return true;
}

static bool check_finding(void *context, const struct finding_row *row)
{
    ++*(int *)context;
    assert_string_equal(row->code, "port-refused");
    assert_string_equal(row->confidence, "certain");
    assert_int_equal(row->device_id, 1);
    assert_int_equal(row->flow_id, ROW_NULL);
    assert_int_equal(row->blocker_hops, 3);
    assert_null(row->blocker_ip);
    assert_string_equal(row->summary, "Refused.");
    assert_string_equal(row->evidence, "{\"frames\":[],\"reasoning\":\"Because.\"}");
    return true;
}

static bool check_requirement(void *context, const struct requirement_row *row)
{
    char code[4] = {'R', (char)('0' + *(int *)context), '\0'};
    ++*(int *)context;
    assert_string_equal(row->code, code);
    assert_string_equal(row->status, "not-observed");
    return true;
}

static bool check_quality(void *context, const struct quality_row *row)
{
    if (strcmp(row->name, "frames") == 0)
        *(int *)context += row->value == 10 && !row->text;
    if (strcmp(row->name, "dropped_kernel") == 0)
        *(int *)context += row->value == ROW_NULL;
    return true;
}

static bool check_skipped(void *context, const struct skipped_row *row)
{
    ++*(int *)context;
    assert_string_equal(row->reason, "fragment");
    assert_int_equal(row->count, 8);
    return true;
}

static bool check_dns(void *context, const struct dns_row *row)
{
    ++*(int *)context;
    assert_string_equal(row->name, "7-courier.push.apple.com");
    assert_string_equal(row->type, "AAAA");
    assert_string_equal(row->rcode, "NXDOMAIN");
    assert_null(row->answer);
    assert_int_equal(row->count, 1);
    return true;
}

static bool check_attempts(void *context, const struct attempts_row *row)
{
    ++*(int *)context;
    assert_string_equal(row->server_prefix, "17.57.144.0/24");
    assert_int_equal(row->syns, 9);
    return true;
}

static void write_one_of_each(const char *path)
{
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct device_record device = {
        .ip = sample_address("10.0.0.5"), .verdict = VERDICT_BROKEN, .sessions = 4};
    struct finding finding = {.number = 1,
                              .code = "port-refused",
                              .confidence = CONFIDENCE_CERTAIN,
                              .scope = SCOPE_DEVICE,
                              .client_ip = device.ip,
                              .blocker_hops = 3,
                              .summary = "Refused.",
                              .reasoning = "Because."};
    struct dns_message dns = {
        .rcode = DNS_NXDOMAIN, .type = DNS_AAAA, .name = "7-courier.push.apple.com"};
    struct event event = {.kind = EVENT_DNS_ANSWER, .dns = &dns, .client = device.ip};
    struct attempt_sum sum = {.server_port = 5223, .outcome = OUTCOME_NO_ANSWER, .syns = 9};
    struct capture_quality quality = {.frames = 10};
    struct fault fault;
    int64_t run_id;
    assert_true(prefix_parse("17.57.144.0/24", &sum.server_prefix));
    for (int code = REQUIREMENT_COUNT - 1; code >= 0; code--) {
        struct requirement_record requirement = {.code = (enum requirement_code)code};
        store_requirement(store, &requirement);
    }
    store_device(store, &device);
    store_finding(store, &finding);
    store_dns(store, &event);
    store_attempts(store, &sum);
    quality.skipped[SKIP_FRAGMENT] = 8;
    assert_true(store_finish(store, &run, &quality, &run_id, &fault));
    store_close(store);
}

static void every_table_is_read_back(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct fault fault;
    int rows[7] = {0};
    write_one_of_each(path);
    struct archive *archive = open_archive(path);
    assert_true(archive_devices(archive, NULL, check_device, &rows[0], &fault));
    assert_true(archive_findings(archive, NULL, check_finding, &rows[1], &fault));
    assert_true(archive_requirements(archive, NULL, check_requirement, &rows[2], &fault));
    assert_true(archive_quality(archive, NULL, check_quality, &rows[3], &fault));
    assert_true(archive_skipped(archive, NULL, check_skipped, &rows[4], &fault));
    assert_true(archive_dns(archive, NULL, check_dns, &rows[5], &fault));
    assert_true(archive_attempts(archive, NULL, check_attempts, &rows[6], &fault));
    archive_close(archive);
    assert_int_equal(rows[0] + rows[1] + rows[4] + rows[5] + rows[6], 5);
    assert_int_equal(rows[2], REQUIREMENT_COUNT);
    assert_int_equal(rows[3], 2);
}

/* ---- which rows ---- */

/* Run 1: Berlin, flows 1 to 3; run 2: Paris, flows 4 and 5; run 3: Berlin, flow 6. */
static void write_three_runs(const char *path)
{
    static const char *const sites[] = {"Berlin", "Paris", "Berlin"};
    for (int i = 0; i < 3; i++) {
        struct run_record run = sample_run((char)('a' + i));
        run.site = sites[i];
        sample_write(path, &run, (uint64_t)(3 - i));
    }
}

static void rows_are_those_of_the_runs_asked_for(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct fault fault;
    struct seen seen = {0};
    write_three_runs(path);
    struct archive *archive = open_archive(path);
    assert_string_equal(flows_of(archive, NULL), "6");
    assert_string_equal(flows_of(archive, &(struct archive_range){.run_id = 1}), "1,2,3");
    assert_string_equal(flows_of(archive, &(struct archive_range){.run_id = 2}), "4,5");
    assert_string_equal(flows_of(archive, &(struct archive_range){.run_id = 9}), "");
    assert_string_equal(flows_of(archive, &(struct archive_range){.site = "Berlin"}), "1,2,3,6");
    assert_string_equal(flows_of(archive, &(struct archive_range){.site = "x' OR 1 --"}), "");
    assert_string_equal(flows_of(archive, &(struct archive_range){.all_runs = true}),
                        "1,2,3,4,5,6");
    assert_true(
        archive_runs(archive, &(struct archive_range){.all_runs = true}, see_run, &seen, &fault));
    assert_string_equal(seen.ids, "1,2,3");
    seen = (struct seen){0};
    assert_true(archive_runs(archive, NULL, see_run, &seen, &fault));
    assert_string_equal(seen.ids, "3");
    archive_close(archive);
}

static void times_narrow_flows_and_findings(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct fault fault;
    struct seen seen = {0};
    struct store *store = sample_begin(path, &run);
    for (uint64_t number = 1; number <= 5; number++) {
        struct flow_record flow = sample_flow(number); /* second number to number + 1 */
        struct finding finding = {
            .number = number, .code = "x", .first_ns = flow.started_ns, .last_ns = flow.last_ns};
        store_flow(store, &flow);
        store_finding(store, &finding);
    }
    sample_end(store, &run);
    struct archive_range range = {.since_ns = SAMPLE_START + 2 * NS_PER_S + 1,
                                  .until_ns = SAMPLE_START + 4 * NS_PER_S};
    struct archive *archive = open_archive(path);
    assert_string_equal(flows_of(archive, &range), "2,3,4");
    assert_true(archive_findings(archive, &range, see_finding, &seen, &fault));
    assert_string_equal(seen.ids, "2,3,4");
    range.until_ns = ROW_NULL;
    assert_string_equal(flows_of(archive, &range), "2,3,4,5");
    archive_close(archive);
}

static void a_callback_that_says_no_stops_the_reading(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct seen seen = {.stop_after = 2};
    struct fault fault = {""};
    sample_write(path, &run, 10);
    struct archive *archive = open_archive(path);
    assert_true(archive_flows(archive, NULL, see_flow, &seen, &fault));
    assert_string_equal(seen.ids, "1,2");
    archive_close(archive);
}

/* ---- the file ---- */

static void reading_leaves_no_trace(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    size_t size, size_after;
    sample_write(path, &run, 100);
    char *before = sample_read_file(path, &size);
    struct archive *archive = open_archive(path);
    flows_of(archive, NULL);
    archive_close(archive);
    char *after = sample_read_file(path, &size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    assert_int_equal(sample_files(state), 1);
    free(before);
    free(after);
}

static void a_run_that_is_being_written_is_read_as_of_one_moment(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record one = sample_run('a'), two = sample_run('b');
    sample_write(path, &one, 2);
    struct store *store = sample_begin(path, &two);
    struct archive *archive = open_archive(path);
    struct flow_record flow = sample_flow(1);
    store_flow(store, &flow);
    assert_int_equal(sample_end(store, &two), 2);
    assert_string_equal(flows_of(archive, NULL), ""); /* the newest run, which was empty then */
    assert_string_equal(flows_of(archive, &(struct archive_range){.run_id = 1}), "1,2");
    archive_close(archive);
    archive = open_archive(path);
    assert_string_equal(flows_of(archive, NULL), "3");
    archive_close(archive);
}

static void read_only_media_are_read(void **state)
{
    const char *folder = *state;
    struct run_record run = sample_run('a');
    if (mount("none", folder, "tmpfs", 0, "size=20m") != 0) {
        print_message("may not mount a file system: not tested\n");
        skip();
    }
    sample_write(sample_path(state, "a.db"), &run, 3);
    assert_int_equal(mount("none", folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    struct archive *archive = open_archive(sample_path(state, "a.db"));
    bool all = strcmp(flows_of(archive, NULL), "1,2,3") == 0;
    archive_close(archive);
    assert_int_equal(umount(folder), 0);
    assert_true(all);
}

static void views_and_triggers_of_a_strange_file_do_nothing(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct archive *archive;
    struct seen seen = {0};
    struct fault fault = {""};
    sample_write(path, &run, 3);
    sample_run_sql(path, "CREATE TRIGGER t AFTER INSERT ON flow BEGIN DELETE FROM flow; END;");
    run = sample_run('b');
    sample_write(path, &run, 4);
    assert_int_equal(sample_count(path, "SELECT count(*) FROM flow"), 7);
    sample_run_sql(path, "DROP TRIGGER t; ALTER TABLE device RENAME TO hidden;"
                         "CREATE VIEW device AS SELECT * FROM hidden;");
    archive = open_archive(path);
    assert_false(archive_devices(archive, NULL, NULL, &seen, &fault));
    assert_true(fault.sentence[0] != '\0');
    archive_close(archive);
}

#define ROUND(test) cmocka_unit_test_setup_teardown(test, sample_setup, sample_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROUND(a_flow_is_read_as_it_was_written),
        ROUND(columns_that_were_not_asked_for_are_not_known),
        ROUND(every_table_is_read_back),
        ROUND(rows_are_those_of_the_runs_asked_for),
        ROUND(times_narrow_flows_and_findings),
        ROUND(a_callback_that_says_no_stops_the_reading),
        ROUND(reading_leaves_no_trace),
        ROUND(a_run_that_is_being_written_is_read_as_of_one_moment),
        ROUND(read_only_media_are_read),
        ROUND(views_and_triggers_of_a_strange_file_do_nothing),
    };
    return cmocka_run_group_tests_name("store/archive", tests, NULL, NULL);
}
