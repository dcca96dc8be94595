/* What is done once, when no more rows come.
 *
 * Deliberately in plain SQL: it runs once a run, and reads as what it does. */
#include "finish.h"

#include <stddef.h>

#include "database.h"
#include "store/archive.h"

enum { BULK_FLOWS = 20000, BULK_SHARE = 4 };

/* Sessions of a run, and of a client in it; also what a deleted run finds its sessions by. Not in
 * schema.sql because it is built after the rows: an index kept up while rows come in costs several
 * times the rows themselves. */
static const struct {
    const char *name, *on;
} indexes[] = {
    {"flow_by_client", "flow (run_id, client_ip)"},
};

bool finish_is_bulk(int64_t flows, int64_t flows_before)
{
    return flows >= BULK_FLOWS && flows >= flows_before / BULK_SHARE;
}

static int for_each_index(sqlite3 *database, bool build)
{
    int result = SQLITE_OK;
    for (size_t i = 0; i < sizeof indexes / sizeof indexes[0] && result == SQLITE_OK; i++) {
        char buffer[160];
        struct text sql = text_over(buffer, sizeof buffer);
        if (build)
            text_format(&sql, "CREATE INDEX IF NOT EXISTS %s ON %s", indexes[i].name,
                        indexes[i].on);
        else
            text_format(&sql, "DROP INDEX IF EXISTS %s", indexes[i].name);
        result = database_run(database, buffer);
    }
    return result;
}

int finish_drop_indexes(sqlite3 *database)
{
    return for_each_index(database, false);
}

int finish_build_indexes(sqlite3 *database)
{
    return for_each_index(database, true);
}

/* Findings that came before their sessions; the others know them already. One pass over the run's
 * sessions, and none where every finding is connected. */
static int connect_flows(sqlite3 *database, int64_t run_id, int64_t flow_base)
{
    int64_t values[] = {run_id, flow_base}, unconnected = 0;
    int result =
        database_number_with(database,
                             "SELECT EXISTS (SELECT 1 FROM finding"
                             " WHERE run_id = ?1 AND flow_id IS NULL AND flow_number IS NOT NULL)",
                             values, 1, &unconnected);
    if (result != SQLITE_OK || !unconnected)
        return result;
    return database_run_with(
        database,
        "WITH wanted AS MATERIALIZED (SELECT id, number FROM flow WHERE id > ?2 AND +run_id = ?1"
        " AND number IN (SELECT flow_number FROM finding WHERE run_id = ?1 AND flow_id IS NULL))"
        " UPDATE finding SET flow_id = wanted.id FROM wanted"
        " WHERE finding.run_id = ?1 AND finding.flow_id IS NULL"
        " AND finding.flow_number = wanted.number",
        values, 2);
}

int finish_connect(sqlite3 *database, int64_t run_id, int64_t flow_base)
{
    int result = connect_flows(database, run_id, flow_base);
    if (result != SQLITE_OK)
        return result;
    return database_run_with(
        database,
        "UPDATE finding SET device_id = device.id FROM device"
        " WHERE finding.run_id = ?1 AND finding.device_id IS NULL AND finding.scope <> 'site'"
        " AND device.run_id = ?1 AND device.ip = finding.client_ip"
        " AND device.lane = finding.lane",
        &run_id, 1);
}

static int delete_run(sqlite3 *database, int64_t run_id)
{
    static const char *const deletions[] = {
        "DELETE FROM finding WHERE run_id = ?1", "DELETE FROM device WHERE run_id = ?1",
        "DELETE FROM flow WHERE run_id = ?1",
        "DELETE FROM run WHERE id = ?1", /* and by cascade what is left */
    };
    int result = SQLITE_OK;
    for (size_t i = 0; i < sizeof deletions / sizeof deletions[0] && result == SQLITE_OK; i++)
        result = database_run_with(database, deletions[i], &run_id, 1);
    return result;
}

int finish_replace(sqlite3 *database, int64_t run_id)
{
    static const char find[] =
        "SELECT old.id FROM run AS old, run AS new"
        " WHERE new.id = ?1 AND old.id <> new.id AND old.state <> 'running'"
        " AND new.kind = 'file' AND old.kind = 'file' AND old.options IS new.options"
        " AND CASE WHEN old.sha256 IS NOT NULL AND new.sha256 IS NOT NULL"
        " THEN old.sha256 = new.sha256 ELSE old.fingerprint = new.fingerprint END"
        " LIMIT 1";
    for (;;) {
        int64_t old = 0;
        int result = database_number_with(database, find, &run_id, 1, &old);
        if (result == SQLITE_OK && old != 0)
            result = delete_run(database, old);
        if (result != SQLITE_OK || old == 0)
            return result;
    }
}

static int write_skipped(struct row_writer *writer, const struct capture_quality *quality)
{
    int result = SQLITE_OK;
    for (int reason = SKIP_NONE + 1; reason < SKIP_COUNT && result == SQLITE_OK; reason++) {
        struct skipped_count row = {(enum skip_reason)reason, quality->skipped[reason]};
        if (row.count > 0)
            result = row_write(writer, ROW_SKIPPED, &row);
    }
    return result;
}

static int64_t amount(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static int64_t unless_zero(uint64_t value)
{
    return value ? amount(value) : ROW_NULL;
}

static const char *unless_empty(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

int finish_quality(struct row_writer *writer, const struct capture_quality *quality)
{
    const struct quality_fact facts[] = {
#define FACT(name, value, sentence, meaning) {#name, value, sentence},
#include "quality_fact.def"
#undef FACT
    };
    int result = write_skipped(writer, quality);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0] && result == SQLITE_OK; i++)
        result = row_write(writer, ROW_CAPTURE_QUALITY, &facts[i]);
    const struct quality_fact rare[] = {
        {"dns_answers_not_stored", writer->counts.dns_not_stored, NULL},
        {"dropped_queue", amount(quality->dropped_queue), NULL}};
    for (size_t i = 0; i < sizeof rare / sizeof rare[0] && result == SQLITE_OK; i++)
        if (rare[i].value > 0)
            result = row_write(writer, ROW_CAPTURE_QUALITY, &rare[i]);
    return result;
}
