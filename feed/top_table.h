/* The rows of the screen as text: which, in what order, in which columns.
 *
 * Private to feed/. Knows no terminal, so that it can be tested without one. */
#ifndef APNSCOPE_FEED_TOP_TABLE_H
#define APNSCOPE_FEED_TOP_TABLE_H

#include "top_model.h"

enum top_view { TOP_FINDINGS, TOP_DEVICES, TOP_SESSIONS, TOP_VIEW_COUNT };
enum top_tone { TOP_PLAIN, TOP_GOOD, TOP_WARN, TOP_BAD, TOP_DIM };

enum { TOP_COLUMNS_MAX = 9, TOP_CELL_SIZE = 64, TOP_ROWS_MAX = 4096, TOP_DETAIL_LINES = 40 };

struct top_column {
    const char *title;
    uint8_t widest; /* columns; 255: what is left */
    uint8_t keep;   /* columns with a lower number are left out first where it is narrow */
    bool is_right;  /* aligned */
};

/* A row as text. The last column may be longer than a cell: `rest`. */
struct top_row {
    char cells[TOP_COLUMNS_MAX][TOP_CELL_SIZE];
    const char *rest;
    enum top_tone tone;
};

/* What is shown: numbers of rows of the model, in order. */
struct top_list {
    enum top_view view;
    unsigned sort; /* a column */
    bool is_reversed;
    char filter[48]; /* rows that have this text in a cell, whatever the case; "": all */
    uint32_t rows[TOP_ROWS_MAX];
    size_t count;
};

const struct top_column *top_columns(enum top_view view, size_t *count);
void top_list_fill(struct top_list *list, const struct top_model *model);
void top_row_fill(struct top_row *row, const struct top_model *model, enum top_view view,
                  uint32_t number);

/* Widths for a screen so wide, 0: left out. There is a blank between columns. `rows` are those on
 * the screen. */
void top_widths(enum top_view view, const struct top_row *rows, size_t row_count, unsigned width,
                unsigned widths[TOP_COLUMNS_MAX]);

/* All about one row: "label", "text" pairs. */
struct top_detail {
    const char *labels[TOP_DETAIL_LINES];
    char lines[TOP_DETAIL_LINES][FINDING_REASONING_SIZE];
    size_t count;
};
void top_detail_fill(struct top_detail *detail, const struct top_model *model, enum top_view view,
                     uint32_t number, const struct feed_origin *origin);

/* "1.2M". */
const char *top_size_text(uint64_t bytes, char text[16]);

#endif
