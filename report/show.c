/* `apnscope show devices|flows|findings|runs`: rows as aligned lines for a terminal.
 *
 * Beside the reports. Rows are read twice: once to measure the columns, once to print, so that
 * nothing is held however many there are. Deliberately shows a row's main columns only; `show flow`
 * and `show finding` (show_one.c) show all of one, CSV all of all. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/text.h"
#include "gate.h"
#include "phrase.h"
#include "report/output.h"
#include "rows.h"
#include "terminal.h"
#include "view.h"
#include "visible.h"

enum { CELL_SIZE = 512, COLUMNS_MAX = 10 };

struct show_column {
    const char *title;
    void (*say)(const void *row, struct text *out);
    bool is_right;
    enum tone (*tone)(const void *row); /* NULL: none */
};

struct show_table {
    enum row_kind kind;
    const char *nothing; /* said where there is no row */
    struct show_column columns[COLUMNS_MAX];
};

static void add_or_dash(struct text *out, const char *text)
{
    text_add(out, text && text[0] ? text : "-");
}

static void add_count(struct text *out, int64_t count)
{
    text_add(out, count == ROW_NULL ? "-" : DIGITS(count));
}

static void add_moment(struct text *out, int64_t time_ns)
{
    char text[PHRASE_SIZE];
    text_add(out, time_ns == ROW_NULL ? "-" : phrase_moment(time_ns, text));
}

static void add_endpoint(struct text *out, const char *ip, int64_t port)
{
    bool is_ipv6 = ip && strchr(ip, ':');
    text_format(out, is_ipv6 && port != ROW_NULL ? "[%s]" : "%s", ip ? ip : "-");
    if (port != ROW_NULL)
        text_format(out, ":%" PRId64, port);
}

#define CELL(name, row_type, statement)                                                            \
    static void name(const void *any, struct text *out)                                            \
    {                                                                                              \
        const struct row_type *row = any;                                                          \
        statement;                                                                                 \
    }
#define TONE(name, row_type, value)                                                                \
    static enum tone name(const void *any)                                                         \
    {                                                                                              \
        const struct row_type *row = any;                                                          \
        return value;                                                                              \
    }

CELL(run_id, run_row, text_format(out, "%" PRId64, row->id))
CELL(run_state, run_row, add_or_dash(out, row->state))
CELL(run_site, run_row, add_or_dash(out, row->site))
CELL(run_stored, run_row, add_moment(out, row->stored_ns))
CELL(run_first, run_row, add_moment(out, row->first_ns))
CELL(run_packets, run_row, add_count(out, row->packets))
CELL(run_source, run_row, add_or_dash(out, row->source))

CELL(device_id, device_row, text_format(out, "%" PRId64, row->id))
CELL(device_ip, device_row, add_or_dash(out, row->ip))
CELL(device_verdict, device_row, add_or_dash(out, row->verdict))
CELL(device_works, device_row, add_or_dash(out, row->works_on))
CELL(device_sessions, device_row, add_count(out, row->sessions))
CELL(device_role, device_row, add_or_dash(out, row->role))
CELL(device_reason, device_row, add_or_dash(out, row->reason))
TONE(device_tone, device_row, tone_of_device(view_device_verdict(row->verdict)))

CELL(flow_id, flow_row, text_format(out, "%" PRId64, row->id))
CELL(flow_started, flow_row, add_moment(out, row->started_ns))
CELL(flow_client, flow_row, add_endpoint(out, row->client_ip, row->client_port))
CELL(flow_server, flow_row, add_endpoint(out, row->server_ip, row->server_port))
CELL(flow_role, flow_row, add_or_dash(out, row->role))
CELL(flow_outcome, flow_row, add_or_dash(out, row->outcome))
CELL(flow_ended, flow_row, add_or_dash(out, row->ended_by))
CELL(flow_name, flow_row, add_or_dash(out, row->sni ? row->sni : row->connect_host))

static enum tone flow_tone(const void *any)
{
    const struct flow_row *row = any;
    static const enum tone tones[HEAP_COUNT] = {
        [HEAP_WORKED] = TONE_GOOD, [HEAP_FAILED] = TONE_BAD, [HEAP_UNJUDGED] = TONE_QUIET};
    return tones[view_heap_of(row->outcome)];
}

CELL(finding_id, finding_row, text_format(out, "%" PRId64, row->id))
CELL(finding_severity, finding_row, add_or_dash(out, row->severity))
CELL(finding_code, finding_row, add_or_dash(out, row->code))
CELL(finding_sure, finding_row, add_or_dash(out, row->confidence))
CELL(finding_client, finding_row, add_or_dash(out, row->client_ip))
CELL(finding_count, finding_row, add_count(out, row->count))
CELL(finding_summary, finding_row, add_or_dash(out, row->summary))
TONE(finding_tone, finding_row, tone_of_severity(view_severity(row->severity)))

