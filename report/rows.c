/* The published tables as data, so that CSV, JSON and copies walk columns instead of naming them.
 *
 * Between the archive's typed rows and the writers that give whole tables away. Deliberately does
 * not interpret anything: what a column means is the view's business. Columns stand in the order
 * of the database (docs/schema.md). */
#include "rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ROW is the row's struct while its columns are listed. */
#define TEXT(column)                                                                               \
    {                                                                                              \
#column, offsetof(ROW, column), true, false                                                \
    }
#define INTEGER(column)                                                                            \
    {                                                                                              \
#column, offsetof(ROW, column), false, false                                               \
    }
#define JSON(column)                                                                               \
    {                                                                                              \
#column, offsetof(ROW, column), true, true                                                 \
    }

#define ROW struct run_row
static const struct row_column runs_columns[] = {INTEGER(id),
                                                 TEXT(kind),
                                                 TEXT(site),
                                                 TEXT(sensor),
                                                 TEXT(source),
                                                 TEXT(sha256),
                                                 TEXT(tool_version),
                                                 TEXT(options),
                                                 INTEGER(first_ns),
                                                 INTEGER(last_ns),
                                                 INTEGER(packets),
                                                 INTEGER(bytes),
                                                 INTEGER(packets_dropped),
                                                 TEXT(state),
                                                 TEXT(fingerprint),
                                                 INTEGER(source_size),
                                                 TEXT(libraries),
                                                 TEXT(capture_notes),
                                                 TEXT(damage),
                                                 INTEGER(analyzed_ns),
                                                 INTEGER(stored_ns),
                                                 INTEGER(interrupted_ns)};
#undef ROW

#define ROW struct flow_row
static const struct row_column flows_columns[] = {INTEGER(id),
                                                  INTEGER(run_id),
                                                  TEXT(client_ip),
                                                  INTEGER(client_port),
                                                  TEXT(client_mac),
                                                  TEXT(server_ip),
                                                  INTEGER(server_port),
                                                  INTEGER(vlan),
                                                  INTEGER(ip_version),
                                                  TEXT(role),
                                                  TEXT(path),
                                                  TEXT(outcome),
                                                  TEXT(ended_by),
                                                  INTEGER(started_ns),
                                                  INTEGER(established_ns),
                                                  INTEGER(last_ns),
                                                  INTEGER(syn_count),
                                                  INTEGER(packets_up),
                                                  INTEGER(packets_down),
                                                  INTEGER(bytes_up),
                                                  INTEGER(bytes_down),
                                                  INTEGER(retransmissions_up),
                                                  INTEGER(retransmissions_down),
                                                  INTEGER(rtt_server_us),
                                                  INTEGER(rtt_client_us),
                                                  INTEGER(tls_hello_us),
                                                  TEXT(tls_version),
                                                  TEXT(sni),
                                                  TEXT(alpn),
                                                  TEXT(ja3),
                                                  TEXT(ja4),
                                                  TEXT(cert_subject),
                                                  TEXT(cert_issuer),
                                                  TEXT(cert_sha256),
                                                  TEXT(ndpi_protocol),
                                                  TEXT(ndpi_risks),
                                                  INTEGER(ttl_client),
                                                  INTEGER(ttl_server),
                                                  INTEGER(hops_server),
                                                  TEXT(process_name),
                                                  INTEGER(process_id),
                                                  INTEGER(first_frame),
                                                  INTEGER(last_frame),
                                                  TEXT(community_id),
                                                  INTEGER(number),
                                                  TEXT(reason),
                                                  TEXT(alpn_chosen),
                                                  TEXT(connect_host),
                                                  INTEGER(proxy_status),
                                                  INTEGER(out_of_order),
                                                  INTEGER(client_isn),
                                                  TEXT(hello_random),
                                                  INTEGER(silence_survived_s),
                                                  INTEGER(silence_lethal_s)};
#undef ROW

#define ROW struct device_row
static const struct row_column devices_columns[] = {
    INTEGER(id),       INTEGER(run_id),  TEXT(ip),       TEXT(mac),
    TEXT(role),        TEXT(verdict),    TEXT(works_on), INTEGER(sessions),
    INTEGER(first_ns), INTEGER(last_ns), TEXT(reason)};
#undef ROW

#define ROW struct finding_row
static const struct row_column findings_columns[] = {
    INTEGER(id),      INTEGER(run_id),       TEXT(code),           TEXT(severity),
    TEXT(confidence), TEXT(scope),           INTEGER(device_id),   INTEGER(flow_id),
    TEXT(client_ip),  TEXT(server_ip),       INTEGER(server_port), INTEGER(first_ns),
    INTEGER(last_ns), INTEGER(count),        TEXT(summary),        JSON(evidence),
    TEXT(blocker_ip), INTEGER(blocker_hops), TEXT(display_filter)};
#undef ROW

#define ROW struct step_row
static const struct row_column steps_columns[] = {
    INTEGER(run_id),    INTEGER(flow_id), INTEGER(number), INTEGER(time_ns),      INTEGER(frame),
    TEXT(direction),    TEXT(flags),      INTEGER(ttl),    INTEGER(payload_size), TEXT(what),
    INTEGER(is_repeat), INTEGER(skipped), TEXT(sender_ip)};
