/* Metrics as text.
 *
 * See metrics_text.h; https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * https://github.com/OpenObservability/OpenMetrics (1.0.0). Names follow Prometheus' rules: base
 * units, counters end in _total. Deliberately has no metric per device or session: labels must stay
 * few. */
#include "metrics_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

enum family_kind { COUNTER, GAUGE };

struct page {
    FILE *out;
    enum metrics_format format;
    const char *name; /* of the family whose samples follow */
    enum family_kind kind;
};

/* ---- syntax ---- */

/* OpenMetrics names a counter's family without _total, the older format with it. */
static void family(struct page *page, enum family_kind kind, const char *name, const char *help)
{
    static const char *const kinds[] = {[COUNTER] = "counter", [GAUGE] = "gauge"};
    const char *suffix = kind == COUNTER && page->format == METRICS_PROMETHEUS ? "_total" : "";
    page->name = name;
    page->kind = kind;
    fprintf(page->out, "# HELP apnscope_%s%s %s\n# TYPE apnscope_%s%s %s\n", name, suffix, help,
            name, suffix, kinds[kind]);
}

static void put_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            fputs("\\n", out);
        else if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

struct label {
    const char *name; /* NULL: none */
    const char *value;
};

static void begin_sample(struct page *page, struct label first, struct label second)
{
    fprintf(page->out, "apnscope_%s%s", page->name, page->kind == COUNTER ? "_total" : "");
    if (first.name) {
        fprintf(page->out, "{%s=\"", first.name);
        put_escaped(page->out, first.value);
        if (second.name) {
            fprintf(page->out, "\",%s=\"", second.name);
            put_escaped(page->out, second.value);
        }
        fputs("\"}", page->out);
    }
}

static void sample(struct page *page, struct label first, struct label second, uint64_t value)
{
    begin_sample(page, first, second);
    fprintf(page->out, " %" PRIu64 "\n", value);
}

#define NO_LABEL ((struct label){0})

static void count(struct page *page, enum family_kind kind, const char *name, const char *help,
                  uint64_t value)
{
    family(page, kind, name, help);
    sample(page, NO_LABEL, NO_LABEL, value);
}

/* To the millisecond; none of these is before 1970. */
static void seconds(struct page *page, const char *name, const char *help, int64_t ns)
{
    if (ns < 0) /* TIME_UNKNOWN */
        return;
    family(page, GAUGE, name, help);
    begin_sample(page, NO_LABEL, NO_LABEL);
    fprintf(page->out, " %" PRId64 ".%03d\n", ns / NS_PER_S, (int)(ns % NS_PER_S / NS_PER_MS));
}

/* ---- interfaces ---- */

/* One family has all its samples together, so the interfaces are walked for each. */
#define PER_INTERFACE(page, report, kind, name, help, field)                                       \
    do {                                                                                           \
        family(page, kind, name, help);                                                            \
        for (size_t i_ = 0; i_ < (report)->interface_count; i_++)                                  \
            sample(page, (struct label){"interface", (report)->interfaces[i_].interface},          \
                   NO_LABEL, (report)->interfaces[i_].field);                                      \
    } while (0)

static void put_drops(struct page *page, const struct feed_report *report)
{
    family(
        page, COUNTER, "packets_dropped",
        "Packets lost before the analysis: by the kernel's full ring, the interface, or the full "
        "queue of apnscope.");
    for (size_t i = 0; i < report->interface_count; i++) {
        const struct live_statistics *from = &report->interfaces[i];
        struct label interface = {"interface", from->interface};
        sample(page, interface, (struct label){"by", "kernel"}, from->dropped_kernel);
        sample(page, interface, (struct label){"by", "interface"}, from->dropped_interface);
        sample(page, interface, (struct label){"by", "queue"}, from->dropped_queue);
    }
}

static void put_interfaces(struct page *page, const struct feed_report *report)
{
    PER_INTERFACE(page, report, COUNTER, "packets_received",
                  "Packets that the interface received, all traffic.", received);
    PER_INTERFACE(page, report, COUNTER, "packets_matched",
                  "Packets that passed the filter in the kernel.", matched);
    put_drops(page, report);
    PER_INTERFACE(page, report, GAUGE, "queue_waiting_bytes",
                  "Bytes between the capture and the analysis.", queue_waiting);
    PER_INTERFACE(page, report, GAUGE, "queue_highest_bytes",
                  "The most that ever waited between the capture and the analysis.", queue_highest);
    PER_INTERFACE(page, report, GAUGE, "queue_size_bytes",
                  "Room between the capture and the analysis.", queue_size);
    PER_INTERFACE(page, report, GAUGE, "interface_down",
                  "1 while nothing can be captured on the interface.", is_down);
    PER_INTERFACE(page, report, COUNTER, "interface_replaced",
                  "Times that another interface of that name was taken up.", successors);
}

