/* Drawing.
 *
 * See top_draw.h. From the top: what the run does, three lines that a low screen leaves out; the
 * views; the table; keys or the latest notice. Deliberately changes nothing but where the reader
 * is. */
#include "top_draw.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/text.h"
#include "top_screen.h"

#define NOTICE_NS (8 * NS_PER_S) /* so long a notice stands in the place of the keys */

enum { LINE_SIZE = 512, LOW_SCREEN = 12, VISIBLE_MAX = 256, LABEL_COLUMNS = 14 };

static const char *const view_names[TOP_VIEW_COUNT] = {
    [TOP_FINDINGS] = "Findings", [TOP_DEVICES] = "Devices", [TOP_SESSIONS] = "Sessions"};

static void put(unsigned line, const char *text, enum top_tone tone, unsigned style)
{
    top_screen_put(line, 0, top_screen_width(), text, tone, style, false);
}

/* ---- the head ---- */

static void draw_title(const struct top_state *state, int64_t now_ns)
{
    char line[LINE_SIZE], clock[CLOCK_TEXT_SIZE], up[DURATION_TEXT_SIZE];
    unsigned width = top_screen_width();
    const struct feed_origin *origin = state->origin;
    struct text text = text_over(line, sizeof line);
    text_format(&text, "apnscope live  %s%s%s  up %s", origin->interfaces,
                origin->sensor ? "  " : "", origin->sensor ? origin->sensor : "",
                duration_text((now_ns - origin->began_ns) / NS_PER_S * NS_PER_S, up));
    put(0, line, TOP_PLAIN, TOP_BOLD);
    clock_text(now_ns, clock);
    clock[19] = 'Z'; /* to the second */
    clock[20] = '\0';
    if (width >= 60)
        top_screen_put(0, width - 9, 9, clock + 11, TOP_PLAIN, TOP_BOLD, false);
    if (state->is_paused)
        top_screen_put(0, width > 18 ? width - 18 : 0, 8, " PAUSED ", TOP_WARN,
                       TOP_BOLD | TOP_REVERSE, false);
}

static unsigned queue_percent(const struct feed_report *report)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < report->interface_count; i++) {
        const struct live_statistics *of = &report->interfaces[i];
        uint64_t percent = of->queue_size ? of->queue_waiting * 100 / of->queue_size : 0;
        highest = percent > highest ? percent : highest;
    }
    return (unsigned)highest;
}

static void draw_capture(const struct feed_report *report)
{
    char line[LINE_SIZE], lag[DURATION_TEXT_SIZE];
    struct text text = text_over(line, sizeof line);
    uint64_t drops = capture_quality_drops(&report->quality);
    const char *down = NULL;
    for (size_t i = 0; i < report->interface_count; i++)
        if (report->interfaces[i].is_down)
            down = report->interfaces[i].interface;
    if (!report->now_ns) {
        put(1, "waiting for the first second", TOP_DIM, TOP_NORMAL);
        return;
    }
    text_format(&text, "packets %s  dropped %s  lag %s  queue %u%%  database %s",
                DIGITS(report->quality.frames), DIGITS(drops),
                duration_text(report->lag_ns > 0 ? report->lag_ns / NS_PER_MS * NS_PER_MS : 0, lag),
                queue_percent(report),
                report->store.trouble[0] ? report->store.trouble
                : report->store.dropped  ? "loses rows"
                                         : "ok");
    if (down)
        text_format(&text, "  %s is down", down);
    bool is_well = !drops && !down && !report->store.trouble[0] && !report->store.dropped;
    put(1, line, is_well ? TOP_PLAIN : TOP_WARN, TOP_NORMAL);
}

static unsigned put_part(unsigned column, const char *text, enum top_tone tone)
{
    unsigned width = top_screen_columns(text);
    if (column < top_screen_width())
        top_screen_put(2, column, width, text, tone, TOP_NORMAL, false);
    return column + width;
}

static unsigned put_count(unsigned column, uint64_t count, const char *word, enum top_tone tone)
{
    char text[LINE_SIZE];
    snprintf(text, sizeof text, " %s %s", DIGITS(count), word);
    return put_part(column, text, count ? tone : TOP_PLAIN);
}

static void draw_counts(const struct feed_report *report)
{
    unsigned column = put_part(0, "findings", TOP_PLAIN);
    column = put_count(column, report->findings[SEVERITY_FAIL], "fail", TOP_BAD);
    column = put_count(column, report->findings[SEVERITY_WARN], "warn", TOP_WARN);
    column = put_part(column, "  devices", TOP_PLAIN);
    column = put_count(column, report->devices[VERDICT_BROKEN], "broken", TOP_BAD);
    column = put_count(column, report->devices[VERDICT_DEGRADED], "degraded", TOP_WARN);
    column = put_count(column, report->devices[VERDICT_WORKS], "work", TOP_GOOD);
    column = put_part(column, "  sessions", TOP_PLAIN);
    put_count(column, report->open_sessions, "open", TOP_PLAIN);
}

