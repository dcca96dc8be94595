/* Endpoints, display filters and endings of sentences, each written in one way only.
 *
 * Serves rules and engine. Deliberately does not escape: that is the business of whoever writes
 * the page; only what goes into a display filter is kept to characters that cannot end a string. */
#include "sentences.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/text.h"

const char *endpoint_text(const struct address *ip, uint16_t port, char text[ENDPOINT_TEXT_SIZE])
{
    char address[ADDRESS_TEXT_SIZE];
    struct text out = text_over(text, ENDPOINT_TEXT_SIZE);
    address_text(ip, address);
    text_format(&out, address_is_ipv4(ip) ? "%s:%u" : "[%s]:%u", address, port);
    return text;
}

void finding_say(char *sentence, size_t size, const char *format, ...)
{
    char whole[FINDING_REASONING_SIZE * 2];
    va_list list;
    va_start(list, format);
    vsnprintf(whole, sizeof whole, format, list);
    va_end(list);
    struct text text = text_over(sentence, size);
    text_add(&text, whole);
}

void finding_add_frame(struct finding *finding, uint64_t number, int64_t time_ns,
                       const char *format, ...)
{
    if (!number || finding->frame_count >= FINDING_FRAMES_MAX)
        return;
    struct finding_frame *frame = &finding->frames[finding->frame_count++];
    *frame = (struct finding_frame){.number = number, .time_ns = time_ns};
    va_list list;
    va_start(list, format);
    vsnprintf(frame->shows, sizeof frame->shows, format, list);
    va_end(list);
}

const char *filter_family(const struct address *ip)
{
    return address_is_ipv4(ip) ? "ip" : "ipv6";
}

void filter_of_flow(struct finding *finding, const struct flow_record *flow)
{
    char client[ADDRESS_TEXT_SIZE], server[ADDRESS_TEXT_SIZE];
    const char *ip = filter_family(&flow->client_ip);
    struct text text = text_over(finding->display_filter, sizeof finding->display_filter);
    address_text(&flow->client_ip, client);
    address_text(&flow->server_ip, server);
    text_format(&text, "%s.addr == %s && %s.addr == %s && tcp.port == %u && tcp.port == %u", ip,
                client, ip, server, flow->client_port, flow->server_port);
}

void filter_of_device(struct finding *finding)
{
    char address[ADDRESS_TEXT_SIZE];
    bool is_site = finding->scope == SCOPE_SITE;
    const struct address *ip = is_site ? &finding->server_ip : &finding->client_ip;
    if (address_is_unspecified(ip))
        return;
    struct text text = text_over(finding->display_filter, sizeof finding->display_filter);
    address_text(ip, address);
    text_format(&text, "%s.addr == %s", filter_family(ip), address);
    if (finding->server_port)
        text_format(&text, " && tcp.port == %u", finding->server_port);
}

void finding_show_couriers(struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE];
    finding_say(finding->display_filter, sizeof finding->display_filter,
                "%s.addr == %s && (tcp.port == 5223 || tcp.port == 443)",
                filter_family(&finding->client_ip), address_text(&finding->client_ip, client));
}

void filter_of_dns(struct finding *finding, const struct dns_message *dns)
{
    char client[ADDRESS_TEXT_SIZE];
    struct text text = text_over(finding->display_filter, sizeof finding->display_filter);
    address_text(&finding->client_ip, client);
    text_format(&text, "%s.addr == %s && dns", filter_family(&finding->client_ip), client);
    if (!dns->name[strspn(dns->name, "abcdefghijklmnopqrstuvwxyz0123456789-._")])
        text_format(&text, ".qry.name == \"%s\"", dns->name);
}

void summary_finish(struct finding *finding)
{
    char first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE], ending[CLOCK_TEXT_SIZE * 3] = ".";
    if (finding->first_ns != TIME_UNKNOWN && finding->scope != SCOPE_SITE) {
        clock_text(finding->first_ns, first);
        clock_text(finding->last_ns, last);
        if (finding->count > 1)
            snprintf(ending, sizeof ending, "; %u times from %s to %s.", finding->count, first,
                     last);
        else
            snprintf(ending, sizeof ending, ", at %s.", first);
    }
    /* a summary that is too long loses its tail, never its times */
    char whole[FINDING_SUMMARY_SIZE];
    struct text cut = text_over(whole, sizeof whole - strlen(ending));
    text_add(&cut, finding->summary);
    struct text text = text_over(finding->summary, sizeof finding->summary);
    text_add(&text, whole);
    text_add(&text, ending);
}

static const char *const alert_names[] = {
#define TLS_ALERT(description, name) [description] = name,
#include "model/tls_alert.def"
#undef TLS_ALERT
};

const char *alert_text(int16_t description, char text[ALERT_TEXT_SIZE])
{
    const int16_t count = sizeof alert_names / sizeof *alert_names;
    bool has_name = description >= 0 && description < count && alert_names[description];
    struct text out = text_over(text, ALERT_TEXT_SIZE);
    if (has_name)
        text_add(&out, alert_names[description]);
    else
        text_format(&out, "number %d", description);
    return text;
}

static void limit_add(struct text *text, const char *sentence)
{
    text_format(text, "%s%s", text->length ? "; " : "", sentence);
}

void limits_say(char *sentence, size_t size, const struct capture_quality *quality,
                const struct side_counts *sides)
{
    struct text text = text_over(sentence, size);
    uint64_t lost = capture_quality_drops(quality);
    if (sides->up_only + sides->down_only > sides->both)
        limit_add(&text, sides->up_only >= sides->down_only
                             ? "most sessions show only the client's packets"
                             : "most sessions show only the server's packets");
    if (lost)
        text_format(&text, "%s%s dropped while capturing", text.length ? "; " : "",
                    COUNTED(lost, "packet was|packets were"));
    if (quality->gap_bytes)
        text_format(&text, "%s%s not in the capture", text.length ? "; " : "",
                    COUNTED(quality->gap_bytes, "acknowledged byte is|acknowledged bytes are"));
    if (quality->skipped[SKIP_DAMAGED])
        text_format(&text, "%s%s damaged and left out", text.length ? "; " : "",
                    COUNTED(quality->skipped[SKIP_DAMAGED], "packet was|packets were"));
    if (quality->truncated)
        limit_add(&text, "the capture is cut or damaged");
    if (quality->push_frames_cut)
        limit_add(&text, "packets were captured in part (snap length)");
}
