/* A live run: interfaces in, rows and outputs out, until somebody says stop.
 *
 * The live counterpart of pipeline.h. Opened with privileges, run without. */
#ifndef APNSCOPE_CLI_LIVE_RUN_H
#define APNSCOPE_CLI_LIVE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/speaker.h"
#include "feed/sink.h"
#include "settings.h"

enum { LIVE_SINKS_MAX = 8 };

struct live_run;

/* None is NULL. */
struct live_run_hooks {
    void *context;
    /* Once the interfaces are open and nothing else is, no database and no thread: the time to give
     * up privileges, to open outputs, and to enter the sandbox. */
    bool (*opened)(void *context, struct live_run *run, struct fault *fault);
    bool (*stop)(void *context);       /* true: end the run */
    bool (*reopen)(void *context);     /* true, once: outputs are to be opened again */
    bool (*tell_state)(void *context); /* true, once: the state is asked for */
    void (*alive)(void *context);      /* about once a second */
    void (*ending)(void *context);     /* no more packets; what follows may take a while */
};

/* Opens interfaces with their filter; then, without privileges, the database; begins the run. */
MUST_USE bool live_run_open(struct live_run **run, const struct settings *settings,
                            const struct live_run_hooks *hooks, struct fault *fault);
/* Before live_run_go. The sink is copied; live_run_close closes it. */
void live_run_add_sink(struct live_run *run, const struct feed_sink *sink);
/* For sentences about the run, to every sink. The run's own thread only. */
struct speaker live_run_speaker(const struct live_run *run);
/* The interfaces' names, "; " between them. */
const char *live_run_interfaces(const struct live_run *run);
/* Wall clock. */
int64_t live_run_began(const struct live_run *run);
/* Starts the threads, those of the sinks too; needs no privileges. */
MUST_USE bool live_run_start(struct live_run *run, struct fault *fault);

struct live_run_result {
    int64_t run_id;
    struct capture_quality quality;
    uint64_t received;
};

/* Captures and judges until stopped; then ends the run. False: rows were lost, or nothing of
 * interest was seen. */
MUST_USE bool live_run_go(struct live_run *run, struct live_run_result *result,
                          struct fault *fault);
void live_run_close(struct live_run *run); /* NULL is fine */

#endif
