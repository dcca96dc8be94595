/* Several sites in one report: a line for each, and what it requires.
 *
 * A section of the HTML writer, there only where the report has more than one site. Deliberately
 * shows no findings by site: `--site NAME` makes a report of one. */
#include <inttypes.h>

#include "base/count.h"
#include "html.h"
#include "sites.h"

static void put_site(FILE *out, const struct view *site)
{
    const uint64_t *devices = site->devices[DEVICE_ROLE_DEVICE];
    html_print(out, "<tr><th scope=\"row\">%s</th><td>", sites_name(site));
    html_badge(out, html_tone_of_verdict(site->verdict), view_verdict_word(site->verdict));
    html_print(out, "</td><td>%s</td>", site->sentence);
    html_cell_count(out, (int64_t)site->device_total);
    html_cell_count(out, (int64_t)devices[VERDICT_BROKEN]);
    html_cell_count(out, (int64_t)devices[VERDICT_DEGRADED]);
    html_cell_count(out, (int64_t)site->sessions);
    html_cell_moment(out, site->fault_first_ns);
    fputs("</tr>\n", out);
}

static void put_requirements(FILE *out, const struct view *view)
{
    static const char *const titles[] = {"Site", "R0", "R1", "R2", "R3", "R4",
                                         "R5",   "R6", "R7", "R8", "R9", NULL};
    _Static_assert(REQUIREMENT_COUNT + 2 == sizeof titles / sizeof titles[0], "a title for each");
    html_table_begin(out, "site-requirement-table",
                     "Requirements by site: ✓ pass, ! warning, ✕ fail, – not observed", titles);
    for (size_t i = 0; i < view->site_count; i++) {
        const struct view *site = &view->sites[i];
        html_print(out, "<tr><th scope=\"row\">%s</th>", sites_name(site));
        for (int code = 0; code < REQUIREMENT_COUNT; code++) {
            enum requirement_status status = site->requirements[code].status;
            fputs("<td>", out);
            html_mark(out, html_tone_of_status(status), view_status_word(status));
            fputs("</td>", out);
        }
        fputs("</tr>\n", out);
    }
    html_table_end(out);
}

void html_sites(FILE *out, const struct view *view)
{
    static const char *const titles[] = {"Site",    "Result",    "Verdict",   "#Devices",
                                         "#Broken", "#Degraded", "#Sessions", "First fault (UTC)",
                                         NULL};
    if (!view->site_count)
        return;
    html_print(out, "<section id=\"sites\" aria-labelledby=\"sites-title\"><h2 "
                    "id=\"sites-title\">Sites</h2>\n");
    html_table_begin(out, "site-table", "Each site by itself", titles);
    for (size_t i = 0; i < view->site_count; i++)
        put_site(out, &view->sites[i]);
    html_table_end(out);
    put_requirements(out, view);
    if (view->sites_left_out)
        html_print(out,
                   "<p class=\"note\">%s of further sites are counted above but not listed.</p>\n",
                   COUNTED(view->sites_left_out, "run"));
    fputs("</section>\n", out);
}
