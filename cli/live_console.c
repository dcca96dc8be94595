/* Findings of a live run, one line each, as they are found.
 *
 * See live_console.h. A finding is told once, and again when it was taken back; that it is seen
 * more often is told by the database and by other outputs. */
#include "live_console.h"

#include <stdio.h>

#include "base/clock.h"

static void print_finding(void *context, const struct finding *finding, bool is_new)
{
    char time[CLOCK_TEXT_SIZE];
    (void)context;
    if (!is_new)
        return;
    printf("%s %-4s %s: %s\n", clock_text(finding->last_ns, time), severity_name(finding->severity),
           finding->code, finding->summary);
    fflush(stdout);
}

static void print_withdrawn(void *context, const struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], time[CLOCK_TEXT_SIZE];
    bool has_client = !address_is_unspecified(&finding->client_ip);
    (void)context;
    printf("%s withdrawn %s%s%s: %s\n", clock_text(finding->last_ns, time), finding->code,
           has_client ? " of " : "", has_client ? address_text(&finding->client_ip, client) : "",
           finding->summary);
    fflush(stdout);
}

static void print_notice(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "apnscope: %s\n", line);
}

struct feed_sink live_console(const struct settings *settings)
{
    struct feed_sink sink = {0};
    if (!settings->quiet) {
        sink.finding = print_finding;
        sink.withdrawn = print_withdrawn;
    }
    if (settings->log_level >= LOG_NOTICE)
        sink.notice = print_notice;
    return sink;
}
