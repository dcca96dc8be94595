/* What the tables of the database are: names, columns, meanings, and the SQL that follows from
 * them.
 *
 * Private to store/. One .def file per table drives the INSERT, the binding of values, the SELECT
 * of the reader and docs/schema.md; schema.sql alone says types and keys. */
#ifndef APNSCOPE_STORE_CATALOGUE_H
#define APNSCOPE_STORE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/queue.h"
#include "base/text.h"

enum row_kind {
    ROW_PADDING = QUEUE_PADDING, /* not a table */
    ROW_RUN,
    ROW_FLOW,
    ROW_DEVICE,
    ROW_FINDING,
    ROW_STEP,
    ROW_REQUIREMENT,
    ROW_DNS_ANSWER,
    ROW_ATTEMPTS,
    ROW_SKIPPED,
    ROW_CAPTURE_QUALITY,
    ROW_KIND_COUNT,
    ROW_ORDER /* of the queue; not a table: upkeep.h */
};

/* Hidden columns are for SQL users and for the store itself; the reader's structs lack them. */
enum column_type {
    COLUMN_integer,
    COLUMN_total, /* an integer; the same row again adds to it */
    COLUMN_text,
    COLUMN_name, /* text that never changes nor moves: a kept name or a constant */
    COLUMN_address,
    COLUMN_mac,
    COLUMN_hidden_integer,
    COLUMN_hidden_text
};

struct column {
    enum column_type type;
    const char *name;
    const char *meaning;
};

struct table_description {
    const char *name;
    const char *meaning;
    const char *same_row; /* columns of which equal values mean the same row, to be updated; NULL */
    const char *order;    /* the reader's stable order */
    const struct column *columns;
    size_t column_count;
};

/* Indexed by enum row_kind; ROW_PADDING is empty. */
extern const struct table_description table_descriptions[ROW_KIND_COUNT];

struct fact_description {
    const char *name;
    const char *meaning;
};
extern const struct fact_description fact_descriptions[]; /* of capture_quality */
extern const size_t fact_description_count;

enum { CATALOGUE_SQL_SIZE = 8192 };

/* Does a database of that schema have the table, the column? */
bool catalogue_has_table(enum row_kind kind, int64_t version);
bool catalogue_has_column(enum row_kind kind, const char *name, int64_t version);

/* INSERT with one parameter per column, in order. */
void catalogue_insert(const struct table_description *table, struct text *sql);
/* The same, and where the table has a `same_row`, what makes an update of it when the row is there.
 */
void catalogue_upsert(const struct table_description *table, struct text *sql);
/* By column, what is read of a table: not what is hidden, nor what a database of that schema lacks,
 * nor, where it is brief, what summaries do not speak of, nor what is not among `columns` (all
 * where that is NULL). */
enum { CATALOGUE_COLUMNS_MAX = 64 };
void catalogue_choose(enum row_kind kind, int64_t version, bool is_brief,
                      const char *const *columns, bool chosen[CATALOGUE_COLUMNS_MAX]);
/* "SELECT <the chosen columns> FROM <table>" */
void catalogue_select(enum row_kind kind, const bool chosen[CATALOGUE_COLUMNS_MAX],
                      struct text *sql);

#endif
