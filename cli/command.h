/* The commands of the program. Each returns an exit status, as the man page has them. */
#ifndef APNSCOPE_CLI_COMMAND_H
#define APNSCOPE_CLI_COMMAND_H

#include <stdbool.h>

#include "report/report.h"
#include "settings.h"

enum exit_status {
    EXIT_NO_FAULT = 0,    /* ran, found no fault */
    EXIT_FAULT = 1,       /* ran, found a fault (severity fail) */
    EXIT_USAGE = 2,
    EXIT_ENVIRONMENT = 3  /* no such file, no permission, disk full, not a capture, no packets */
};

int command_analyze(const struct settings *settings);
int command_live(const struct settings *settings);
int command_report(const struct settings *settings);
int command_show(const struct settings *settings);
int command_compare(const struct settings *settings);
int command_checks(const struct settings *settings);
int command_extract(const struct settings *settings);
int command_merge(const struct settings *settings);
int command_filter(const struct settings *settings);
int command_interfaces(const struct settings *settings);

/* Prints the sentence on standard error and returns the status. */
int command_failed(enum exit_status status, const struct fault *fault);
/* A usage error in one sentence. */
int command_misused(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the verdict on a run; the exit status that it means. */
int command_summary(const struct settings *settings, int64_t run_id);

/* False with a sentence where writing the file `output` would write over `input`, which is read.
 * NULL and "-" (standard output) are fine. */
MUST_USE bool command_spares(const char *output, const char *input, struct fault *fault);

/* What a report needs of the command line and the terminal. */
struct report_options command_report_options(const struct settings *settings);

/* Every finding code, from detect/'s rules, for report/. */
struct report_catalogue catalogue_of_rules(void);
/* What the environment says of the terminal: is more than ASCII shown as it is? */
bool command_locale_has_unicode(void);

#endif
