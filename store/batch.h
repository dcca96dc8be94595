/* The writer's thread: rows from the queue to the database, a transaction at a time.
 *
 * Private to store/. */
#ifndef APNSCOPE_STORE_BATCH_H
#define APNSCOPE_STORE_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/queue.h"
#include "row_writer.h"
#include "store/store.h"

/* Fields belong to the writer's thread while it runs, then to the store. */
struct batch_writer {
    struct queue queue;
    struct row_writer rows;
    enum store_pressure pressure;
    int busy_ms;        /* how long a locked database is waited for while all is well */
    bool failing;       /* the last batch was not written; while so, one short try each */
    bool drops_indexes; /* the run is a bulk load, and indexes are kept off until its end */
    bool dropped_indexes;
    uint64_t taken;  /* rows taken from the queue */
    uint64_t lost;   /* of them, rows that were given up */
    char cause[256];   /* of the first that was lost */
    char trouble[256]; /* of the last try, while it fails; under the queue's lock */
};

/* Why the last try to write failed; "" where it did not. By any thread. */
void batch_writer_trouble(struct batch_writer *writer, char *text, size_t size);

/* Thread function: until the queue stops and is empty. */
void *batch_writer_run(void *batch_writer);

#endif
