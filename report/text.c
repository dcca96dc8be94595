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
#include "sites.h"
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
    if (view->what[0])
        terminal_field(terminal, LABEL_INDENT, "What happens", view->what);
    terminal_field(terminal, LABEL_INDENT, "Who", view->who);
    terminal_field(terminal, LABEL_INDENT, "Since when", view->since);
    terminal_field(terminal, LABEL_INDENT, "Captured", view->coverage);
    if (view->site_count)
        terminal_field(terminal, LABEL_INDENT, "Sites", view->sites_sentence);
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

static void put_sites(const struct terminal *terminal, const struct view *view)
{
    char line[LINE_SIZE];
    if (!view->site_count)
        return;
    terminal_heading(terminal, "Sites");
    for (size_t i = 0; i < view->site_count; i++) {
        const struct view *site = &view->sites[i];
        struct text out = text_over(line, sizeof line);
        text_format(&out, "%s: %s:", sites_name(site), view_verdict_word(site->verdict));
        text_format(&out, " %s", site->sentence);
        fputs("  - ", terminal->out);
        terminal_wrap(terminal, 4, 4, line);
    }
}

/* A column for each requirement: "ok" passes, "-" was not observed. */
static void put_site_requirements(const struct terminal *terminal, const struct view *view)
{
    static const char *const words[STATUS_COUNT] = {[STATUS_NOT_OBSERVED] = "-",
                                                    [STATUS_PASS] = "ok",
                                                    [STATUS_WARN] = "warn",
                                                    [STATUS_FAIL] = "FAIL"};
    enum { CELL = 5 };
    if (!view->site_count)
        return;
    fputs("\n  ", terminal->out);
    for (int code = 0; code < REQUIREMENT_COUNT; code++)
        fprintf(terminal->out, "%-*s", CELL, requirement_name((enum requirement_code)code));
    fputs("site\n", terminal->out);
    for (size_t i = 0; i < view->site_count; i++) {
        fputs("  ", terminal->out);
        for (int code = 0; code < REQUIREMENT_COUNT; code++) {
            enum requirement_status status = view->sites[i].requirements[code].status;
            terminal_cell(terminal, tone_of_status(status), words[status], CELL);
        }
        terminal_wrap(terminal, 2 + CELL * REQUIREMENT_COUNT, 4, sites_name(&view->sites[i]));
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
        if (group->where[0]) {
            fputs("     Where: ", terminal->out);
            terminal_wrap(terminal, 12, 5, group->where);
        }
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

/* "4 findings: 3 certain, 1 likely"; "1 finding, certain". */
static void add_confidence(const struct view_group *group, struct text *out)
{
    text_add(out, COUNTED(group->findings, "finding"));
    const char *separator = ": ";
    for (int c = CONFIDENCE_COUNT - 1; c >= 0; c--) {
        const char *name = confidence_name((enum confidence)c);
        if (!group->by_confidence[c])
            continue;
        if (group->by_confidence[c] == group->findings)
            text_format(out, group->findings == 1 ? ", %s" : ", all %s", name);
        else
            text_format(out, "%s%s %s", separator, DIGITS(group->by_confidence[c]), name);
        separator = ", ";
    }
}

static void add_who(const struct view_group *group, struct text *out)
{
    enum { LISTED = 3 };
    size_t count = group->who.count, listed = count <= LISTED ? count : LISTED - 1;
    if (!count)
        text_add(out, view_whole(group));
    for (size_t i = 0; i < listed; i++)
        text_format(out, "%s%s", i ? ", " : "", group->who.at[i]);
    if (count > listed)
        text_format(out, " and %s more", DIGITS(count - listed));
}

static void put_part(const struct terminal *terminal, const char *label, const char *text)
{
    enum { GROUP_INDENT = 11, PART_INDENT = 20 };
    if (!text || !text[0])
        return;
    fprintf(terminal->out, "%*s%-*s", GROUP_INDENT, "", PART_INDENT - GROUP_INDENT, label);
    terminal_wrap(terminal, PART_INDENT, PART_INDENT, text);
}

/* Where "What to change" has it, its number there. */
static void put_remedy(const struct terminal *terminal, const struct view *view,
                       const struct view_group *group)
{
    const struct view_group *first;
    const char *remedy = group->about ? group->about->remedy : NULL, *listed;
    char line[LINE_SIZE];
    if (!remedy || group->severity == SEVERITY_INFO || group->is_explained)
        return;
    for (size_t i = 0; i < REMEDIES_MAX && (listed = view_remedy(view, i, &first)); i++)
        if (strcmp(listed, remedy) == 0) {
            struct text out = text_over(line, sizeof line);
            text_format(&out, "Number %zu of \"What to change\".", i + 1);
            put_part(terminal, "Remedy:", line);
            return;
        }
    put_part(terminal, "Remedy:", remedy);
}

/* What the packets show of the surest finding, and of how many more there is the like. */
static void put_seen(const struct terminal *terminal, const struct view_group *group)
{
    char line[LINE_SIZE];
    struct text out = text_over(line, sizeof line);
    if (!group->kept_count || !group->kept[0]->summary)
        return;
    text_add(&out, group->kept[0]->summary);
    if (group->findings > 1)
        text_format(&out, " And %s.", COUNTED(group->findings - 1, "more like it|more like it"));
    put_part(terminal, "Seen:", line);
}

static void put_group(const struct terminal *terminal, const struct view *view,
                      const struct view_group *group)
{
    char line[LINE_SIZE], text[PHRASE_SIZE];
    struct text out = text_over(line, sizeof line);
    fputs("  ", terminal->out);
    terminal_cell(terminal, tone_of_severity(group->severity), view_severity_word(group->severity),
                  9);
    text_format(&out, "%s (%s)", view_group_title(group), group->code);
    terminal_wrap(terminal, 11, 11, line);
    put_part(terminal, "Meaning:", group->about ? group->about->meaning : NULL);
    out = text_over(line, sizeof line);
    add_who(group, &out);
    text_add(&out, ".");
    put_part(terminal, "Who:", line);
    put_part(terminal, "Blocked:", group->blocked);
    put_part(terminal, "Where:", group->where);
    out = text_over(line, sizeof line);
    text_format(&out, "%s.", phrase_moment(group->first_ns, text));
    put_part(terminal, "Since:", line);
    put_seen(terminal, group);
    out = text_over(line, sizeof line);
    add_confidence(group, &out);
    text_add(&out, ".");
    put_part(terminal, "Sure:", line);
    put_remedy(terminal, view, group);
}

static void put_findings(const struct terminal *terminal, const struct view *view)
{
    if (!view->group_count)
        return;
    terminal_heading(terminal, "Findings");
    for (size_t i = 0; i < view->group_count && i < CODES_MAX; i++)
        put_group(terminal, view, view->groups[i]);
}

static void put_limits(const struct terminal *terminal, const struct view *view)
{
    terminal_heading(terminal, "How sure, and what the capture could not tell");
    for (size_t i = 0; i < view->limit_count; i++) {
        fputs("  - ", terminal->out);
        terminal_wrap(terminal, 4, 4, view->limits[i]);
    }
}

static bool put_summary(FILE *file, const struct view *view, struct fault *fault)
{
    struct terminal terminal = terminal_over(file, view->options);
    (void)fault;
    put_head(&terminal, view);
    put_devices(&terminal, view);
    put_sites(&terminal, view);
    put_remedies(&terminal, view);
    put_requirements(&terminal, view);
    put_site_requirements(&terminal, view);
    put_ports(&terminal, view);
    put_findings(&terminal, view);
    put_limits(&terminal, view);
    fputc('\n', file);
    terminal_wrap(&terminal, 0, 0,
                  view->group_count
                      ? "`apnscope show findings` and `apnscope show finding N` give the evidence; "
                        "`apnscope report --html FILE` makes a page to forward."
                      : "`apnscope report --html FILE` makes a page to forward.");
    return true;
}

bool report_text(const struct report_options *options, const char *path, struct fault *fault)
{
    struct report_options brief = *options;
    brief.range.is_brief = !options->change_ns; /* before and after are told by more */
    return view_write(&brief, path, put_summary, fault);
}
