/* A file that appears whole or not at all, or standard output. */
#ifndef APNSCOPE_REPORT_OUTPUT_H
#define APNSCOPE_REPORT_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/fault.h"

enum { OUTPUT_BUFFER_SIZE = 64 * 1024 };

struct output {
    FILE *file;       /* where writers write */
    const char *name; /* for sentences; belongs to the caller */
    char *temporary;  /* renamed to `target` when whole; NULL: written in place */
    char *target;
};

/* "-" is standard output. A regular file is written beside its name (mode 0600) and renamed by
 * output_commit; a device or pipe is written in place. */
MUST_USE bool output_open(struct output *output, const char *path, struct fault *fault);

/* Flushes, checks and renames. Frees everything either way; on failure no file is left. */
MUST_USE bool output_commit(struct output *output, struct fault *fault);

/* Gives up: the temporary file goes, the target stays as it was. */
void output_abandon(struct output *output);

#endif