/* ---- what was found ---- */

static void put_skipped(struct page *page, const struct capture_quality *quality)
{
    family(page, COUNTER, "frames_skipped", "Frames that were not analysed, by reason.");
    for (int i = SKIP_NONE + 1; i < SKIP_COUNT; i++)
        sample(page, (struct label){"reason", skip_reason_name((enum skip_reason)i)}, NO_LABEL,
               quality->skipped[i]);
}

static void put_packets(struct page *page, const struct feed_report *report)
{
    const struct capture_quality *quality = &report->quality;
    int64_t lag_ns = report->lag_ns > 0 ? report->lag_ns : 0;
    count(page, COUNTER, "packets_analyzed", "Packets that the analysis took.", quality->frames);
    count(page, COUNTER, "analyzed_bytes", "Bytes captured of the packets that the analysis took.",
          quality->bytes);
    put_skipped(page, quality);
    count(page, COUNTER, "duplicate_packets", "Packets of sessions that were seen twice.",
          quality->duplicates);
    count(page, COUNTER, "gap_bytes", "Bytes that were acknowledged and never captured.",
          quality->gap_bytes);
    seconds(page, "last_packet_time_seconds", "When the last packet of interest passed.",
            quality->last_ns);
    seconds(page, "lag_seconds", "From when the last packet passed until it was analysed.", lag_ns);
}

static void put_sessions(struct page *page, const struct feed_report *report)
{
    count(page, GAUGE, "sessions_open", "Sessions that go on.", report->open_sessions);
    family(page, COUNTER, "sessions_ended", "Sessions that are over, by outcome.");
    for (int i = OUTCOME_UNKNOWN + 1; i < OUTCOME_COUNT; i++)
        sample(page, (struct label){"outcome", outcome_name((enum flow_outcome)i)}, NO_LABEL,
               report->ended[i]);
    count(page, COUNTER, "sessions_beyond_filter",
          "Sessions that name a push host at an address that the filter leaves out.",
          report->glimpses);
    family(page, GAUGE, "devices", "Devices, by verdict.");
    for (int i = 0; i < VERDICT_COUNT; i++)
        sample(page, (struct label){"verdict", verdict_name((enum device_verdict)i)}, NO_LABEL,
               report->devices[i]);
}

static void put_code(struct page *page, const struct metrics_code *code, uint64_t value)
{
    sample(page, (struct label){"code", code->code},
           (struct label){"severity", severity_name(code->severity)}, value);
}

static void put_findings(struct page *page, const struct metrics_state *state)
{
    family(page, GAUGE, "findings",
           "Findings that stand, by code; a code appears once it was found.");
    for (size_t i = 0; i < state->code_count; i++)
        put_code(page, &state->codes[i], state->codes[i].standing);
    family(page, COUNTER, "findings_found", "Findings that were told as new, by code.");
    for (size_t i = 0; i < state->code_count; i++)
        put_code(page, &state->codes[i], state->codes[i].found);
    family(page, COUNTER, "findings_withdrawn", "Findings that were taken back, by code.");
    for (size_t i = 0; i < state->code_count; i++)
        put_code(page, &state->codes[i], state->codes[i].withdrawn);
}

static void put_store(struct page *page, const struct store_state *store)
{
    count(page, COUNTER, "store_rows", "Rows handed to the database's writer.", store->offered);
    count(page, COUNTER, "store_rows_dropped", "Rows that there was no room for.", store->dropped);
    count(page, GAUGE, "store_waiting_bytes", "Bytes that wait for the database.", store->waiting);
    count(page, GAUGE, "store_room_bytes", "Room for what waits for the database.", store->room);
    count(page, GAUGE, "store_trouble", "1 while the database cannot be written.",
          store->trouble[0] != '\0');
}

void metrics_write(FILE *out, enum metrics_format format, const struct feed_origin *origin,
                   const struct metrics_state *state)
{
    struct page page = {.out = out, .format = format};
    family(&page, GAUGE, "build_info", "Always 1; the version is a label.");
    sample(&page, (struct label){"version", origin->version}, NO_LABEL, 1);
    seconds(&page, "start_time_seconds", "When the run began.", origin->began_ns);
    if (state->report.now_ns) {
        seconds(&page, "report_time_seconds", "When these numbers were true.",
                state->report.now_ns);
        put_interfaces(&page, &state->report);
        put_packets(&page, &state->report);
        put_sessions(&page, &state->report);
        put_findings(&page, state);
        put_store(&page, &state->report.store);
    }
    if (format == METRICS_OPENMETRICS)
        fputs("# EOF\n", out);
}
