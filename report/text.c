/* The summary for terminals: what `apnscope analyze` ends with and `report --text` prints.
 *
 * A writer beside HTML, CSV and JSON, for an administrator who may not know APNs: the verdict
 * first, what to change next, the audit table after. Deliberately lists no sessions: `apnscope
 * show` does. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/text.h"
#include "phrase.h"
#include "report/output.h"
#include "terminal.h"
#include "view.h"

enum { LABEL_INDENT = 17, REMEDIES_MAX = 3, CODES_MAX = 40, LINE_SIZE = 2048 };

static void put_head(const struct terminal *terminal, const struct view *view)
{
    char word[PHRASE_SIZE];
    struct text out = text_over(word, sizeof word);
    text_format(&out, "%s:", view_verdict_word(view->verdict));
    terminal_cell(terminal, tone_of_verdict(view->verdict), word, 0);
    fputc(' ', terminal->out);
    terminal_wrap(terminal, (unsigned)strlen(word) + 1, 2, view->sentence);
    fputc('\n', terminal->out);
    terminal_field(terminal, LABEL_INDENT, "Who", view->who);
    terminal_field(terminal, LABEL_INDENT, "Since", view->since);
    terminal_field(terminal, LABEL_INDENT, "Seen", view->coverage);
    if (view->trend.is_asked)
        terminal_field(terminal, LABEL_INDENT, "Before, after", view->trend.sentence);
}

static void put_devices(const struct terminal *terminal, const struct view *view)
{
    static const char *const labels[DEVICE_ROLE_COUNT] = {"Devices", "MDM servers"};
    const uint64_t totals[DEVICE_ROLE_COUNT] = {view->device_total, view->server_total};
    for (int role = 0; role < DEVICE_ROLE_COUNT; role++) {
        char line[LINE_SIZE];
        struct text out = text_over(line, sizeof line);
        static const enum device_verdict order[] = {VERDICT_BROKEN, VERDICT_DEGRADED, VERDICT_WORKS,
                                                    VERDICT_UNKNOWN};
        static const char *const words[VERDICT_COUNT] = {"unknown", "working", "degraded",
                                                         "broken"};
        if (!totals[role])
            continue;
        text_format(&out, "%s:", DIGITS(totals[role]));
        const char *separator = " ";
        for (size_t i = 0; i < VERDICT_COUNT; i++) {
            uint64_t count = view->devices[role][order[i]];
            if (!count)
                continue;
            text_format(&out, "%s%s %s", separator, DIGITS(count), words[order[i]]);
            separator = ", ";
        }
        text_add(&out, ".");
        terminal_field(terminal, LABEL_INDENT, labels[role], line);
    }
}

static void put_remedies(const struct terminal *terminal, const struct view *view)
{
    const struct view_group *group;
    const char *remedy;
    for (size_t i = 0; i < REMEDIES_MAX && (remedy = view_remedy(view, i, &group)); i++) {
        if (i == 0)
            terminal_heading(terminal, "What to change");
        fprintf(terminal->out, "  %zu. ", i + 1);
        terminal_wrap(terminal, 5, 5, remedy);
    }
}

static void put_requirements(const struct terminal *terminal, const struct view *view)
{
    terminal_heading(terminal, "Requirements");
    for (int i = 0; i < REQUIREMENT_COUNT; i++) {
        const struct view_requirement *requirement = &view->requirements[i];
        fprintf(terminal->out, "  %s  ", requirement_name((enum requirement_code)i));
        terminal_cell(terminal, tone_of_status(requirement->status),
                      view_status_word(requirement->status), 13);
        terminal_wrap(terminal, 19, 19, requirement_title((enum requirement_code)i));
        if (requirement->summary[0] && requirement->status != STATUS_NOT_OBSERVED) {
            fprintf(terminal->out, "%*s", 19, "");
            terminal_wrap(terminal, 19, 19, requirement->summary);
        }
    }
}

static void put_ports(const struct terminal *terminal, const struct view *view)
{
    terminal_heading(terminal, "Ports");
    for (size_t i = 0; i < VIEW_PORTS; i++) {
        const struct view_port *port = &view->ports[i];
        fprintf(terminal->out, "  %-5" PRIu16, port->port);
        terminal_cell(terminal, tone_of_status(port->status), view_status_word(port->status), 13);
        terminal_wrap(terminal, 20, 20, port->observed);
    }
}

static const char *confidence_words(const struct view_group *group, char text[PHRASE_SIZE])
{
    struct text out = text_over(text, PHRASE_SIZE);
    for (int c = CONFIDENCE_COUNT - 1; c >= 0; c--)
        if (group->by_confidence[c])
            text_format(&out, "%s%s %s", out.length ? ", " : "", DIGITS(group->by_confidence[c]),
                        confidence_name((enum confidence)c));
    return text;
}

static void group_who(const struct view_group *group, struct text *out)
{
    enum { LISTED = 3 };
    size_t count = group->who.count, listed = count <= LISTED ? count : LISTED - 1;
    if (!count)
        text_add(out, "the site as a whole");
    for (size_t i = 0; i < listed; i++)
        text_format(out, "%s%s", i ? ", " : "", group->who.at[i]);
    if (count > listed)
        text_format(out, " and %s more", DIGITS(count - listed));
}

static void put_group(const struct terminal *terminal, const struct view_group *group)
{
    char line[LINE_SIZE], text[PHRASE_SIZE];
    struct text out = text_over(line, sizeof line);
    const char *word = view_severity_word(group->severity);
    fputs("  ", terminal->out);
    terminal_cell(terminal, tone_of_severity(group->severity), word, 9);
    text_format(&out, "%s (%s)", view_group_title(group), group->code);
    terminal_wrap(terminal, 11, 11, line);

    out = text_over(line, sizeof line);
    group_who(group, &out);
    text_format(&out, "; %s,", COUNTED(group->findings, "finding"));
    text_format(&out, " %s;", confidence_words(group, text));
    text_format(&out, " first %s", phrase_moment(group->first_ns, text));
    fprintf(terminal->out, "%*s", 11, "");
    terminal_wrap(terminal, 11, 11, line);
    if (group->where[0]) {
        out = text_over(line, sizeof line);
        text_format(&out, "Where: %s", group->where);
        fprintf(terminal->out, "%*s", 11, "");
        terminal_wrap(terminal, 11, 11, line);
    }
    if (group->about && group->about->remedy && group->severity != SEVERITY_INFO) {
        out = text_over(line, sizeof line);
        text_format(&out, "Remedy: %s", group->about->remedy);
        fprintf(terminal->out, "%*s", 11, "");
        terminal_wrap(terminal, 11, 11, line);
    }
}

static void put_findings(const struct terminal *terminal, const struct view *view)
{
    if (!view->group_count)
        return;
    terminal_heading(terminal, "Findings");
    for (size_t i = 0; i < view->group_count && i < CODES_MAX; i++)
        put_group(terminal, view->groups[i]);
}

static void put_limits(const struct terminal *terminal, const struct view *view)
{
    char line[LINE_SIZE];
    terminal_heading(terminal, "How sure, and what the capture could not tell");
    for (size_t i = 0; i < view->limit_count; i++) {
        fputs("  - ", terminal->out);
        terminal_wrap(terminal, 4, 4, view->limits[i]);
    }
    for (size_t i = 0; i < view->quality_count; i++) {
        const struct view_line *fact = &view->quality[i];
        struct text out = text_over(line, sizeof line);
        if (!fact->is_trouble)
            continue;
        text_format(&out, "%s: %s.", fact->label ? fact->label : fact->name, fact->value);
        fputs("  - ", terminal->out);
        terminal_wrap(terminal, 4, 4, line);
    }
}

static void put_summary(FILE *file, const struct report_options *options, const struct view *view)
{
    struct terminal terminal = terminal_over(file, options);
    put_head(&terminal, view);
    put_devices(&terminal, view);
    put_remedies(&terminal, view);
    put_requirements(&terminal, view);
    put_ports(&terminal, view);
    put_findings(&terminal, view);
    put_limits(&terminal, view);
    fputc('\n', file);
    terminal_wrap(&terminal, 0, 0,
                  view->group_count
                      ? "`apnscope show findings` and `apnscope show finding N` give the evidence; "
                        "`apnscope report --html FILE` makes a page to forward."
                      : "`apnscope report --html FILE` makes a page to forward.");
}

bool report_text(const struct report_options *options, const char *path, struct fault *fault)
{
    struct view view;
    struct output output;
    if (!view_load(&view, options, fault))
        return false;
    bool written = output_open(&output, path, fault);
    if (written) {
        put_summary(output.file, options, &view);
        written = output_commit(&output, fault);
    }
    view_free(&view);
    return written;
}
