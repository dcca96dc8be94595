/* The reader: a SELECT per table from the same .def files that the writer binds from.
 *
 * All reads of one archive see one moment of the database, also while a run is being written.
 * Deliberately computes nothing: sums and judgements are report/'s. */
#include "store/archive.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue.h"
#include "database.h"

struct archive {
    sqlite3 *database;
    int64_t version; /* of its schema */
    char *path;
};

bool archive_open(struct archive **out, const char *path, struct fault *fault)
{
    int64_t runs = 0, version = 0;
    sqlite3 *database;
    *out = NULL;
    if (!database_open_to_read(&database, path, fault))
        return false;
    /* The first read after BEGIN fixes the moment. */
    if (database_run(database, "BEGIN") != SQLITE_OK ||
        database_number(database, "SELECT count(*) FROM run", &runs) != SQLITE_OK ||
        database_number(database, "PRAGMA user_version", &version) != SQLITE_OK) {
        (void)database_fault(fault, "read", path, database);
        sqlite3_close(database);
        return false;
    }
    struct archive *archive = calloc(1, sizeof *archive);
    assert(archive);
    archive->database = database;
    archive->version = version;
    archive->path = strdup(path);
    assert(archive->path);
    *out = archive;
    return true;
}

void archive_close(struct archive *archive)
{
    if (!archive)
        return;
    database_undo(archive->database);
    sqlite3_close(archive->database);
    free(archive->path);
    free(archive);
}

static int64_t number_at(sqlite3_stmt *statement, int column)
{
    int64_t value = sqlite3_column_int64(statement, column); /* of NULL: 0 */
    return value || sqlite3_column_type(statement, column) != SQLITE_NULL ? value : ROW_NULL;
}

