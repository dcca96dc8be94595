/* The packets kept of sessions: written after their session, read back, gone with it. */
#include "store_sample.h"

#include "model/packet.h"
#include "model/step.h"
#include "store/archive.h"

extern const char schema_sql[]; /* migration 1 */

static void add(struct flow_steps *steps, const struct flow_step *step)
{
    if (steps->first_count < STEPS_FIRST)
        steps->first[steps->first_count++] = *step;
    else
        steps->last[steps->last_count++ % STEPS_LAST] = *step;
}

/* `count` packets, all kept as far as there is room; the second last is an ICMP error. */
static struct flow_steps sample_steps(uint32_t count)
{
    struct flow_steps steps = {0};
    for (uint32_t i = 1; i <= count; i++)
        add(&steps, &(struct flow_step){.time_ns = SAMPLE_START + i,
                                        .frame = 100 + i,
                                        .number = i,
                                        .direction = i % 2 ? UP : DOWN,
                                        .tcp_flags = i == 1 ? TCP_SYN : TCP_PSH | TCP_ACK,
                                        .ttl = 64,
                                        .payload_size = i,
                                        .what = i == 1 ? STEP_SYN : STEP_DATA,
                                        .is_repeat = i == 3});
    return steps;
}

struct seen {
    char text[2048];
    size_t length;
};

static bool see(void *context, const struct step_row *row)
{
    struct seen *seen = context;
    int length =
        snprintf(seen->text + seen->length, sizeof seen->text - seen->length,
                 "%lld:%lld:%s:%s:%s%s ", (long long)row->flow_id, (long long)row->number,
                 row->direction, row->flags ? row->flags : "-", row->what, row->skipped ? "+" : "");
    seen->length += (size_t)length;
    return true;
}

static const char *steps_of(const char *path, const struct archive_range *range)
{
    static struct seen seen;
    struct fault fault = {""};
    struct archive *archive;
    seen = (struct seen){0};
    assert_true(archive_open(&archive, path, &fault));
    assert_true(archive_steps(archive, range, see, &seen, &fault));
    archive_close(archive);
    return seen.text;
}

static const char *store_two_sessions(void **state)
{
    const char *path = sample_path(state, "steps.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct flow_record first = sample_flow(7), second = sample_flow(3);
    struct flow_steps three = sample_steps(3), many = sample_steps(40);
    store_flow(store, &first);
    store_steps(store, &first, &three);
    store_flow(store, &second);
    store_steps(store, &second, &many);
    sample_end(store, &run);
    return path;
}

static void steps_belong_to_their_session_and_come_in_order(void **state)
{
    const char *path = store_two_sessions(state);
    struct archive_range one = {.flow_id = 1};
    assert_string_equal(steps_of(path, &one), "1:1:up:S:syn 1:2:down:PA:data 1:3:up:PA:data ");
    assert_int_equal(sample_count(path, "SELECT count(*) FROM step WHERE flow_id = 2"),
                     STEPS_FIRST + STEPS_LAST);
    assert_string_equal(sample_ask(path, "SELECT group_concat(frame) FROM (SELECT frame FROM step"
                                         " WHERE flow_id = 2 ORDER BY number LIMIT 4 OFFSET 15)"),
                        "116,133,134,135");
    assert_string_equal(sample_ask(path, "SELECT group_concat(number || ':' || skipped) FROM step"
                                         " WHERE skipped > 0"),
                        "17:16");
    assert_string_equal(sample_ask(path, "SELECT group_concat(number) FROM step WHERE is_repeat"
                                         " AND flow_id = 1"),
                        "3");
    assert_string_equal(sample_ask(path, "PRAGMA foreign_key_check"), "");
}

static void steps_are_those_of_the_runs_and_times_asked_for(void **state)
{
    const char *path = store_two_sessions(state);
    struct archive_range newest = {.since_ns = ROW_NULL, .until_ns = ROW_NULL};
    struct archive_range late = {.since_ns = SAMPLE_START + 6 * NS_PER_S, .until_ns = ROW_NULL};
    struct archive_range other = {.run_id = 9};
    assert_non_null(strstr(steps_of(path, &newest), "2:24:"));
    assert_non_null(strstr(steps_of(path, &late), "1:1:"));
    assert_null(strstr(steps_of(path, &late), "2:1:")); /* its session was over by then */
    assert_string_equal(steps_of(path, &other), "");
}

static void an_icmp_error_names_its_sender_and_is_no_packet_of_the_session(void **state)
{
    const char *path = sample_path(state, "icmp.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct flow_record flow = sample_flow(1);
    struct flow_steps steps = sample_steps(1);
    flow.icmp_source = sample_address("10.0.0.1");
    add(&steps, &(struct flow_step){.time_ns = SAMPLE_START + 2,
                                    .frame = 102,
                                    .number = 1,
                                    .direction = DOWN,
                                    .ttl = 62,
                                    .what = STEP_ICMP});
    add(&steps, &(struct flow_step){.time_ns = SAMPLE_START + 3,
                                    .frame = 103,
                                    .number = 2,
                                    .direction = UP,
                                    .tcp_flags = TCP_SYN,
                                    .what = STEP_SYN,
                                    .is_repeat = true});
    store_flow(store, &flow);
    store_steps(store, &flow, &steps);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT group_concat(coalesce(flags, '-') || '/' ||"
                                         " coalesce(sender_ip, '-') || '/' || skipped) FROM step"),
                        "S/-/0,-/10.0.0.1/0,S/-/0");
}

static void a_deleted_run_takes_its_steps_along(void **state)
{
    const char *path = store_two_sessions(state);
    store_two_sessions(state); /* the same file again replaces the run */
    assert_int_equal(sample_count(path, "SELECT count(*) FROM run"), 1);
    assert_int_equal(sample_count(path, "SELECT count(*) FROM step"), 3 + STEPS_FIRST + STEPS_LAST);
}

/* A database of the first schema: read as it is, and brought up to date when written. */
static void a_database_older_than_the_table_is_read_and_brought_up_to_date(void **state)
{
    const char *path = sample_path(state, "old.db");
    struct run_record run = sample_run('a');
    struct archive_range everything = {.all_runs = true};
    sample_run_sql(path, schema_sql);
    sample_run_sql(path, "PRAGMA application_id = 1095782003; PRAGMA user_version = 1;"
                         "PRAGMA journal_mode = WAL;"
                         "INSERT INTO run (kind, state, rows_lost, flow_base, device_base,"
                         " finding_base) VALUES ('file', 'complete', 0, 0, 0, 0)");
    assert_string_equal(steps_of(path, &everything), "");
    assert_string_equal(sample_ask(path, "PRAGMA user_version"), "1");
    sample_write(path, &run, 1);
    assert_string_equal(sample_ask(path, "PRAGMA user_version"), "3");
    assert_int_equal(sample_count(path, "SELECT count(*) FROM run"), 2);
    assert_int_equal(sample_count(path, "SELECT count(*) FROM step"), 0);
}

#define ROUND(test) cmocka_unit_test_setup_teardown(test, sample_setup, sample_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROUND(steps_belong_to_their_session_and_come_in_order),
        ROUND(steps_are_those_of_the_runs_and_times_asked_for),
        ROUND(an_icmp_error_names_its_sender_and_is_no_packet_of_the_session),
        ROUND(a_deleted_run_takes_its_steps_along),
        ROUND(a_database_older_than_the_table_is_read_and_brought_up_to_date),
    };
    return cmocka_run_group_tests_name("store/steps", tests, NULL, NULL);
}
