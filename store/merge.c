/* Runs of other databases copied into one, with new ids.
 *
 * For `apnscope merge`. Each input is read as of one moment and copied in one transaction, table by
 * table, column by column from the catalogue; only ids change. A run that is already there (the
 * same file, options and site) is left out. Deliberately judges nothing anew: what a run concluded
 * stays what it concluded. */
#include <stdio.h>
#include <string.h>

#include "catalogue.h"
#include "database.h"
#include "finish.h"
#include "store/store.h"

/* What is added to the ids of a run's rows. */
struct shift {
    int64_t old_run, new_run;
    int64_t flow, device, finding;
    int64_t flow_base, device_base, finding_base; /* of the new run */
};

struct merge {
    sqlite3 *from, *into;
    int64_t from_version;
    struct store_merged *merged;
};

/* ---- one row ---- */

static int bind_shifted(sqlite3_stmt *insert, int place, sqlite3_stmt *select, int64_t by)
{
    if (sqlite3_column_type(select, place - 1) == SQLITE_NULL)
        return sqlite3_bind_null(insert, place);
    return sqlite3_bind_int64(insert, place, sqlite3_column_int64(select, place - 1) + by);
}

static int bind_id(sqlite3_stmt *insert, int place, sqlite3_stmt *select, enum row_kind kind,
                   const struct shift *shift)
{
    switch (kind) {
    case ROW_RUN:
        return sqlite3_bind_int64(insert, place, shift->new_run);
    case ROW_FLOW:
        return bind_shifted(insert, place, select, shift->flow);
    case ROW_DEVICE:
        return bind_shifted(insert, place, select, shift->device);
    case ROW_FINDING:
        return bind_shifted(insert, place, select, shift->finding);
    default:
        return sqlite3_bind_null(insert, place); /* SQLite gives one */
    }
}

static int bind_column(sqlite3_stmt *insert, int place, sqlite3_stmt *select, enum row_kind kind,
                       const struct shift *shift)
{
    const char *name = table_descriptions[kind].columns[place - 1].name;
    if (strcmp(name, "id") == 0)
        return bind_id(insert, place, select, kind, shift);
    if (strcmp(name, "run_id") == 0)
        return sqlite3_bind_int64(insert, place, shift->new_run);
    if (strcmp(name, "flow_id") == 0)
        return bind_shifted(insert, place, select, shift->flow);
    if (strcmp(name, "device_id") == 0)
        return bind_shifted(insert, place, select, shift->device);
    if (strcmp(name, "flow_base") == 0)
        return sqlite3_bind_int64(insert, place, shift->flow_base);
    if (strcmp(name, "device_base") == 0)
        return sqlite3_bind_int64(insert, place, shift->device_base);
    if (strcmp(name, "finding_base") == 0)
        return sqlite3_bind_int64(insert, place, shift->finding_base);
    return sqlite3_bind_value(insert, place, sqlite3_column_value(select, place - 1));
}

/* ---- one table ---- */

static int prepare(const struct merge *merge, enum row_kind kind, sqlite3_stmt **select,
                   sqlite3_stmt **insert)
{
    const struct table_description *table = &table_descriptions[kind];
    char buffer[CATALOGUE_SQL_SIZE];
    struct text sql = text_over(buffer, sizeof buffer);
    text_add(&sql, "SELECT ");
    for (size_t i = 0; i < table->column_count; i++)
        text_format(&sql, "%s%s", i ? ", " : "",
                    catalogue_has_column(kind, table->columns[i].name, merge->from_version)
                        ? table->columns[i].name
                        : "NULL");
    text_format(&sql, " FROM %s WHERE %s = ?1 ORDER BY %s", table->name,
                kind == ROW_RUN ? "id" : "+run_id", table->order);
    int result = sqlite3_prepare_v2(merge->from, buffer, -1, select, NULL);
    sql = text_over(buffer, sizeof buffer);
    catalogue_upsert(table, &sql);
    if (result == SQLITE_OK)
        result = sqlite3_prepare_v2(merge->into, buffer, -1, insert, NULL);
    return result;
}

