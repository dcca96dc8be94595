/* Plays one scenario: `play FILE.scn [PATTERN]` (only the tests of such names: "the_story*").
 *
 * The scenario's capture goes through the very pipeline that `apnscope analyze` runs, and its
 * expectations are read from the database by column name. Then the properties of all scenarios:
 * a doubled capture gives the same findings, a cut one does no harm, frames in are frames analysed
 * and skipped, batches and repetition change nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/text.h"
#include "capture/capture.h"
#include "cli/pipeline.h"
#include "judgement.h"
#include "report/report.h"
#include "tests/support/scenario.h"

enum { PATH_SIZE = 512, WHERE_SIZE = 1024, QUERY_SIZE = 1200 };

static const char *scenario_path;
static struct scenario *scenario;
static char capture_path[PATH_SIZE];
static char cut_path[PATH_SIZE];
static char database_path[PATH_SIZE];

static void remove_files(void)
{
    char path[PATH_SIZE + 8];
    unlink(capture_path);
    unlink(cut_path);
    unlink(database_path);
    snprintf(path, sizeof path, "%s-wal", database_path);
    unlink(path);
    snprintf(path, sizeof path, "%s-shm", database_path);
    unlink(path);
}

static int read_scenario(void **state)
{
    struct fault fault = {{0}};
    (void)state;
    const char *slash = strrchr(scenario_path, '/');
    const char *name = slash ? slash + 1 : scenario_path;
    snprintf(capture_path, sizeof capture_path, "%s.capture", name);
    snprintf(cut_path, sizeof cut_path, "%s.cut", name);
    snprintf(database_path, sizeof database_path, "%s.db", name);
    remove_files();
    if (!scenario_read(scenario_path, &scenario, &fault)) {
        print_error("%s\n", fault.sentence);
        return -1;
    }
    return 0;
}

static int forget_scenario(void **state)
{
    (void)state;
    remove_files();
    scenario_free(scenario);
    return 0;
}

static void write_capture(const struct scenario_write_options *options)
{
    struct fault fault = {{0}};
    static const struct scenario_write_options plain = {0};
    if (!scenario_write_pcap(scenario, capture_path, options ? options : &plain, &fault))
        fail_msg("%s", fault.sentence);
}

/* ---- expectations ---- */

static bool wants_absence(const struct expectation *expectation)
{
    return expectation_value(expectation, "absent") != NULL;
}

static const char *host_address(const char *name, char text[ADDRESS_TEXT_SIZE])
{
    const struct scenario_host *host = scenario_host(scenario, name);
    if (!host)
        fail_msg("%s: no host is called %s", scenario_path, name);
    return address_text(&host->address, text);
}