static void draw_views(const struct top_state *state, unsigned line)
{
    const struct top_list *list = &state->lists[state->view];
    size_t column_count;
    const struct top_column *columns = top_columns(state->view, &column_count);
    char text[LINE_SIZE];
    unsigned column = 0;
    for (int i = 0; i < TOP_VIEW_COUNT; i++) {
        int length =
            snprintf(text, sizeof text, " %d %s %zu ", i + 1, view_names[i], state->lists[i].count);
        top_screen_put(line, column, (unsigned)length, text, TOP_PLAIN,
                       i == (int)state->view ? TOP_REVERSE | TOP_BOLD : TOP_NORMAL, false);
        column += (unsigned)length + 1;
    }
    snprintf(text, sizeof text, " sort %s%s%s%s%s", columns[list->sort].title,
             list->is_reversed ? " reversed" : "", list->filter[0] ? "  filter \"" : "",
             list->filter, list->filter[0] ? "\"" : "");
    if (column < top_screen_width())
        top_screen_put(line, column, top_screen_width() - column, text, TOP_DIM, TOP_NORMAL, false);
}

/* ---- the table ---- */

/* The chosen row stays chosen wherever it went; where it is gone, its place is. */
static void follow(struct top_state *state, size_t page)
{
    enum top_view view = state->view;
    const struct top_list *list = &state->lists[view];
    size_t *place = &state->place[view], *scroll = &state->scroll[view];
    for (size_t i = 0; i < list->count; i++)
        if (list->rows[i] == state->chosen[view] && *place != 0) {
            *place = i;
            break;
        }
    if (*place >= list->count)
        *place = list->count ? list->count - 1 : 0;
    if (list->count)
        state->chosen[view] = list->rows[*place];
    if (*place < *scroll)
        *scroll = *place;
    if (page && *place >= *scroll + page)
        *scroll = *place - page + 1;
    if (*scroll + page > list->count)
        *scroll = list->count > page ? list->count - page : 0;
}

static void draw_titles(const struct top_list *list, unsigned line,
                        const unsigned widths[TOP_COLUMNS_MAX])
{
    size_t count;
    const struct top_column *columns = top_columns(list->view, &count);
    unsigned column = 0;
    put(line, "", TOP_PLAIN, TOP_UNDERLINE);
    for (size_t i = 0; i < count; i++) {
        if (!widths[i])
            continue;
        top_screen_put(line, column, widths[i], columns[i].title, TOP_PLAIN,
                       TOP_UNDERLINE | (i == list->sort ? TOP_BOLD : TOP_NORMAL),
                       columns[i].is_right);
        column += widths[i] + 1;
    }
}

static void draw_row(const struct top_row *row, enum top_view view, unsigned line,
                     const unsigned widths[TOP_COLUMNS_MAX], bool is_chosen)
{
    size_t count;
    const struct top_column *columns = top_columns(view, &count);
    unsigned column = 0, style = is_chosen ? TOP_REVERSE : TOP_NORMAL;
    put(line, "", row->tone, style);
    for (size_t i = 0; i < count; i++) {
        if (!widths[i])
            continue;
        bool is_rest = i == count - 1;
        top_screen_put(line, column, widths[i], is_rest ? row->rest : row->cells[i], row->tone,
                       style, columns[i].is_right);
        column += widths[i] + 1;
    }
}

static const char *nothing_of(const struct top_state *state)
{
    static const char *const words[TOP_VIEW_COUNT] = {[TOP_FINDINGS] = "Nothing found so far.",
                                                      [TOP_DEVICES] = "No device was seen so far.",
                                                      [TOP_SESSIONS] =
                                                          "No session was seen so far."};
    return state->lists[state->view].filter[0] ? "Nothing passes the filter (Esc clears it)."
                                               : words[state->view];
}

static void draw_table(struct top_state *state, unsigned line, unsigned height)
{
    static struct top_row rows[VISIBLE_MAX]; /* one thread draws */
    unsigned widths[TOP_COLUMNS_MAX] = {0};
    const struct top_list *list = &state->lists[state->view];
    size_t page = height > 1 ? height - 1 : 0, shown = 0;
    page = page < VISIBLE_MAX ? page : VISIBLE_MAX;
    state->page = page;
    follow(state, page);
    size_t scroll = state->scroll[state->view];
    for (; shown < page && scroll + shown < list->count; shown++)
        top_row_fill(&rows[shown], state->model, list->view, list->rows[scroll + shown]);
    top_widths(list->view, rows, shown, top_screen_width(), widths);
    draw_titles(list, line, widths);
    for (size_t i = 0; i < shown; i++)
        draw_row(&rows[i], list->view, line + 1 + (unsigned)i, widths,
                 scroll + i == state->place[state->view]);
    if (!list->count && page)
        put(line + 1, nothing_of(state), TOP_DIM, TOP_NORMAL);
}

