/* `apnscope compare`: what happens to sessions between two capture points, as text or JSON.
 *
 * Beside the reports: reads two databases and turns "likely" into "certain", for what is seen on
 * one side of a box and not on the other is that box's doing. Deliberately names no rule's finding:
 * those are in each database. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/text.h"
#include "output.h"
#include "pairing.h"
#include "report/report.h"
#include "terminal.h"

enum { LISTED = 20 };

static const struct {
    const char *name, *title, *says;
} fates[FATE_COUNT] = {
    [FATE_UNKNOWN] =
        {"unknown", "Not to be compared",
         "The outer capture does not cover them, they began before either, or they worked and "
         "went another way."},
    [FATE_PASSED] = {"passed", "Passed",
                     "The same session is at both points. Where one failed, the cause lies beyond "
                     "the outer point."},
    [FATE_TERMINATED] = {"terminated", "Terminated in between",
                         "Another TLS session to the same server leaves in their place: a box "
                         "between the two points ends TLS and starts its own. Certain."},
    [FATE_HELLO_LOST] = {"hello-lost", "ClientHello lost in between",
                         "The TCP connection is at both points, the ClientHello only inside: a box "
                         "between the two points swallows it. Certain."},
    [FATE_VANISHED] = {"vanished", "Vanished in between",
                       "They were opened inside and nothing of them came out: what stops them is "
                       "between the two points. Certain, if both captures ran at that time and "
                       "see the whole path."},
};

static size_t count_fate(const struct point *inside, enum fate fate)
{
    size_t count = 0;
    for (size_t i = 0; i < inside->count; i++)
        count += inside->sessions[i].fate == fate;
    return count;
}

static size_t count_translated(const struct point *inside)
{
    size_t count = 0;
    for (size_t i = 0; i < inside->count; i++) {
        const struct session *session = &inside->sessions[i];
        count +=
            session->fate == FATE_PASSED && strcmp(session->client, session->other->client) != 0;
    }
    return count;
}

/* ---- text ---- */

static void put_session(const struct terminal *terminal, const struct session *session)
{
    enum { INDENT = 6, CONTINUED = 8 };
    char time[CLOCK_TEXT_SIZE], line[400];
    struct text out = text_over(line, sizeof line);
    text_format(&out, "%s  %s:%u -> %s:%u  %s", clock_text(session->started_ns, time),
                session->client, session->client_port, session->server, session->server_port,
                session->outcome);
    if (session->other && strcmp(session->client, session->other->client) != 0)
        text_format(&out, "; outside %s:%u, %s", session->other->client,
                    session->other->client_port, session->other->outcome);
    text_format(&out, "  (session %lld)", (long long)session->id);
    fprintf(terminal->out, "%*s", INDENT, "");
    terminal_wrap(terminal, INDENT, CONTINUED, line);
}

static void put_fate(const struct terminal *terminal, const struct point *inside, enum fate fate)
{
    size_t all = count_fate(inside, fate), listed = 0;
    char title[96];
    if (!all)
        return;
    snprintf(title, sizeof title, "%s: %s", fates[fate].title, COUNTED(all, "session"));
    terminal_heading(terminal, title);
    fputs("  ", terminal->out);
    terminal_wrap(terminal, 2, 2, fates[fate].says);
    for (size_t i = 0; i < inside->count && listed < LISTED; i++)
        if (inside->sessions[i].fate == fate) {
            put_session(terminal, &inside->sessions[i]);
            listed++;
        }
    if (all > listed)
        fprintf(terminal->out, "      and %s; --json lists all\n",
                COUNTED(all - listed, "other|others"));
}

