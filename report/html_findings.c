/* The findings of the HTML report: one article a code, with evidence.
 *
 * A section of the HTML writer. The surest findings of a code are shown in full, more of them as
 * lines, the rest by number. Deliberately repeats the meaning once a code, never once a finding. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "evidence.h"
#include "html_picture.h"
#include "phrase.h"
#include "place.h"

enum { IN_FULL = 6, WHO_LISTED = 24, CODES_MAX = 60 };

static void put_who(FILE *out, const struct view_group *group)
{
    if (!group->who.count) {
        html_sentence(out, view_whole(group));
        return;
    }
    size_t listed = group->who.count < WHO_LISTED ? group->who.count : WHO_LISTED;
    for (size_t i = 0; i < listed; i++)
        html_print(out, "%s<code>%s</code>", i ? ", " : "", group->who.at[i]);
    if (group->who.count > listed)
        html_print(out, " and %s more", DIGITS(group->who.count - listed));
}

static void put_part(FILE *out, const char *label, const char *text)
{
    if (text && text[0])
        html_print(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", label, text);
}

static void put_filter(FILE *out, const char *filter)
{
    if (filter && filter[0])
        html_print(out,
                   "<div class=\"filter\"><span class=\"label\">Wireshark display filter</span> "
                   "<code class=\"copy\">%s</code></div>\n",
                   filter);
}

static void put_frames(FILE *out, const struct finding_row *finding,
                       const struct view_evidence *evidence)
{
    if (!evidence->frame_count)
        return;
    html_print(out,
               "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Evidence frames "
               "of finding %" PRId64 "\"><table class=\"frames\"><caption>Packets that show "
               "it</caption><thead><tr><th scope=\"col\" class=\"n\">Frame</th><th "
               "scope=\"col\">Time</th><th scope=\"col\">What it shows</th></tr></thead><tbody>\n",
               finding->id);
    for (size_t i = 0; i < evidence->frame_count; i++) {
        const struct view_frame *frame = &evidence->frames[i];
        html_print(out, "<tr><td class=\"n\">%" PRId64 "</td><td class=\"t\">", frame->number);
        html_time(out, frame->time_ns, true);
        html_print(out, "</td><td>%s</td></tr>\n", frame->shows);
    }
    fputs("</tbody></table></div>\n", out);
}

static void put_when(FILE *out, const struct finding_row *finding)
{
    char first[PHRASE_SIZE], last[PHRASE_SIZE];
    fputs("<div><dt>When</dt><dd>", out);
    html_time(out, finding->first_ns, true);
    if (strcmp(phrase_moment_fine(finding->first_ns, first),
               phrase_moment_fine(finding->last_ns, last)) != 0) {
        fputs(" to ", out);
        html_time(out, finding->last_ns, true);
    }
    if (finding->count > 1)
        html_print(out, ", seen %s times", DIGITS(finding->count));
    fputs(".</dd></div>\n", out);
}

/* Of several captures the one whose frames are meant. */
static void put_capture(FILE *out, const struct view *view, const struct finding_row *finding)
{
    for (size_t i = 0; view->run_count > 1 && i < view->run_count; i++)
        if (view->runs[i]->id == finding->run_id)
            put_part(out, "Capture", view->runs[i]->source);
}

/* The sentence of the finding is its summary line; what supports it folds away. */
static void put_finding(FILE *out, const struct view *view, const struct report_code *about,
                        const struct finding_row *finding, bool is_open)
{
    struct view_evidence evidence;
    char where[VIEW_SENTENCE_SIZE], blocked[VIEW_SENTENCE_SIZE];
    view_evidence_read(&evidence, finding->evidence);
    place_say(finding, &evidence, about, view->figures.apple_hops, where);
    place_blocked(&evidence, blocked);
    html_print(out, "<details class=\"finding\" id=\"finding-%" PRId64 "\"", finding->id);
    fputs(is_open ? " open>" : ">", out);
    fputs("<summary><span class=\"what\">", out);
    html_sentence(out, finding->summary ? finding->summary : "");
    html_print(out, "</span> <span class=\"sure\">%s</span></summary>\n",
               finding->confidence ? finding->confidence : "");
    fputs("<dl class=\"parts\">", out);
    put_part(out, "Why that follows", evidence.reasoning);
    put_part(out, "Limits", evidence.limits);
    put_part(out, "What is blocked", blocked);
    if (place_is_named(finding))
        put_part(out, "Where", where);
    put_when(out, finding);
    put_capture(out, view, finding);
    fputs("</dl>\n", out);
    put_frames(out, finding, &evidence);
    put_filter(out, finding->display_filter);
    fputs("</details>\n", out);
    view_evidence_free(&evidence);
}