static int copy_rows(enum row_kind kind, const struct shift *shift, sqlite3_stmt *select,
                     sqlite3_stmt *insert)
{
    int columns = (int)table_descriptions[kind].column_count, result;
    sqlite3_bind_int64(select, 1, shift->old_run);
    while ((result = sqlite3_step(select)) == SQLITE_ROW) {
        for (int place = 1; place <= columns; place++)
            if ((result = bind_column(insert, place, select, kind, shift)) != SQLITE_OK)
                return result;
        if ((result = sqlite3_step(insert)) != SQLITE_DONE)
            return result;
        sqlite3_reset(insert);
    }
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int copy_table(const struct merge *merge, enum row_kind kind, const struct shift *shift)
{
    sqlite3_stmt *select = NULL, *insert = NULL;
    if (!catalogue_has_table(kind, merge->from_version))
        return SQLITE_OK;
    int result = prepare(merge, kind, &select, &insert);
    if (result == SQLITE_OK)
        result = copy_rows(kind, shift, select, insert);
    sqlite3_finalize(select);
    sqlite3_finalize(insert);
    return result;
}

/* ---- one run ---- */

static int find_shift(const struct merge *merge, int64_t run_id, struct shift *shift)
{
    struct {
        const char *highest, *old;
        int64_t *base, *by;
    } ids[] = {{"SELECT max(coalesce(max(id), 0), (SELECT coalesce(max(flow_base), 0) FROM run))"
                " FROM flow",
                "SELECT flow_base FROM run WHERE id = ?1", &shift->flow_base, &shift->flow},
               {"SELECT max(coalesce(max(id), 0), (SELECT coalesce(max(device_base), 0) FROM run))"
                " FROM device",
                "SELECT device_base FROM run WHERE id = ?1", &shift->device_base, &shift->device},
               {"SELECT max(coalesce(max(id), 0), (SELECT coalesce(max(finding_base), 0) FROM run))"
                " FROM finding",
                "SELECT finding_base FROM run WHERE id = ?1", &shift->finding_base,
                &shift->finding}};
    shift->old_run = run_id;
    int result =
        database_number(merge->into, "SELECT coalesce(max(id), 0) + 1 FROM run", &shift->new_run);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0] && result == SQLITE_OK; i++) {
        int64_t old = 0;
        result = database_number(merge->into, ids[i].highest, ids[i].base);
        if (result == SQLITE_OK)
            result = database_number_with(merge->from, ids[i].old, &run_id, 1, &old);
        *ids[i].by = *ids[i].base - old;
    }
    return result;
}

