/* All about one row of the screen.
 *
 * See top_table.h. Deliberately shows what the database's row would, in words. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/text.h"
#include "excerpt_name.h"
#include "top_table.h"

static void add(struct top_detail *detail, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(struct top_detail *detail, const char *label, const char *format, ...)
{
    if (detail->count == TOP_DETAIL_LINES)
        return;
    struct text text = text_over(detail->lines[detail->count], sizeof detail->lines[0]);
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    if (text.length)
        detail->labels[detail->count++] = label;
}

static void add_time(struct top_detail *detail, const char *label, int64_t time_ns)
{
    char time[CLOCK_TEXT_SIZE];
    if (time_ns != TIME_UNKNOWN)
        add(detail, label, "%s", clock_text(time_ns, time));
}

static void add_end(struct top_detail *detail, const char *label, const struct address *address,
                    unsigned port)
{
    char text[ADDRESS_TEXT_SIZE];
    if (address_is_unspecified(address))
        return;
    address_text(address, text);
    if (port)
        add(detail, label, "%s port %u", text, port);
    else
        add(detail, label, "%s", text);
}

static void add_frames(struct top_detail *detail, const struct finding *finding)
{
    char time[CLOCK_TEXT_SIZE];
    for (size_t i = 0; i < finding->frame_count && i < FINDING_FRAMES_MAX; i++)
        add(detail, i ? "" : "Frames", "%" PRIu64 "  %s  %s", finding->frames[i].number,
            clock_text(finding->frames[i].time_ns, time), finding->frames[i].shows);
}

static void fill_finding(struct top_detail *detail, const struct top_finding *shown,
                         const struct feed_origin *origin)
{
    const struct finding *finding = &shown->finding;
    const char *title = origin->title_of ? origin->title_of(finding->code) : NULL;
    char path[EXCERPT_PATH_SIZE];
    add(detail, "Finding", "%" PRIu64 "  %s%s%s", finding->number, finding->code, title ? ": " : "",
        title ? title : "");
    add(detail, "Severity", "%s, %s, seen %s", severity_name(finding->severity),
        confidence_name(finding->confidence), COUNTED(finding->count, "time"));
    if (shown->is_withdrawn)
        add(detail, "Withdrawn", "%s", shown->why);
    add(detail, "What", "%s", finding->summary);
    add(detail, "Because", "%s", finding->reasoning);
    add(detail, "Limits", "%s", finding->limits);
    add_end(detail, "Client", &finding->client_ip, 0);
    add_end(detail, "Server", &finding->server_ip, finding->server_port);
    add_end(detail, "Blocker", &finding->blocker_ip, 0);
    if (finding->blocker_hops >= 0)
        add(detail, "Distance", "%s from here", COUNTED(finding->blocker_hops, "hop"));
    add_time(detail, "First", finding->first_ns);
    add_time(detail, "Last", finding->last_ns);
    add(detail, "Wireshark", "%s", finding->display_filter);
    if (!shown->is_withdrawn && excerpt_path(origin, finding, path))
        add(detail, "Excerpt", "%s", path);
    add_frames(detail, finding);
}

static void fill_device(struct top_detail *detail, const struct device_record *device)
{
    char mac[MAC_TEXT_SIZE];
    add_end(detail, "Device", &device->ip, 0);
    if (device->has_mac)
        add(detail, "MAC", "%s", mac_text(device->mac, mac));
    add(detail, "Role", "%s", device_role_name(device->role));
    add(detail, "Verdict", "%s", verdict_name(device->verdict));
    add(detail, "Works on", "%s", device->works_on);
    add(detail, "Why", "%s", device->reason);
    add(detail, "Sessions", "%s", DIGITS(device->sessions));
    add_time(detail, "First", device->first_ns);
    add_time(detail, "Last", device->last_ns);
}

static void fill_session(struct top_detail *detail, const struct top_session *session)
{
    const char *role = role_name((enum flow_role)session->role);
    const char *outcome = outcome_name((enum flow_outcome)session->outcome);
    const char *ending = ending_name((enum flow_ending)session->ended_by);
    add(detail, "Session", "%" PRIu64, session->number);
    add_end(detail, "Client", &session->client_ip, session->client_port);
    add_end(detail, "Server", &session->server_ip, session->server_port);
    add(detail, "Name", "%s", session->name ? session->name : "");
    add(detail, "Role", "%s", role ? role : "");
    if (outcome)
        add(detail, "Outcome", "%s: %s%s", outcome,
            outcome_meaning((enum flow_outcome)session->outcome),
            session->is_over ? "" : " (as if it ended now)");
    if (session->is_over && ending)
        add(detail, "Ended by", "%s: %s", ending,
            ending_meaning((enum flow_ending)session->ended_by));
    add_time(detail, "Began", session->started_ns);
    add_time(detail, "Last", session->last_ns);
    add(detail, "Up", "%s, %s bytes", COUNTED(session->packets_up, "packet"),
        DIGITS(session->bytes_up));
    add(detail, "Down", "%s, %s bytes", COUNTED(session->packets_down, "packet"),
        DIGITS(session->bytes_down));
    if (session->rtt_server_us >= 0) {
        char rtt[DURATION_TEXT_SIZE];
        add(detail, "To the server", "%s there and back",
            duration_text(session->rtt_server_us * NS_PER_US, rtt));
    }
    add(detail, "Certificate", "%s", session->issuer ? session->issuer : "");
}

void top_detail_fill(struct top_detail *detail, const struct top_model *model, enum top_view view,
                     uint32_t number, const struct feed_origin *origin)
{
    detail->count = 0;
    if (view == TOP_FINDINGS)
        fill_finding(detail, &model->findings[number], origin);
    else if (view == TOP_DEVICES)
        fill_device(detail, &model->devices[number]);
    else
        fill_session(detail, &model->sessions[number]);
}
