/* Rows to pages: one view of a database, written as HTML, CSV, JSON or text.
 *
 * Last stage. Report text has one home, report/view: every writer prints the same sentences;
 * escaping is the writer's. Files appear by rename, never half-written; the same database gives
 * the same bytes (the time of printing is not in them). */
#ifndef APNSCOPE_REPORT_REPORT_H
#define APNSCOPE_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"
#include "model/finding.h"
#include "store/archive.h"

/* What the program knows of a finding's code, given by cli/ from detect/ (report/ does not see
 * detect/). Order: by code. */
struct report_code {
    const char *code, *title, *meaning, *rests_on, *looks_like, *innocent, *remedy, *severity;
    uint32_t requirements;  /* bits 1 << enum requirement_code */
    enum fault_place place; /* of findings that name nobody */
};

struct report_catalogue {
    const struct report_code *codes;
    size_t count;
};

/* NULL: this program does not know the code (which may be NULL too). */
const struct report_code *report_code_of(const struct report_catalogue *catalogue,
                                         const char *code);

struct report_options {
    const char *database; /* path */
    struct archive_range range;
    int64_t change_ns; /* before and after this are compared; 0: nothing is */
    struct report_catalogue catalogue;
    bool redact;    /* pseudonyms for addresses, names and MACs */
    bool colour;    /* text on a terminal */
    bool unicode;   /* lines and arrows, where the terminal has them */
    bool ascii;     /* the locale has no more: "us" for microseconds */
    unsigned width; /* columns for text; 0: 80 */
    bool folds;     /* lists too: they are for eyes, not for a pipe */
};

/* Path "-" is standard output. */
MUST_USE bool report_html(const struct report_options *options, const char *path,
                          struct fault *fault);
MUST_USE bool report_json(const struct report_options *options, const char *path,
                          struct fault *fault);
MUST_USE bool report_csv(const struct report_options *options, const char *directory,
                         struct fault *fault);
MUST_USE bool report_text(const struct report_options *options, const char *path,
                          struct fault *fault);

MUST_USE bool report_markdown(const struct report_options *options, const char *path,
                              struct fault *fault);

/* `apnscope show ...` */
enum report_list { SHOW_DEVICES, SHOW_FLOWS, SHOW_FINDINGS, SHOW_RUNS };
MUST_USE bool report_list(const struct report_options *options, enum report_list list,
                          struct fault *fault);
MUST_USE bool report_flow(const struct report_options *options, int64_t flow_id,
                          struct fault *fault);
MUST_USE bool report_finding(const struct report_options *options, int64_t finding_id,
                             struct fault *fault);

/* `apnscope checks`: the catalogue, as text of so many columns (0: 80) or Markdown. */
void report_checks(const struct report_catalogue *catalogue, bool markdown, unsigned width,
                   FILE *out);

/* Two capture points of one path, one database each. */
struct compare_options {
    const char *inside; /* paths */
    const char *outside;
    unsigned width;
    const char *json_path; /* NULL: text on standard output */
};
/* `found` becomes true when a session was terminated or lost in between. */
MUST_USE bool report_compare(const struct compare_options *options, bool *found,
                             struct fault *fault);

/* True when the range holds a finding of severity fail (exit status 1). */
MUST_USE bool report_has_fault(const struct report_options *options, bool *fault_found,
                               struct fault *fault);

#endif
