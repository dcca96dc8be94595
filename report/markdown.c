/* The report as Markdown, for tickets and wikis: short, with tables and one ladder a fault.
 *
 * A writer beside HTML, CSV, JSON and text (CommonMark with the tables of GitHub and GitLab).
 * Characters that Markdown would read are escaped. Deliberately lists no devices and sessions: the
 * page and the tables do. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "phrase.h"
#include "rules.h"
#include "show_ladder.h"
#include "sites.h"
#include "view.h"
#include "visible.h"

enum { REMEDIES_MAX = 3, FINDINGS_SHOWN = 3, LADDER_WIDTH = 100 };

/* CommonMark 0.31 section 2.4: a backslash takes the meaning of what it stands before. */
static void put(FILE *out, const char *text)
{
    for (const char *at = text; *at;) {
        size_t plain = strcspn(at, "\\`*_{}[]<>#|~!&");
        visible_put_bytes(out, at, plain);
        at += plain;
        if (*at == '<')
            fputs("&lt;", out), at++;
        else if (*at == '&')
            fputs("&amp;", out), at++;
        else if (*at)
            fprintf(out, "\\%c", *at++);
    }
}

/* printf for Markdown: what stands for %s is escaped; nothing else is known. */
static void print(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void print(FILE *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    for (const char *at = format; *at; at++) {
        if (at[0] != '%' || at[1] != 's') {
            fputc(*at, out);
            continue;
        }
        put(out, va_arg(list, const char *));
        at++;
    }
    va_end(list);
}

/* A span of code holds no back quote and no line end. */
static void put_code(FILE *out, const char *text)
{
    fputs("`` ", out);
    for (const char *at = text; *at;) {
        size_t plain = strcspn(at, "`");
        visible_put_bytes(out, at, plain);
        at += plain;
        if (*at)
            fputc('\'', out), at++;
    }
    fputs(" ``", out);
}

static void put_head(FILE *out, const struct view *view)
{
    print(out, "# %s: %s\n\n", view_verdict_word(view->verdict), view->sentence);
    if (view->what[0])
        print(out, "* **What happens:** %s\n", view->what);
    print(out, "* **Who is affected:** %s\n", view->who);
    print(out, "* **Since when:** %s\n", view->since);
    print(out, "* **What was captured:** %s\n", view->coverage);
    if (view->trend.is_asked)
        print(out, "* **Before and after:** %s\n", view->trend.sentence);
    for (size_t i = 0; i < view->limit_count; i++)
        print(out, "* %s\n", view->limits[i]);
}

static void put_rules(FILE *out, const struct view *view)
{
    const struct view_rule *rule = rules_at(view, 0);
    if (!rule)
        return;
    fputs("\nThe same as rules of a firewall:\n\n| action | from | to | service | how | because |\n"
          "|---|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; (rule = rules_at(view, i)); i++) {
        char from[VIEW_SENTENCE_SIZE];
        rules_from(view, rule, from);
        print(out, "| %s | %s | %s | %s | %s | %s |\n", rule->action, from, rule->to, rule->service,
              rule->how, requirement_name(rule->requirement));
    }
}

static void put_sites(FILE *out, const struct view *view)
{
    if (!view->site_count)
        return;
    fputs("\n## Sites\n\n", out);
    print(out,
          "%s\n\n| site | result | devices | broken | degraded | sessions | verdict |\n"
          "|---|---|--:|--:|--:|--:|---|\n",
          view->sites_sentence);
    for (size_t i = 0; i < view->site_count; i++) {
        const struct view *site = &view->sites[i];
        const uint64_t *devices = site->devices[DEVICE_ROLE_DEVICE];
        print(out, "| %s | %s | %s | %s | %s | %s | %s |\n", sites_name(site),
              view_verdict_word(site->verdict), DIGITS(site->device_total),
              DIGITS(devices[VERDICT_BROKEN]), DIGITS(devices[VERDICT_DEGRADED]),
              DIGITS(site->sessions), site->sentence);
    }
    fputs("\n| site |", out);
    for (int code = 0; code < REQUIREMENT_COUNT; code++)
        print(out, " %s |", requirement_name((enum requirement_code)code));
    fputs("\n|---|", out);
    for (int code = 0; code < REQUIREMENT_COUNT; code++)
        fputs("---|", out);
    fputc('\n', out);
    for (size_t i = 0; i < view->site_count; i++) {
        print(out, "| %s |", sites_name(&view->sites[i]));
        for (int code = 0; code < REQUIREMENT_COUNT; code++)
            print(out, " %s |", view_status_word(view->sites[i].requirements[code].status));
        fputc('\n', out);
    }
}

static void put_change(FILE *out, const struct view *view)
{
    const struct view_group *group;
    const char *remedy;
    for (size_t i = 0; i < REMEDIES_MAX && (remedy = view_remedy(view, i, &group)); i++) {
        fputs(i ? "" : "\n## What to change\n\n", out);
        fprintf(out, "%zu. ", i + 1);
        print(out, "%s (%s)", remedy, view_group_title(group));
        print(out, group->where[0] ? " Where: %s\n" : "%s\n", group->where);
    }
    put_rules(out, view);
}

static void put_requirements(FILE *out, const struct view *view)
{
    fputs("\n## Requirements\n\n| | result | requirement | observed |\n|---|---|---|---|\n", out);
    for (int i = 0; i < REQUIREMENT_COUNT; i++)
        print(out, "| %s | %s | %s | %s |\n", requirement_name((enum requirement_code)i),
              view_status_word(view->requirements[i].status),
              requirement_title((enum requirement_code)i), view->requirements[i].summary);
}

static void put_ports(FILE *out, const struct view *view)
{
    fputs("\n## Ports\n\n| TCP port | result | observed | direction | purpose |\n"
          "|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < VIEW_PORTS; i++) {
        const struct view_port *port = &view->ports[i];
        fprintf(out, "| %" PRIu16, port->port);
        print(out, " | %s | %s | %s | %s |\n", view_status_word(port->status), port->observed,
              port->direction, port->purpose);
    }
}

static void put_ladder(FILE *out, const struct figure_ladder *figure)
{
    static struct ladder ladder;
    const struct terminal terminal = {.out = out, .width = LADDER_WIDTH};
    struct view_evidence evidence;
    view_evidence_read(&evidence, figure->finding->evidence);
    ladder_build(&ladder, &figure->parts, &evidence);
    view_evidence_free(&evidence);
    fprintf(out, "\nSession %" PRId64 ":\n\n```text\n", ladder.flow_id);
    show_ladder(&terminal, &ladder);
    fputs("```\n", out);
}

static void put_finding(FILE *out, const struct finding_row *finding)
{
    fprintf(out, "* finding %" PRId64 ", ", finding->id);
    print(out, "%s: %s", finding->confidence ? finding->confidence : "",
          finding->summary ? finding->summary : "");
    if (finding->display_filter && finding->display_filter[0]) {
        fputs(" In Wireshark: ", out);
        put_code(out, finding->display_filter);
    }
    fputc('\n', out);
}

static void put_group(FILE *out, const struct view *view, const struct view_group *group)
{
    const struct figure_ladder *ladder = figures_ladder_of(&view->figures, group);
    print(out, "\n### %s: %s\n\n", view_severity_word(group->severity), view_group_title(group));
    put_code(out, group->code);
    print(out, ", %s, %s.\n", COUNTED(group->findings, "finding"),
          COUNTED(group->who.count, "client"));
    if (group->about)
        print(out, "%s\n", group->about->meaning);
    if (group->blocked[0])
        print(out, "Blocked: %s\n", group->blocked);
    if (group->where[0])
        print(out, "Where: %s\n", group->where);
    fputc('\n', out);
    for (size_t i = 0; i < group->kept_count && i < FINDINGS_SHOWN; i++)
        put_finding(out, group->kept[i]);
    if (group->findings > FINDINGS_SHOWN)
        print(out, "* and %s\n", COUNTED(group->findings - FINDINGS_SHOWN, "more finding"));
    if (ladder && group->severity == SEVERITY_FAIL)
        put_ladder(out, ladder);
    if (group->about && group->about->innocent[0])
        print(out, "\nInnocent explanations considered: %s\n", group->about->innocent);
}

static void put_sources(FILE *out, const struct view *view)
{
    fputs("\n## Sources\n\n", out);
    for (size_t i = 0; i < view->run_count; i++) {
        const struct run_row *run = view->runs[i];
        const char *hash = run->sha256 ? run->sha256 : run->fingerprint;
        fprintf(out, "* run %" PRId64, run->id);
        print(out, ", apnscope %s: %s", run->tool_version ? run->tool_version : "",
              run->source ? run->source : "live");
        if (hash)
            print(out, ", %s %s", run->sha256 ? "SHA-256" : "fingerprint", hash);
        fputc('\n', out);
    }
}

static bool put_page(FILE *out, const struct view *view, struct fault *fault)
{
    (void)fault;
    put_head(out, view);
    put_sites(out, view);
    put_change(out, view);
    put_requirements(out, view);
    put_ports(out, view);
    fputs(view->group_count ? "\n## Findings\n" : "", out);
    for (size_t i = 0; i < view->group_count; i++)
        put_group(out, view, view->groups[i]);
    put_sources(out, view);
    return true;
}

bool report_markdown(const struct report_options *options, const char *path, struct fault *fault)
{
    return view_write(options, path, put_page, fault);
}
