/* Findings, devices and notices as ECS objects; what all objects have in common.
 *
 * See ecs.h. Deliberately rounds nothing and adds no sentence of its own to what detect/ said. */
#include "ecs.h"

#include "base/clock.h"
#include "base/text.h"
#include "ecs_parts.h"
#include "ecs_put.h"
#include "excerpt_name.h"

enum { MESSAGE_SIZE = 512 };

/* As Elastic's own rules grade low, medium and high. */
static int grade_of(enum severity severity)
{
    static const int grades[SEVERITY_COUNT] = {
        [SEVERITY_INFO] = 21, [SEVERITY_WARN] = 47, [SEVERITY_FAIL] = 73};
    return grades[severity];
}

json_t *ecs_begin(const struct ecs_writer *writer, const struct ecs_kind *kind, int64_t time_ns)
{
    const struct feed_origin *origin = writer->origin;
    json_t *object = json_object();
    ecs_put_time(object, "@timestamp", time_ns);
    ecs_put_text(object, "ecs.version", "8.11.0");
    ecs_put_text(object, "event.kind", kind->kind);
    ecs_put_words(object, "event.category", kind->category, NULL);
    ecs_put_words(object, "event.type", kind->type, kind->second_type);
    ecs_put_text(object, "event.action", kind->action);
    ecs_put_text(object, "event.module", "apnscope");
    ecs_put_text(object, "event.dataset", kind->dataset);
    ecs_put_text(object, "observer.product", "apnscope");
    ecs_put_text(object, "observer.type", "sensor");
    ecs_put_text(object, "observer.version", origin->version);
    ecs_put_text(object, "observer.hostname", origin->host);
    ecs_put_text(object, "observer.name", origin->sensor ? origin->sensor : origin->host);
    ecs_put_text(object, "observer.ingress.interface.name", origin->interfaces);
    ecs_put_text(object, "apnscope.site", origin->site);
    ecs_put_time(object, "apnscope.run.started", origin->began_ns);
    return object;
}

void ecs_put_network(json_t *object, const struct address *client, const struct address *server)
{
    const struct address *known = address_is_unspecified(client) ? server : client;
    json_t *related = json_array();
    const struct address *const both[] = {client, server};
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        char text[ADDRESS_TEXT_SIZE];
        if (!address_is_unspecified(both[i]))
            json_array_append_new(related, json_string(address_text(both[i], text)));
    }
    ecs_put_address(object, "source.ip", client);
    ecs_put_address(object, "destination.ip", server);
    if (json_array_size(related)) {
        ecs_put_text(object, "network.type", address_is_ipv4(known) ? "ipv4" : "ipv6");
        ecs_put(object, "related.ip", related);
    } else {
        json_decref(related);
    }
}

/* ---- findings ---- */

static const struct ecs_kind finding_kinds[RECORD_KIND_COUNT] = {
    [RECORD_FINDING] = {"alert", "network", "info", "start", "finding-new", "apnscope.finding"},
    [RECORD_CHANGED] = {"alert", "network", "info", NULL, "finding-changed", "apnscope.finding"},
    [RECORD_WITHDRAWN] = {"event", "network", "info", "end", "finding-withdrawn",
                          "apnscope.finding"},
};

static void put_frames(json_t *object, const struct finding *finding)
{
    json_t *frames = json_array();
    for (size_t i = 0; i < finding->frame_count && i < FINDING_FRAMES_MAX; i++) {
        const struct finding_frame *frame = &finding->frames[i];
        json_t *one = json_object();
        ecs_put_count(one, "number", frame->number);
        ecs_put_time(one, "time", frame->time_ns);
        ecs_put_text(one, "shows", frame->shows);
        json_array_append_new(frames, one);
    }
    ecs_put(object, "apnscope.finding.frames", frames);
}

static void put_identity(const struct ecs_writer *writer, json_t *object,
                         const struct finding *finding)
{
    const struct feed_origin *origin = writer->origin;
    ecs_put_count(object, "event.severity", (uint64_t)grade_of(finding->severity));
    ecs_put_text(object, "rule.id", finding->code);
    ecs_put_text(object, "rule.name", origin->title_of ? origin->title_of(finding->code) : NULL);
    ecs_put_text(object, "rule.ruleset", "apnscope");
    ecs_put_network(object, &finding->client_ip, &finding->server_ip);
    if (finding->server_port)
        ecs_put_count(object, "destination.port", finding->server_port);
    ecs_put_count(object, "apnscope.finding.number", finding->number);
    ecs_put_text(object, "apnscope.finding.severity", severity_name(finding->severity));
    ecs_put_text(object, "apnscope.finding.scope", scope_name(finding->scope));
}