#undef ROW

#define ROW struct requirement_row
static const struct row_column requirements_columns[] = {
    INTEGER(run_id), TEXT(code),      TEXT(title),  TEXT(status),
    INTEGER(seen),   INTEGER(failed), TEXT(summary)};
#undef ROW

#define ROW struct quality_row
static const struct row_column quality_columns[] = {INTEGER(run_id), TEXT(name), INTEGER(value),
                                                    TEXT(text)};
#undef ROW

#define ROW struct skipped_row
static const struct row_column skipped_columns[] = {INTEGER(run_id), TEXT(reason), INTEGER(count)};
#undef ROW

#define ROW struct dns_row
static const struct row_column dns_columns[] = {
    INTEGER(run_id), TEXT(client_ip), TEXT(resolver_ip), TEXT(name),       TEXT(type),
    TEXT(rcode),     TEXT(answer),    INTEGER(first_ns), INTEGER(last_ns), INTEGER(count)};
#undef ROW

#define ROW struct attempts_row
static const struct row_column attempts_columns[] = {
    INTEGER(run_id),    TEXT(server_prefix), INTEGER(server_port), TEXT(outcome),
    INTEGER(minute_ns), INTEGER(attempts),   INTEGER(syns)};
#undef ROW

/* The archive calls back with a typed row; users of this table take any row. */
struct any_row {
    row_each each;
    void *context;
};

#define READER(table, row_type)                                                                    \
    static bool give_##table(void *context, const struct row_type *row)                            \
    {                                                                                              \
        const struct any_row *any = context;                                                       \
        return any->each(any->context, row);                                                       \
    }                                                                                              \
    static bool read_##table(struct archive *archive, const struct archive_range *range,           \
                             row_each each, void *context, struct fault *fault)                    \
    {                                                                                              \
        struct any_row any = {each, context};                                                      \
        return archive_##table(archive, range, give_##table, &any, fault);                         \
    }
READER(runs, run_row)
READER(flows, flow_row)
READER(devices, device_row)
READER(findings, finding_row)
READER(steps, step_row)
READER(requirements, requirement_row)
READER(quality, quality_row)
READER(skipped, skipped_row)
READER(dns, dns_row)
READER(attempts, attempts_row)
#undef READER

#define COLUMNS(table) table##_columns, sizeof table##_columns / sizeof table##_columns[0]
const struct row_table row_tables[ROWS_KIND_COUNT] = {
    [ROWS_RUN] = {"run", COLUMNS(runs), sizeof(struct run_row), read_runs},
    [ROWS_FLOW] = {"flow", COLUMNS(flows), sizeof(struct flow_row), read_flows},
    [ROWS_DEVICE] = {"device", COLUMNS(devices), sizeof(struct device_row), read_devices},
    [ROWS_FINDING] = {"finding", COLUMNS(findings), sizeof(struct finding_row), read_findings},
    [ROWS_STEP] = {"step", COLUMNS(steps), sizeof(struct step_row), read_steps},
    [ROWS_REQUIREMENT] = {"requirement", COLUMNS(requirements), sizeof(struct requirement_row),
                          read_requirements},
    [ROWS_QUALITY] = {"capture_quality", COLUMNS(quality), sizeof(struct quality_row),
                      read_quality},
    [ROWS_SKIPPED] = {"skipped", COLUMNS(skipped), sizeof(struct skipped_row), read_skipped},
    [ROWS_DNS] = {"dns_answer", COLUMNS(dns), sizeof(struct dns_row), read_dns},
    [ROWS_ATTEMPTS] = {"attempts", COLUMNS(attempts), sizeof(struct attempts_row), read_attempts},
};
#undef COLUMNS

const char *row_text(const void *row, const struct row_column *column)
{
    const char *text;
    memcpy(&text, (const char *)row + column->offset, sizeof text);
    return text;
}

int64_t row_integer(const void *row, const struct row_column *column)
{
    int64_t integer;
    memcpy(&integer, (const char *)row + column->offset, sizeof integer);
    return integer;
}

void *row_copy(enum row_kind kind, const void *row)
{
    const struct row_table *table = &row_tables[kind];
    char *copy = malloc(table->row_size);
    assert(copy);
    memcpy(copy, row, table->row_size);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct row_column *column = &table->columns[i];
        const char *text = column->is_text ? row_text(row, column) : NULL;
        if (!text)
            continue;
        char *own = strdup(text);
        assert(own);
        memcpy(copy + column->offset, &own, sizeof own);
    }
    return copy;
}

void row_free(enum row_kind kind, void *row)
{
    if (!row)
        return;
    const struct row_table *table = &row_tables[kind];
    for (size_t i = 0; i < table->column_count; i++) {
        char *own = NULL;
        if (table->columns[i].is_text)
            memcpy(&own, (const char *)row + table->columns[i].offset, sizeof own);
        free(own);
    }
    free(row);
}
