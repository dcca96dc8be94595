/* Batches of rows, and what happens when the disk or another program is in the way.
 *
 * A batch is what is in the queue when it is half full, when a second has passed (live, a quarter
 * of one), or when the run ends; the write lock is held while rows are inserted, never while they
 * are waited for. Rows leave the queue when they are committed. A batch that fails is rolled back
 * and tried again: live for as long as the run lasts (the queue drops what does not fit meanwhile),
 * offline a few times, then its rows are counted as lost and the next batch is tried, so that
 * writing resumes when it can. */
#include "batch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "database.h"
#include "finish.h"
#include "model/flow_record.h"

enum {
    TRIES = 3,             /* of one batch offline, or at the end of a live run */
    FAILING_BUSY_MS = 100, /* patience with a lock once a batch was given up */
    BREATH_NS = 200 * 1000 /* pause after a batch: other writers look each millisecond */
};
#define BATCH_PATIENCE_NS (1 * NS_PER_S)
#define LIVE_PATIENCE_NS  (250 * NS_PER_MS)
#define RETRY_NS          (250 * NS_PER_MS)

struct batch {
    struct queue_walk walk;
    uint64_t rows;
    uint64_t refused; /* by their own fault */
};

static int write_one(struct batch_writer *writer, struct batch *batch, enum row_kind kind,
                     const void *row)
{
    uint32_t last_place = writer->rows.flow_ids.last;
    int result = row_write(&writer->rows, kind, row);
    if (!row_is_refused(result))
        return result;
    if (kind == ROW_FLOW)
        flow_ids_take_back(&writer->rows.flow_ids, ((const struct flow_record *)row)->number,
                           last_place);
    if (writer->cause[0] == '\0')
        database_cause(writer->rows.database, writer->cause, sizeof writer->cause);
    batch->refused++;
    return SQLITE_OK;
}

static int write_rows(struct batch_writer *writer, struct batch *batch)
{
    const struct queued *queued;
    int result = SQLITE_OK;
    batch->walk = queue_walk_begin(&writer->queue);
    batch->rows = batch->refused = 0;
    while (result == SQLITE_OK && (queued = queue_walk_next(&batch->walk)) != NULL) {
        batch->rows++;
        result = write_one(writer, batch, (enum row_kind)queued->kind, queued_row(queued));
    }
    return result;
}

/* The transaction was rolled back: so are the places that it gave to sessions. */
static void take_places_back(struct batch_writer *writer, const struct batch *batch, uint32_t last)
{
    struct queue_walk walk = queue_walk_begin(&writer->queue);
    const struct queued *queued;
    while (walk.at < batch->walk.at && (queued = queue_walk_next(&walk)) != NULL)
        if (queued->kind == ROW_FLOW) {
            const struct flow_record *flow = queued_row(queued);
            flow_ids_take_back(&writer->rows.flow_ids, flow->number, last);
        }
    writer->rows.flow_ids.last = last;
}

/* In the transaction of the batch that makes the run a large one. */
static int keep_indexes_off(struct batch_writer *writer)
{
    if (!writer->drops_indexes || writer->dropped_indexes ||
        !finish_is_bulk(writer->rows.counts.flows, writer->rows.context.flow_base))
        return SQLITE_OK;
    int result = finish_drop_indexes(writer->rows.database);
    writer->dropped_indexes = result == SQLITE_OK;
    return result;
}

static void note_trouble(struct batch_writer *writer, bool failed)
{
    pthread_mutex_lock(&writer->queue.lock);
    if (failed)
        database_cause(writer->rows.database, writer->trouble, sizeof writer->trouble);
    else
        writer->trouble[0] = '\0';
    pthread_mutex_unlock(&writer->queue.lock);
}

void batch_writer_trouble(struct batch_writer *writer, char *text, size_t size)
{
    pthread_mutex_lock(&writer->queue.lock);
    snprintf(text, size, "%s", writer->trouble);
    pthread_mutex_unlock(&writer->queue.lock);
}

static bool try_batch(struct batch_writer *writer, struct batch *batch)
{
    sqlite3 *database = writer->rows.database;
    struct row_counts before = writer->rows.counts;
    uint32_t last_place = writer->rows.flow_ids.last;
    bool dropped_before = writer->dropped_indexes;
    batch->walk = queue_walk_begin(&writer->queue);
    int result = database_run(database, "BEGIN IMMEDIATE");
    if (result == SQLITE_OK)
        result = write_rows(writer, batch);
    if (result == SQLITE_OK)
        result = keep_indexes_off(writer);
    if (result == SQLITE_OK)
        result = database_run(database, "COMMIT");
    note_trouble(writer, result != SQLITE_OK);
    if (result == SQLITE_OK)
        return true;
    if (writer->cause[0] == '\0')
        database_cause(database, writer->cause, sizeof writer->cause);
    database_undo(database);
    writer->rows.counts = before;
    take_places_back(writer, batch, last_place);
    writer->dropped_indexes = dropped_before;
    return false;
}

static void count_rows(struct batch_writer *writer, struct batch *batch)
{
    batch->walk = queue_walk_begin(&writer->queue);
    batch->rows = 0;
    while (queue_walk_next(&batch->walk))
        batch->rows++;
}

static bool try_batch_often(struct batch_writer *writer, struct batch *batch)
{
    int tries = writer->failing ? 1 : TRIES;
    while (!try_batch(writer, batch)) {
        bool endless = writer->pressure == STORE_DROP && !queue_is_stopping(&writer->queue);
        if (!endless && --tries <= 0)
            return false;
        queue_rest(&writer->queue, RETRY_NS);
    }
    return true;
}

static void write_batch(struct batch_writer *writer)
{
    struct batch batch;
    bool written = try_batch_often(writer, &batch);
    if (!written) {
        count_rows(writer, &batch);
        batch.refused = batch.rows;
    }
    writer->taken += batch.rows;
    writer->lost += batch.refused;
    if (batch.refused == 0 && writer->lost == 0)
        writer->cause[0] = '\0'; /* it was overcome */
    if (writer->failing == written) {
        writer->failing = !written;
        database_wait_for_lock(writer->rows.database, written ? writer->busy_ms : FAILING_BUSY_MS);
    }
    queue_release(&writer->queue, &batch.walk);
}

static bool is_empty(struct queue *queue)
{
    struct queue_walk walk = queue_walk_begin(queue);
    return walk.at == walk.end;
}

void *batch_writer_run(void *batch_writer)
{
    struct batch_writer *writer = batch_writer;
    struct timespec breath = {.tv_nsec = BREATH_NS};
    int64_t patience_ns = writer->pressure == STORE_DROP ? LIVE_PATIENCE_NS : BATCH_PATIENCE_NS;
    for (;;) {
        queue_wait(&writer->queue, patience_ns);
        bool stopping =
            queue_is_stopping(&writer->queue); /* asked first: then no row comes later */
        if (!is_empty(&writer->queue)) {
            write_batch(writer);
            nanosleep(&breath, NULL);
        } else if (stopping) {
            return NULL;
        }
    }
}
