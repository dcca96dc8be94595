/* Locks, full disks, killed processes and other writers. */
#include "store_sample.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store/store_patience.h"

static void assert_sound(const char *path)
{
    assert_string_equal(sample_ask(path, "PRAGMA integrity_check"), "ok");
    assert_string_equal(sample_ask(path, "PRAGMA foreign_key_check"), "");
}

static void put_flows(struct store *store, uint64_t first, uint64_t last)
{
    for (uint64_t number = first; number <= last; number++) {
        struct flow_record flow = sample_flow(number);
        store_flow(store, &flow);
    }
}

/* ---- other writers ---- */

struct other_run {
    const char *path;
    char mark;
    bool finished;
};

static void *write_run(void *context)
{
    enum { FLOWS = 10000 };
    struct other_run *other = context;
    struct run_record run = sample_run(other->mark);
    struct fault fault;
    struct store *store;
    int64_t run_id;
    if (!store_open(&store, other->path, STORE_WAIT, &fault))
        return NULL;
    if (store_begin(store, &run, &fault)) {
        put_flows(store, 1, FLOWS);
        other->finished = store_finish(store, &run, NULL, &run_id, &fault);
    }
    store_close(store);
    return NULL;
}

static void two_threads_with_one_database_lose_nothing(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct other_run others[2] = {{path, 'a', false}, {path, 'b', false}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_run, &others[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_true(others[0].finished && others[1].finished);
    assert_string_equal(sample_ask(path, "SELECT group_concat(n) FROM (SELECT count(*) AS n"
                                         " FROM flow GROUP BY run_id)"),
                        "10000,10000");
    assert_sound(path);
    assert_int_equal(sample_files(state), 1);
}

static void two_processes_with_one_database_lose_nothing(void **state)
{
    const char *path = sample_path(state, "a.db");
    pid_t children[2];
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct other_run other = {path, (char)('a' + i), false};
            write_run(&other);
            _exit(other.finished ? 0 : 1);
        }
    }
    for (int i = 0; i < 2; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_string_equal(sample_ask(path, "SELECT count(*), count(DISTINCT run_id),"
                                         " count(DISTINCT id) FROM flow"),
                        "20000|2|20000");
    assert_sound(path);
}

static void a_run_beside_a_running_one_keeps_away_from_its_ids(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record one = sample_run('a'), two = sample_run('b');
    struct store *first = sample_begin(path, &one);
    struct store *second = sample_begin(path, &two);
    assert_string_equal(sample_ask(path, "SELECT group_concat(state) FROM run"),
                        "running,running"); /* this process lives */
    put_flows(second, 1, 2);
    put_flows(first, 1, 3);
    assert_int_equal(sample_end(second, &two), 2);
    assert_int_equal(sample_end(first, &one), 1);
    assert_string_equal(sample_ask(path, "SELECT group_concat(id) FROM flow"),
                        "1,2,3,4294967297,4294967298");
}

/* ---- killed ---- */

static void a_killed_run_is_sound_and_interrupted(void **state)
{
    const char *path = sample_path(state, "a.db");
    pid_t child = fork();
    if (child == 0) {
        struct run_record run = sample_run('a');
        struct store *store = sample_begin(path, &run);
        struct finding finding = {.number = 1, .code = "x", .flow_number = 7};
        store_finding(store, &finding);
        put_flows(store, 1, 30000);
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_string_equal(sample_ask(path, "SELECT state FROM run"), "running");
    struct store *store = sample_open(path, STORE_WAIT);
    store_close(store);
    assert_string_equal(sample_ask(path, "SELECT state FROM run"), "interrupted");
    assert_in_range(sample_count(path, "SELECT count(*) FROM flow"), 1000, 30000);
    assert_string_equal(sample_ask(path, "SELECT flow_id FROM finding"), "7");
    assert_sound(path);
}

static void a_process_killed_at_any_moment_leaves_a_database(void **state)
{
    const char *path = sample_path(state, "a.db");
    for (useconds_t moment = 0; moment < 10; moment++) {
        pid_t child = fork();
        if (child == 0) {
            struct other_run other = {path, (char)('a' + moment), false};
            for (;;)
                write_run(&other);
        }
        usleep(2000 + moment * 15000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        struct store *store = sample_open(path, STORE_WAIT);
        store_close(store);
        assert_sound(path);
        assert_int_equal(sample_count(path, "SELECT count(*) FROM run WHERE state = 'running'"), 0);
    }
}

/* ---- locked ---- */

static sqlite3 *lock(const char *path)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return database;
}

static void rows_of_a_locked_database_wait_and_are_written(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    sqlite3 *other = lock(path);
    put_flows(store, 1, 100);
    usleep(1500000); /* the writer has tried by now */
    sqlite3_close(other);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT count(*), rows_lost, state FROM flow, run"),
                        "100|0|complete");
}

static void rows_of_a_database_that_stays_locked_are_counted_and_told(void **state)
{
    enum { ROWS = 12000 };
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct fault fault = {""};
    struct capture_quality quality = {.frames = 1};
    int64_t run_id;
    struct store *store = sample_open(path, STORE_WAIT);
    store_set_patience(store, 50);
    assert_true(store_begin(store, &run, &fault));
    sqlite3 *other = lock(path);
    put_flows(store, 1, ROWS); /* more than the queue holds: some were given up */
    sqlite3_close(other);
    bool finished = store_finish(store, &run, &quality, &run_id, &fault);
    store_close(store);
    assert_false(finished);
    assert_non_null(strstr(fault.sentence, "of 12000 rows of this run"));
    assert_non_null(strstr(fault.sentence, "locked"));
    assert_string_equal(sample_ask(path, "SELECT state FROM run"), "interrupted");
    assert_int_equal(sample_count(path, "SELECT rows_lost + (SELECT count(*) FROM flow) FROM run"),
                     ROWS);
    assert_in_range(sample_count(path, "SELECT rows_lost FROM run"), 1, ROWS);
    assert_sound(path);
}

static void a_live_run_drops_what_the_queue_cannot_hold_and_goes_on(void **state)
{
    enum { ROWS = 200000 };
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct fault fault = {""};
    int64_t run_id;
    run.is_live = true;
    struct store *store = sample_open(path, STORE_DROP);
    store_set_patience(store, 50);
    assert_true(store_begin(store, &run, &fault));
    sqlite3 *other = lock(path);
    put_flows(store, 1, ROWS);
    usleep(1000000); /* longer than the patience: live it is tried again and again */
    sqlite3_close(other);
    bool finished = store_finish(store, &run, NULL, &run_id, &fault);
    store_close(store);
    assert_false(finished);
    assert_in_range(sample_count(path, "SELECT count(*) FROM flow"), 40000, 120000);
    assert_int_equal(sample_count(path, "SELECT rows_lost + (SELECT count(*) FROM flow) FROM run"),
                     ROWS);
    assert_sound(path);
}

static void a_locked_database_at_the_start_says_so(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct fault fault = {""};
    struct store *store = sample_open(path, STORE_WAIT);
    store_set_patience(store, 50);
    sqlite3 *other = lock(path);
    assert_false(store_begin(store, &run, &fault));
    assert_non_null(strstr(fault.sentence, "another program keeps it locked"));
    sqlite3_close(other);
    store_close(store);
}

/* ---- full ---- */

/* A run of some 30 MB; returns what store_finish says. */
static struct fault fill(const char *path)
{
    struct run_record run = sample_run('a');
    struct fault fault = {""};
    int64_t run_id;
    struct store *store = sample_begin(path, &run);
    put_flows(store, 1, 60000);
    bool finished = store_finish(store, &run, NULL, &run_id, &fault);
    store_close(store);
    if (finished)
        fault.sentence[0] = '\0';
    return fault;
}

static void assert_says(const struct fault *fault, const char *words)
{
    if (!strstr(fault->sentence, words))
        fail_msg("\"%s\" does not say \"%s\"", fault->sentence, words);
}

static void assert_run_is_not_complete(const char *path)
{
    struct store *store = sample_open(path, STORE_WAIT);
    store_close(store);
    assert_sound(path);
    assert_string_equal(sample_ask(path, "SELECT state FROM run"), "interrupted");
}

static void a_limit_on_file_size_is_told_and_leaves_a_sound_file(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4 << 20;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct fault fault = fill(path);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_says(&fault, "a limit on the size of files refused a write");
    assert_run_is_not_complete(path);
}

static void a_full_disk_is_told_and_leaves_a_sound_file(void **state)
{
    const char *folder = *state;
    if (mount("none", folder, "tmpfs", 0, "size=6m") != 0) {
        print_message("may not mount a small file system: not tested\n");
        skip();
    }
    struct fault fault = fill(sample_path(state, "a.db"));
    assert_int_equal(mount("none", folder, NULL, MS_REMOUNT, "size=60m"), 0);
    assert_run_is_not_complete(sample_path(state, "a.db"));
    sample_empty(folder);
    assert_int_equal(umount(folder), 0);
    assert_says(&fault, "the disk is full");
}

#define ROUND(test) cmocka_unit_test_setup_teardown(test, sample_setup, sample_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROUND(two_threads_with_one_database_lose_nothing),
        ROUND(two_processes_with_one_database_lose_nothing),
        ROUND(a_run_beside_a_running_one_keeps_away_from_its_ids),
        ROUND(a_killed_run_is_sound_and_interrupted),
        ROUND(a_process_killed_at_any_moment_leaves_a_database),
        ROUND(rows_of_a_locked_database_wait_and_are_written),
        ROUND(rows_of_a_database_that_stays_locked_are_counted_and_told),
        ROUND(a_live_run_drops_what_the_queue_cannot_hold_and_goes_on),
        ROUND(a_locked_database_at_the_start_says_so),
        ROUND(a_limit_on_file_size_is_told_and_leaves_a_sound_file),
        ROUND(a_full_disk_is_told_and_leaves_a_sound_file),
    };
    return cmocka_run_group_tests_name("store/batch", tests, NULL, NULL);
}
