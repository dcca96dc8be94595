/* The tables of the HTML report: requirements, ports, devices, sessions, DNS, quality, provenance.
 *
 * Sections of the HTML writer. Long tables are streamed and folded: the rows that matter and the
 * first others (html_pick_row). Deliberately shows fewer columns than the CSV files. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "html.h"
#include "phrase.h"

static void begin_section(FILE *out, const char *id, const char *title)
{
    html_print(out, "<section id=\"%s\" aria-labelledby=\"%s-title\"><h2 id=\"%s-title\">%s</h2>\n",
               id, id, id, title);
}

static void end_section(FILE *out)
{
    fputs("</section>\n", out);
}

static void put_badge_cell(FILE *out, const char *tone, const char *word)
{
    fputs("<td>", out);
    html_badge(out, tone, word);
    fputs("</td>", out);
}

void html_requirements(FILE *out, const struct view *view)
{
    static const char *const titles[] = {
        "Code", "Result", "Requirement", "What was observed", "#Observations", "#Against it", NULL};
    begin_section(out, "requirements", "Requirements");
    html_table_begin(out, "requirement-table",
                     "What APNs needs of a network, and what the capture shows of each. "
                     "\"Not observed\" is neither a pass nor a fail.",
                     titles);
    for (int i = 0; i < REQUIREMENT_COUNT; i++) {
        const struct view_requirement *requirement = &view->requirements[i];
        html_print(out, "<tr><th scope=\"row\">%s</th>",
                   requirement_name((enum requirement_code)i));
        put_badge_cell(out, html_tone_of_status(requirement->status),
                       view_status_word(requirement->status));
        html_cell(out, requirement_title((enum requirement_code)i));
        html_cell(out, requirement->summary);
        html_cell_count(out, requirement->seen);
        html_cell_count(out, requirement->failed);
        fputs("</tr>\n", out);
    }
    html_table_end(out);
    end_section(out);
}

void html_ports(FILE *out, const struct view *view)
{
    static const char *const titles[] = {"TCP port",  "Result",  "What was observed",
                                         "Direction", "Purpose", NULL};
    begin_section(out, "ports", "Ports");
    html_table_begin(out, "port-table", "The ports of APNs", titles);
    for (size_t i = 0; i < VIEW_PORTS; i++) {
        const struct view_port *port = &view->ports[i];
        html_print(out, "<tr><th scope=\"row\">%d</th>", port->port);
        put_badge_cell(out, html_tone_of_status(port->status), view_status_word(port->status));
        html_cell(out, port->observed);
        html_cell(out, port->direction);
        html_cell(out, port->purpose);
        fputs("</tr>\n", out);
    }
    html_table_end(out);
    if (view->proxied) {
        html_print(out,
                   "<p class=\"note\">%s through an explicit proxy, on the proxy's port.</p>\n",
                   COUNTED(view->proxied, "session"));
    }
    end_section(out);
}

/* --- streamed tables ---------------------------------------------------------------------- */

struct stream {
    FILE *out;
    struct html_pick pick;
};

static bool put_device(void *context, const void *any)
{
    const struct device_row *row = any;
    struct stream *stream = context;
    FILE *out = stream->out;
    enum device_verdict verdict = view_device_verdict(row->verdict);
    if (!html_pick_row(&stream->pick, verdict != VERDICT_WORKS && verdict != VERDICT_UNKNOWN))
        return true;
    html_print(out, "<tr><th scope=\"row\"><code>%s</code></th>", row->ip ? row->ip : "–");
    put_badge_cell(out, html_tone_of_device(verdict), view_device_word(verdict));
    html_cell(out, row->reason);
    html_cell(out, row->works_on);
    html_cell_count(out, row->sessions);
    html_cell_moment(out, row->first_ns);
    html_cell_moment(out, row->last_ns);
    html_cell(out, row->role);
    html_cell_code(out, row->mac);
    fputs("</tr>\n", out);
    return true;
}

bool html_devices(FILE *out, const struct view *view, struct fault *fault)
{
    static const char *const titles[] = {
        "Address",          "Verdict",         "Why",  "Works on", "#Sessions",
        "First seen (UTC)", "Last seen (UTC)", "Role", "MAC",      NULL};
    struct stream stream = {.out = out};
    begin_section(out, "devices", "Devices");
    if (!view->device_total && !view->server_total) {
        fputs("<p>No device was seen with APNs.</p>\n", out);
    } else {
        html_table_begin(out, "device-table", "Devices and servers that used or tried APNs",
                         titles);
        if (!gate_read(view->gate, ROWS_DEVICE, &view->options->range, put_device, &stream, fault))
            return false;
        html_table_end(out);
        html_left_out(out, &stream.pick, "more device is|more devices are", "device.csv");
    }
    end_section(out);
    return true;
}

