/* Writes the report as one HTML page: complete in itself, no script needed, nothing fetched.
 *
 * A writer beside CSV, JSON and text, and what most people will ever see. The page allows exactly
 * its own style and script by their hashes (Content Security Policy, level 3) and nothing else.
 * The verdict is first; who wants proof reads on. Deliberately has no time of printing: the same
 * database gives the same bytes. */
#include "html.h"

#include <string.h>

#include "asset.h"
#include "base/count.h"
#include "html_picture.h"
#include "phrase.h"
#include "rules.h"

enum { REMEDIES_FIRST = 3, HASH_SIZE = 32, HASH_TEXT_SIZE = 45 };

/* --- head --------------------------------------------------------------------------------- */

static unsigned nibble(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

/* CSP wants base64 (RFC 4648 section 4) where the build has hex. */
static const char *hash_text(const struct asset *asset, char text[HASH_TEXT_SIZE])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t hash[HASH_SIZE + 1] = {0};
    for (size_t i = 0; i < HASH_SIZE; i++)
        hash[i] = (uint8_t)(nibble(asset->sha256[2 * i]) << 4 | nibble(asset->sha256[2 * i + 1]));
    char *at = text;
    for (size_t i = 0; i < HASH_SIZE; i += 3) {
        uint32_t three = (uint32_t)hash[i] << 16 | (uint32_t)hash[i + 1] << 8 |
                         (i + 2 < HASH_SIZE ? hash[i + 2] : 0u);
        for (int shift = 18; shift >= 0; shift -= 6)
            *at++ = digits[three >> shift & 0x3f];
    }
    text[HASH_TEXT_SIZE - 2] = '='; /* 32 bytes leave two of three */
    text[HASH_TEXT_SIZE - 1] = '\0';
    return text;
}

static void put_head(FILE *out, const struct view *view)
{
    char style[HASH_TEXT_SIZE], script[HASH_TEXT_SIZE];
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", out);
    html_print(out,
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
               "style-src 'sha256-%s'; script-src 'sha256-%s'\">\n",
               hash_text(&report_css, style), hash_text(&report_js, script));
    fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n"
          "<meta name=\"referrer\" content=\"no-referrer\">\n",
          out);
    html_print(out, "<title>%s: Apple push notifications", view_verdict_word(view->verdict));
    if (view->runs[0]->site)
        html_print(out, ", %s", view->runs[0]->site);
    fputs("</title>\n<style>", out);
    fwrite(report_css.text, 1, report_css.size, out);
    fputs("</style>\n</head>\n", out);
}

/* --- the first screen --------------------------------------------------------------------- */

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Where it was captured; of several places only how many runs there are. */
static void put_place(FILE *out, const struct view *view)
{
    const struct run_row *first = view->runs[0];
    bool is_one_place = true;
    for (size_t i = 1; i < view->run_count; i++)
        is_one_place &= is_same(first->site, view->runs[i]->site) &&
                        is_same(first->sensor, view->runs[i]->sensor);
    if (!is_one_place) {
        html_print(out, "<p class=\"site\">%s of <a href=\"#provenance\">several places</a></p>",
                   COUNTED(view->run_count, "run"));
    } else if (first->site || first->sensor) {
        html_print(out, "<p class=\"site\">%s", first->site ? first->site : "");
        html_print(out, "%s%s</p>", first->site && first->sensor ? " · " : "",
                   first->sensor ? first->sensor : "");
    }
}

static void put_banner(FILE *out, const struct view *view)
{
    fputs("<a class=\"skip\" href=\"#verdict\">Skip to the verdict</a>\n"
          "<header class=\"banner\"><p class=\"product\"><strong>apnscope</strong> "
          "Apple push notifications through this network</p>",
          out);
    put_place(out, view);
    fputs("</header>\n", out);
}

static bool has_section(const struct view *view, const char *id)
{
    const struct view_group *group;
    if (strcmp(id, "change") == 0)
        return view_remedy(view, 0, &group) != NULL;
    if (strcmp(id, "timeline") == 0)
        return view->lane_count > 0;
    if (strcmp(id, "path") == 0)
        return html_has_path(view);
    if (strcmp(id, "networks") == 0)
        return html_has_matrix(view);
    if (strcmp(id, "sites") == 0)
        return view->site_count > 0;
    return strcmp(id, "times") != 0 || html_has_times(view);
}

