/* `apnscope show flow N` and `show finding N`: everything the database knows of one.
 *
 * Beside show.c; show_ladder.c draws the packets. Deliberately reads no capture: `apnscope extract`
 * gets the packets themselves. */
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
#include "phrase.h"
#include "place.h"
#include "report/output.h"
#include "rows.h"
#include "show_ladder.h"
#include "terminal.h"
#include "view.h"
#include "visible.h"

enum { FIELD_INDENT = 24, LINE_SIZE = 640 };

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
    struct view_evidence evidence; /* of the first finding that names frames */
};

static bool put_finding_line(void *context, const void *any)
{
    const struct finding_row *row = any;
    struct about_flow *about = context;
    char line[LINE_SIZE];
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

static bool keep_evidence(void *context, const void *any)
{
    const struct finding_row *row = any;
    struct about_flow *about = context;
    if (row->flow_id != about->flow_id)
        return true;
    view_evidence_read(&about->evidence, row->evidence);
    return false;
}

static void put_flow_head(const struct terminal *terminal, const struct flow_row *flow)
{
    char line[LINE_SIZE];
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

static bool put_flow(struct gate *gate, const struct terminal *terminal, struct ladder_parts *parts,
                     struct fault *fault)
{
    static struct ladder ladder; /* large */
    assert(parts->flow);
    const struct archive_range everything = {.all_runs = true};
    struct about_flow about = {.terminal = terminal, .flow_id = parts->flow->id};
    if (!ladder_read_steps(parts, gate, fault) || !ladder_read_next(parts, gate, fault) ||
        !gate_read(gate, ROWS_FINDING, &everything, keep_evidence, &about, fault))
        return false;
    put_flow_head(terminal, parts->flow);
    ladder_build(&ladder, parts, &about.evidence);
    view_evidence_free(&about.evidence);
    terminal_heading(terminal, ladder.is_from_packets ? "Its packets"
                                                      : "What the record knows of it, in order");
    show_ladder(terminal, &ladder);
    bool written = gate_read(gate, ROWS_FINDING, &everything, put_finding_line, &about, fault);
    put_fields(terminal, ROWS_FLOW, parts->flow);
    return written;
}

bool report_flow(const struct report_options *options, int64_t flow_id, struct fault *fault)
{
    struct gate *gate;
    struct output output;
    struct search search = {.id = flow_id, .kind = ROWS_FLOW};
    if (!gate_open(&gate, options, fault))
        return false;
    bool written = find_one(gate, &search, "flow", options->database, fault) &&
                   output_open(&output, "-", fault);
    struct ladder_parts parts = {.flow = search.found};
    if (written) {
        struct terminal terminal = terminal_over(output.file, options);
        written = put_flow(gate, &terminal, &parts, fault) && output_commit(&output, fault);
    }
    ladder_parts_free(&parts);
    gate_close(gate);
    return written;
}

/* --- a finding ---------------------------------------------------------------------------- */

static void put_frames(const struct terminal *terminal, const struct view_evidence *evidence)
{
    enum { BESIDE_TIME = 60 }; /* columns that let it stand on one line */
    char text[PHRASE_SIZE];
    if (evidence->frame_count)
        terminal_heading(terminal, "Evidence (frame, time, what it shows)");
    for (size_t i = 0; i < evidence->frame_count; i++) {
        const struct view_frame *frame = &evidence->frames[i];
        const char *time =
            frame->time_ns == TIME_UNKNOWN ? "" : phrase_moment_fine(frame->time_ns, text);
        bool is_beside = terminal->width >= BESIDE_TIME;
        fprintf(terminal->out, "  %8" PRId64 "  %-*s", frame->number, is_beside ? 29 : 0, time);
        if (!is_beside)
            fprintf(terminal->out, "\n%12s", "");
        unsigned indent = is_beside ? 41 : 12;
        terminal_wrap(terminal, indent, indent, frame->shows);
    }
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
    const struct report_code *about = report_code_of(&options->catalogue, row->code);
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
    place_blocked(&evidence, line);
    put_field_if(terminal, "Blocked", line);
    place_say(row, &evidence, about, -1, line);
    if (view_severity(row->severity) == SEVERITY_FAIL || place_is_named(row))
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
