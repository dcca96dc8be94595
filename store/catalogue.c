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

/* What summaries speak of, of the tables that may be long; of the others, everything. */
static const struct {
    enum row_kind kind;
    const char *columns[20];
} briefs[] = {
    {ROW_FLOW, {"run_id", "server_port", "role", "path", "outcome", "hops_server"}},
    {ROW_DEVICE, {"run_id", "ip", "role", "verdict"}},
    {ROW_FINDING,
     {"id", "run_id", "code", "severity", "confidence", "scope", "device_id", "flow_id",
      "client_ip", "server_ip", "server_port", "first_ns", "last_ns", "count", "summary",
      "blocker_ip", "blocker_hops", "evidence"}},
};

static bool is_in_brief(enum row_kind kind, const char *name)
{
    bool is_long = false;
    for (size_t i = 0; i < sizeof briefs / sizeof briefs[0]; i++)
        for (size_t j = 0; briefs[i].kind == kind && briefs[i].columns[j]; j++) {
            if (strcmp(briefs[i].columns[j], name) == 0)
                return true;
            is_long = true;
        }
    return !is_long;
}

static bool is_among(const char *const *columns, const char *name)
{
    while (*columns && strcmp(*columns, name) != 0)
        columns++;
    return *columns != NULL;
}

void catalogue_choose(enum row_kind kind, int64_t version, bool is_brief,
                      const char *const *columns, bool chosen[CATALOGUE_COLUMNS_MAX])
{
    const struct table_description *table = &table_descriptions[kind];
    assert(table->column_count <= CATALOGUE_COLUMNS_MAX);
    for (size_t i = 0; i < table->column_count; i++)
        chosen[i] = table->columns[i].type < COLUMN_hidden_integer &&
                    catalogue_has_column(kind, table->columns[i].name, version) &&
                    (!is_brief || is_in_brief(kind, table->columns[i].name)) &&
                    (!columns || is_among(columns, table->columns[i].name));
}

void catalogue_select(enum row_kind kind, const bool chosen[CATALOGUE_COLUMNS_MAX],
                      struct text *sql)
{
    const struct table_description *table = &table_descriptions[kind];
    const char *separator = "SELECT ";
    for (size_t i = 0; i < table->column_count; i++) {
        if (!chosen[i])
            continue;
        text_format(sql, "%s%s", separator, table->columns[i].name);
        separator = ", ";
    }
    assert(separator[0] == ','); /* something was chosen */
    text_format(sql, " FROM %s", table->name);
    assert(!sql->cut);
}
