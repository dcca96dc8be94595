/* The stages joined: capture files in, a committed run in the database out.
 *
 * The only place where stages meet. Used by `apnscope analyze` and by the tests that run scenarios
 * end to end. Prints nothing: progress and notices go to the caller's functions. */
#ifndef APNSCOPE_CLI_PIPELINE_H
#define APNSCOPE_CLI_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "model/capture_quality.h"
#include "settings.h"

struct pipeline_hooks {
    void *context;
    /* Called about every MiB read; total 0: not known. May be NULL. */
    void (*progress)(void *context, uint64_t done, uint64_t total, uint64_t frames);
    /* True asks the run to end early: as interrupted, or, of a followed file, as complete. Called
     * from other threads too. May be NULL. */
    bool (*stop)(void *context);
};

struct pipeline_result {
    int64_t run_id;
    struct capture_quality quality;
};

/* Reads the capture files, judges, writes the run. `analyzed_ns` is the wall clock, for the run's
 * row. False with a sentence: nothing readable, no packets, or rows were lost. */
MUST_USE bool pipeline_run(const struct settings *settings, const char *const *paths,
                           size_t path_count, int64_t analyzed_ns,
                           const struct pipeline_hooks *hooks, struct pipeline_result *result,
                           struct fault *fault);

#endif
