/* Findings of a live run, one line each, as they are found.
 *
 * See live_console.h. A finding is told once, and again when it was taken back; that it is seen
 * more often is told by the database and by other outputs. */
#include "live_console.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "command.h"
#include "report/visible.h"

/* As the reports do. */
static void print_sentence(FILE *file, const char *sentence)
{
    (command_locale_has_unicode() ? visible_put_bytes : visible_put_ascii)(file, sentence,
                                                                           strlen(sentence));
    putc('\n', file);
}

static void print_finding(void *context, const struct finding *finding, bool is_new)
{
    char time[CLOCK_TEXT_SIZE];
    (void)context;
    if (!is_new)
        return;
    printf("%s %-4s %s: ", clock_text(finding->last_ns, time), severity_name(finding->severity),
           finding->code);
    print_sentence(stdout, finding->summary);
    fflush(stdout);
}

static void print_withdrawn(void *context, const struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], time[CLOCK_TEXT_SIZE];
    bool has_client = !address_is_unspecified(&finding->client_ip);
    (void)context;
    printf("%s withdrawn %s%s%s: ", clock_text(finding->last_ns, time), finding->code,
           has_client ? " of " : "", has_client ? address_text(&finding->client_ip, client) : "");
    print_sentence(stdout, finding->summary);
    fflush(stdout);
}

static void print_notice(void *context, const char *line)
{
    (void)context;
    flockfile(stderr); /* one line, whoever else writes */
    fputs("apnscope: ", stderr);
    print_sentence(stderr, line);
    funlockfile(stderr);
}

/* A service's standard error that leads to the journal anyway: what --journal tells with its fields
 * would be there twice (systemd.exec(5), JOURNAL_STREAM). */
static bool is_in_the_journal(const struct settings *settings)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char own[64];
    struct stat status;
    if (!settings->journal || !stream || fstat(STDERR_FILENO, &status) != 0)
        return false;
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(own, stream) == 0;
}

struct feed_sink live_console(const struct settings *settings)
{
    struct feed_sink sink = {0};
    if (is_in_the_journal(settings))
        return sink;
    if (!settings->quiet) {
        sink.finding = print_finding;
        sink.withdrawn = print_withdrawn;
    }
    if (settings->log_level >= LOG_NOTICE)
        sink.notice = print_notice;
    return sink;
}
