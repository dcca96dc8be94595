/* Where a database may be and where not; what is not ours is left as it is. */
#include "store_sample.h"

#include <fcntl.h>

#include "store/database.h"
#include "store/location.h"

static void assert_write_refused(const char *path, const char *words)
{
    struct store *store;
    struct fault fault = {""};
    assert_false(store_open(&store, path, STORE_WAIT, &fault));
    assert_null(store);
    if (!strstr(fault.sentence, words))
        fail_msg("\"%s\" does not say \"%s\"", fault.sentence, words);
}

static void assert_read_refused(const char *path, const char *words)
{
    struct archive *archive;
    struct fault fault = {""};
    assert_false(archive_open(&archive, path, &fault));
    assert_null(archive);
    if (!strstr(fault.sentence, words))
        fail_msg("\"%s\" does not say \"%s\"", fault.sentence, words);
}

/* Refused by the writer and the reader, with every byte of it and its folder as before. */
static void assert_left_alone(void **state, const char *path, const char *words)
{
    size_t size, size_after, files = sample_files(state);
    char *before = sample_read_file(path, &size);
    assert_write_refused(path, words);
    assert_read_refused(path, words);
    char *after = sample_read_file(path, &size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    assert_int_equal(sample_files(state), files);
    free(before);
    free(after);
}

static void a_text_file_is_refused_unchanged(void **state)
{
    static const char text[] =
        "A letter of more than a hundred bytes, so that it is as long as the "
        "header of a database, and longer.\n";
    const char *path = sample_path(state, "letter.txt");
    sample_write_file(path, text, sizeof text - 1);
    assert_left_alone(state, path, "is not an apnscope database");
    sample_write_file(path, "x", 1);
    assert_left_alone(state, path, "is not an apnscope database");
}

static void a_foreign_database_is_refused_unchanged(void **state)
{
    const char *path = sample_path(state, "other.db");
    sample_run_sql(path, "CREATE TABLE t (x); INSERT INTO t VALUES (1);");
    assert_left_alone(state, path, "is not an apnscope database");
    sample_run_sql(path, "PRAGMA journal_mode = WAL; INSERT INTO t VALUES (2);");
    assert_left_alone(state, path, "is not an apnscope database");
}

static void a_newer_database_is_refused_unchanged(void **state)
{
    const char *path = sample_path(state, "newer.db");
    struct run_record run = sample_run('a');
    sample_write(path, &run, 3);
    sample_run_sql(path, "PRAGMA user_version = 99");
    assert_left_alone(state, path, "newer apnscope");
}

static void a_newer_version_in_the_log_is_seen(void **state)
{
    const char *path = sample_path(state, "newer.db");
    struct run_record run = sample_run('a');
    struct fault fault = {""};
    sqlite3 *other;
    sample_write(path, &run, 3);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    assert_true(location_inspect(path, &fault)); /* the header does not show it */
    assert_write_refused(path, "newer apnscope");
    assert_read_refused(path, "newer apnscope");
    sqlite3_close(other);
}

static void places_without_a_file_are_refused_by_name(void **state)
{
    assert_write_refused(*state, "is a folder");
    assert_read_refused(*state, "is a folder");
    assert_write_refused(sample_path(state, "no/such/a.db"), "there is no folder");
    assert_read_refused(sample_path(state, "none.db"), "there is no database");
    assert_int_equal(sample_files(state), 0);
    assert_write_refused("/dev/full", "not a regular file");
    assert_write_refused("", "is empty");
    const char *pipe_path = sample_path(state, "pipe");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_write_refused(pipe_path, "not a regular file");
}

static void an_empty_file_becomes_a_database(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    sample_write_file(path, "", 0);
    assert_read_refused(path, "is not an apnscope database");
    sample_write(path, &run, 3);
    assert_int_equal(sample_count(path, "SELECT count(*) FROM flow"), 3);
    assert_string_equal(sample_ask(path, "PRAGMA page_size"), "8192");
}

static void names_that_mean_something_to_sqlite_are_only_names(void **state)
{
    static const char *const names[] = {":memory:", "file:a.db?mode=memory", "a%20b.db",
                                        "c?d#e.db"};
    struct run_record run = sample_run('a');
    char folder[256];
    assert_non_null(getcwd(folder, sizeof folder));
    assert_int_equal(chdir(*state), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct stat facts;
        sample_write(names[i], &run, 2);
        assert_int_equal(stat(names[i], &facts), 0);
        assert_true(facts.st_size > 8192);
    }
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(sample_files(state), 4);
}

static void a_file_that_may_not_be_written_says_so(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    if (geteuid() == 0) {
        print_message("runs as root, who may write everything: not tested\n");
        skip();
    }
    sample_write(path, &run, 2);
    assert_int_equal(chmod(path, 0400), 0);
    assert_write_refused(path, "cannot write database");
}

static void a_damaged_database_says_so(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    size_t size;
    sample_write(path, &run, 2000);
    char *bytes = sample_read_file(path, &size);
    assert_in_range(size, 8100, SIZE_MAX);
    for (size_t at = 100; at < 8100; at++) /* the schema */
        bytes[at] = (char)0xee;
    sample_write_file(path, bytes, size);
    free(bytes);
    assert_write_refused(path, "it is damaged");
    assert_read_refused(path, "it is damaged");
}

#define ROUND(test) cmocka_unit_test_setup_teardown(test, sample_setup, sample_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROUND(a_text_file_is_refused_unchanged),
        ROUND(a_foreign_database_is_refused_unchanged),
        ROUND(a_newer_database_is_refused_unchanged),
        ROUND(a_newer_version_in_the_log_is_seen),
        ROUND(places_without_a_file_are_refused_by_name),
        ROUND(an_empty_file_becomes_a_database),
        ROUND(names_that_mean_something_to_sqlite_are_only_names),
        ROUND(a_file_that_may_not_be_written_says_so),
        ROUND(a_damaged_database_says_so),
    };
    return cmocka_run_group_tests_name("store/location", tests, NULL, NULL);
}