static const char *text_at(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

/* ---- which rows ---- */

/* How a table's rows lie in time; NULL: they do not. */
static const struct {
    const char *first, *last;
} spans[ROW_KIND_COUNT] = {
    [ROW_FLOW] = {"coalesce(started_ns, last_ns)", "last_ns"},
    [ROW_DEVICE] = {"coalesce(first_ns, last_ns)", "last_ns"},
    [ROW_FINDING] = {"first_ns", "last_ns"},
    [ROW_STEP] = {"(SELECT coalesce(started_ns, last_ns) FROM flow WHERE flow.id = flow_id)",
                  "(SELECT last_ns FROM flow WHERE flow.id = flow_id)"},
    [ROW_DNS_ANSWER] = {"first_ns", "last_ns"},
    [ROW_ATTEMPTS] = {"minute_ns", "minute_ns + 59999999999"},
};

static bool is_given(int64_t value)
{
    return value != 0 && value != ROW_NULL;
}

/* The runs asked for, as SQL; NULL: every run. */
static const char *one_run(const struct archive_range *range)
{
    if (is_given(range->run_id))
        return "?1";
    return range->site || range->all_runs ? NULL : "(SELECT max(id) FROM run)";
}

/* A run's sessions lie between its flow_base and the next one's; so they are read in the order of
 * ids from where they begin, and not through an index and a sort. */
static void add_id_bounds(struct text *sql, const char *run)
{
    text_format(sql, " AND id > (SELECT flow_base FROM run WHERE id = %s)", run);
    text_format(sql,
                " AND id <= coalesce((SELECT min(later.flow_base) FROM run AS own, run AS later"
                " WHERE own.id = %s AND later.flow_base > own.flow_base), %lld)",
                run, (long long)INT64_MAX);
}

/* Parameters: ?1 run, ?2 site, ?3 since, ?4 until, ?5 session. The sign keeps SQLite off the index.
 */
static void add_conditions(struct text *sql, enum row_kind kind, const struct archive_range *range)
{
    const char *column = kind == ROW_RUN ? "id" : "+run_id";
    const char *run = one_run(range);
    text_add(sql, " WHERE 1");
    if (kind == ROW_STEP && is_given(range->flow_id)) {
        text_format(sql, " AND flow_id = ?5 ORDER BY %s", table_descriptions[kind].order);
        return;
    }
    if (run)
        text_format(sql, " AND %s = %s", column, run);
    if (run && kind == ROW_FLOW)
        add_id_bounds(sql, run);
    if (range->site)
        text_format(sql, " AND %s IN (SELECT id FROM run WHERE site = ?2)", column);
    if (spans[kind].first && is_given(range->since_ns))
        text_format(sql, " AND %s >= ?3", spans[kind].last);
    if (spans[kind].first && is_given(range->until_ns))
        text_format(sql, " AND %s <= ?4", spans[kind].first);
    text_format(sql, " ORDER BY %s", table_descriptions[kind].order);
}

static sqlite3_stmt *prepare(struct archive *archive, enum row_kind kind,
                             const struct archive_range *range, bool chosen[CATALOGUE_COLUMNS_MAX])
{
    static const struct archive_range newest;
    char buffer[CATALOGUE_SQL_SIZE];
    struct text sql = text_over(buffer, sizeof buffer);
    sqlite3_stmt *statement = NULL;
    range = range ? range : &newest;
    catalogue_choose(kind, archive->version, range->is_brief, range->columns, chosen);
    catalogue_select(kind, chosen, &sql);
    add_conditions(&sql, kind, range);
    assert(!sql.cut);
    if (sqlite3_prepare_v2(archive->database, buffer, -1, &statement, NULL) != SQLITE_OK)
        return NULL;
    /* Parameters that the statement lacks are out of range: no harm. */
    sqlite3_bind_int64(statement, 1, range->run_id);
    sqlite3_bind_text(statement, 2, range->site, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, range->since_ns);
    sqlite3_bind_int64(statement, 4, range->until_ns);
    sqlite3_bind_int64(statement, 5, range->flow_id);
    return statement;
}

/* ---- the rows ---- */

#define NUMBER(name)                       row.name = chosen[place++] ? number_at(statement, column++) : ROW_NULL;
#define TEXT(name)                         row.name = chosen[place++] ? text_at(statement, column++) : NULL;
#define VALUE_integer(name)                NUMBER(name)
#define VALUE_total(name)                  NUMBER(name)
#define VALUE_text(name)                   TEXT(name)
#define VALUE_name(name)                   TEXT(name)
#define VALUE_address(name)                TEXT(name)
#define VALUE_mac(name)                    TEXT(name)
#define VALUE_hidden_integer(name)         place++;
#define VALUE_hidden_text(name)            place++;
#define COLUMN(type, name, value, meaning) VALUE_##type(name)

/* Opens and ends each reading function; between them stand the columns. */
#define READ_BEGIN(function, row_type, kind)                                                       \
    bool archive_##function(struct archive *archive, const struct archive_range *range,            \
                            bool (*each)(void *context, const struct row_type *row),               \
                            void *context, struct fault *fault)                                    \
    {                                                                                              \
        if (!catalogue_has_table(kind, archive->version))                                          \
            return true;                                                                           \
        bool chosen[CATALOGUE_COLUMNS_MAX];                                                        \
        sqlite3_stmt *statement = prepare(archive, kind, range, chosen);                           \
        int result = statement ? SQLITE_ROW : SQLITE_ERROR;                                        \
        while (statement && (result = sqlite3_step(statement)) == SQLITE_ROW) {                    \
            struct row_type row = {0};                                                             \
            int place = 0, column = 0;
#define READ_END                                                                                   \
    if (!each(context, &row))                                                                      \
        break;                                                                                     \
    }                                                                                              \
    bool read = result == SQLITE_ROW || result == SQLITE_DONE;                                     \
    if (!read || !statement)                                                                       \
        read = database_fault(fault, "read", archive->path, archive->database);                    \
    sqlite3_finalize(statement);                                                                   \
    return read;                                                                                   \
    }

/* The columns stand where statements would. */
/* clang-format off */
READ_BEGIN(runs, run_row, ROW_RUN)
#include "run.def"
READ_END

READ_BEGIN(flows, flow_row, ROW_FLOW)
#include "flow.def"
READ_END

READ_BEGIN(devices, device_row, ROW_DEVICE)
#include "device.def"
READ_END

READ_BEGIN(findings, finding_row, ROW_FINDING)
#include "finding.def"
READ_END

READ_BEGIN(steps, step_row, ROW_STEP)
#include "step.def"
READ_END

READ_BEGIN(requirements, requirement_row, ROW_REQUIREMENT)
#include "requirement.def"
READ_END

READ_BEGIN(quality, quality_row, ROW_CAPTURE_QUALITY)
#include "capture_quality.def"
READ_END

READ_BEGIN(skipped, skipped_row, ROW_SKIPPED)
#include "skipped.def"
READ_END

READ_BEGIN(dns, dns_row, ROW_DNS_ANSWER)
#include "dns_answer.def"
READ_END

READ_BEGIN(attempts, attempts_row, ROW_ATTEMPTS)
#include "attempts.def"
READ_END
/* clang-format on */