/* ---- details and help ---- */

/* Draws the lines from `skip` on. `at` counts the lines of all texts. */
static void draw_wrapped(unsigned *at, unsigned line, unsigned end, unsigned skip,
                         const char *label, const char *text)
{
    unsigned width = top_screen_width(), indent = width > 50 ? LABEL_COLUMNS : 2;
    bool is_apart = indent == 2 && *label;
    for (bool is_first = true; is_first || *text; is_first = false) {
        size_t size = 0;
        char part[LINE_SIZE * 2];
        if (!is_apart) {
            while (*text == ' ')
                text++;
            size = top_screen_fit(text, width - indent);
        }
        snprintf(part, sizeof part, "%.*s", (int)size, text);
        text += size;
        if (*at >= skip && line + *at - skip < end) {
            unsigned on = line + *at - skip;
            if (is_first || is_apart)
                top_screen_put(on, 0, is_apart ? width : indent, label, TOP_PLAIN, TOP_BOLD, false);
            if (!is_apart)
                top_screen_put(on, indent, width - indent, part, TOP_PLAIN, TOP_NORMAL, false);
        }
        is_apart = false;
        ++*at;
    }
}

static void draw_detail(struct top_state *state, unsigned line, unsigned height)
{
    static struct top_detail detail;
    const struct top_list *list = &state->lists[state->view];
    unsigned at = 0;
    if (!list->count)
        return;
    follow(state, state->page);
    top_detail_fill(&detail, state->model, state->view, state->chosen[state->view], state->origin);
    for (size_t i = 0; i < detail.count; i++)
        draw_wrapped(&at, line, line + height, state->detail_scroll, detail.labels[i],
                     detail.lines[i]);
    unsigned last = at > height ? at - height : 0;
    if (state->detail_scroll > last)
        state->detail_scroll = last;
}

static void draw_help(unsigned line, unsigned height)
{
    static const char *const help[][2] = {
        {"1 2 3 Tab", "findings, devices, sessions"},
        {"Up Down j k", "choose a row; PgUp PgDn Home End"},
        {"Enter", "all about the chosen row; Esc goes back"},
        {"s S", "sort by the next column, by the one before"},
        {"r", "the other way round"},
        {"/", "show only rows with that text; Esc clears it"},
        {"p Space", "pause: the screen stands still, the run goes on"},
        {"Ctrl-L", "draw the screen anew"},
        {"q Ctrl-C", "end the run; its verdict is printed"},
        {"", "Times are UTC. A finding that is gone was withdrawn: what followed explains it, or "
             "another one says it better."},
    };
    unsigned at = 0;
    for (size_t i = 0; i < sizeof help / sizeof *help; i++)
        draw_wrapped(&at, line, line + height, 0, help[i][0], help[i][1]);
}

/* ---- the foot ---- */

static void draw_foot(const struct top_state *state, unsigned line, int64_t now_ns)
{
    char text[LINE_SIZE + NOTICE_LINE_SIZE];
    const struct notice *notice = top_model_notice(state->model, 0);
    if (state->mode == TOP_MODE_FILTER) {
        snprintf(text, sizeof text, "filter: %s_", state->lists[state->view].filter);
        put(line, text, TOP_PLAIN, TOP_BOLD);
        return;
    }
    if (notice && now_ns - notice->time_ns < NOTICE_NS && state->mode == TOP_MODE_LIST) {
        put(line, notice->line, TOP_WARN, TOP_NORMAL);
        return;
    }
    const char *keys =
        "1-3 view  s sort  r reverse  / filter  Enter details  p pause  ? help  q quit";
    if (state->mode == TOP_MODE_DETAIL)
        keys = "Esc back  Up Down scroll  q quit";
    else if (state->mode == TOP_MODE_HELP)
        keys = "Esc back  q quit";
    else if (top_screen_width() < 80)
        keys = "? help  q quit";
    put(line, keys, TOP_DIM, TOP_NORMAL);
}

void top_draw(struct top_state *state, int64_t now_ns)
{
    unsigned height = top_screen_height(), line = 0;
    top_screen_begin();
    for (int i = 0; i < TOP_VIEW_COUNT; i++)
        top_list_fill(&state->lists[i], state->model);
    if (height >= LOW_SCREEN) {
        draw_title(state, now_ns);
        draw_capture(&state->model->report);
        draw_counts(&state->model->report);
        line = 3;
    }
    if (height >= 3) {
        draw_views(state, line++);
        unsigned room = height - line - 1;
        if (state->mode == TOP_MODE_HELP)
            draw_help(line, room);
        else if (state->mode == TOP_MODE_DETAIL)
            draw_detail(state, line, room);
        else
            draw_table(state, line, room);
    }
    if (height)
        draw_foot(state, height - 1, now_ns);
    top_screen_end();
}