/* Words of the scenario for columns of the database. */
static const char *column_of(const char *key)
{
    static const char *const names[][2] = {{"port", "server_port"},
                                           {"server", "server_ip"},
                                           {"blocker", "blocker_ip"},
                                           {"hops", "blocker_hops"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(key, names[i][0]) == 0)
            return names[i][1];
    return key;
}

/* How many flows of the scenario used the same ports before this one. */
static unsigned earlier_flows(const struct scenario_flow *flow)
{
    unsigned count = 0;
    for (const struct scenario_flow *other = scenario->flows; other < flow; other++)
        if (other->client_port == flow->client_port && other->server_port == flow->server_port &&
            address_equal(&other->client_ip, &flow->client_ip) &&
            address_equal(&other->server_ip, &flow->server_ip))
            count++;
    return count;
}

/* The row of a flow of the scenario, as a query for its id. */
static void flow_row_of(const struct expectation *expectation, struct text *query)
{
    char client[ADDRESS_TEXT_SIZE], server[ADDRESS_TEXT_SIZE];
    const struct scenario_flow *flow = scenario_flow(scenario, expectation->subject);
    if (!flow)
        fail_msg("%s:%u: no flow is called %s", scenario_path, expectation->line,
                 expectation->subject);
    text_format(query,
                "(SELECT id FROM flow WHERE client_ip = '%s' AND client_port = %u AND "
                "server_ip = '%s' AND server_port = %u ORDER BY started_ns, id LIMIT 1 OFFSET %u)",
                address_text(&flow->client_ip, client), flow->client_port,
                address_text(&flow->server_ip, server), flow->server_port, earlier_flows(flow));
}

/* The kept packets of a flow as one line: "> syn, < syn-ack, +3, > fin". */
static void ladder_of(const struct expectation *expectation, struct text *where)
{
    text_add(where, "(SELECT group_concat(line, ', ') AS steps FROM (SELECT "
                    "CASE WHEN skipped THEN '+' || skipped || ', ' ELSE '' END || "
                    "CASE direction WHEN 'up' THEN '> ' ELSE '< ' END || what || "
                    "CASE WHEN is_repeat THEN ' again' ELSE '' END AS line "
                    "FROM step WHERE flow_id = ");
    flow_row_of(expectation, where);
    text_add(where, " ORDER BY number) HAVING count(*) > 0)");
}

static void where_of(const struct expectation *expectation, struct text *where)
{
    char address[ADDRESS_TEXT_SIZE];
    const char *device = expectation_value(expectation, "device");
    const char *port = expectation_value(expectation, "port");
    switch (expectation->kind) {
    case EXPECT_FINDING:
        text_format(where, "finding WHERE code = '%s'", expectation->subject);
        if (device)
            text_format(where, " AND client_ip = '%s'", host_address(device, address));
        if (port)
            text_format(where, " AND server_port = %s", port);
        break;
    case EXPECT_FLOW:
        text_add(where, "flow WHERE id IN ");
        flow_row_of(expectation, where);
        break;
    case EXPECT_LADDER:
        ladder_of(expectation, where);
        break;
    case EXPECT_DEVICE:
        text_format(where, "device WHERE ip = '%s'", host_address(expectation->subject, address));
        break;
    case EXPECT_REQUIREMENT:
        text_format(where, "requirement WHERE code = '%s'", expectation->subject);
        break;
    case EXPECT_RUN:
        text_add(where, "run WHERE 1");
        break;
    case EXPECT_SKIPPED:
    case EXPECT_QUALITY:
    case EXPECT_KIND_COUNT:
        break;
    }
}

static bool ask(sqlite3 *database, const char *query, char *answer, size_t size)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(database, query, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", query, sqlite3_errmsg(database));
    bool found = sqlite3_step(statement) == SQLITE_ROW;
    const char *value = found ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    snprintf(answer, size, "%s", value ? value : "NULL");
    sqlite3_finalize(statement);
    return found;
}

/* Where an address belongs, a host's name stands for its address. */
static const char *wanted_value(const struct scenario_pair *pair, char text[ADDRESS_TEXT_SIZE])
{
    size_t length = strlen(column_of(pair->key));
    bool is_address = length > 3 && strcmp(column_of(pair->key) + length - 3, "_ip") == 0;
    bool is_host = is_address && scenario_host(scenario, pair->value);
    return is_host ? host_address(pair->value, text) : pair->value;
}

static unsigned check_pair(sqlite3 *database, const struct expectation *expectation,
                           const char *where, const struct scenario_pair *pair)
{
    char query[QUERY_SIZE], answer[2048], address[ADDRESS_TEXT_SIZE];
    const char *wanted = wanted_value(pair, address);
    snprintf(query, sizeof query, "SELECT %s FROM %s", column_of(pair->key), where);
    if (!ask(database, query, answer, sizeof answer)) {
        print_error("%s:%u: no row: %s\n", scenario_path, expectation->line, query);
        return 1;
    }
    bool is_met = *wanted == '~' ? strstr(answer, wanted + 1) != NULL : strcmp(answer, wanted) == 0;
    if (is_met)
        return 0;
    print_error("%s:%u: %s %s: %s is %s, not %s\n", scenario_path, expectation->line,
                expectation_kind_name(expectation->kind), expectation->subject, pair->key, answer,
                wanted);
    return 1;
}

static unsigned check_presence(sqlite3 *database, const struct expectation *expectation,
                               const char *where)
{
    char query[QUERY_SIZE], answer[512];
    snprintf(query, sizeof query, "SELECT count(*) FROM %s", where);
    ask(database, query, answer, sizeof answer);
    if ((strcmp(answer, "0") == 0) == wants_absence(expectation))
        return 0;
    print_error("%s:%u: %s %s: %s rows, %s expected\n", scenario_path, expectation->line,
                expectation_kind_name(expectation->kind), expectation->subject, answer,
                wants_absence(expectation) ? "none" : "one");
    return 1;
}

/* Rows of a name and a number: frames skipped by reason, facts of quality. */
static unsigned check_named(sqlite3 *database, const struct expectation *expectation,
                            const char *query_of_name)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < expectation->pair_count; i++) {
        char query[QUERY_SIZE], answer[512];
        snprintf(query, sizeof query, "%s = '%s'", query_of_name, expectation->pairs[i].key);
        ask(database, query, answer, sizeof answer);
        if (strcmp(answer, expectation->pairs[i].value) == 0)
            continue;
        print_error("%s:%u: %s %s: %s, not %s\n", scenario_path, expectation->line,
                    expectation_kind_name(expectation->kind), expectation->pairs[i].key, answer,
                    expectation->pairs[i].value);
        wrong++;
    }
    return wrong;
}

