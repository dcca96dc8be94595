/* Writes one JSON document: the view's sentences, then the tables as the database has them.
 *
 * A writer beside HTML, CSV and text, for programs. Keys have a fixed order; rows are streamed, so
 * that the document's size costs no memory; the names of columns are the database's. Jansson
 * checks the evidence documents that are embedded, unless they are as plain as the store writes
 * them (json_plain.c). One thread writes, so that stdio's locks are left out where every field
 * would pay for them. Deliberately rounds and translates nothing. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "json_plain.h"
#include "rows.h"
#include "rules.h"
#include "sites.h"
#include "view.h"
#include "visible.h"

enum { REPORT_VERSION = 1 };

struct json_out {
    FILE *out;
    bool needs_comma;
};

static void put_utf16(FILE *out, uint32_t code)
{
    if (code > 0xffff) { /* surrogate pair, RFC 8259 section 7 */
        code -= 0x10000;
        fprintf(out, "\\u%04x", 0xd800u + (code >> 10));
        code = 0xdc00u + (code & 0x3ffu);
    }
    fprintf(out, "\\u%04x", code);
}

/* Printable ASCII but for the two that JSON escapes. */
static bool is_as_it_is(char byte)
{
    return byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
}

/* Plain characters as they are; hidden ones as \u escapes, so that the value is kept and a terminal
 * that shows the document is safe; bytes that are not UTF-8 become the text \xNN. */
static void put_string(FILE *out, const char *text)
{
    putc_unlocked('"', out);
    while (*text) {
        const char *run = text;
        struct visible seen = {0};
        while (is_as_it_is(*text) ||
               (*text && *text != '"' && *text != '\\' && (seen = visible_at(text)).is_plain))
            text += is_as_it_is(*text) ? 1 : seen.size;
        fwrite_unlocked(run, 1, (size_t)(text - run), out);
        if (!*text)
            break;
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text++);
        else if (seen.is_valid)
            put_utf16(out, seen.code), text += seen.size;
        else
            fprintf(out, "\\\\x%02x", (unsigned)(uint8_t)*text++);
    }
    putc_unlocked('"', out);
}

static void comma(struct json_out *json)
{
    if (json->needs_comma)
        putc_unlocked(',', json->out);
    json->needs_comma = true;
}

static void key(struct json_out *json, const char *name)
{
    comma(json);
    putc_unlocked('"', json->out);
    fputs_unlocked(name, json->out); /* names are ours, never data */
    fputs_unlocked("\":", json->out);
}

static void begin(struct json_out *json, char bracket)
{
    putc_unlocked(bracket, json->out);
    json->needs_comma = false;
}

static void end(struct json_out *json, char bracket)
{
    putc_unlocked(bracket, json->out);
    json->needs_comma = true;
}

static void string_of(struct json_out *json, const char *name, const char *value)
{
    key(json, name);
    if (value)
        put_string(json->out, value);
    else
        fputs_unlocked("null", json->out);
}

static void integer_of(struct json_out *json, const char *name, int64_t value)
{
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    key(json, name);
    if (value == ROW_NULL) {
        fputs_unlocked("null", json->out);
        return;
    }
    do /* of printf's, half of the time of a table of numbers would be parsing "%ld" */
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    fwrite_unlocked(at, 1, (size_t)(digits + sizeof digits - at), json->out);
}