static void put_endpoint(FILE *out, const char *ip, int64_t port)
{
    bool is_ipv6 = ip && strchr(ip, ':');
    html_print(out, is_ipv6 ? "<td><code>[%s]" : "<td><code>%s", ip ? ip : "–");
    if (port != ROW_NULL)
        html_print(out, ":%" PRId64, port);
    fputs("</code></td>", out);
}

static bool put_session(void *context, const void *any)
{
    const struct flow_row *row = any;
    struct stream *stream = context;
    FILE *out = stream->out;
    enum view_heap heap = view_heap_of(row->outcome);
    if (!html_pick_row(&stream->pick, heap == HEAP_FAILED))
        return true;
    bool has_span = row->started_ns != ROW_NULL && row->last_ns != ROW_NULL;
    html_print(out, "<tr id=\"session-%" PRId64 "\"><th scope=\"row\" class=\"n\">%" PRId64 "</th>",
               row->id, row->id);
    html_cell_moment(out, row->started_ns);
    put_endpoint(out, row->client_ip, row->client_port);
    put_endpoint(out, row->server_ip, row->server_port);
    put_badge_cell(out, html_tone_of_heap(heap), row->outcome ? row->outcome : "unknown");
    html_cell(out, row->ended_by);
    html_cell_duration(out, has_span ? row->last_ns - row->started_ns : ROW_NULL);
    html_cell_duration(out,
                       row->rtt_server_us == ROW_NULL ? ROW_NULL : row->rtt_server_us * NS_PER_US);
    html_cell(out, row->role);
    html_cell(out, row->path);
    html_cell_code(out, row->sni ? row->sni : row->connect_host);
    html_cell_count(out, row->first_frame);
    fputs("</tr>\n", out);
    return true;
}

static void put_legend(FILE *out, const struct view *view)
{
    fputs("<details><summary>What the outcomes mean</summary><dl class=\"terms\">", out);
    for (int i = 1; i < OUTCOME_COUNT; i++) {
        enum flow_outcome outcome = (enum flow_outcome)i;
        if (view->by_outcome[i])
            html_print(out, "<div><dt>%s</dt><dd>%s (%s)</dd></div>\n", outcome_name(outcome),
                       outcome_meaning(outcome), COUNTED(view->by_outcome[i], "session"));
    }
    fputs("</dl></details>\n", out);
}

bool html_sessions(FILE *out, const struct view *view, struct fault *fault)
{
    static const char *const titles[] = {"#Session", "Started (UTC)", "Client",    "Server",
                                         "Outcome",  "Ended by",      "#Duration", "#Answer time",
                                         "Role",     "Path",          "Name",      "#First frame",
                                         NULL};
    struct stream stream = {.out = out};
    begin_section(out, "sessions", "Sessions");
    if (!view->sessions) {
        fputs("<p>No session of APNs was seen.</p>\n", out);
    } else {
        html_table_begin(out, "session-table",
                         "Connections to Apple's push service and attempts at them, by number",
                         titles);
        if (!gate_read(view->gate, ROWS_FLOW, &view->options->range, put_session, &stream, fault))
            return false;
        html_table_end(out);
        html_left_out(out, &stream.pick, "more session is|more sessions are", "flow.csv");
        put_legend(out, view);
    }
    end_section(out);
    return true;
}

static void begin_dns(FILE *out)
{
    static const char *const titles[] = {"Name",   "Type",     "Result", "Answer",
                                         "Client", "Resolver", "#Times", "First seen (UTC)",
                                         NULL};
    html_table_begin(out, "dns-table", "DNS answers for push names", titles);
}

static bool put_answer(void *context, const void *any)
{
    const struct dns_row *row = any;
    struct stream *stream = context;
    FILE *out = stream->out;
    bool is_good = row->rcode && strcmp(row->rcode, "NOERROR") == 0;
    if (!stream->pick.notable && !stream->pick.others)
        begin_dns(out);
    if (!html_pick_row(&stream->pick, !is_good))
        return true;
    fputs("<tr>", out);
    html_cell_code(out, row->name);
    html_cell(out, row->type);
    html_cell(out, row->rcode);
    html_cell_code(out, row->answer);
    html_cell_code(out, row->client_ip);
    html_cell_code(out, row->resolver_ip);
    html_cell_count(out, row->count);
    html_cell_moment(out, row->first_ns);
    fputs("</tr>\n", out);
    return true;
}

