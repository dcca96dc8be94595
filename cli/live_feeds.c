/* Opens what a live run tells its findings to.
 *
 * See live_feeds.h. One row per output; each is opened only where it is asked for. Deliberately
 * starts nothing: threads are started when the run is. */
#include "live_feeds.h"

#include <string.h>
#include <unistd.h>

#include "cli_version.h"
#include "command.h"
#include "detect/detect.h"
#include "feed/excerpts.h"
#include "feed/journal.h"
#include "feed/json_lines.h"
#include "feed/metrics.h"
#include "feed/top.h"

typedef bool (*opener)(struct feed_sink *sink, const struct settings *settings,
                       const struct live_feeds *feeds, struct fault *fault);

static const char *title_of(const char *code)
{
    for (size_t i = 0; i < detector_count; i++)
        if (strcmp(detector_list[i]->code, code) == 0)
            return detector_list[i]->title;
    return NULL;
}

static bool open_screen(struct feed_sink *sink, const struct settings *settings,
                        const struct live_feeds *feeds, struct fault *fault)
{
    struct report_options terminal = command_report_options(settings);
    struct top_options options = {
        .has_colour = terminal.colour, .has_unicode = terminal.unicode, .quit = feeds->quit};
    return top_open(sink, &options, &feeds->origin, fault);
}

/* An output NAME is open_NAME; it is wanted where the settings have a value for it. */
#define OUTPUT(name, setting, call)                                                                \
    static bool wants_##name(const struct settings *settings)                                      \
    {                                                                                              \
        return (settings->setting) != 0;                                                           \
    }                                                                                              \
    static bool open_##name(struct feed_sink *sink, const struct settings *settings,               \
                            const struct live_feeds *feeds, struct fault *fault)                   \
    {                                                                                              \
        (void)settings;                                                                            \
        return call;                                                                               \
    }

OUTPUT(json_lines, json_lines, json_lines_open(sink, settings->json_lines, &feeds->origin, fault))
OUTPUT(journal, journal, journal_open(sink, &feeds->origin, fault))
OUTPUT(syslog, syslog, syslog_open(sink, &feeds->origin, fault))
OUTPUT(metrics, metrics, metrics_open(sink, settings->metrics, &feeds->origin, fault))
OUTPUT(evidence, evidence,
       excerpts_open(sink, settings->evidence, (uint64_t)settings->evidence_size, &feeds->origin,
                     fault))
OUTPUT(top, top, open_screen(sink, settings, feeds, fault))

static const struct output {
    bool (*is_wanted)(const struct settings *settings);
    opener open;
} outputs[] = {
    {wants_json_lines, open_json_lines}, {wants_journal, open_journal},
    {wants_syslog, open_syslog},         {wants_metrics, open_metrics},
    {wants_evidence, open_evidence},     {wants_top, open_top},
};

static void describe_origin(struct live_feeds *feeds, struct live_run *run,
                            const struct settings *settings)
{
    if (gethostname(feeds->host, sizeof feeds->host - 1) != 0)
        feeds->host[0] = '\0';
    feeds->host[sizeof feeds->host - 1] = '\0';
    feeds->origin = (struct feed_origin){.version = APNSCOPE_VERSION,
                                         .host = feeds->host,
                                         .sensor = settings->sensor,
                                         .site = settings->site,
                                         .interfaces = live_run_interfaces(run),
                                         .began_ns = live_run_began(run),
                                         .evidence_folder = settings->evidence,
                                         .title_of = title_of,
                                         .speaker = live_run_speaker(run)};
}

bool live_feeds_add(struct live_feeds *feeds, struct live_run *run, const struct settings *settings,
                    struct fault *fault)
{
    describe_origin(feeds, run, settings);
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        struct feed_sink sink = {0};
        if (!outputs[i].is_wanted(settings))
            continue;
        if (!outputs[i].open(&sink, settings, feeds, fault))
            return false;
        live_run_add_sink(run, &sink);
    }
    return true;
}
