/* `apnscope analyze`: captures in, verdict out. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "command.h"
#include "pipeline.h"
#include "progress.h"

static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

static bool stop_is_asked(void *context)
{
    (void)context;
    return stop_asked != 0;
}

static void on_progress(void *context, uint64_t done, uint64_t total, uint64_t frames)
{
    progress_show((struct progress *)context, done, total, frames);
}

/* The first signal ends the run cleanly, as interrupted; a second one ends the program. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int64_t wall_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int print_summary(const struct settings *settings, int64_t run_id)
{
    struct fault fault = {{0}};
    struct report_options options = command_report_options(settings);
    bool fault_found;
    options.range = (struct archive_range){
        .run_id = run_id, .since_ns = ROW_NULL, .until_ns = ROW_NULL};
    if (!settings->quiet && !report_text(&options, "-", &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    if (!report_has_fault(&options, &fault_found, &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    return fault_found ? EXIT_FAULT : EXIT_NO_FAULT;
}

int command_analyze(const struct settings *settings)
{
    struct fault fault = {{0}};
    struct pipeline_result result;
    struct progress progress = progress_begin(!settings->quiet);
    struct pipeline_hooks hooks = {
        .context = &progress, .progress = on_progress, .stop = stop_is_asked};
    if (settings->argument_count == 0)
        return command_misused("analyze needs a capture file, a folder of them, or - for standard "
                               "input: apnscope analyze capture.pcap");
    catch_signals();
    bool done = pipeline_run(settings, (const char *const *)settings->arguments,
                             settings->argument_count, wall_clock_ns(), &hooks, &result, &fault);
    progress_end(&progress);
    if (!done)
        return command_failed(EXIT_ENVIRONMENT, &fault);
    if (result.quality.damage[0] && settings->log_level >= LOG_NOTICE && !settings->quiet)
        fprintf(stderr, "apnscope: note: %s\n", result.quality.damage);
    return print_summary(settings, result.run_id);
}
