/* The tables of the database, from the .def files.
 *
 * Deliberately knows no values: binding is row_writer.c's work, reading archive.c's. */
#include "catalogue.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define COLUMN(type, name, value, meaning) {COLUMN_##type, #name, meaning},
static const struct column run_columns[] = {
#include "run.def"
};
static const struct column flow_columns[] = {
#include "flow.def"
};
static const struct column device_columns[] = {
#include "device.def"
};
static const struct column finding_columns[] = {
#include "finding.def"
};
static const struct column step_columns[] = {
#include "step.def"
};
static const struct column requirement_columns[] = {
#include "requirement.def"
};
static const struct column dns_answer_columns[] = {
#include "dns_answer.def"
};
static const struct column attempts_columns[] = {
#include "attempts.def"
};
static const struct column skipped_columns[] = {
#include "skipped.def"
};
static const struct column capture_quality_columns[] = {
#include "capture_quality.def"
};
#undef COLUMN

#define TABLE(table, same, sorted, meaning)                                                        \
    {                                                                                              \
#table, meaning, same, sorted, table##_columns,                                            \
            sizeof table##_columns / sizeof(struct column)                                         \
    }

const struct table_description table_descriptions[ROW_KIND_COUNT] = {
    [ROW_RUN] = TABLE(run, "id", "id", "One analysis: of capture files, or of interfaces."),
    [ROW_FLOW] = TABLE(flow, "id", "id",
                       "One TCP session with APNs, or one attempt at it. Up is from the client to "
                       "the server, down the other way."),
    [ROW_DEVICE] =
        TABLE(device, "run_id, ip, lane", "id", "One client, and whether APNs works for it."),
    [ROW_FINDING] = TABLE(finding, "id", "id", "One thing found, with its evidence."),
    [ROW_STEP] =
        TABLE(step, NULL, "flow_id, number",
              "Packets of sessions, for drawing: the first and last ones of sessions that "
              "failed or that a finding rests on, and of one healthy session of each kind. "
              "A bounded choice, not every packet."),
    [ROW_REQUIREMENT] = TABLE(requirement, "run_id, code", "run_id, code",
                              "The audit table: what APNs needs, and what was observed."),
    [ROW_DNS_ANSWER] = TABLE(dns_answer, NULL, "id",
                             "DNS answers for push names; equal ones are one row. At most 100,000 "
                             "rows a run; what is beyond is counted in `capture_quality` as "
                             "`dns_answers_not_stored`."),
    [ROW_ATTEMPTS] = TABLE(attempts, "run_id, server_prefix, server_port, outcome, minute_ns", "id",
                           "Half-open attempts beyond the flow table's cap, as sums: a flood is "
                           "not rows of `flow`."),
    [ROW_SKIPPED] = TABLE(skipped, "run_id, reason", "run_id, rowid",
                          "Frames that were not analysed, by reason."),
    [ROW_CAPTURE_QUALITY] = TABLE(capture_quality, "run_id, name", "run_id, rowid",
                                  "What the capture itself can support, one fact per row."),
};

const struct fact_description fact_descriptions[] = {
#define FACT(name, value, sentence, meaning) {#name, meaning},
#include "quality_fact.def"
#undef FACT
    {"dns_answers_not_stored",
     "DNS answers beyond the cap of `dns_answer`; present only where some"},
    {"dropped_queue",
     "frames of a live run that apnscope itself had no room for; present only where some"},
};
const size_t fact_description_count = sizeof fact_descriptions / sizeof fact_descriptions[0];

/* What later schemas brought; a column NULL: the whole table. */
static const struct {
    enum row_kind kind;
    const char *column;
    int64_t since;
} late[] = {
    {ROW_STEP, NULL, 2},
    {ROW_FLOW, "silence_survived_s", 2},
    {ROW_FLOW, "silence_lethal_s", 2},
};

bool catalogue_has_table(enum row_kind kind, int64_t version)
{
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++)
        if (late[i].kind == kind && !late[i].column && version < late[i].since)
            return false;
    return true;
}

bool catalogue_has_column(enum row_kind kind, const char *name, int64_t version)
{
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++)
        if (late[i].kind == kind && late[i].column && strcmp(late[i].column, name) == 0 &&
            version < late[i].since)
            return false;
    return true;
}

static void add_update(const struct table_description *table, struct text *sql)
{
    const char *separator = " DO UPDATE SET ";
    text_format(sql, " ON CONFLICT (%s)", table->same_row);
    for (size_t i = 0; i < table->column_count; i++) {
        const char *name = table->columns[i].name;
        bool adds = table->columns[i].type == COLUMN_total;
        if (i == 0 && strcmp(name, "id") == 0)
            continue; /* the row keeps its number */
        text_format(sql, "%s%s = %s%s%s", separator, name, adds ? name : "", adds ? " + " : "",
                    "excluded.");
        text_add(sql, name);
        separator = ", ";
    }
}

void catalogue_insert(const struct table_description *table, struct text *sql)
{
    text_format(sql, "INSERT INTO %s (", table->name);
    for (size_t i = 0; i < table->column_count; i++)
        text_format(sql, "%s%s", i ? ", " : "", table->columns[i].name);
    text_add(sql, ") VALUES (");
    for (size_t i = 0; i < table->column_count; i++)
        text_add(sql, i ? ", ?" : "?");
    text_add(sql, ")");
    assert(!sql->cut);
}

void catalogue_upsert(const struct table_description *table, struct text *sql)
{
    catalogue_insert(table, sql);
    if (table->same_row)
        add_update(table, sql);
    assert(!sql->cut);
}

void catalogue_select(enum row_kind kind, int64_t version, struct text *sql)
{
    const struct table_description *table = &table_descriptions[kind];
    const char *separator = "SELECT ";
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].type >= COLUMN_hidden_integer)
            continue;
        bool has_column = catalogue_has_column(kind, table->columns[i].name, version);
        text_format(sql, "%s%s", separator, has_column ? table->columns[i].name : "NULL");
        separator = ", ";
    }
    text_format(sql, " FROM %s", table->name);
    assert(!sql->cut);
}
