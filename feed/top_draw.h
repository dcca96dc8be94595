/* What the screen shows now, and where its reader is.
 *
 * Private to feed/. */
#ifndef APNSCOPE_FEED_TOP_DRAW_H
#define APNSCOPE_FEED_TOP_DRAW_H

#include "top_table.h"

enum top_mode { TOP_MODE_LIST, TOP_MODE_DETAIL, TOP_MODE_HELP, TOP_MODE_FILTER };

struct top_state {
    enum top_mode mode;
    enum top_view view;
    struct top_list lists[TOP_VIEW_COUNT];
    uint32_t chosen[TOP_VIEW_COUNT]; /* numbers of rows of the model */
    size_t place[TOP_VIEW_COUNT];    /* of the chosen one in the list */
    size_t scroll[TOP_VIEW_COUNT];   /* the list's row on the first line */
    unsigned detail_scroll;
    bool is_paused;
    const struct top_model *model; /* what is shown: the model, or its copy while paused */
    const struct feed_origin *origin;
    size_t page; /* rows that fit on the screen */
};

/* Lists are made anew, and the reader stays with the chosen row. */
void top_draw(struct top_state *state, int64_t now_ns);

#endif
