/* A folder of its own for each test, sample rows, and questions to a database in plain SQL. */
#ifndef APNSCOPE_TESTS_UNIT_STORE_SAMPLE_H
#define APNSCOPE_TESTS_UNIT_STORE_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/archive.h"
#include "store/store.h"

/* ---- files ---- */

static inline int sample_setup(void **state)
{
    char *folder = strdup("/tmp/apnscope-store-XXXXXX");
    *state = folder && mkdtemp(folder) ? folder : NULL;
    return *state ? 0 : -1;
}

static inline void sample_empty(const char *folder)
{
    char path[512];
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (entries)
        closedir(entries);
}

static inline int sample_teardown(void **state)
{
    sample_empty(*state);
    rmdir(*state);
    free(*state);
    return 0;
}

/* "<folder>/<name>", until the next call but three. */
static inline const char *sample_path(void **state, const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", (const char *)*state, name);
    return path;
}

static inline size_t sample_files(void **state)
{
    size_t count = 0;
    DIR *entries = opendir(*state);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

static inline void sample_write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static inline char *sample_read_file(const char *path, size_t *size)
{
    struct stat facts;
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    assert_int_equal(fstat(fileno(file), &facts), 0);
    char *bytes = calloc(1, (size_t)facts.st_size + 1);
    *size = fread(bytes, 1, (size_t)facts.st_size, file);
    fclose(file);
    return bytes;
}

/* ---- SQL ---- */

static inline void sample_run_sql(const char *path, const char *sql)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    int result = sqlite3_exec(database, sql, NULL, NULL, NULL);
    if (result != SQLITE_OK)
        print_error("%s: %s\n", sql, sqlite3_errmsg(database));
    assert_int_equal(result, SQLITE_OK);
    sqlite3_close(database);
}

/* The first row, columns separated by '|', NULL as "NULL", until the next call; "" without a row.
 */
static inline const char *sample_ask(const char *path, const char *sql)
{
    static char answer[8192];
    sqlite3 *database;
    sqlite3_stmt *statement = NULL;
    answer[0] = '\0';
    assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    if (sqlite3_step(statement) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *text = (const char *)sqlite3_column_text(statement, i);
            size_t length = strlen(answer);
            snprintf(answer + length, sizeof answer - length, "%s%s", i ? "|" : "",
                     text ? text : "NULL");
        }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return answer;
}

static inline long long sample_count(const char *path, const char *sql)
{
    return strtoll(sample_ask(path, sql), NULL, 10);
}

/* ---- rows ---- */

#define SAMPLE_START INT64_C(1767225600000000000) /* 2026-01-01 */

static inline struct address sample_address(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static inline struct flow_record sample_flow(uint64_t number)
{
    struct flow_record flow = flow_record_blank();
    flow.number = number;
    flow.client_ip = sample_address("10.0.0.5");
    flow.server_ip = sample_address("17.57.144.10");
    flow.client_port = (uint16_t)(40000 + number % 20000);
    flow.server_port = 5223;
    flow.ip_version = 4;
    flow.role = ROLE_COURIER;
    flow.path = PATH_DIRECT;
    flow.outcome = OUTCOME_ESTABLISHED;
    flow.started_ns = SAMPLE_START + (int64_t)number * NS_PER_S;
    flow.last_ns = flow.started_ns + NS_PER_S;
    return flow;
}

static inline struct run_record sample_run(char mark)
{
    struct run_record run = {.source = "a.pcap",
                             .options = "home-net=default",
                             .tool_version = "0.1.0",
                             .first_ns = TIME_UNKNOWN,
                             .last_ns = TIME_UNKNOWN,
                             .state = RUN_COMPLETE};
    memset(run.sha256, mark, 64);
    return run;
}

static inline struct store *sample_open(const char *path, enum store_pressure pressure)
{
    struct store *store;
    struct fault fault = {""};
    if (!store_open(&store, path, pressure, &fault))
        fail_msg("%s", fault.sentence);
    return store;
}

static inline struct store *sample_begin(const char *path, const struct run_record *run)
{
    struct fault fault = {""};
    struct store *store = sample_open(path, STORE_WAIT);
    if (!store_begin(store, run, &fault))
        fail_msg("%s", fault.sentence);
    return store;
}

/* Finishes and closes; returns the run's id. */
static inline int64_t sample_end(struct store *store, const struct run_record *run)
{
    struct fault fault = {""};
    struct capture_quality quality = {.frames = 10};
    int64_t run_id = 0;
    if (!store_finish(store, run, &quality, &run_id, &fault))
        fail_msg("%s", fault.sentence);
    store_close(store);
    return run_id;
}

/* A whole run with flows 1 to `flows`. */
static inline int64_t sample_write(const char *path, const struct run_record *run, uint64_t flows)
{
    struct store *store = sample_begin(path, run);
    for (uint64_t number = 1; number <= flows; number++) {
        struct flow_record flow = sample_flow(number);
        store_flow(store, &flow);
    }
    return sample_end(store, run);
}

#endif