static const struct show_table tables[] = {
    [SHOW_DEVICES] = {ROWS_DEVICE,
                      "No device was seen with APNs.",
                      {{"id", device_id, true, NULL},
                       {"address", device_ip, false, NULL},
                       {"role", device_role, false, NULL},
                       {"verdict", device_verdict, false, device_tone},
                       {"works on", device_works, false, NULL},
                       {"sessions", device_sessions, true, NULL},
                       {"why", device_reason, false, NULL}}},
    [SHOW_FLOWS] = {ROWS_FLOW,
                    "No session of APNs was seen.",
                    {{"id", flow_id, true, NULL},
                     {"started", flow_started, false, NULL},
                     {"client", flow_client, false, NULL},
                     {"server", flow_server, false, NULL},
                     {"role", flow_role, false, NULL},
                     {"outcome", flow_outcome, false, flow_tone},
                     {"ended by", flow_ended, false, NULL},
                     {"name", flow_name, false, NULL}}},
    [SHOW_FINDINGS] = {ROWS_FINDING,
                       "No finding.",
                       {{"id", finding_id, true, NULL},
                        {"severity", finding_severity, false, finding_tone},
                        {"code", finding_code, false, NULL},
                        {"sure", finding_sure, false, NULL},
                        {"client", finding_client, false, NULL},
                        {"count", finding_count, true, NULL},
                        {"what", finding_summary, false, NULL}}},
    [SHOW_RUNS] = {ROWS_RUN,
                   "The database holds no run.",
                   {{"id", run_id, true, NULL},
                    {"state", run_state, false, NULL},
                    {"site", run_site, false, NULL},
                    {"first packet", run_first, false, NULL},
                    {"ran until", run_stored, false, NULL},
                    {"packets", run_packets, true, NULL},
                    {"source", run_source, false, NULL}}},
};

struct show {
    const struct show_table *table;
    struct terminal terminal;
    bool folds; /* rows that are wider than the terminal; else each is one line, for grep */
    size_t widths[COLUMNS_MAX];
    size_t rows;
};

static const char *cell_text(const struct show_column *column, const void *row,
                             char cell[CELL_SIZE])
{
    struct text out = text_over(cell, CELL_SIZE);
    column->say(row, &out);
    return cell;
}

static bool measure_row(void *context, const void *row)
{
    struct show *show = context;
    char cell[CELL_SIZE];
    for (size_t i = 0; i < COLUMNS_MAX && show->table->columns[i].title; i++) {
        const char *text = cell_text(&show->table->columns[i], row, cell);
        size_t width = visible_columns(text, strlen(text));
        if (width > show->widths[i])
            show->widths[i] = width;
    }
    show->rows++;
    return true;
}

/* Where the next cell of a row begins: on a new line, if it has no room on this one. Columns break
 * at the same places in every row, for their widths are the same. */
static size_t fold(const struct show *show, size_t at, size_t width)
{
    enum { INDENT = 4, APART = 2 };
    bool has_room = at + APART + width <= show->terminal.width;
    if (!at)
        return 0;
    if (show->folds && at > INDENT && !has_room)
        fprintf(show->terminal.out, "\n%*s", INDENT, "");
    else
        fprintf(show->terminal.out, "%*s", APART, "");
    return show->folds && at > INDENT && !has_room ? INDENT : at + APART;
}

/* Returns where it ends. */
static size_t put_cell(const struct show *show, size_t i, size_t at, enum tone tone,
                       const char *text)
{
    enum { LAST_MIN = 28 };
    const struct show_column *columns = show->table->columns;
    bool is_last = i + 1 == COLUMNS_MAX || !columns[i + 1].title;
    size_t used = visible_columns(text, strlen(text)), width = show->widths[i];
    at = fold(show, at, is_last && width > LAST_MIN ? LAST_MIN : width);
    if (is_last && show->folds && tone == TONE_NONE) {
        terminal_wrap(&show->terminal, (unsigned)at, (unsigned)at, text);
        return 0;
    }
    for (; columns[i].is_right && used < width; used++)
        fputc(' ', show->terminal.out);
    terminal_cell(&show->terminal, tone, text,
                  is_last || columns[i].is_right ? 0 : (unsigned)width);
    fputs(is_last ? "\n" : "", show->terminal.out);
    return at + width;
}

static bool print_row(void *context, const void *row)
{
    const struct show *show = context;
    char cell[CELL_SIZE];
    size_t at = 0;
    for (size_t i = 0; i < COLUMNS_MAX && show->table->columns[i].title; i++) {
        const struct show_column *column = &show->table->columns[i];
        at = put_cell(show, i, at, column->tone ? column->tone(row) : TONE_NONE,
                      cell_text(column, row, cell));
    }
    return !ferror(show->terminal.out);
}

static bool print_rows(struct show *show, struct gate *gate, const struct archive_range *range,
                       struct fault *fault)
{
    for (size_t i = 0; i < COLUMNS_MAX && show->table->columns[i].title; i++)
        show->widths[i] = strlen(show->table->columns[i].title);
    if (!gate_read(gate, show->table->kind, range, measure_row, show, fault))
        return false;
    if (!show->rows)
        fprintf(show->terminal.out, "%s\n", show->table->nothing);
    size_t at = 0;
    for (size_t i = 0; show->rows && i < COLUMNS_MAX && show->table->columns[i].title; i++)
        at = put_cell(show, i, at, TONE_STRONG, show->table->columns[i].title);
    return !show->rows || gate_read(gate, show->table->kind, range, print_row, show, fault);
}

bool report_list(const struct report_options *options, enum report_list list, struct fault *fault)
{
    struct gate *gate;
    struct output output;
    if (!gate_open(&gate, options, fault))
        return false;
    struct archive_range range = options->range;
    if (list == SHOW_RUNS && !range.run_id && !range.site)
        range.all_runs = true; /* a list of the newest run alone would be no list */
    bool written = output_open(&output, "-", fault);
    if (written) {
        struct show show = {.table = &tables[list],
                            .terminal = terminal_over(output.file, options),
                            .folds = options->folds};
        written = print_rows(&show, gate, &range, fault) && output_commit(&output, fault);
    }
    gate_close(gate);
    return written;
}
