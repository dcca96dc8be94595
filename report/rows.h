/* The published tables as data: which columns a row has, and how to read all rows of one. */
#ifndef APNSCOPE_REPORT_ROWS_H
#define APNSCOPE_REPORT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/archive.h"

enum row_kind {
    ROWS_RUN,
    ROWS_FLOW,
    ROWS_DEVICE,
    ROWS_FINDING,
    ROWS_STEP,
    ROWS_REQUIREMENT,
    ROWS_QUALITY,
    ROWS_SKIPPED,
    ROWS_DNS,
    ROWS_ATTEMPTS,
    ROWS_KIND_COUNT
};

struct row_column {
    const char *name; /* as in the database and docs/schema.md */
    size_t offset;
    bool is_text; /* else an integer */
    bool is_json; /* text that is a JSON document */
};

typedef bool (*row_each)(void *context, const void *row);

struct row_table {
    const char *name; /* of the database's table */
    const struct row_column *columns;
    size_t column_count;
    size_t row_size;
    bool (*read)(struct archive *archive, const struct archive_range *range, row_each each,
                 void *context, struct fault *fault);
};

extern const struct row_table row_tables[ROWS_KIND_COUNT];

const char *row_text(const void *row, const struct row_column *column); /* NULL: not known */
int64_t row_integer(const void *row, const struct row_column *column);

/* A copy with strings of its own, to outlive the callback. */
void *row_copy(enum row_kind kind, const void *row);
void row_free(enum row_kind kind, void *row);

#endif
