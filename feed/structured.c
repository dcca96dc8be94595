/* Facts of findings, devices and notices for the system's log.
 *
 * See structured.h. A finding that is only seen again is not logged again; a device is logged when
 * its verdict changes. Deliberately leaves out frames: the database and the JSON lines have them.
 */
#include "structured.h"

#include <inttypes.h>
#include <syslog.h>

#include "base/clock.h"
#include "excerpt_name.h"

/* RFC 5612 sets 32473 aside for documentation; the program has no number of its own. */
#define ELEMENT_ID "apnscope@32473"

static void add(struct structured *structured, const char *name, const char *value)
{
    if (!value || !*value || structured->count == STRUCTURED_FIELDS_MAX)
        return;
    structured->fields[structured->count++] = (struct structured_field){name, value};
}

/* Text that lasts as long as the record; NULL: no room. */
static const char *kept(struct structured *structured, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const char *kept(struct structured *structured, const char *format, ...)
{
    struct text *text = &structured->text;
    const char *value = text->at + text->length;
    va_list arguments;
    va_start(arguments, format);
    text_format_list(text, format, arguments);
    va_end(arguments);
    text_add_bytes(text, "", 1); /* values end with their NUL */
    return text->cut ? NULL : value;
}

static void add_address(struct structured *structured, const char *name,
                        const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];
    if (!address_is_unspecified(address))
        add(structured, name, kept(structured, "%s", address_text(address, text)));
}

static void add_time(struct structured *structured, const char *name, int64_t time_ns)
{
    char text[CLOCK_TEXT_SIZE];
    if (time_ns != TIME_UNKNOWN)
        add(structured, name, kept(structured, "%s", clock_text(time_ns, text)));
}

static void add_excerpt(struct structured *structured, const struct feed_origin *origin,
                        const struct finding *finding)
{
    char path[EXCERPT_PATH_SIZE];
    if (excerpt_path(origin, finding, path))
        add(structured, "evidence_file", kept(structured, "%s", path));
}

static void fill_finding(struct structured *structured, const struct finding *finding)
{
    static const int priorities[SEVERITY_COUNT] = {
        [SEVERITY_INFO] = LOG_INFO, [SEVERITY_WARN] = LOG_WARNING, [SEVERITY_FAIL] = LOG_ERR};
    structured->priority = priorities[finding->severity];
    add(structured, "code", finding->code);
    add(structured, "severity", severity_name(finding->severity));
    add(structured, "finding", kept(structured, "%" PRIu64, finding->number));
    add(structured, "scope", scope_name(finding->scope));
    add_address(structured, "client_ip", &finding->client_ip);
    add_address(structured, "server_ip", &finding->server_ip);
    if (finding->server_port)
        add(structured, "server_port", kept(structured, "%u", finding->server_port));
}

static void fill_proof(struct structured *structured, const struct feed_origin *origin,
                       const struct finding *finding)
{
    add(structured, "confidence", confidence_name(finding->confidence));
    add_time(structured, "first", finding->first_ns);
    add_time(structured, "last", finding->last_ns);
    add_address(structured, "blocker_ip", &finding->blocker_ip);
    if (finding->blocker_hops >= 0)
        add(structured, "blocker_hops", kept(structured, "%d", finding->blocker_hops));
    add(structured, "display_filter", finding->display_filter);
    add_excerpt(structured, origin, finding);
    structured->message = kept(structured, "%s: %s", finding->code, finding->summary);
}

static void fill_withdrawal(struct structured *structured, const struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE];
    bool has_client = !address_is_unspecified(&finding->client_ip);
    structured->priority = LOG_NOTICE;
    structured->message =
        kept(structured, "%s%s%s withdrawn: %s", finding->code, has_client ? " of " : "",
             has_client ? address_text(&finding->client_ip, client) : "", finding->summary);
}

static bool fill_device(struct structured *structured, const struct device_change *change)
{
    static const int priorities[VERDICT_COUNT] = {[VERDICT_UNKNOWN] = LOG_INFO,
                                                  [VERDICT_WORKS] = LOG_NOTICE,
                                                  [VERDICT_DEGRADED] = LOG_WARNING,
                                                  [VERDICT_BROKEN] = LOG_WARNING};
    const struct device_record *device = &change->device;
    char client[ADDRESS_TEXT_SIZE];
    bool is_news = device->verdict != change->before &&
                   !(change->before == VERDICT_COUNT && device->verdict <= VERDICT_WORKS);
    if (!is_news)
        return false;
    structured->priority = priorities[device->verdict];
    add_address(structured, "client_ip", &device->ip);
    add(structured, "verdict", verdict_name(device->verdict));
    if (change->before != VERDICT_COUNT)
        add(structured, "verdict_before", verdict_name(change->before));
    add(structured, "works_on", device->works_on);
    structured->message = kept(structured, "%s is %s: %s", address_text(&device->ip, client),
                               verdict_name(device->verdict), device->reason);
    return true;
}

bool structured_fill(struct structured *structured, const struct feed_origin *origin,
                     enum record_kind kind, const void *record)
{
    structured->count = 0;
    structured->message = NULL;
    structured->text = text_over(structured->buffer, sizeof structured->buffer);
    if (kind == RECORD_FINDING || kind == RECORD_WITHDRAWN)
        fill_finding(structured, record);
    if (kind == RECORD_FINDING) {
        add(structured, "action", "new");
        fill_proof(structured, origin, record);
    } else if (kind == RECORD_WITHDRAWN) {
        add(structured, "action", "withdrawn");
        fill_withdrawal(structured, record);
    } else if (kind == RECORD_DEVICE) {
        if (!fill_device(structured, record))
            return false;
    } else if (kind == RECORD_NOTICE) {
        structured->priority = LOG_NOTICE;
        structured->message = ((const struct notice *)record)->line;
    } else {
        return false;
    }
    if (!structured->message)
        structured->message = "";
    add(structured, "sensor", origin->sensor);
    add(structured, "site", origin->site);
    return true;
}

void structured_write(const struct structured *structured, struct text *out)
{
    text_add(out, "[" ELEMENT_ID);
    for (size_t i = 0; i < structured->count; i++) {
        text_format(out, " %s=\"", structured->fields[i].name);
        for (const char *at = structured->fields[i].value; *at; at++) {
            if (*at == '"' || *at == '\\' || *at == ']')
                text_add(out, "\\");
            text_add_bytes(out, at, 1);
        }
        text_add(out, "\"");
    }
    text_add(out, "]");
}