bool html_dns(FILE *out, const struct view *view, struct fault *fault)
{
    struct stream stream = {.out = out};
    begin_section(out, "dns", "DNS answers");
    if (!gate_read(view->gate, ROWS_DNS, &view->options->range, put_answer, &stream, fault))
        return false;
    if (!stream.pick.notable && !stream.pick.others) {
        fputs("<p>None was seen. Devices may have the addresses cached, or ask elsewhere or "
              "encrypted.</p>\n",
              out);
    } else {
        html_table_end(out);
        html_left_out(out, &stream.pick, "more answer is|more answers are", "dns_answer.csv");
    }
    end_section(out);
    return true;
}

/* --- the capture -------------------------------------------------------------------------- */

struct skipped_stream {
    FILE *out;
    unsigned count;
};

static bool put_skipped(void *context, const void *any)
{
    const struct skipped_row *row = any;
    static const char *const titles[] = {"Reason", "#Packets", "Meaning", NULL};
    struct skipped_stream *stream = context;
    if (row->count <= 0)
        return true;
    if (stream->count++ == 0)
        html_table_begin(stream->out, "skipped-table", "Packets that were not analysed, by reason",
                         titles);
    html_print(stream->out, "<tr><th scope=\"row\">%s</th>", row->reason ? row->reason : "–");
    html_cell_count(stream->out, row->count);
    html_cell(stream->out, view_skip_meaning(row->reason));
    fputs("</tr>\n", stream->out);
    return true;
}

bool html_quality(FILE *out, const struct view *view, struct fault *fault)
{
    static const char *const titles[] = {"Fact", "#Value", NULL};
    struct skipped_stream skipped = {.out = out};
    begin_section(out, "quality", "Capture quality");
    html_table_begin(out, "quality-table", "What the capture can support", titles);
    for (size_t i = 0; i < view->quality_count; i++) {
        const struct view_line *line = &view->quality[i];
        html_print(out, "<tr><th scope=\"row\">%s</th><td class=\"n\">",
                   line->label ? line->label : line->name);
        if (line->is_trouble)
            html_badge(out, "warn", line->value);
        else
            html_put(out, line->value);
        fputs("</td></tr>\n", out);
    }
    html_table_end(out);
    if (!gate_read(view->gate, ROWS_SKIPPED, &view->options->range, put_skipped, &skipped, fault))
        return false;
    if (skipped.count)
        html_table_end(out);
    end_section(out);
    return true;
}

static void put_fact(FILE *out, const char *label, const char *value)
{
    if (value && value[0])
        html_print(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", label, value);
}

static void put_hash(FILE *out, const char *label, const char *value)
{
    if (value && value[0])
        html_print(out, "<div><dt>%s</dt><dd><code class=\"long\">%s</code></dd></div>\n", label,
                   value);
}

static void put_run(FILE *out, const struct run_row *run)
{
    char text[PHRASE_SIZE];
    html_print(out, "<h3>Run %" PRId64 "</h3><dl class=\"parts\">", run->id);
    put_fact(out, "Site", run->site);
    put_fact(out, "Capture point", run->sensor);
    put_fact(out, "Source", run->source);
    put_hash(out, "SHA-256", run->sha256);
    put_hash(out, "Fingerprint of size and samples", run->fingerprint);
    if (run->source_size != ROW_NULL)
        put_fact(out, "Size", phrase_bytes(run->source_size, text));
    if (run->packets != ROW_NULL)
        put_fact(out, "Packets", DIGITS(run->packets));
    put_fact(out, "First packet", phrase_moment_fine(run->first_ns, text));
    put_fact(out, "Last packet", phrase_moment_fine(run->last_ns, text));
    put_fact(out, "State", run->state);
    if (run->stored_ns != ROW_NULL)
        put_fact(out, "Known to have run until", phrase_moment(run->stored_ns, text));
    if (run->interrupted_ns != ROW_NULL)
        put_fact(out, "Noted as interrupted", phrase_moment(run->interrupted_ns, text));
    put_fact(out, "Damage", run->damage);
    if (run->analyzed_ns != ROW_NULL)
        put_fact(out, "Analysed", phrase_moment(run->analyzed_ns, text));
    put_fact(out, "Program", run->tool_version);
    put_fact(out, "Libraries", run->libraries);
    put_fact(out, "Options", run->options);
    put_fact(out, "The capture says of itself", run->capture_notes);
    fputs("</dl>\n", out);
}

void html_provenance(FILE *out, const struct view *view)
{
    enum { RUNS_MAX = 100 };
    begin_section(out, "provenance", "Where this comes from");
    for (size_t i = 0; i < view->run_count && i < RUNS_MAX; i++)
        put_run(out, view->runs[i]);
    if (view->run_count > RUNS_MAX)
        html_print(out, "<p class=\"note\">%zu more runs are in <code>run.csv</code>.</p>\n",
                   view->run_count - RUNS_MAX);
    end_section(out);
}
