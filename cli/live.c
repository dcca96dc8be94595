/* `apnscope live`: interfaces in, findings out while they happen.
 *
 * The command line's side of a live run: signals, duration, outputs, the verdict at the end. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/now.h"
#include "capture/filter.h"
#include "command.h"
#include "confinement.h"
#include "live_console.h"
#include "live_feeds.h"
#include "live_run.h"
#include "service_manager.h"

/* The screen's thread asks for the end, too. */
static atomic_bool stop_asked;
static volatile sig_atomic_t reopen_asked, state_asked;

struct live_watch {
    const struct settings *settings;
    int64_t ends_ns; /* monotonic; INT64_MAX: never */
    struct privileges_user user;
    struct service_manager manager;
    char status[160]; /* as the manager has it */
    struct live_feeds feeds;
};

static void stop(void)
{
    atomic_store(&stop_asked, true);
}

static void on_stop(int number)
{
    (void)number;
    stop();
}

static void on_reopen(int number)
{
    (void)number;
    reopen_asked = 1;
}

static void on_state(int number)
{
    (void)number;
    state_asked = 1;
}

/* The first SIGTERM or SIGINT ends the run cleanly; a second one ends the program. */
static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    struct sigaction reopen = {.sa_handler = on_reopen};
    struct sigaction state = {.sa_handler = on_state};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &reopen, NULL);
    sigaction(SIGUSR1, &state, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static bool is_over(void *context)
{
    const struct live_watch *watch = (const struct live_watch *)context;
    return atomic_load(&stop_asked) ||
           (watch->ends_ns != INT64_MAX && now_monotonic_ns() >= watch->ends_ns);
}

static bool take_flag(volatile sig_atomic_t *flag)
{
    bool was_set = *flag;
    *flag = 0;
    return was_set;
}

static bool is_reopening(void *context)
{
    (void)context;
    return take_flag(&reopen_asked);
}

static bool is_state_asked(void *context)
{
    (void)context;
    return take_flag(&state_asked);
}

static bool takes_standard_output(const struct settings *settings)
{
    return settings->json_lines && strcmp(settings->json_lines, "-") == 0;
}

/* What is wrong in the command line is said before an interface is opened. */
static bool makes_sense(const struct settings *settings, struct fault *fault)
{
    if (settings->argument_count)
        return fault_set(fault, "live reads no files: %s; name interfaces with -i, or use analyze",
                         settings->arguments[0]);
    if (settings->top && takes_standard_output(settings))
        return fault_set(fault,
                         "--top and --json-lines - both want the terminal; give --json-lines "
                         "a file or unix:PATH");
    if (!settings->interface_count)
        return fault_set(fault, "live needs an interface: apnscope live -i eth1; see apnscope "
                                "interfaces");
    for (size_t i = 0; i < settings->interface_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(settings->interfaces[i], settings->interfaces[j]) == 0)
                return fault_set(fault,
                                 "-i %s is given twice: every packet would be counted "
                                 "twice",
                                 settings->interfaces[i]);
    return filter_check_packets(settings->filter, fault) &&
           filter_check_packets(settings->also, fault);
}

/* What `systemctl status` shows. */
static void on_report(void *context, const struct feed_report *report)
{
    struct live_watch *watch = (struct live_watch *)context;
    char status[sizeof watch->status];
    snprintf(
        status, sizeof status, "STATUS=%s, %s, %s; devices: %s broken, %s degraded, %s working",
        COUNTED(report->findings[SEVERITY_FAIL], "fault"),
        COUNTED(report->findings[SEVERITY_WARN], "warning"),
        COUNTED(report->open_sessions, "open session"), DIGITS(report->devices[VERDICT_BROKEN]),
        DIGITS(report->devices[VERDICT_DEGRADED]), DIGITS(report->devices[VERDICT_WORKS]));
    if (strcmp(status, watch->status) == 0)
        return;
    memcpy(watch->status, status, sizeof status);
    service_manager_tell(&watch->manager, status);
}

/* Privileged until here: interfaces are open, their filters locked. Outputs are opened as the user
 * who goes on, before files and sockets are closed off. */
static bool on_opened(void *context, struct live_run *run, struct fault *fault)
{
    struct live_watch *watch = (struct live_watch *)context;
    struct feed_sink console = live_console(watch->settings);
    if (!confine_to_user(watch->settings, &watch->user, fault))
        return false;
    if (!watch->settings->top) /* the terminal is the screen's */
        live_run_add_sink(run, &console);
    if (!live_feeds_add(&watch->feeds, run, watch->settings, fault))
        return false;
    watch->manager = service_manager_find();
    live_run_add_sink(run, &(struct feed_sink){.context = watch, .report = on_report});
    confine_live(watch->settings);
    return true;
}

/* From here on the manager waits for the end (TimeoutStopSec), and not for signs of life. */
static void on_ending(void *context)
{
    service_manager_tell(&((struct live_watch *)context)->manager, "STOPPING=1");
}

static void on_alive(void *context)
{
    service_manager_tell(&((struct live_watch *)context)->manager, "WATCHDOG=1");
}

/* Who started it as root may wonder why a folder of root's cannot be written. */
static void name_user(const struct privileges_user *user, struct fault *fault)
{
    size_t length = strlen(fault->sentence);
    if (user->name[0])
        snprintf(fault->sentence + length, sizeof fault->sentence - length,
                 " (the run goes on as user %s; see --user)", user->name);
}

static bool go(struct live_run *run, struct live_watch *watch, struct live_run_result *result,
               struct fault *fault)
{
    if (!live_run_start(run, fault))
        return false;
    confine_threads();
    service_manager_tell(&watch->manager, "READY=1");
    return live_run_go(run, result, fault);
}

static bool run_it(const struct settings *settings, struct live_run_result *result,
                   struct fault *fault)
{
    struct live_watch watch = {.settings = settings,
                               .ends_ns = settings_end_ns(settings),
                               .manager = {.socket = -1},
                               .feeds = {.quit = stop}};
    struct live_run_hooks hooks = {.context = &watch,
                                   .opened = on_opened,
                                   .stop = is_over,
                                   .reopen = is_reopening,
                                   .tell_state = is_state_asked,
                                   .alive = on_alive,
                                   .ending = on_ending};
    struct live_run *run;
    bool done = live_run_open(&run, settings, &hooks, fault);
    if (done) {
        done = go(run, &watch, result, fault);
        live_run_close(run);
    } else {
        name_user(&watch.user, fault);
    }
    service_manager_leave(&watch.manager);
    return done;
}

int command_live(const struct settings *given)
{
    struct fault fault = {{0}};
    struct live_run_result result;
    struct settings settings = *given;
    if (!makes_sense(&settings, &fault))
        return command_failed(EXIT_USAGE, &fault);
    if (takes_standard_output(&settings))
        settings.quiet = true; /* standard output is a program's */
    catch_signals();
    if (!run_it(&settings, &result, &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    return command_summary(&settings, result.run_id);
}