static void put_nav(FILE *out, const struct view *view)
{
    static const char *const links[][2] = {{"sites", "Sites"},
                                           {"change", "What to change"},
                                           {"path", "Where"},
                                           {"sure", "How sure"},
                                           {"requirements", "Requirements"},
                                           {"ports", "Ports"},
                                           {"networks", "Networks"},
                                           {"findings", "Findings"},
                                           {"timeline", "Timeline"},
                                           {"times", "Times"},
                                           {"devices", "Devices"},
                                           {"sessions", "Sessions"},
                                           {"quality", "Capture"},
                                           {"dns", "DNS"},
                                           {"provenance", "Sources"},
                                           {"method", "Method"},
                                           {"glossary", "Glossary"}};
    fputs("<nav aria-label=\"Sections\"><ul>", out);
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        if (has_section(view, links[i][0]))
            html_print(out, "<li><a href=\"#%s\">%s</a></li>", links[i][0], links[i][1]);
    }
    fputs("</ul></nav>\n", out);
}

static void put_counts(FILE *out, const struct view *view, enum device_role role)
{
    static const enum device_verdict order[] = {VERDICT_BROKEN, VERDICT_DEGRADED, VERDICT_WORKS,
                                                VERDICT_UNKNOWN};
    const char *separator = "";
    for (size_t i = 0; i < VERDICT_COUNT; i++)
        if (view->devices[role][order[i]]) {
            html_print(out, "%s<span class=\"tally %s\"><b>%s</b> %s</span>", separator,
                       html_tone_of_device(order[i]), DIGITS(view->devices[role][order[i]]),
                       view_device_word(order[i]));
            separator = " ";
        }
}

enum fact_width { ORDINARY, WIDE };

static void put_fact(FILE *out, enum fact_width width, const char *label, const char *sentence)
{
    fputs(width == WIDE ? "<div class=\"wide\">" : "<div>", out);
    html_print(out, "<dt>%s</dt><dd>", label);
    html_sentence(out, sentence);
    fputs("</dd></div>\n", out);
}

static void put_facts(FILE *out, const struct view *view)
{
    fputs("<dl class=\"facts\">", out);
    if (view->what[0])
        put_fact(out, WIDE, "What happens", view->what);
    put_fact(out, ORDINARY, "Who is affected", view->who);
    put_fact(out, ORDINARY, "Since when", view->since);
    if (view->device_total) {
        fputs("<div><dt>Devices</dt><dd>", out);
        put_counts(out, view, DEVICE_ROLE_DEVICE);
        fputs("</dd></div>\n", out);
    }
    if (view->server_total) {
        fputs("<div><dt>MDM servers</dt><dd>", out);
        put_counts(out, view, DEVICE_ROLE_MDM_SERVER);
        fputs("</dd></div>\n", out);
    }
    put_fact(out, WIDE, "What was captured", view->coverage);
    if (view->site_count)
        put_fact(out, WIDE, "Sites", view->sites_sentence);
    if (view->trend.is_asked)
        put_fact(out, WIDE, "Before and after", view->trend.sentence);
    fputs("</dl>\n", out);
}

static void put_verdict(FILE *out, const struct view *view)
{
    const char *tone = html_tone_of_verdict(view->verdict);
    html_print(out,
               "<section id=\"verdict\" class=\"verdict %s\" aria-labelledby=\"verdict-title\">",
               tone);
    html_badge(out, tone, view_verdict_word(view->verdict));
    html_print(out, "<h1 id=\"verdict-title\">%s</h1>\n", view->sentence);
    put_facts(out, view);
    fputs("</section>\n", out);
}

/* --- change, how sure --------------------------------------------------------------------- */

static void put_remedy_list(FILE *out, const struct view *view, size_t from, size_t to)
{
    const struct view_group *group;
    const char *remedy;
    html_print(out, "<ol class=\"remedies\" start=\"%zu\">\n", from + 1);
    for (size_t i = from; i < to && (remedy = view_remedy(view, i, &group)); i++) {
        html_print(out, "<li>%s", remedy);
        if (group->where[0])
            html_print(out, " <span class=\"at\">Where: %s</span>", group->where);
        html_print(out, " <a class=\"why\" href=\"#code-%s\">%s</a></li>\n", group->code,
                   view_group_title(group));
    }
    fputs("</ol>\n", out);
}

static void put_rules(FILE *out, const struct view *view)
{
    static const char *const titles[] = {"Action", "From", "To", "Service", "How", "Because", NULL};
    const struct view_rule *rule = rules_at(view, 0);
    if (!rule)
        return;
    html_table_begin(out, "rule-table", "As rules of a firewall", titles);
    for (size_t i = 0; (rule = rules_at(view, i)); i++) {
        char from[VIEW_SENTENCE_SIZE];
        rules_from(view, rule, from);
        html_print(out, "<tr><th scope=\"row\">%s</th>", rule->action);
        html_cell(out, from);
        html_cell(out, rule->to);
        html_cell(out, rule->service);
        html_cell(out, rule->how);
        html_print(out, "<td><a href=\"#requirements\">%s</a></td></tr>\n",
                   requirement_name(rule->requirement));
    }
    html_table_end(out);
}