static void put_head(const struct terminal *terminal, const struct compare_options *options,
                     const struct point *inside, const struct point *outside, int64_t later_ns)
{
    char text[400], difference[DURATION_TEXT_SIZE];
    snprintf(text, sizeof text, "Inside (%.120s): %s; outside (%.120s): %s.", options->inside,
             COUNTED(inside->count, "session"), options->outside,
             COUNTED(outside->count, "session"));
    terminal_wrap(terminal, 0, 2, text);
    if (llabs(later_ns) >= NS_PER_S) {
        snprintf(text, sizeof text, "The outer clock is %s %s; times are compared without that.",
                 duration_text(llabs(later_ns), difference), later_ns > 0 ? "ahead" : "behind");
        terminal_wrap(terminal, 0, 2, text);
    }
    if (count_translated(inside)) {
        snprintf(text, sizeof text, "Addresses of %s are translated in between.",
                 COUNTED(count_translated(inside), "session that passed|sessions that passed"));
        terminal_wrap(terminal, 0, 2, text);
    }
}

static void put_text(const struct compare_options *options, const struct point *inside,
                     const struct point *outside, int64_t later_ns, FILE *out)
{
    const struct report_options look = {.width = options->width};
    struct terminal terminal = terminal_over(out, &look);
    put_head(&terminal, options, inside, outside, later_ns);
    put_fate(&terminal, inside, FATE_TERMINATED);
    put_fate(&terminal, inside, FATE_HELLO_LOST);
    put_fate(&terminal, inside, FATE_VANISHED);
    put_fate(&terminal, inside, FATE_PASSED);
    put_fate(&terminal, inside, FATE_UNKNOWN);
    if (!inside->count)
        terminal_wrap(&terminal, 0, 0, "The inner capture holds no session of APNs to compare.");
}

/* ---- JSON ---- */

static json_t *session_json(const struct session *session)
{
    char time[CLOCK_TEXT_SIZE];
    json_t *json = json_pack("{s:I, s:s, s:s, s:s, s:i, s:s, s:i, s:s}", "flow_id",
                             (json_int_t)session->id, "fate", fates[session->fate].name, "started",
                             clock_text(session->started_ns, time), "client_ip", session->client,
                             "client_port", session->client_port, "server_ip", session->server,
                             "server_port", session->server_port, "outcome", session->outcome);
    if (json && session->other)
        json_object_set_new(
            json, "outside",
            json_pack("{s:I, s:s, s:i, s:s}", "flow_id", (json_int_t)session->other->id,
                      "client_ip", session->other->client, "client_port",
                      session->other->client_port, "outcome", session->other->outcome));
    return json;
}

static void put_json(const struct point *inside, const struct point *outside, int64_t later_ns,
                     FILE *out)
{
    json_t *document = json_object(), *list = json_array();
    json_object_set_new(document, "inside_sessions", json_integer((json_int_t)inside->count));
    json_object_set_new(document, "outside_sessions", json_integer((json_int_t)outside->count));
    json_object_set_new(document, "outer_clock_ahead_ns", json_integer(later_ns));
    for (int fate = 0; fate < FATE_COUNT; fate++)
        json_object_set_new(document, fates[fate].name,
                            json_integer((json_int_t)count_fate(inside, (enum fate)fate)));
    for (size_t i = 0; i < inside->count; i++)
        json_array_append_new(list, session_json(&inside->sessions[i]));
    json_object_set_new(document, "sessions", list);
    json_dumpf(document, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(document);
}

/* ---- both ---- */

static bool write_out(const struct compare_options *options, const struct point *inside,
                      const struct point *outside, int64_t later_ns, struct fault *fault)
{
    struct output output;
    if (!output_open(&output, options->json_path ? options->json_path : "-", fault))
        return false;
    if (options->json_path)
        put_json(inside, outside, later_ns, output.file);
    else
        put_text(options, inside, outside, later_ns, output.file);
    return output_commit(&output, fault);
}

bool report_compare(const struct compare_options *options, bool *found, struct fault *fault)
{
    struct point inside = {0}, outside = {0};
    bool done = point_read(&inside, options->inside, fault) &&
                point_read(&outside, options->outside, fault);
    if (done) {
        int64_t later_ns = pairing_decide(&inside, &outside);
        *found = count_fate(&inside, FATE_TERMINATED) || count_fate(&inside, FATE_HELLO_LOST) ||
                 count_fate(&inside, FATE_VANISHED);
        done = write_out(options, &inside, &outside, later_ns, fault);
    }
    point_free(&inside);
    point_free(&outside);
    return done;
}
