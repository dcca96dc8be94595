/* The screen's thread: records to the model, keys to the state, drawing a few times a second.
 *
 * See top.h. While paused, what happens goes on into the model, and a copy of it is shown.
 * Deliberately ends nothing by itself: q asks the run to end, and the run closes the screen. */
#include "top.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/now.h"
#include "records.h"
#include "top_draw.h"
#include "top_screen.h"

#define DRAW_NS (250 * NS_PER_MS)
#define IDLE_NS NS_PER_S

enum { QUEUE_SIZE = 4 << 20, ESCAPE = 27, CONTROL_L = 12 };

struct top {
    struct mailbox *mailbox;
    struct top_options options;
    struct top_model model;
    struct top_model *frozen; /* NULL: not paused */
    struct top_state state;
    bool is_changed;
    bool is_gone; /* the terminal */
    int64_t drawn_ns;
};

/* ---- keys ---- */

static void pause_or_go_on(struct top *top)
{
    if (top->frozen) {
        free(top->frozen);
        top->frozen = NULL;
    } else if ((top->frozen = (struct top_model *)malloc(sizeof *top->frozen)) != NULL) {
        memcpy(top->frozen, &top->model, sizeof *top->frozen);
    }
    top->state.is_paused = top->frozen != NULL;
    top->state.model = top->frozen ? top->frozen : &top->model;
}

static void next_view(struct top_state *state, int step)
{
    state->view = (enum top_view)(((int)state->view + step + TOP_VIEW_COUNT) % TOP_VIEW_COUNT);
}

static void next_sort(struct top_state *state, int step)
{
    size_t count;
    struct top_list *list = &state->lists[state->view];
    top_columns(state->view, &count);
    list->sort = (unsigned)((list->sort + count + (size_t)step) % count);
    list->is_reversed = false;
}

static void move_by(struct top_state *state, long rows)
{
    enum top_view view = state->view;
    const struct top_list *list = &state->lists[view];
    long place = (long)state->place[view] + rows, last = (long)list->count - 1;
    place = place > last ? last : place;
    place = place < 0 ? 0 : place;
    state->place[view] = (size_t)place;
    if (list->count)
        state->chosen[view] = list->rows[place];
}

/* How far a key moves; 0: it does not. */
static long movement_of(const struct top_state *state, int key)
{
    long page = state->page ? (long)state->page : 1;
    switch (key) {
    case TOP_KEY_UP:
    case 'k':
        return -1;
    case TOP_KEY_DOWN:
    case 'j':
        return 1;
    case TOP_KEY_PAGE_UP:
        return -page;
    case TOP_KEY_PAGE_DOWN:
        return page;
    case TOP_KEY_HOME:
    case 'g':
        return -TOP_ROWS_MAX;
    case TOP_KEY_END:
    case 'G':
        return TOP_ROWS_MAX;
    default:
        return 0;
    }
}

static void key_in_list(struct top *top, int key)
{
    struct top_state *state = &top->state;
    struct top_list *list = &state->lists[state->view];
    move_by(state, movement_of(state, key));
    if (key >= '1' && key < '1' + TOP_VIEW_COUNT)
        state->view = (enum top_view)(key - '1');
    else if (key == '\t' || key == TOP_KEY_RIGHT)
        next_view(state, 1);
    else if (key == TOP_KEY_BACK_TAB || key == TOP_KEY_LEFT)
        next_view(state, -1);
    else if (key == 's' || key == 'S')
        next_sort(state, key == 's' ? 1 : -1);
    else if (key == 'r')
        list->is_reversed = !list->is_reversed;
    else if (key == '/')
        state->mode = TOP_MODE_FILTER;
    else if (key == ESCAPE)
        list->filter[0] = '\0';
    else if (key == '\n' && list->count) {
        state->mode = TOP_MODE_DETAIL;
        state->detail_scroll = 0;
    }
}

