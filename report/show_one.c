/* `apnscope show flow N` and `show finding N`: everything the database knows of one.
 *
 * Beside show.c. The ladder draws what the session's record proves, in order; where the record
 * holds no time the column stays empty. Deliberately reads no capture: `apnscope extract` gets the
 * packets themselves. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/text.h"
#include "evidence.h"
#include "gate.h"
#include "output.h"
#include "phrase.h"
#include "rows.h"
#include "terminal.h"
#include "view.h"
#include "visible.h"

enum { FIELD_INDENT = 24, TIME_COLUMNS = 16, RUNG_MIN = 30, RUNG_MAX = 60, STEP_SIZE = 320 };

/* --- the ladder --------------------------------------------------------------------------- */

struct ladder {
    const struct terminal *terminal;
    const struct flow_row *flow;
    unsigned rung; /* columns between the two rails */
};

enum way { WAY_UP, WAY_DOWN, WAY_NOTE };

static void put_offset(const struct ladder *ladder, int64_t time_ns)
{
    char duration[DURATION_TEXT_SIZE], cell[DURATION_TEXT_SIZE + 1] = "";
    if (time_ns != ROW_NULL && time_ns == ladder->flow->started_ns)
        cell[0] = '0', cell[1] = '\0';
    else if (time_ns != ROW_NULL && ladder->flow->started_ns != ROW_NULL)
        snprintf(cell, sizeof cell, "+%s",
                 duration_text(time_ns - ladder->flow->started_ns, duration));
    size_t used = visible_columns(cell, strlen(cell));
    for (; used < TIME_COLUMNS - 2; used++)
        fputc(' ', ladder->terminal->out);
    visible_put(ladder->terminal->out, cell);
    fputs("  ", ladder->terminal->out);
}

/* The arrow carries its words where they fit, else they stand on a line of their own above it. */
static void put_arrow(const struct ladder *ladder, enum way way, const char *words)
{
    FILE *out = ladder->terminal->out;
    size_t columns = visible_columns(words, strlen(words));
    fputs(way == WAY_DOWN ? "|<-- " : "|-- ", out);
    visible_put(out, words);
    fputc(' ', out);
    for (size_t used = columns + 6; used < ladder->rung; used++)
        fputc('-', out);
    fputs(way == WAY_DOWN ? "-|\n" : "->|\n", out);
}

static void put_step(const struct ladder *ladder, enum way way, int64_t time_ns, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));
static void put_step(const struct ladder *ladder, enum way way, int64_t time_ns, const char *format,
                     ...)
{
    char words[STEP_SIZE];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(words, sizeof words, format, list);
    va_end(list);
    put_offset(ladder, time_ns);
    if (way == WAY_NOTE) {
        fputs(":  ", ladder->terminal->out);
        terminal_wrap(ladder->terminal, TIME_COLUMNS + 3, TIME_COLUMNS + 3, words);
    } else {
        put_arrow(ladder, way, words);
    }
}