/* The run's marks, as one text that two databases can compare. */
static int marks_of(sqlite3 *database, int64_t run_id, char marks[512])
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(
        database,
        "SELECT kind || '|' || coalesce(sha256, fingerprint, source, '') || '|' ||"
        " coalesce(options, '') || '|' || coalesce(site, '') || '|' || coalesce(sensor, '') ||"
        " '|' || coalesce(first_ns, '') || '|' || coalesce(last_ns, '') FROM run WHERE id = ?1",
        -1, &statement, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(statement, 1, run_id);
    if (result == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        snprintf(marks, 512, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return result;
}

static int is_there(const struct merge *merge, int64_t run_id, bool *is_known)
{
    char wanted[512] = "", marks[512] = "";
    int64_t other = 0;
    int result = marks_of(merge->from, run_id, wanted);
    *is_known = false;
    while (result == SQLITE_OK && !*is_known) {
        int64_t next = 0;
        result = database_number_with(merge->into, "SELECT min(id) FROM run WHERE id > ?1", &other,
                                      1, &next);
        if (result != SQLITE_OK || next <= other)
            break;
        other = next;
        result = marks_of(merge->into, other, marks);
        *is_known = strcmp(marks, wanted) == 0;
    }
    return result;
}

static int merge_run(const struct merge *merge, int64_t run_id)
{
    static const enum row_kind order[] = {
        ROW_RUN,         ROW_FLOW,       ROW_DEVICE,   ROW_FINDING, ROW_STEP,
        ROW_REQUIREMENT, ROW_DNS_ANSWER, ROW_ATTEMPTS, ROW_SKIPPED, ROW_CAPTURE_QUALITY};
    struct shift shift;
    bool is_known;
    int result = is_there(merge, run_id, &is_known);
    if (result == SQLITE_OK && is_known) {
        merge->merged->already_there++;
        return SQLITE_OK;
    }
    if (result == SQLITE_OK)
        result = find_shift(merge, run_id, &shift);
    for (size_t i = 0; i < sizeof order / sizeof order[0] && result == SQLITE_OK; i++)
        result = copy_table(merge, order[i], &shift);
    merge->merged->runs += result == SQLITE_OK;
    return result;
}

/* ---- one database ---- */

static int merge_runs(const struct merge *merge)
{
    int64_t run_id = 0;
    int result = database_run(merge->into, "BEGIN IMMEDIATE");
    while (result == SQLITE_OK) {
        int64_t next = 0;
        result = database_number_with(
            merge->from, "SELECT min(id) FROM run WHERE id > ?1 AND state <> 'running'", &run_id, 1,
            &next);
        if (result != SQLITE_OK || next <= run_id)
            break;
        run_id = next;
        result = merge_run(merge, run_id);
    }
    if (result == SQLITE_OK)
        result = finish_build_indexes(merge->into);
    if (result == SQLITE_OK)
        result = database_run(merge->into, "COMMIT");
    return result;
}

static bool merge_file(sqlite3 *into, const char *into_path, const char *path,
                       struct store_merged *merged, struct fault *fault)
{
    struct merge merge = {.into = into, .merged = merged};
    struct store_merged before = *merged;
    if (!database_open_to_read(&merge.from, path, fault))
        return false;
    bool is_read =
        database_run(merge.from, "BEGIN") == SQLITE_OK &&
        database_number(merge.from, "PRAGMA user_version", &merge.from_version) == SQLITE_OK;
    int64_t running = 0;
    is_read =
        is_read && database_number(merge.from, "SELECT count(*) FROM run WHERE state = 'running'",
                                   &running) == SQLITE_OK;
    bool done = is_read && merge_runs(&merge) == SQLITE_OK;
    if (!done) {
        bool is_ours = !is_read || sqlite3_errcode(merge.from) != SQLITE_OK;
        *merged = before;
        (void)database_fault(fault, is_ours ? "read" : "write", is_ours ? path : into_path,
                             is_ours ? merge.from : into);
        database_undo(into);
    } else {
        merged->still_running += (uint64_t)running;
    }
    database_undo(merge.from);
    sqlite3_close(merge.from);
    return done;
}

bool store_merge(const char *into_path, const char *const *paths, size_t path_count,
                 struct store_merged *merged, struct fault *fault)
{
    sqlite3 *into;
    int64_t running = 0;
    *merged = (struct store_merged){0};
    if (!database_open_to_write(&into, into_path, fault))
        return false;
    bool done = true;
    if (database_number(into, "SELECT count(*) FROM run WHERE state = 'running'", &running) !=
        SQLITE_OK)
        done = database_fault(fault, "read", into_path, into);
    else if (running)
        done = fault_set(fault,
                         "database \"%s\" is being written by another run; merge into it "
                         "when that is done",
                         into_path);
    for (size_t i = 0; i < path_count && done; i++)
        done = merge_file(into, into_path, paths[i], merged, fault);
    if (done)
        (void)database_run(into, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(into);
    return done;
}