static bool is_selector(const char *key)
{
    return strcmp(key, "device") == 0 || strcmp(key, "absent") == 0 || strcmp(key, "exit") == 0;
}

static unsigned check_expectation(sqlite3 *database, const struct expectation *expectation)
{
    char buffer[WHERE_SIZE];
    struct text where = text_over(buffer, sizeof buffer);
    if (expectation->kind == EXPECT_SKIPPED)
        return check_named(database, expectation, "SELECT count FROM skipped WHERE reason");
    if (expectation->kind == EXPECT_QUALITY)
        return check_named(database, expectation,
                           "SELECT coalesce(value, text) FROM capture_quality WHERE name");
    where_of(expectation, &where);
    unsigned wrong = check_presence(database, expectation, buffer);
    if (wants_absence(expectation))
        return wrong;
    for (size_t i = 0; i < expectation->pair_count && !wrong; i++)
        if (!is_selector(expectation->pairs[i].key))
            wrong += check_pair(database, expectation, buffer, &expectation->pairs[i]);
    return wrong;
}

/* What `proves` and `spares` promise. */
static unsigned check_codes(sqlite3 *database)
{
    char query[QUERY_SIZE], answer[512];
    unsigned wrong = 0;
    for (size_t i = 0; i < scenario->proves_count; i++) {
        snprintf(query, sizeof query, "SELECT 1 FROM finding WHERE code = '%s'",
                 scenario->proves[i]);
        if (!ask(database, query, answer, sizeof answer)) {
            print_error("%s: does not prove %s\n", scenario_path, scenario->proves[i]);
            wrong++;
        }
    }
    for (size_t i = 0; i < scenario->spares_count; i++) {
        snprintf(query, sizeof query, "SELECT summary FROM finding WHERE code = '%s'",
                 scenario->spares[i]);
        if (ask(database, query, answer, sizeof answer)) {
            print_error("%s: does not spare %s: %s\n", scenario_path, scenario->spares[i], answer);
            wrong++;
        }
    }
    if (scenario->spares_all &&
        ask(database, "SELECT code || ': ' || summary FROM finding WHERE severity <> 'info'",
            answer, sizeof answer)) {
        print_error("%s: does not spare all: %s\n", scenario_path, answer);
        wrong++;
    }
    return wrong;
}

static unsigned check_exit(const struct expectation *expectation)
{
    struct fault fault = {{0}};
    struct report_options options = {
        .database = database_path,
        .range = {.all_runs = true, .since_ns = ROW_NULL, .until_ns = ROW_NULL}};
    const char *wanted = expectation_value(expectation, "exit");
    bool fault_found = false;
    if (expectation->kind != EXPECT_RUN || !wanted)
        return 0;
    if (!report_has_fault(&options, &fault_found, &fault))
        fail_msg("%s", fault.sentence);
    if (strtol(wanted, NULL, 10) == (fault_found ? 1 : 0))
        return 0;
    print_error("%s:%u: the exit status would be %d\n", scenario_path, expectation->line,
                fault_found);
    return 1;
}

/* Whatever the capture's clock did, nothing ends before it began; and sentences end once. */
static unsigned check_rows(sqlite3 *database)
{
    static const char *const nothing[] = {
        "flow WHERE last_ns < started_ns OR established_ns < started_ns",
        "flow WHERE last_ns < established_ns",
        "flow WHERE rtt_server_us < 0 OR rtt_client_us < 0 OR tls_hello_us < 0",
        "finding WHERE last_ns < first_ns",
        "finding WHERE summary LIKE '%..%'",
        "device WHERE last_ns < first_ns",
        "run JOIN flow WHERE flow.started_ns < run.first_ns OR flow.last_ns > run.last_ns",
    };
    char query[QUERY_SIZE], answer[512];
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        snprintf(query, sizeof query, "SELECT count(*) FROM %s", nothing[i]);
        ask(database, query, answer, sizeof answer);
        if (strcmp(answer, "0") == 0)
            continue;
        print_error("%s: %s rows of %s\n", scenario_path, answer, nothing[i]);
        wrong++;
    }
    return wrong;
}

static void run_pipeline(struct pipeline_result *result)
{
    struct fault fault = {{0}};
    struct settings settings = {
        .database = database_path, .since_ns = TIME_UNKNOWN, .until_ns = TIME_UNKNOWN};
    struct pipeline_hooks hooks = {0};
    const char *path = capture_path;
    settings.has_home_hops = scenario->has_home_hops;
    settings.home_hops = scenario->home_hops;
    settings.home_nets.count = scenario->home_net_count;
    memcpy(settings.home_nets.items, scenario->home_nets, sizeof scenario->home_nets);
    if (!pipeline_run(&settings, &path, 1, scenario->start_ns, &hooks, result, &fault))
        fail_msg("%s", fault.sentence);
}