static void count_of(struct json_out *json, const char *name, uint64_t value)
{
    integer_of(json, name, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

/* --- the view ----------------------------------------------------------------------------- */

static void put_verdict(struct json_out *json, const struct view *view)
{
    key(json, "verdict");
    begin(json, '{');
    string_of(json, "name", view_verdict_name(view->verdict));
    string_of(json, "word", view_verdict_word(view->verdict));
    string_of(json, "sentence", view->sentence);
    string_of(json, "what", view->what);
    string_of(json, "who", view->who);
    string_of(json, "since", view->since);
    string_of(json, "coverage", view->coverage);
    count_of(json, "affected", view->affected.count);
    integer_of(json, "fault_first_ns", view->fault_first_ns);
    integer_of(json, "fault_last_ns", view->fault_last_ns);
    integer_of(json, "first_ns", view->first_ns);
    integer_of(json, "last_ns", view->last_ns);
    count_of(json, "sessions", view->sessions);
    for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--) {
        static const char *const names[] = {"findings_info", "findings_warn", "findings_fail"};
        count_of(json, names[severity], view->findings[severity]);
    }
    end(json, '}');
}

static void put_devices_by_verdict(struct json_out *json, const struct view *view)
{
    key(json, "devices_by_verdict");
    begin(json, '{');
    for (int role = 0; role < DEVICE_ROLE_COUNT; role++) {
        key(json, device_role_name((enum device_role)role));
        begin(json, '{');
        for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
            count_of(json, verdict_name((enum device_verdict)verdict),
                     view->devices[role][verdict]);
        end(json, '}');
    }
    end(json, '}');
}

static void put_remedies(struct json_out *json, const struct view *view)
{
    const struct view_group *group;
    const char *remedy;
    key(json, "what_to_change");
    begin(json, '[');
    for (size_t i = 0; (remedy = view_remedy(view, i, &group)); i++) {
        comma(json);
        begin(json, '{');
        string_of(json, "code", group->code);
        string_of(json, "remedy", remedy);
        string_of(json, "where", group->where);
        end(json, '}');
    }
    end(json, ']');
}

static void put_limits(struct json_out *json, const struct view *view)
{
    key(json, "how_sure");
    begin(json, '[');
    for (size_t i = 0; i < view->limit_count; i++) {
        comma(json);
        put_string(json->out, view->limits[i]);
    }
    end(json, ']');
}

static void put_rules(struct json_out *json, const struct view *view)
{
    const struct view_rule *rule;
    key(json, "rules");
    begin(json, '[');
    for (size_t i = 0; (rule = rules_at(view, i)); i++) {
        char from[VIEW_SENTENCE_SIZE];
        rules_from(view, rule, from);
        comma(json);
        begin(json, '{');
        string_of(json, "requirement", requirement_name(rule->requirement));
        string_of(json, "action", rule->action);
        string_of(json, "from", from);
        string_of(json, "to", rule->to);
        string_of(json, "service", rule->service);
        string_of(json, "how", rule->how);
        end(json, '}');
    }
    end(json, ']');
}

/* Apple's networks that were tried, by port. */
static void put_networks(struct json_out *json, const struct view *view)
{
    key(json, "networks");
    begin(json, '[');
    for (size_t i = 0; i < view->figures.network_count; i++)
        for (int port = 0; port < FIGURE_PORTS; port++) {
            const struct figure_network *network = &view->figures.networks[i];
            char prefix[PREFIX_TEXT_SIZE];
            if (!network->worked[port] && !network->failed[port])
                continue;
            comma(json);
            begin(json, '{');
            string_of(json, "prefix", prefix_text(&network->prefix, prefix));
            integer_of(json, "port", figure_ports[port]);
            count_of(json, "worked", network->worked[port]);
            count_of(json, "failed", network->failed[port]);
            end(json, '}');
        }
    end(json, ']');
}

static void put_requirement_statuses(struct json_out *json, const struct view *view)
{
    key(json, "requirements");
    begin(json, '{');
    for (int i = 0; i < REQUIREMENT_COUNT; i++)
        string_of(json, requirement_name((enum requirement_code)i),
                  status_name(view->requirements[i].status));
    end(json, '}');
}

/* Empty where the report has one site. */
static void put_sites(struct json_out *json, const struct view *view)
{
    key(json, "sites");
    begin(json, '[');
    for (size_t i = 0; i < view->site_count; i++) {
        const struct view *site = &view->sites[i];
        comma(json);
        begin(json, '{');
        string_of(json, "site", site->runs[0]->site);
        string_of(json, "name", view_verdict_name(site->verdict));
        string_of(json, "sentence", site->sentence);
        count_of(json, "sessions", site->sessions);
        put_devices_by_verdict(json, site);
        put_requirement_statuses(json, site);
        end(json, '}');
    }
    end(json, ']');
}

static void put_trend(struct json_out *json, const struct trend *trend)
{
    static const char *const sides[TREND_SIDES] = {"before", "after"};
    if (!trend->is_asked) {
        key(json, "trend");
        fputs("null", json->out);
        return;
    }
    key(json, "trend");
    begin(json, '{');
    integer_of(json, "change_ns", trend->change_ns);
    string_of(json, "sentence", trend->sentence);
    key(json, "ports");
    begin(json, '[');
    for (int port = 0; port < TREND_PORTS; port++)
        for (int side = 0; side < TREND_SIDES; side++) {
            const struct trend_counts *counts = &trend->at[port][side];
            comma(json);
            begin(json, '{');
            integer_of(json, "port", figure_ports[port]);
            string_of(json, "side", sides[side]);
            count_of(json, "devices", counts->devices);
            count_of(json, "devices_worked", counts->devices_worked);
            count_of(json, "worked", counts->worked);
            count_of(json, "failed", counts->failed);
            end(json, '}');
        }
    end(json, ']');
    end(json, '}');
}

static void put_ports(struct json_out *json, const struct view *view)
{
    key(json, "ports");
    begin(json, '[');
    for (size_t i = 0; i < VIEW_PORTS; i++) {
        const struct view_port *port = &view->ports[i];
        comma(json);
        begin(json, '{');
        integer_of(json, "port", port->port);
        string_of(json, "direction", port->direction);
        string_of(json, "purpose", port->purpose);
        string_of(json, "status", status_name(port->status));
        count_of(json, "worked", port->sessions[HEAP_WORKED]);
        count_of(json, "failed", port->sessions[HEAP_FAILED]);
        count_of(json, "not_judged", port->sessions[HEAP_UNJUDGED]);
        string_of(json, "observed", port->observed);
        end(json, '}');
    }
    end(json, ']');
}

static void put_requirements(struct json_out *json, const struct view *view)
{
    key(json, "requirements");
    begin(json, '[');
    for (int i = 0; i < REQUIREMENT_COUNT; i++) {
        const struct view_requirement *requirement = &view->requirements[i];
        comma(json);
        begin(json, '{');
        string_of(json, "code", requirement_name((enum requirement_code)i));
        string_of(json, "title", requirement_title((enum requirement_code)i));
        string_of(json, "status", status_name(requirement->status));
        integer_of(json, "seen", requirement->seen);
        integer_of(json, "failed", requirement->failed);
        string_of(json, "summary", requirement->summary);
        end(json, '}');
    }
    end(json, ']');
}

static void put_codes(struct json_out *json, const struct view *view)
{
    key(json, "codes");
    begin(json, '[');
    for (size_t i = 0; i < view->group_count; i++) {
        const struct view_group *group = view->groups[i];
        const struct report_code *about = group->about;
        comma(json);
        begin(json, '{');
        string_of(json, "code", group->code);
        string_of(json, "title", view_group_title(group));
        string_of(json, "severity", severity_name(group->severity));
        count_of(json, "findings", group->findings);
        count_of(json, "occurrences", group->occurrences);
        count_of(json, "clients", group->who.count);
        integer_of(json, "first_ns", group->first_ns);
        integer_of(json, "last_ns", group->last_ns);
        string_of(json, "meaning", about ? about->meaning : NULL);
        string_of(json, "innocent", about ? about->innocent : NULL);
        string_of(json, "remedy", about ? about->remedy : NULL);
        string_of(json, "where", group->where);
        end(json, '}');
    }
    end(json, ']');
}

/* --- the tables --------------------------------------------------------------------------- */

struct table_out {
    struct json_out *json;
    const struct row_table *table;
};

static bool is_ascii(const char *text)
{
    while (*text >= ' ' && *text <= '~')
        text++;
    return !*text;
}

/* The evidence is a document of its own: embedded where it is one, else kept as a string. */
static void document_of(struct json_out *json, const char *name, const char *text)
{
    if (text && json_is_plain(text)) {
        key(json, name);
        fputs_unlocked(text, json->out);
        return;
    }
    json_t *document = text ? json_loads(text, 0, NULL) : NULL;
    if (!document) {
        string_of(json, name, text);
        return;
    }
    key(json, name);
    if (is_ascii(text))
        fputs_unlocked(text, json->out);
    else
        (void)json_dumpf(document, json->out, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(document);
}

static bool put_row(void *context, const void *row)
{
    struct table_out *table = context;
    struct json_out *json = table->json;
    comma(json);
    putc_unlocked('\n', json->out);
    begin(json, '{');
    for (size_t i = 0; i < table->table->column_count; i++) {
        const struct row_column *column = &table->table->columns[i];
        if (column->is_json)
            document_of(json, column->name, row_text(row, column));
        else if (column->is_text)
            string_of(json, column->name, row_text(row, column));
        else
            integer_of(json, column->name, row_integer(row, column));
    }
    end(json, '}');
    return !ferror(json->out);
}

static bool put_tables(struct json_out *json, const struct view *view, struct fault *fault)
{
    key(json, "tables");
    begin(json, '{');
    for (size_t i = 0; i < ROWS_KIND_COUNT; i++) {
        struct table_out table = {json, &row_tables[i]};
        key(json, table.table->name);
        begin(json, '[');
        if (!gate_read(view->gate, (enum row_kind)i, &view->options->range, put_row, &table, fault))
            return false;
        end(json, ']');
    }
    end(json, '}');
    return true;
}

static bool put_document(FILE *out, const struct view *view, struct fault *fault)
{
    struct json_out json = {.out = out};
    begin(&json, '{');
    string_of(&json, "format", "apnscope-report");
    integer_of(&json, "version", REPORT_VERSION);
    put_verdict(&json, view);
    put_devices_by_verdict(&json, view);
    put_sites(&json, view);
    put_trend(&json, &view->trend);
    put_remedies(&json, view);
    put_rules(&json, view);
    put_limits(&json, view);
    put_requirements(&json, view);
    put_ports(&json, view);
    put_networks(&json, view);
    put_codes(&json, view);
    if (!put_tables(&json, view, fault))
        return false;
    end(&json, '}');
    fputc('\n', out);
    return true;
}

bool report_json(const struct report_options *options, const char *path, struct fault *fault)
{
    return view_write(options, path, put_document, fault);
}
