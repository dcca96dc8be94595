/* The timeline of the HTML report: one lane a device, one bar a session, as inline SVG.
 *
 * A section of the HTML writer; the devices in trouble come first (view.c chooses). Outcomes differ
 * by shape as well as colour: a full bar worked, a cross failed, a hollow bar was not judged. The
 * table of sessions is its text alternative. Deliberately draws no bar twice in one place. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "html.h"
#include "phrase.h"

enum {
    PLOT_LEFT = 176,
    PLOT_RIGHT = 986,
    PLOT_TOP = 34,
    LANE_HEIGHT = 28,
    BAR_HEIGHT = 12,
    BAR_SHORTEST = 4,
    TICKS_MAX = 7,
    DATE_SIZE = 10 /* "2026-03-01" */
};

struct plot {
    FILE *out;
    int64_t first_ns, span_ns;
};

static int plot_x(const struct plot *plot, int64_t time_ns)
{
    double share = (double)(time_ns - plot->first_ns) / (double)plot->span_ns;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return PLOT_LEFT + (int)(share * (PLOT_RIGHT - PLOT_LEFT));
}

static struct plot plot_over(FILE *out, const struct view *view)
{
    int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;
    for (size_t i = 0; i < view->lane_count; i++)
        for (size_t k = 0; k < view->lanes[i].span_count; k++) {
            const struct view_span *span = &view->lanes[i].spans[k];
            first_ns = span->started_ns < first_ns ? span->started_ns : first_ns;
            last_ns = span->last_ns > last_ns ? span->last_ns : last_ns;
        }
    return (struct plot){out, first_ns, last_ns > first_ns ? last_ns - first_ns : 1};
}

static int64_t tick_step_s(int64_t span_ns)
{
    static const int64_t steps_s[] = {1,     2,     5,     10,    15,     30,    60,
                                      120,   300,   600,   900,   1800,   3600,  7200,
                                      10800, 21600, 43200, 86400, 172800, 604800};
    size_t i = 0;
    while (i + 1 < sizeof steps_s / sizeof steps_s[0] &&
           span_ns / (steps_s[i] * NS_PER_S) > TICKS_MAX)
        i++;
    int64_t step_s = steps_s[i];
    while (span_ns / (step_s * NS_PER_S) > TICKS_MAX)
        step_s *= 2;
    return step_s;
}

/* "12:30:00", or the date where a step is a day or more. */
static void put_ticks(const struct plot *plot, int bottom)
{
    int64_t step_s = tick_step_s(plot->span_ns);
    int64_t first_s = plot->first_ns / NS_PER_S / step_s * step_s;
    for (int64_t at_s = first_s; at_s * NS_PER_S <= plot->first_ns + plot->span_ns;
         at_s += step_s) {
        char moment[PHRASE_SIZE], label[PHRASE_SIZE];
        if (at_s * NS_PER_S < plot->first_ns)
            continue;
        int x = plot_x(plot, at_s * NS_PER_S);
        phrase_moment(at_s * NS_PER_S, moment);
        snprintf(label, sizeof label, "%.*s",
                 step_s >= 86400 ? DATE_SIZE
                 : step_s >= 60  ? 5
                                 : 8,
                 step_s >= 86400 ? moment : moment + DATE_SIZE + 1);
        html_print(plot->out, "<path class=\"tick\" d=\"M%d %dV%d\"/>", x, PLOT_TOP - 6, bottom);
        html_print(plot->out,
                   "<text class=\"axis\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>\n", x,
                   PLOT_TOP - 12, x > PLOT_RIGHT - 24 ? "end" : "middle", label);
    }
}

static void put_title(FILE *out, const struct view_span *span)
{
    char duration[DURATION_TEXT_SIZE], moment[PHRASE_SIZE];
    html_print(out, "<title>Session %" PRId64 ", port %" PRId64 ": %s, %s, %s</title>", span->id,
               span->port, span->outcome, phrase_moment(span->started_ns, moment),
               duration_text(span->last_ns - span->started_ns, duration));
}

static void put_bar(const struct plot *plot, const struct view_span *span, int x, int width, int y)
{
    static const char *const classes[HEAP_COUNT] = {
        [HEAP_WORKED] = "worked", [HEAP_FAILED] = "failed", [HEAP_UNJUDGED] = "unjudged"};
    int top = y - BAR_HEIGHT / 2;
    html_print(plot->out, "<g class=\"%s\">", classes[span->heap]);
    put_title(plot->out, span);
    html_print(plot->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"2\"/>", x, top,
               width, BAR_HEIGHT);
    if (span->heap == HEAP_FAILED)
        html_print(plot->out, "<path d=\"M%d %dl8 8m0-8l-8 8\"/>", x - 4, y - 4);
    fputs("</g>\n", plot->out);
}