static void put_brief(FILE *out, const struct view_group *group)
{
    static const char *const titles[] = {"#Finding",         "Client", "Server", "How sure",
                                         "First seen (UTC)", "#Times", "What",   NULL};
    char id[PHRASE_SIZE];
    if (group->kept_count <= IN_FULL)
        return;
    html_print(out, "<details><summary>%zu more in brief</summary>\n", group->kept_count - IN_FULL);
    snprintf(id, sizeof id, "brief-%" PRId64, group->kept[IN_FULL]->id);
    html_table_begin(out, id, "More findings of this code", titles);
    for (size_t i = IN_FULL; i < group->kept_count; i++) {
        const struct finding_row *finding = group->kept[i];
        html_print(out, "<tr id=\"finding-%" PRId64 "\">", finding->id);
        html_cell_count(out, finding->id);
        html_cell_code(out, finding->client_ip);
        html_cell_code(out, finding->server_ip);
        html_cell(out, finding->confidence);
        html_cell_moment(out, finding->first_ns);
        html_cell_count(out, finding->count);
        html_cell(out, finding->summary);
        fputs("</tr>\n", out);
    }
    html_table_end(out);
    fputs("</details>\n", out);
}

static void put_counts(FILE *out, const struct view_group *group)
{
    html_print(out, "<p class=\"counts\"><code>%s</code> · ", group->code);
    if (group->who.count)
        html_print(out, "%s · ", COUNTED(group->who.count, "client"));
    html_print(out, "%s", COUNTED(group->findings, "finding"));
    for (int c = CONFIDENCE_COUNT - 1; c >= 0; c--)
        if (group->by_confidence[c])
            html_print(out, " · %s %s", DIGITS(group->by_confidence[c]),
                       confidence_name((enum confidence)c));
    fputs(" · first ", out);
    html_time(out, group->first_ns, false);
    fputs("</p>\n", out);
}

static void put_group(FILE *out, const struct view *view, const struct view_group *group)
{
    const struct report_code *about = group->about;
    html_print(out, "<article class=\"group %s\" id=\"code-%s\"><h3>",
               html_tone_of_severity(group->severity), group->code);
    html_badge(out, html_tone_of_severity(group->severity), view_severity_word(group->severity));
    html_print(out, " %s</h3>\n", view_group_title(group));
    put_counts(out, group);
    fputs("<dl class=\"parts\">", out);
    put_part(out, "What it means", about ? about->meaning : NULL);
    fputs("<div><dt>Who</dt><dd>", out);
    put_who(out, group);
    fputs("</dd></div>\n", out);
    put_part(out, "What is blocked", group->blocked);
    put_part(out, "Where", group->where);
    put_part(out, "What to change", about ? about->remedy : NULL);
    fputs("</dl>\n", out);
    const struct figure_ladder *ladder = figures_ladder_of(&view->figures, group);
    if (ladder)
        html_ladders(out, view, ladder);
    for (size_t i = 0; i < group->kept_count && i < IN_FULL; i++)
        put_finding(out, view, about, group->kept[i], i == 0);
    put_brief(out, group);
    fputs("<dl class=\"parts considered\">", out);
    put_part(out, "Innocent explanations considered", about ? about->innocent : NULL);
    put_part(out, "What it rests on", about ? about->rests_on : NULL);
    fputs("</dl>\n", out);
    if (group->findings > group->kept_count)
        html_print(out,
                   "<p class=\"note\">%s more findings of this code are in "
                   "<code>finding.csv</code>, which <code>apnscope report --csv DIR</code> "
                   "writes.</p>\n",
                   DIGITS(group->findings - group->kept_count));
    fputs("</article>\n", out);
}

void html_findings(FILE *out, const struct view *view)
{
    fputs("<section id=\"findings\" aria-labelledby=\"findings-title\"><h2 "
          "id=\"findings-title\">Findings</h2>\n",
          out);
    if (!view->group_count)
        fputs("<p>None.</p>\n", out);
    for (size_t i = 0; i < view->group_count && i < CODES_MAX; i++)
        put_group(out, view, view->groups[i]);
    if (view->group_count > CODES_MAX)
        html_print(out, "<p class=\"note\">%zu more codes are in <code>finding.csv</code>.</p>\n",
                   view->group_count - CODES_MAX);
    fputs("</section>\n", out);
}
