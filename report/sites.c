/* Several sites in one report: which of them have a fault.
 *
 * Part of the view, which shows each row to the site's own view too. A device of two sites counts
 * in both. Deliberately compares no sites: their captures differ in length and quality. */
#include "sites.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/text.h"
#include "gather.h"

static bool is_of(const struct view *site, const struct run_row *run)
{
    assert(site->runs); /* add_site's */
    const char *name = site->runs[0]->site;
    return name && run->site ? strcmp(name, run->site) == 0 : !name && !run->site;
}

static struct view *site_of(const struct view *view, const struct run_row *run)
{
    for (size_t i = 0; i < view->site_count; i++)
        if (is_of(&view->sites[i], run))
            return &view->sites[i];
    return NULL;
}

static void add_site(struct view *view, struct run_row *run)
{
    struct view *site = &view->sites[view->site_count++];
    view_begin(site, view->options);
    site->runs = calloc(view->run_count, sizeof(struct run_row *));
    assert(site->runs);
    site->runs[site->run_count++] = run; /* lent by the whole view */
    gather_span(&site->first_ns, &site->last_ns, run->first_ns, run->last_ns);
}

void sites_begin(struct view *view)
{
    view->sites = calloc(SITES_MAX, sizeof *view->sites);
    assert(view->sites);
    for (size_t i = 0; i < view->run_count; i++) {
        struct run_row *run = view->runs[i];
        struct view *site = site_of(view, run);
        if (site) {
            site->runs[site->run_count++] = run;
            gather_span(&site->first_ns, &site->last_ns, run->first_ns, run->last_ns);
        } else if (view->site_count < SITES_MAX) {
            add_site(view, run);
        } else {
            view->sites_left_out++;
        }
    }
    if (view->site_count < 2)
        sites_free(view);
}

struct view *sites_of_run(const struct view *view, int64_t run_id)
{
    for (size_t i = 0; i < view->site_count; i++)
        for (size_t k = 0; k < view->sites[i].run_count; k++)
            if (view->sites[i].runs[k]->id == run_id)
                return &view->sites[i];
    return NULL;
}

uint64_t sites_number(const struct view *view, const struct view *site)
{
    return site ? (uint64_t)(site - view->sites) + 1 : 0;
}

const char *sites_name(const struct view *site)
{
    return site->runs[0]->site ? site->runs[0]->site : "no site named";
}

/* "2 have a fault (Berlin, Bonn)". */
static void add_verdict(const struct view *view, enum view_verdict verdict, const char *words,
                        struct text *out)
{
    enum { NAMED_MAX = 4 };
    size_t count = 0;
    for (size_t i = 0; i < view->site_count; i++)
        count += view->sites[i].verdict == verdict;
    if (!count)
        return;
    text_format(out, "%s%s (", out->length ? "; " : "", COUNTED(count, words));
    size_t named = 0;
    for (size_t i = 0; i < view->site_count && named < NAMED_MAX; i++)
        if (view->sites[i].verdict == verdict)
            text_format(out, "%s%s", named++ ? ", " : "", sites_name(&view->sites[i]));
    if (count > named)
        text_format(out, " and %s more", DIGITS(count - named));
    text_add(out, ")");
}

void sites_end(struct view *view)
{
    static const struct {
        enum view_verdict verdict;
        const char *words;
    } order[] = {{VIEW_FAULTY, "has a fault|have a fault"},
                 {VIEW_WARNS, "works, with warnings|work, with warnings"},
                 {VIEW_WORKS, "works|work"},
                 {VIEW_UNCLEAR, "cannot be judged|cannot be judged"},
                 {VIEW_NOTHING, "shows no push at all|show no push at all"}};
    char parts[VIEW_SENTENCE_SIZE];
    struct text out = text_over(parts, sizeof parts);
    if (!view->site_count)
        return;
    for (size_t i = 0; i < view->site_count; i++) {
        gather_order(&view->sites[i]);
        view_judge(&view->sites[i]);
    }
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        add_verdict(view, order[i].verdict, order[i].words, &out);
    view_say(view->sites_sentence, "Of %s: %s.", COUNTED(view->site_count, "site"), parts);
}

void sites_free(struct view *view)
{
    for (size_t i = 0; i < view->site_count; i++) {
        view->sites[i].run_count = 0; /* the runs are the whole view's */
        view_free(&view->sites[i]);
    }
    free(view->sites);
    view->sites = NULL;
    view->site_count = 0;
}