static void put_lane(const struct plot *plot, const struct view_lane *lane, int y)
{
    int last_x = -1, last_width = -1;
    enum view_heap last_heap = HEAP_COUNT;
    html_print(plot->out, "<path class=\"rail\" d=\"M%d %dH%d\"/>", PLOT_LEFT, y, PLOT_RIGHT);
    html_print(plot->out, "<text class=\"lane\" x=\"%d\" y=\"%d\" text-anchor=\"end\">",
               PLOT_LEFT - 12, y + 4);
    html_print(plot->out, "%s</text>\n", lane->ip);
    for (size_t i = 0; i < lane->span_count; i++) {
        const struct view_span *span = &lane->spans[i];
        int x = plot_x(plot, span->started_ns);
        int width = plot_x(plot, span->last_ns) - x;
        width = width < BAR_SHORTEST ? BAR_SHORTEST : width;
        if (x == last_x && width == last_width && span->heap == last_heap)
            continue;
        put_bar(plot, span, x, width, y);
        last_x = x, last_width = width, last_heap = span->heap;
    }
}

static void put_legend(FILE *out)
{
    fputs("<ul class=\"legend\">"
          "<li><svg width=\"30\" height=\"14\" aria-hidden=\"true\"><g class=\"worked\">"
          "<rect x=\"1\" y=\"1\" width=\"28\" height=\"12\" rx=\"2\"/></g></svg> worked</li>"
          "<li><svg width=\"30\" height=\"14\" aria-hidden=\"true\"><g class=\"failed\">"
          "<rect x=\"5\" y=\"1\" width=\"24\" height=\"12\" rx=\"2\"/>"
          "<path d=\"M1 3l8 8m0-8l-8 8\"/></g></svg> failed</li>"
          "<li><svg width=\"30\" height=\"14\" aria-hidden=\"true\"><g class=\"unjudged\">"
          "<rect x=\"1\" y=\"1\" width=\"28\" height=\"12\" rx=\"2\"/></g></svg> not judged</li>"
          "</ul>\n",
          out);
}

static void put_caption(FILE *out, const struct view *view)
{
    uint64_t left_out = 0;
    for (size_t i = 0; i < view->lane_count; i++)
        left_out += view->lanes[i].spans_left_out;
    html_print(out,
               "<p class=\"note\">%zu of %s, those in trouble first, then the busiest; times "
               "are UTC.",
               view->lane_count, COUNTED(view->device_total + view->server_total, "device"));
    if (left_out)
        html_print(out, " Of each the first %d sessions; %s more are not drawn.", VIEW_SPANS_MAX,
                   DIGITS(left_out));
    fputs(" The same as text: <a href=\"#sessions\">table of sessions</a>.</p>\n", out);
}

void html_timeline(FILE *out, const struct view *view)
{
    size_t spans = 0;
    for (size_t i = 0; i < view->lane_count; i++)
        spans += view->lanes[i].span_count;
    if (!spans)
        return;
    struct plot plot = plot_over(out, view);
    int bottom = PLOT_TOP + LANE_HEIGHT * (int)view->lane_count;
    fputs("<section id=\"timeline\" aria-labelledby=\"timeline-title\"><h2 "
          "id=\"timeline-title\">Sessions over time</h2>\n",
          out);
    put_legend(out);
    html_print(out,
               "<div class=\"scroll plain\" tabindex=\"0\" role=\"region\" "
               "aria-label=\"Timeline\"><svg class=\"timeline\" viewBox=\"0 0 1000 %d\" "
               "role=\"img\" aria-labelledby=\"timeline-name timeline-what\">",
               bottom + 6);
    html_print(out, "<title id=\"timeline-name\">Sessions of %zu devices over time</title>",
               view->lane_count);
    html_print(out, "<desc id=\"timeline-what\">%s", view->coverage);
    html_print(out, " %s worked,", DIGITS(view->by_heap[HEAP_WORKED]));
    html_print(out, " %s failed,", DIGITS(view->by_heap[HEAP_FAILED]));
    html_print(out, " %s were not judged.</desc>\n", DIGITS(view->by_heap[HEAP_UNJUDGED]));
    put_ticks(&plot, bottom);
    for (size_t i = 0; i < view->lane_count; i++)
        put_lane(&plot, &view->lanes[i], PLOT_TOP + LANE_HEIGHT * (int)i + LANE_HEIGHT / 2);
    fputs("</svg></div>\n", out);
    put_caption(out, view);
    fputs("</section>\n", out);
}
