/* Orders of a live run, carried out by the writer's thread.
 *
 * Deletes a bounded number of rows at a time: a database that has grown for months is brought back
 * within its limits over minutes, and nobody waits for it. Deliberately does not make the file
 * smaller: pages that were freed take the next rows. */
#include "upkeep.h"

#include "database.h"
#include "finish.h"

enum {
    ROWS_LOOKED_AT = 20000, /* sessions, an order */
    ROWS_AWAY = 2000        /* the oldest sessions, an order, where the file is too large */
};

static int withdraw(struct row_writer *writer, uint64_t number)
{
    int64_t id = writer->context.finding_base + (int64_t)number;
    return database_run_with(writer->database, "DELETE FROM finding WHERE id = ?1", &id, 1);
}

/* Sessions are numbered in the order in which they came, which is nearly that of their age: each
 * order looks at the next few thousand, and begins anew behind the last. */
static int delete_old_sessions(struct row_writer *writer, int64_t before_ns)
{
    int64_t last = INT64_MAX;
    int64_t values[] = {writer->retain_from, ROWS_LOOKED_AT, before_ns};
    int result = database_number_with(
        writer->database,
        "SELECT coalesce(max(id), 0) FROM (SELECT id FROM flow WHERE id > ?1 ORDER BY id LIMIT ?2)",
        values, 2, &last);
    if (result == SQLITE_OK)
        result = database_run_with(writer->database,
                                   "DELETE FROM flow WHERE id IN (SELECT id FROM"
                                   " (SELECT id, last_ns FROM flow WHERE id > ?1 ORDER BY id LIMIT "
                                   "?2) WHERE last_ns < ?3)",
                                   values, 3);
    writer->retain_from = last;
    return result;
}

/* Where the run has as many answers as it may have, those that were deleted give room to new ones.
 */
static int recount_dns_rows(struct row_writer *writer)
{
    int64_t run_id = writer->context.run_id;
    if (writer->counts.dns_rows < DNS_ROWS_MAX)
        return SQLITE_OK;
    return database_number_with(writer->database,
                                "SELECT count(*) FROM dns_answer WHERE run_id = ?1", &run_id, 1,
                                &writer->counts.dns_rows);
}

static int delete_old(struct row_writer *writer, int64_t before_ns)
{
    static const char *const deletions[] = {
        "DELETE FROM finding WHERE last_ns < ?1",
        "DELETE FROM device WHERE last_ns < ?1",
        "DELETE FROM dns_answer WHERE last_ns < ?1",
        "DELETE FROM attempts WHERE minute_ns < ?1",
        ("DELETE FROM run WHERE last_ns < ?1 AND state <> 'running'"
         " AND NOT EXISTS (SELECT 1 FROM flow WHERE flow.run_id = run.id)"),
    };
    int result = delete_old_sessions(writer, before_ns);
    for (size_t i = 0; i < sizeof deletions / sizeof deletions[0] && result == SQLITE_OK; i++)
        result = database_run_with(writer->database, deletions[i], &before_ns, 1);
    return result == SQLITE_OK ? recount_dns_rows(writer) : result;
}

static int bytes_in_use(sqlite3 *database, int64_t *bytes)
{
    return database_number(database,
                           "SELECT (page_count - freelist_count) * page_size FROM"
                           " pragma_page_count, pragma_freelist_count, pragma_page_size",
                           bytes);
}

static int delete_oldest(struct row_writer *writer, int64_t bytes_max)
{
    int64_t bytes = 0, rows = ROWS_AWAY;
    int result = bytes_in_use(writer->database, &bytes);
    if (result != SQLITE_OK || bytes <= bytes_max)
        return result;
    return database_run_with(
        writer->database, "DELETE FROM flow WHERE id IN (SELECT id FROM flow ORDER BY id LIMIT ?1)",
        &rows, 1);
}

int upkeep_carry_out(struct row_writer *writer, const struct upkeep_order *order)
{
    int result = SQLITE_OK;
    switch (order->what) {
    case UPKEEP_QUALITY:
        return finish_quality(writer, &order->is.quality);
    case UPKEEP_WITHDRAW:
        return withdraw(writer, order->is.finding_number);
    case UPKEEP_RETAIN:
        if (order->is.retain.before_ns != INT64_MIN)
            result = delete_old(writer, order->is.retain.before_ns);
        if (result == SQLITE_OK && order->is.retain.bytes_max > 0)
            result = delete_oldest(writer, order->is.retain.bytes_max);
        return result;
    }
    return result;
}
