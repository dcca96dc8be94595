/* The end of a run: its last rows, its indexes, and the run that it replaces.
 *
 * Private to store/. All return SQLite result codes and work inside the caller's transaction. */
#ifndef APNSCOPE_STORE_FINISH_H
#define APNSCOPE_STORE_FINISH_H

#include <stdbool.h>
#include <stdint.h>

#include "row_writer.h"

/* Connects findings with their devices and sessions. */
int finish_connect(sqlite3 *database, int64_t run_id, int64_t flow_base);

/* Deletes earlier runs of the same file and options. */
int finish_replace(sqlite3 *database, int64_t run_id);

/* Rows of `skipped` and `capture_quality`. */
int finish_quality(struct row_writer *writer, const struct capture_quality *quality);

/* The secondary indexes of `flow`. A run is a bulk load when rebuilding them is cheaper than
 * keeping them up: 20,000 sessions, and at least a quarter of what is there already. */
bool finish_is_bulk(int64_t flows, int64_t flows_before);
int finish_drop_indexes(sqlite3 *database);
int finish_build_indexes(sqlite3 *database);

#endif
