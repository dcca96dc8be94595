/* `apnscope analyze`: captures in, verdict out. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/now.h"
#include "capture/filter.h"
#include "command.h"
#include "pipeline.h"
#include "progress.h"
#include "report/visible.h"

static volatile sig_atomic_t stop_asked;

/* What the pipeline's hooks need. */
struct watch {
    struct progress progress;
    int64_t ends_ns; /* monotonic; INT64_MAX: never */
};

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

static bool stop_is_asked(void *context)
{
    const struct watch *watch = (const struct watch *)context;
    return stop_asked != 0 || (watch->ends_ns != INT64_MAX && now_monotonic_ns() >= watch->ends_ns);
}

static void on_progress(void *context, uint64_t done, uint64_t total, uint64_t frames)
{
    progress_show(&((struct watch *)context)->progress, done, total, frames);
}

/* The first signal ends the run cleanly, as interrupted; a second one ends the program. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int command_summary(const struct settings *settings, int64_t run_id)
{
    struct fault fault = {{0}};
    struct report_options options = command_report_options(settings);
    bool fault_found;
    options.range =
        (struct archive_range){.run_id = run_id, .since_ns = ROW_NULL, .until_ns = ROW_NULL};
    if (!settings->quiet && !report_text(&options, "-", &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    if (!report_has_fault(&options, &fault_found, &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    return fault_found ? EXIT_FAULT : EXIT_NO_FAULT;
}

/* What is wrong in the command line is said before any capture is opened. */
static bool makes_sense(const struct settings *settings, struct fault *fault)
{
    if (settings->argument_count == 0)
        return fault_set(fault, "analyze needs a capture file, a folder of them, or - for standard "
                                "input: apnscope analyze capture.pcap");
    if (settings->duration_ns && !settings->follow)
        return fault_set(fault, "--duration says how long to follow a file that grows; it needs "
                                "--follow");
    if (settings->follow && settings->argument_count > 1)
        return fault_set(fault, "--follow takes one file: the one that still grows");
    return filter_check_packets(settings->filter, fault);
}

int command_analyze(const struct settings *settings)
{
    struct fault fault = {{0}};
    struct pipeline_result result;
    struct watch watch = {.progress = progress_begin(!settings->quiet),
                          .ends_ns = settings_end_ns(settings)};
    struct pipeline_hooks hooks = {
        .context = &watch, .progress = on_progress, .stop = stop_is_asked};
    if (!makes_sense(settings, &fault))
        return command_failed(EXIT_USAGE, &fault);
    catch_signals();
    bool done = pipeline_run(settings, (const char *const *)settings->arguments,
                             settings->argument_count, now_wall_ns(), &hooks, &result, &fault);
    progress_end(&watch.progress);
    if (!done)
        return command_failed(EXIT_ENVIRONMENT, &fault);
    if (result.quality.damage[0] && settings->log_level >= LOG_NOTICE && !settings->quiet) {
        fputs("apnscope: note: ", stderr);
        visible_put(stderr, result.quality.damage); /* names the file */
        fputs("; what comes before was analysed\n", stderr);
    }
    return command_summary(settings, result.run_id);
}