static void put_proof(json_t *object, const struct finding *finding)
{
    ecs_put_text(object, "event.outcome",
                 finding->severity == SEVERITY_FAIL ? "failure" : "unknown");
    ecs_put_time(object, "event.start", finding->first_ns);
    ecs_put_time(object, "event.end", finding->last_ns);
    ecs_put_text(object, "message", finding->summary);
    ecs_put_text(object, "apnscope.finding.confidence", confidence_name(finding->confidence));
    ecs_put_count(object, "apnscope.finding.count", finding->count);
    ecs_put_text(object, "apnscope.finding.reasoning", finding->reasoning);
    ecs_put_text(object, "apnscope.finding.limits", finding->limits);
    ecs_put_text(object, "apnscope.finding.display_filter", finding->display_filter);
    ecs_put_address(object, "apnscope.finding.blocker_ip", &finding->blocker_ip);
    ecs_put_integer(object, "apnscope.finding.blocker_hops", finding->blocker_hops);
    if (finding->flow_number)
        ecs_put_count(object, "apnscope.flow.number", finding->flow_number);
    put_frames(object, finding);
}

static void put_withdrawal(json_t *object, const struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], message[MESSAGE_SIZE];
    struct text text = text_over(message, sizeof message);
    text_format(&text, "Withdrawn: %s", finding->code);
    if (!address_is_unspecified(&finding->client_ip))
        text_format(&text, " of %s", address_text(&finding->client_ip, client));
    text_format(&text, ": %s", finding->summary);
    ecs_put_text(object, "message", message);
    ecs_put_text(object, "event.reason", finding->summary);
}

static json_t *finding_object(const struct ecs_writer *writer, enum record_kind kind,
                              const struct finding *finding)
{
    char path[EXCERPT_PATH_SIZE];
    json_t *object = ecs_begin(writer, &finding_kinds[kind], finding->last_ns);
    put_identity(writer, object, finding);
    if (kind == RECORD_WITHDRAWN) {
        put_withdrawal(object, finding);
    } else {
        put_proof(object, finding);
        ecs_put_text(object, "apnscope.finding.evidence_file",
                     excerpt_path(writer->origin, finding, path));
    }
    return object;
}

/* ---- devices ---- */

static const char *const verdict_outcomes[VERDICT_COUNT] = {[VERDICT_UNKNOWN] = "unknown",
                                                            [VERDICT_WORKS] = "success",
                                                            [VERDICT_DEGRADED] = "success",
                                                            [VERDICT_BROKEN] = "failure"};

static void put_verdict_sentence(json_t *object, const char *address,
                                 const struct device_change *change)
{
    char message[MESSAGE_SIZE];
    struct text text = text_over(message, sizeof message);
    text_format(&text, "%s: %s", address, verdict_name(change->device.verdict));
    if (change->before != VERDICT_COUNT)
        text_format(&text, " (was %s)", verdict_name(change->before));
    if (change->device.reason[0])
        text_format(&text, ": %s", change->device.reason);
    ecs_put_text(object, "message", message);
}

/* A device is told of at each session; only a verdict that is new is news. */
static json_t *device_object(const struct ecs_writer *writer, const struct device_change *change)
{
    static const struct ecs_kind kind = {"state",  "host",           "info",
                                         "change", "device-verdict", "apnscope.device"};
    const struct device_record *device = &change->device;
    static const struct address none;
    char address[ADDRESS_TEXT_SIZE];
    if (device->verdict == change->before)
        return NULL;
    json_t *object = ecs_begin(writer, &kind, device->last_ns);
    ecs_put_network(object, &device->ip, &none);
    ecs_put_mac(object, "source.mac", device->mac, device->has_mac);
    ecs_put_text(object, "event.outcome", verdict_outcomes[device->verdict]);
    ecs_put_time(object, "event.start", device->first_ns);
    ecs_put_time(object, "event.end", device->last_ns);
    put_verdict_sentence(object, address_text(&device->ip, address), change);
    ecs_put_count(object, "apnscope.device.number", device->number);
    ecs_put_text(object, "apnscope.device.role", device_role_name(device->role));
    ecs_put_text(object, "apnscope.device.verdict", verdict_name(device->verdict));
    if (change->before != VERDICT_COUNT)
        ecs_put_text(object, "apnscope.device.verdict_before", verdict_name(change->before));
    ecs_put_text(object, "apnscope.device.works_on", device->works_on);
    ecs_put_text(object, "apnscope.device.reason", device->reason);
    ecs_put_count(object, "apnscope.device.sessions", device->sessions);
    return object;
}

/* ---- notices ---- */

static json_t *notice_object(const struct ecs_writer *writer, const struct notice *notice)
{
    static const struct ecs_kind kind = {"event", "process", "info",
                                         NULL,    "notice",  "apnscope.notice"};
    json_t *object = ecs_begin(writer, &kind, notice->time_ns);
    ecs_put_text(object, "log.level", "notice");
    ecs_put_text(object, "message", notice->line);
    return object;
}

json_t *ecs_object(const struct ecs_writer *writer, enum record_kind kind, const void *record)
{
    switch (kind) {
    case RECORD_FINDING:
    case RECORD_CHANGED:
    case RECORD_WITHDRAWN:
        return finding_object(writer, kind, record);
    case RECORD_DEVICE:
        return device_object(writer, record);
    case RECORD_FLOW:
        return ecs_flow(writer, record);
    case RECORD_REPORT:
        return ecs_report(writer, record);
    case RECORD_NOTICE:
        return notice_object(writer, record);
    case RECORD_SESSION:
    case RECORD_REOPEN:
    case RECORD_KIND_COUNT:
        break;
    }
    return NULL;
}
