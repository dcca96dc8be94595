/* The statistics of an interval as an ECS object.
 *
 * See ecs.h. Counts are since the run began, so that a lost line costs nothing but itself.
 * Deliberately has no rates: whoever draws them knows over which time. */
#include "base/count.h"
#include "base/text.h"
#include "ecs_parts.h"
#include "ecs_put.h"

enum { MESSAGE_SIZE = 400 };

static void put_interfaces(json_t *object, const struct feed_report *report)
{
    json_t *interfaces = json_array();
    for (size_t i = 0; i < report->interface_count; i++) {
        const struct live_statistics *from = &report->interfaces[i];
        json_t *one = json_object();
        ecs_put_text(one, "name", from->interface);
        ecs_put_count(one, "received", from->received);
        ecs_put_count(one, "matched", from->matched);
        ecs_put_count(one, "dropped.kernel", from->dropped_kernel);
        ecs_put_count(one, "dropped.interface", from->dropped_interface);
        ecs_put_count(one, "dropped.queue", from->dropped_queue);
        ecs_put_count(one, "queue.waiting_bytes", from->queue_waiting);
        ecs_put_count(one, "queue.size_bytes", from->queue_size);
        ecs_put_bool(one, "is_down", from->is_down);
        ecs_put_count(one, "replaced", from->successors);
        ecs_put_text(one, "trouble", from->trouble);
        json_array_append_new(interfaces, one);
    }
    ecs_put(object, "apnscope.statistics.interfaces", interfaces);
}

static void put_counts(json_t *object, const struct feed_report *report)
{
    json_t *outcomes = json_object(), *findings = json_object(), *devices = json_object();
    for (int i = OUTCOME_UNKNOWN + 1; i < OUTCOME_COUNT; i++)
        ecs_put_count(outcomes, outcome_name((enum flow_outcome)i), report->ended[i]);
    for (int i = 0; i < SEVERITY_COUNT; i++)
        ecs_put_count(findings, severity_name((enum severity)i), report->findings[i]);
    for (int i = 0; i < VERDICT_COUNT; i++)
        ecs_put_count(devices, verdict_name((enum device_verdict)i), report->devices[i]);
    ecs_put(object, "apnscope.statistics.sessions_ended", outcomes);
    ecs_put(object, "apnscope.statistics.findings", findings);
    ecs_put(object, "apnscope.statistics.devices", devices);
    ecs_put_count(object, "apnscope.statistics.sessions_open", report->open_sessions);
    ecs_put_count(object, "apnscope.statistics.sessions_beyond_filter", report->glimpses);
}

static void put_state(json_t *object, const struct feed_report *report)
{
    const struct capture_quality *quality = &report->quality;
    ecs_put_count(object, "apnscope.statistics.packets", quality->frames);
    ecs_put_count(object, "apnscope.statistics.bytes", quality->bytes);
    ecs_put_count(object, "apnscope.statistics.packets_dropped", capture_quality_drops(quality));
    ecs_put_count(object, "apnscope.statistics.gap_bytes", quality->gap_bytes);
    ecs_put_time(object, "apnscope.statistics.last_packet", quality->last_ns);
    ecs_put_integer(object, "apnscope.statistics.lag_ns", report->lag_ns > 0 ? report->lag_ns : 0);
    ecs_put_count(object, "apnscope.statistics.store.rows", report->store.offered);
    ecs_put_count(object, "apnscope.statistics.store.rows_dropped", report->store.dropped);
    ecs_put_count(object, "apnscope.statistics.store.waiting_bytes", report->store.waiting);
    ecs_put_text(object, "apnscope.statistics.store.trouble", report->store.trouble);
}

json_t *ecs_report(const struct ecs_writer *writer, const struct feed_report *report)
{
    static const struct ecs_kind kind = {"metric", "network",    "info",
                                         NULL,     "statistics", "apnscope.statistics"};
    char message[MESSAGE_SIZE];
    struct text text = text_over(message, sizeof message);
    if (!report->is_interval)
        return NULL;
    json_t *object = ecs_begin(writer, &kind, report->now_ns);
    ecs_put_time(object, "event.start", report->began_ns);
    ecs_put_time(object, "event.end", report->now_ns);
    ecs_put_integer(object, "event.duration", report->now_ns - report->began_ns);
    put_counts(object, report);
    put_state(object, report);
    put_interfaces(object, report);
    text_format(&text, "%s, %s dropped, %s open, findings: %s fail, %s warn",
                COUNTED(report->quality.frames, "packet"),
                DIGITS(capture_quality_drops(&report->quality)),
                COUNTED(report->open_sessions, "session"), DIGITS(report->findings[SEVERITY_FAIL]),
                DIGITS(report->findings[SEVERITY_WARN]));
    ecs_put_text(object, "message", message);
    return object;
}