static void the_story_is_told_as_the_scenario_expects(void **state)
{
    (void)state;
    struct pipeline_result result;
    sqlite3 *database;
    unsigned wrong = 0;
    write_capture(NULL);
    run_pipeline(&result);
    assert_int_equal(sqlite3_open_v2(database_path, &database, SQLITE_OPEN_READONLY, NULL),
                     SQLITE_OK);
    wrong += check_codes(database);
    wrong += check_rows(database);
    for (size_t i = 0; i < scenario->expectation_count; i++) {
        wrong += check_expectation(database, &scenario->expectations[i]);
        wrong += check_exit(&scenario->expectations[i]);
    }
    sqlite3_close(database);
    assert_int_equal(wrong, 0);
}

/* ---- properties ---- */

static struct judgement first, second;

static void frames_in_are_frames_analysed_and_skipped(void **state)
{
    (void)state;
    uint64_t skipped = 0;
    write_capture(NULL);
    judgement_of(capture_path, CAPTURE_BATCH_MAX, &first);
    for (int reason = 0; reason < SKIP_COUNT; reason++)
        skipped += first.quality.skipped[reason];
    assert_int_equal(first.quality.frames, first.frames_analysed + skipped);
}

static void the_size_of_a_batch_changes_nothing(void **state)
{
    (void)state;
    write_capture(NULL);
    judgement_of(capture_path, CAPTURE_BATCH_MAX, &first);
    judgement_of(capture_path, 1, &second);
    assert_string_equal(first.flows, second.flows);
    assert_string_equal(first.findings, second.findings);
}

static void every_frame_doubled_changes_no_finding(void **state)
{
    (void)state;
    if (scenario->capture.truncated_at)
        skip(); /* the doubled file would end at another frame */
    write_capture(NULL);
    judgement_of(capture_path, CAPTURE_BATCH_MAX, &first);
    write_capture(&(struct scenario_write_options){.doubled = true});
    judgement_of(capture_path, CAPTURE_BATCH_MAX, &second);
    assert_string_equal(first.findings, second.findings);
    assert_string_equal(first.flows, second.flows);
}

static void write_cut(const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(cut_path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Every length where the file is short, some hundred lengths where it is long. */
static void a_file_cut_anywhere_does_no_harm(void **state)
{
    (void)state;
    enum { CUTS = 300 };
    static const struct scenario_write_options plain = {0};
    size_t size;
    uint8_t *bytes = scenario_file(scenario, &plain, &size);
    size_t step = size / CUTS + 1;
    for (size_t cut = 0; cut < size; cut += step) {
        write_cut(bytes, cut);
        judgement_of(cut_path, CAPTURE_BATCH_MAX, &second);
        if (second.readable)
            assert_true(second.quality.frames <= scenario->frame_count);
        else
            assert_true(second.sentence[0]);
    }
    free(bytes);
}

/* Short snap lengths may hide things; they must not invent a fault that the whole frames do not
 * show. */
static void frames_cut_at_any_length_invent_no_finding(void **state)
{
    (void)state;
    write_capture(NULL);
    judgement_of(capture_path, CAPTURE_BATCH_MAX, &first);
    for (uint32_t snap = 1; snap < 1500; snap += snap < 160 ? 3 : 37) {
        write_capture(&(struct scenario_write_options){.snap_size = snap});
        judgement_of(capture_path, CAPTURE_BATCH_MAX, &second);
        for (char *line = strtok(second.findings, "\n"); line; line = strtok(NULL, "\n"))
            if (!strstr(first.findings, line))
                fail_msg("cut at %u bytes a frame, this is found: %s", snap, line);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_story_is_told_as_the_scenario_expects),
        cmocka_unit_test(frames_in_are_frames_analysed_and_skipped),
        cmocka_unit_test(the_size_of_a_batch_changes_nothing),
        cmocka_unit_test(every_frame_doubled_changes_no_finding),
        cmocka_unit_test(a_file_cut_anywhere_does_no_harm),
        cmocka_unit_test(frames_cut_at_any_length_invent_no_finding),
    };
    if (argc != 2 && argc != 3) {
        fputs("usage: play SCENARIO.scn [PATTERN OF TEST NAMES]\n", stderr);
        return 2;
    }
    if (argc == 3)
        cmocka_set_test_filter(argv[2]);
    scenario_path = argv[1];
    const char *slash = strrchr(scenario_path, '/');
    return cmocka_run_group_tests_name(slash ? slash + 1 : scenario_path, tests, read_scenario,
                                       forget_scenario);
}
