/* The sites of a report, each judged by itself: a small view of the runs of one site.
 *
 * A site's view has counts, groups, requirements and the sentences that follow; no figures, lanes
 * or quality lines. Bounded: SITES_MAX sites, those that come first. */
#ifndef APNSCOPE_REPORT_SITES_H
#define APNSCOPE_REPORT_SITES_H

#include "view.h"

enum { SITES_MAX = 64 };

/* Once the runs are read: one view for each site where there are two or more. */
void sites_begin(struct view *view);

/* The view of the site of that run; NULL: the report has one site, or more than can be shown. */
struct view *sites_of_run(const struct view *view, int64_t run_id);

/* Counted from 1; 0 for NULL. */
uint64_t sites_number(const struct view *view, const struct view *site);

/* Once all rows are read: judges each site, and says how many have a fault. */
void sites_end(struct view *view);
void sites_free(struct view *view);

/* "no site named" where a run has none. */
const char *sites_name(const struct view *site);

#endif