static void key_in_detail(struct top_state *state, int key)
{
    long scroll = (long)state->detail_scroll + movement_of(state, key);
    state->detail_scroll = scroll < 0 ? 0 : (unsigned)scroll;
    if (key == ESCAPE || key == '\n' || key == TOP_KEY_LEFT || key == TOP_KEY_BACKSPACE)
        state->mode = TOP_MODE_LIST;
}

static void key_in_filter(struct top_state *state, int key)
{
    char *filter = state->lists[state->view].filter;
    size_t length = strlen(filter);
    if (key == ESCAPE)
        filter[0] = '\0';
    if (key == ESCAPE || key == '\n')
        state->mode = TOP_MODE_LIST;
    else if (key == TOP_KEY_BACKSPACE && length)
        filter[length - 1] = '\0';
    else if (key >= ' ' && key <= '~' && length + 1 < sizeof state->lists[0].filter) {
        filter[length] = (char)key;
        filter[length + 1] = '\0';
    }
}

static void take_key(struct top *top, int key)
{
    struct top_state *state = &top->state;
    top->is_changed = true;
    top->drawn_ns = 0;
    if (state->mode == TOP_MODE_FILTER)
        key_in_filter(state, key);
    else if (key == 'q')
        top->options.quit();
    else if (key == 'p' || key == ' ')
        pause_or_go_on(top);
    else if (key == '?' || key == 'h')
        state->mode = state->mode == TOP_MODE_HELP ? TOP_MODE_LIST : TOP_MODE_HELP;
    else if (key == CONTROL_L)
        top_screen_redraw();
    else if (state->mode == TOP_MODE_HELP)
        state->mode = key == TOP_KEY_RESIZE ? TOP_MODE_HELP : TOP_MODE_LIST;
    else if (state->mode == TOP_MODE_DETAIL)
        key_in_detail(state, key);
    else
        key_in_list(top, key);
}

/* ---- the thread ---- */

static void take(void *context, uint32_t kind, const void *record, size_t size)
{
    struct top *top = (struct top *)context;
    (void)size;
    top_model_take(&top->model, (enum record_kind)kind, record);
    top->is_changed = true;
}

static void rest(void *context)
{
    struct top *top = (struct top *)context;
    int key;
    if (top->is_gone || mailbox_is_closing(top->mailbox))
        return;
    if (top_screen_is_gone()) {
        top->is_gone = true;
        top->options.quit();
        return;
    }
    while ((key = top_screen_key()) != TOP_KEY_NONE)
        take_key(top, key);
    int64_t since_ns = now_monotonic_ns() - top->drawn_ns;
    if (since_ns < (top->is_changed ? DRAW_NS : IDLE_NS))
        return;
    top_draw(&top->state, now_wall_ns());
    top->is_changed = false;
    top->drawn_ns = now_monotonic_ns();
}

/* ---- life ---- */

static void close_top(void *context)
{
    struct top *top = (struct top *)context;
    top_screen_close();
    free(top->frozen);
    free(top);
}

bool top_open(struct feed_sink *sink, const struct top_options *options,
              const struct feed_origin *origin, struct fault *fault)
{
    struct top *top = (struct top *)calloc(1, sizeof *top);
    assert(top);
    struct records_output output = {.name = "screen",
                                    .queue_size = QUEUE_SIZE,
                                    .wanted = (1u << RECORD_REOPEN) - 2, /* all but that */
                                    .context = top,
                                    .take = take,
                                    .rest = rest,
                                    .close = close_top};
    top->options = *options;
    top->state.model = &top->model;
    top->state.origin = origin;
    for (int i = 0; i < TOP_VIEW_COUNT; i++)
        top->state.lists[i].view = (enum top_view)i;
    top->state.lists[TOP_DEVICES].sort = 1;
    if (!top_screen_open(options->has_colour, options->has_unicode, fault)) {
        close_top(top);
        return false;
    }
    return records_open(sink, &output, origin, &top->mailbox, fault);
}
