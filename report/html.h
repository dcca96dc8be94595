/* Writing HTML: escaping and the few elements that all sections share. */
#ifndef APNSCOPE_REPORT_HTML_H
#define APNSCOPE_REPORT_HTML_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"
#include "view.h"

/* Text for element content and double-quoted attributes; hidden characters become \xNN. */
void html_put(FILE *out, const char *text);

/* A sentence of the view; its times do not break over lines. */
void html_sentence(FILE *out, const char *text);

/* printf for markup: the format is ours and goes out as it is, every %s argument is escaped.
 * Knows %s, %d, %u, %zu, PRId64, PRIu64 and %%. */
void html_print(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A word with a sign before it, coloured by `tone` ("pass", "warn", "fail", "none"). */
void html_badge(FILE *out, const char *tone, const char *word);
/* The sign alone; the word for those who hear the page. */
void html_mark(FILE *out, const char *tone, const char *word);
const char *html_tone_of_status(enum requirement_status status);
const char *html_tone_of_severity(enum severity severity);
const char *html_tone_of_verdict(enum view_verdict verdict);
const char *html_tone_of_device(enum device_verdict verdict);
const char *html_tone_of_heap(enum view_heap heap);

/* Cells. Unknown values are a dash. */
void html_cell(FILE *out, const char *text);
void html_cell_code(FILE *out, const char *text); /* addresses and names: one line, monospace */
void html_cell_count(FILE *out, int64_t count);
void html_cell_moment(FILE *out, int64_t time_ns);
void html_cell_duration(FILE *out, int64_t duration_ns);
void html_time(FILE *out, int64_t time_ns, bool is_fine);

/* A table in a box of its own that scrolls sideways. Titles end with NULL; one that begins with
 * '#' heads a column of numbers. */
void html_table_begin(FILE *out, const char *id, const char *caption, const char *const titles[]);
void html_table_end(FILE *out);

/* Which rows of a long table are shown: those that matter, up to a cap, and the first others. */
struct html_pick {
    uint64_t notable, others, left_out;
};
bool html_pick_row(struct html_pick *pick, bool is_notable);
/* "1,234 more devices are not shown here ..."; nothing where all are. `more` is a noun of
 * base/count.h with its verb. */
void html_left_out(FILE *out, const struct html_pick *pick, const char *more, const char *csv);

/* Sections; those that stream rows can fail. */
void html_timeline(FILE *out, const struct view *view);
void html_findings(FILE *out, const struct view *view);
MUST_USE bool html_devices(FILE *out, const struct view *view, struct fault *fault);
MUST_USE bool html_sessions(FILE *out, const struct view *view, struct fault *fault);
MUST_USE bool html_dns(FILE *out, const struct view *view, struct fault *fault);
MUST_USE bool html_quality(FILE *out, const struct view *view, struct fault *fault);
void html_provenance(FILE *out, const struct view *view);
void html_sites(FILE *out, const struct view *view);
void html_requirements(FILE *out, const struct view *view);
void html_ports(FILE *out, const struct view *view);

#endif