static void put_change(FILE *out, const struct view *view)
{
    const struct view_group *group;
    if (!view_remedy(view, 0, &group))
        return;
    fputs("<section id=\"change\" aria-labelledby=\"change-title\"><h2 id=\"change-title\">What to "
          "change</h2>\n",
          out);
    put_rules(out, view);
    put_remedy_list(out, view, 0, REMEDIES_FIRST);
    if (view_remedy(view, REMEDIES_FIRST, &group)) {
        fputs("<details><summary>Further changes</summary>\n", out);
        put_remedy_list(out, view, REMEDIES_FIRST, SIZE_MAX);
        fputs("</details>\n", out);
    }
    fputs("</section>\n", out);
}

static void put_trend_cell(FILE *out, const struct trend_counts *counts)
{
    if (!counts->devices) {
        fputs("<td class=\"unknown\">not tried</td>", out);
        return;
    }
    html_print(out, "<td>%s of %s; %s worked, %s failed</td>", DIGITS(counts->devices_worked),
               COUNTED(counts->devices, "device"), COUNTED(counts->worked, "session"),
               DIGITS(counts->failed));
}

static void put_trend(FILE *out, const struct view *view)
{
    static const char *const titles[] = {"TCP port", "Before", "Since then", NULL};
    if (!view->trend.is_asked)
        return;
    fputs("<section id=\"trend\" aria-labelledby=\"trend-title\"><h2 id=\"trend-title\">Before and "
          "after the change</h2>\n",
          out);
    html_table_begin(out, "trend-table", "Devices for which the port worked", titles);
    for (int port = 0; port < TREND_PORTS; port++) {
        html_print(out, "<tr><th scope=\"row\">%d</th>", figure_ports[port]);
        for (int side = 0; side < TREND_SIDES; side++)
            put_trend_cell(out, &view->trend.at[port][side]);
        fputs("</tr>\n", out);
    }
    html_table_end(out);
    fputs("</section>\n", out);
}

static void put_sure(FILE *out, const struct view *view)
{
    fputs("<section id=\"sure\" aria-labelledby=\"sure-title\"><h2 id=\"sure-title\">How sure, and "
          "what the capture could not tell</h2>\n<ul class=\"limits\">",
          out);
    for (size_t i = 0; i < view->limit_count; i++)
        html_print(out, "<li>%s</li>\n", view->limits[i]);
    if (!view->limit_count)
        fputs("<li>The capture shows no flaw that would limit these results.</li>\n", out);
    fputs("</ul></section>\n", out);
}

/* --- the end ------------------------------------------------------------------------------ */

static void put_method(FILE *out)
{
    fputs("<section id=\"method\" aria-labelledby=\"method-title\"><h2 id=\"method-title\">Method "
          "and limits</h2>\n",
          out);
    for (size_t i = 0; i < view_method_count; i++)
        html_print(out, "<p>%s</p>\n", view_method[i]);
    fputs("</section>\n<section id=\"glossary\" aria-labelledby=\"glossary-title\"><h2 "
          "id=\"glossary-title\">Glossary</h2>\n<dl class=\"terms\">",
          out);
    for (size_t i = 0; i < view_glossary_count; i++)
        html_print(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", view_glossary[i].term,
                   view_glossary[i].meaning);
    fputs("</dl></section>\n", out);
}

static bool put_page(FILE *out, const struct view *view, struct fault *fault)
{
    put_head(out, view);
    fputs("<body>\n", out);
    put_banner(out, view);
    fputs("<main>\n", out);
    put_verdict(out, view);
    put_nav(out, view);
    html_sites(out, view);
    put_trend(out, view);
    put_change(out, view);
    html_path(out, view);
    put_sure(out, view);
    html_requirements(out, view);
    html_ports(out, view);
    html_matrix(out, view);
    html_findings(out, view);
    html_timeline(out, view);
    html_times(out, view);
    if (!html_devices(out, view, fault) || !html_sessions(out, view, fault) ||
        !html_quality(out, view, fault) || !html_dns(out, view, fault))
        return false;
    html_provenance(out, view);
    put_method(out);
    fputs("</main>\n<footer><p>Made by ", out);
    html_print(out, "%s. ", view->runs[0]->tool_version ? view->runs[0]->tool_version : "apnscope");
    fputs("This page loads nothing from anywhere.</p></footer>\n<script>", out);
    fwrite(report_js.text, 1, report_js.size, out);
    fputs("</script>\n</body>\n</html>\n", out);
    return true;
}

bool report_html(const struct report_options *options, const char *path, struct fault *fault)
{
    return view_write(options, path, put_page, fault);
}