static bool is_word(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

static void put_opening(const struct ladder *ladder)
{
    const struct flow_row *flow = ladder->flow;
    bool is_answered = flow->rtt_server_us != ROW_NULL || flow->established_ns != ROW_NULL;
    int64_t answer_ns = ROW_NULL;
    if (flow->started_ns != ROW_NULL && flow->rtt_server_us != ROW_NULL)
        answer_ns = flow->started_ns + flow->rtt_server_us * NS_PER_US;
    if (flow->syn_count > 1)
        put_step(ladder, WAY_UP, flow->started_ns, "SYN, sent %" PRId64 " times", flow->syn_count);
    else if (flow->syn_count == 1)
        put_step(ladder, WAY_UP, flow->started_ns, "SYN");
    else
        put_step(ladder, WAY_NOTE, flow->started_ns,
                 "first packet seen: the session began before the capture");
    if (is_answered && flow->syn_count > 0)
        put_step(ladder, WAY_DOWN, answer_ns, "SYN-ACK");
    if (flow->established_ns != ROW_NULL)
        put_step(ladder, WAY_UP, flow->established_ns, "ACK");
}

static void put_hellos(const struct ladder *ladder)
{
    const struct flow_row *flow = ladder->flow;
    char duration[DURATION_TEXT_SIZE] = "";
    if (flow->connect_host)
        put_step(ladder, WAY_UP, ROW_NULL, "CONNECT %s", flow->connect_host);
    if (flow->proxy_status != ROW_NULL)
        put_step(ladder, WAY_DOWN, ROW_NULL, "HTTP %" PRId64, flow->proxy_status);
    if (flow->sni || flow->ja3 || flow->ja4 || flow->alpn)
        put_step(ladder, WAY_UP, ROW_NULL, "ClientHello %s", flow->sni ? flow->sni : "(no name)");
    if (flow->tls_hello_us != ROW_NULL)
        duration_text(flow->tls_hello_us * NS_PER_US, duration);
    if (flow->tls_version || duration[0])
        put_step(ladder, WAY_DOWN, ROW_NULL, "ServerHello %s%s%s",
                 flow->tls_version ? flow->tls_version : "", duration[0] ? ", after " : "",
                 duration);
    if (flow->cert_issuer)
        put_step(ladder, WAY_NOTE, ROW_NULL, "certificate from %s", flow->cert_issuer);
}

static void put_traffic(const struct ladder *ladder)
{
    const struct flow_row *flow = ladder->flow;
    char up_bytes[PHRASE_SIZE], down_bytes[PHRASE_SIZE];
    if (flow->packets_up == ROW_NULL || flow->packets_down == ROW_NULL)
        return;
    put_step(ladder, WAY_NOTE, ROW_NULL, "in all %s up (%s), %s down (%s)",
             COUNTED(flow->packets_up, "packet"),
             phrase_bytes(flow->bytes_up != ROW_NULL ? flow->bytes_up : 0, up_bytes),
             COUNTED(flow->packets_down, "packet"),
             phrase_bytes(flow->bytes_down != ROW_NULL ? flow->bytes_down : 0, down_bytes));
}

static void put_ending(const struct ladder *ladder)
{
    static const struct {
        enum flow_ending ending;
        enum way way;
        const char *words;
    } steps[] = {{ENDED_CLIENT_FIN, WAY_UP, "FIN"},
                 {ENDED_SERVER_FIN, WAY_DOWN, "FIN"},
                 {ENDED_CLIENT_RESET, WAY_UP, "RST"},
                 {ENDED_SERVER_RESET, WAY_DOWN, "RST"},
                 {ENDED_FORGED_RESET, WAY_DOWN, "RST, not sent by the server"}};
    const struct flow_row *flow = ladder->flow;
    if (is_word(flow->outcome, outcome_name(OUTCOME_UNREACHABLE)))
        put_step(ladder, WAY_DOWN, ROW_NULL, "ICMP error");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (is_word(flow->ended_by, ending_name(steps[i].ending))) {
            put_step(ladder, steps[i].way, flow->last_ns, "%s", steps[i].words);
            return;
        }
    if (flow->ended_by)
        put_step(ladder, WAY_NOTE, flow->last_ns, "%s", view_ending_meaning(flow->ended_by));
}

static void put_ladder(const struct terminal *terminal, const struct flow_row *flow)
{
    unsigned room = terminal->width - TIME_COLUMNS - 3;
    struct ladder ladder = {terminal, flow, room > RUNG_MAX ? RUNG_MAX : room};
    if (ladder.rung < RUNG_MIN)
        ladder.rung = RUNG_MIN;
    terminal_heading(terminal, "What the record knows of it, in order");
    fprintf(terminal->out, "%*sclient%*sserver\n", TIME_COLUMNS, "", (int)ladder.rung - 9, "");
    put_opening(&ladder);
    put_hellos(&ladder);
    put_traffic(&ladder);
    put_ending(&ladder);
}

/* --- fields ------------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name), tail = strlen(suffix);
    return length > tail && strcmp(name + length - tail, suffix) == 0;
}

static void put_field(const struct terminal *terminal, const struct row_column *column,
                      const void *row)
{
    char text[PHRASE_SIZE], duration[DURATION_TEXT_SIZE];
    const char *value = column->is_text ? row_text(row, column) : NULL;
    int64_t integer = column->is_text ? ROW_NULL : row_integer(row, column);
    if (value && value[0])
        terminal_field(terminal, FIELD_INDENT, column->name, value);
    if (integer == ROW_NULL)
        return;
    if (ends_with(column->name, "_ns"))
        value = phrase_moment_fine(integer, text);
    else if (ends_with(column->name, "_us"))
        value = duration_text(integer * NS_PER_US, duration);
    else {
        snprintf(text, sizeof text, "%" PRId64, integer);
        value = text;
    }
    terminal_field(terminal, FIELD_INDENT, column->name, value);
}

static void put_fields(const struct terminal *terminal, enum row_kind kind, const void *row)
{
    const struct row_table *table = &row_tables[kind];
    terminal_heading(terminal, "All fields");
    for (size_t i = 0; i < table->column_count; i++)
        if (!table->columns[i].is_json)
            put_field(terminal, &table->columns[i], row);
}

/* --- finding one -------------------------------------------------------------------------- */

struct search {
    int64_t id;
    enum row_kind kind;
    void *found;
};

static bool look(void *context, const void *row)
{
    struct search *search = context;
    if (row_integer(row, &row_tables[search->kind].columns[0]) != search->id)
        return true;
    search->found = row_copy(search->kind, row);
    return false;
}

static bool find_one(struct gate *gate, struct search *search, const char *what,
                     const char *database, struct fault *fault)
{
    const struct archive_range everything = {.all_runs = true};
    if (!gate_read(gate, search->kind, &everything, look, search, fault))
        return false;
    return search->found ||
           fault_set(fault, "%s: there is no %s %" PRId64 "; `apnscope show %ss` lists them",
                     database, what, search->id, what);
}

struct about_flow {
    const struct terminal *terminal;
    int64_t flow_id;
    unsigned count;
};

static bool put_finding_line(void *context, const void *any)
{
    const struct finding_row *row = any;
    struct about_flow *about = context;
    char line[STEP_SIZE * 2];
    if (row->flow_id != about->flow_id)
        return true;
    if (about->count++ == 0)
        terminal_heading(about->terminal, "Findings that rest on it");
    struct text out = text_over(line, sizeof line);
    text_format(&out, "%s (finding %" PRId64 "): %s", row->code ? row->code : "-", row->id,
                row->summary ? row->summary : "");
    fputs("  ", about->terminal->out);
    terminal_wrap(about->terminal, 2, 4, line);
    return true;
}

static void put_flow_head(const struct terminal *terminal, const struct flow_row *flow)
{
    char line[STEP_SIZE];
    struct text out = text_over(line, sizeof line);
    text_format(&out, "Session %" PRId64 ": %s to %s", flow->id,
                flow->client_ip ? flow->client_ip : "?", flow->server_ip ? flow->server_ip : "?");
    if (flow->server_port != ROW_NULL)
        text_format(&out, ", TCP port %" PRId64, flow->server_port);
    terminal_cell(terminal, TONE_STRONG, line, 0);
    fputc('\n', terminal->out);
    out = text_over(line, sizeof line);
    text_format(&out, "%s: %s.", flow->outcome ? flow->outcome : "outcome not known",
                flow->outcome ? view_outcome_meaning(flow->outcome) : "");
    terminal_wrap(terminal, 0, 0, line);
}

bool report_flow(const struct report_options *options, int64_t flow_id, struct fault *fault)
{
    struct gate *gate;
    struct output output;
    struct search search = {.id = flow_id, .kind = ROWS_FLOW};
    const struct archive_range everything = {.all_runs = true};
    if (!gate_open(&gate, options, fault))
        return false;
    bool written = find_one(gate, &search, "flow", options->database, fault) &&
                   output_open(&output, "-", fault);
    if (written) {
        struct terminal terminal = terminal_over(output.file, options);
        struct about_flow about = {&terminal, flow_id, 0};
        put_flow_head(&terminal, search.found);
        put_ladder(&terminal, search.found);
        written = gate_read(gate, ROWS_FINDING, &everything, put_finding_line, &about, fault);
        put_fields(&terminal, ROWS_FLOW, search.found);
        written = written && output_commit(&output, fault);
    }
    row_free(ROWS_FLOW, search.found);
    gate_close(gate);
    return written;
}

/* --- a finding ---------------------------------------------------------------------------- */

static void put_frames(const struct terminal *terminal, const struct view_evidence *evidence)
{
    char text[PHRASE_SIZE];
    if (evidence->frame_count)
        terminal_heading(terminal, "Evidence (frame, time, what it shows)");
    for (size_t i = 0; i < evidence->frame_count; i++) {
        const struct view_frame *frame = &evidence->frames[i];
        fprintf(terminal->out, "  %8" PRId64 "  %-27s  ", frame->number,
                frame->time_ns == TIME_UNKNOWN ? "" : phrase_moment_fine(frame->time_ns, text));
        terminal_wrap(terminal, 41, 41, frame->shows);
    }
}

static const struct report_code *code_about(const struct report_options *options, const char *code)
{
    for (size_t i = 0; code && i < options->catalogue.count; i++)
        if (strcmp(options->catalogue.codes[i].code, code) == 0)
            return &options->catalogue.codes[i];
    return NULL;
}

static void put_field_if(const struct terminal *terminal, const char *label, const char *text)
{
    enum { LABEL_INDENT = 17 };
    if (text && text[0])
        terminal_field(terminal, LABEL_INDENT, label, text);
}

static void put_finding(const struct terminal *terminal, const struct report_options *options,
                        const struct finding_row *row)
{
    const struct report_code *about = code_about(options, row->code);
    struct view_evidence evidence;
    char line[VIEW_SENTENCE_SIZE], when[PHRASE_SIZE];
    view_evidence_read(&evidence, row->evidence);
    terminal_cell(terminal, tone_of_severity(view_severity(row->severity)),
                  view_severity_word(view_severity(row->severity)), 0);
    fprintf(terminal->out, " %" PRId64 ": ", row->id);
    struct text out = text_over(line, sizeof line);
    text_format(&out, "%s (%s)", about ? about->title : "finding", row->code ? row->code : "-");
    terminal_wrap(terminal, 16, 2, line);
    put_field_if(terminal, "What", row->summary);
    put_field_if(terminal, "How sure", row->confidence);
    put_field_if(terminal, "Meaning", about ? about->meaning : NULL);
    const struct view no_view = {.apple_hops = -1};
    view_where(&no_view, row, line);
    if (view_severity(row->severity) == SEVERITY_FAIL || row->blocker_ip)
        put_field_if(terminal, "Where", line);
    put_field_if(terminal, "First", phrase_moment_fine(row->first_ns, when));
    put_field_if(terminal, "Last", phrase_moment_fine(row->last_ns, when));
    put_field_if(terminal, "Times seen", row->count == ROW_NULL ? "" : DIGITS(row->count));
    put_frames(terminal, &evidence);
    terminal_heading(terminal, "Why that follows");
    put_field_if(terminal, "Reasoning", evidence.reasoning);
    put_field_if(terminal, "Limits", evidence.limits);
    put_field_if(terminal, "Innocent", about ? about->innocent : NULL);
    put_field_if(terminal, "Remedy", about ? about->remedy : NULL);
    put_field_if(terminal, "In Wireshark", row->display_filter);
    view_evidence_free(&evidence);
}

bool report_finding(const struct report_options *options, int64_t finding_id, struct fault *fault)
{
    struct gate *gate;
    struct output output;
    struct search search = {.id = finding_id, .kind = ROWS_FINDING};
    if (!gate_open(&gate, options, fault))
        return false;
    bool written = find_one(gate, &search, "finding", options->database, fault) &&
                   output_open(&output, "-", fault);
    if (written) {
        struct terminal terminal = terminal_over(output.file, options);
        put_finding(&terminal, options, search.found);
        put_fields(&terminal, ROWS_FINDING, search.found);
        written = output_commit(&output, fault);
    }
    row_free(ROWS_FINDING, search.found);
    gate_close(gate);
    return written;
}
