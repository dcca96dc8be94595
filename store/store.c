/* The store as the pipeline sees it: open, begin, rows, finish.
 *
 * The connection is used by the caller until the run begins, by the writer's thread while rows
 * come, and by the caller again once the thread has ended; never by both. Threads and files are
 * opened in store_open, before the process gives up its privileges. */
#include "store/store.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "database.h"
#include "finish.h"
#include "process_mark.h"
#include "store/archive.h"
#include "store_patience.h"
#include "upkeep.h"

/* Bytes; about 9,000 sessions; live, where rows must wait out a locked database, 70,000. Memory is
 * taken as it is used. */
enum { QUEUE_SIZE = 4 << 20, LIVE_QUEUE_SIZE = 32 << 20, KEEPS_UP = 8 };

/* Ids set aside for a run that another process is writing. */
#define RUN_ID_ROOM (INT64_C(1) << 32)

struct store {
    sqlite3 *database;
    char *path;
    struct batch_writer writer;
    pthread_t thread;
    bool thread_runs;
    bool run_begun;
    bool run_finished;
    uint64_t offered; /* rows */
    uint64_t dropped; /* of them, those that the queue had no room for */
    uint64_t lost;    /* of the run, once the thread has ended: dropped, given up, refused */
};

const char *store_library_version(void)
{
    return sqlite3_libversion();
}

void store_set_patience(struct store *store, int busy_ms)
{
    store->writer.busy_ms = busy_ms;
    database_wait_for_lock(store->database, busy_ms);
}

/* ---- opening ---- */

/* The run goes from running to interrupted, with its findings connected. */
static int interrupt_run(sqlite3 *database, int64_t run_id)
{
    int64_t base = 0;
    int result = database_number_with(database, "SELECT flow_base FROM run WHERE id = ?1", &run_id,
                                      1, &base);
    if (result == SQLITE_OK)
        result = finish_connect(database, run_id, base);
    if (result == SQLITE_OK)
        result = database_run_with(
            database,
            "UPDATE run SET state = 'interrupted',"
            " interrupted_ns = CAST(strftime('%s', 'now') AS INTEGER) * 1000000000"
            " WHERE id = ?1 AND state = 'running'",
            &run_id, 1);
    return result;
}

/* The next running run after `*run_id` whose process is gone; 0: none. */
static int next_dead_run(sqlite3 *database, int64_t *run_id)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(
        database, "SELECT id, writer FROM run WHERE state = 'running' AND id > ? ORDER BY id", -1,
        &statement, NULL);
    if (result != SQLITE_OK)
        return result;
    sqlite3_bind_int64(statement, 1, *run_id);
    *run_id = 0;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW && *run_id == 0)
        if (!process_mark_is_alive((const char *)sqlite3_column_text(statement, 1)))
            *run_id = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

static int interrupt_dead_runs(sqlite3 *database)
{
    int64_t run_id = 0;
    int result = next_dead_run(database, &run_id);
    if (result != SQLITE_OK || run_id == 0)
        return result;
    result = database_run(database, "BEGIN IMMEDIATE");
    while (result == SQLITE_OK && run_id != 0) {
        result = interrupt_run(database, run_id);
        if (result == SQLITE_OK)
            result = next_dead_run(database, &run_id);
    }
    if (result == SQLITE_OK)
        result = database_run(database, "COMMIT");
    if (result != SQLITE_OK)
        database_undo(database);
    return result;
}

/* Signals are the main thread's to handle. */
static int start_thread(struct store *store)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&store->thread, NULL, batch_writer_run, &store->writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    store->thread_runs = result == 0;
    return result;
}

static bool start(struct store *store, struct fault *fault)
{
    if (interrupt_dead_runs(store->database) != SQLITE_OK ||
        row_writer_open(&store->writer.rows, store->database) != SQLITE_OK)
        return database_fault(fault, "write", store->path, store->database);
    int result = start_thread(store);
    if (result != 0)
        return fault_set(fault, "cannot start the thread that writes database \"%s\": %s",
                         store->path, strerror(result));
    return true;
}

bool store_open(struct store **out, const char *path, enum store_pressure pressure,
                struct fault *fault)
{
    *out = NULL;
    sqlite3 *database;
    if (!database_open_to_write(&database, path, fault))
        return false;
    struct store *store = calloc(1, sizeof *store);
    assert(store);
    store->database = database;
    store->path = strdup(path);
    bool has_queue =
        queue_init(&store->writer.queue, pressure == STORE_DROP ? LIVE_QUEUE_SIZE : QUEUE_SIZE);
    assert(store->path && has_queue); /* small, fixed, at the start */
    store->writer.pressure = pressure;
    store->writer.busy_ms = DATABASE_BUSY_MS;
    store->writer.drops_indexes = pressure == STORE_WAIT;
    if (!start(store, fault)) {
        store_close(store);
        return false;
    }
    *out = store;
    return true;
}

/* ---- a run ---- */

/* Ids count on from the highest; past a run that is being written, with room for its own. */
static int reserve_ids(sqlite3 *database, struct row_context *context)
{
    const struct {
        const char *sql;
        int64_t *base;
    } reservations[] = {
        {"SELECT max(coalesce((SELECT max(id) FROM flow), 0),"
         " coalesce((SELECT max(flow_base) + ?1 FROM run WHERE state = 'running'), 0))",
         &context->flow_base},
        {"SELECT max(coalesce((SELECT max(id) FROM device), 0),"
         " coalesce((SELECT max(device_base) + ?1 FROM run WHERE state = 'running'), 0))",
         &context->device_base},
        {"SELECT max(coalesce((SELECT max(id) FROM finding), 0),"
         " coalesce((SELECT max(finding_base) + ?1 FROM run WHERE state = 'running'), 0))",
         &context->finding_base},
        {"SELECT coalesce(max(id), 0) + 1 FROM run", &context->run_id},
    };
    int64_t room = RUN_ID_ROOM;
    int result = SQLITE_OK;
    for (size_t i = 0; i < sizeof reservations / sizeof reservations[0] && result == SQLITE_OK; i++)
        result =
            database_number_with(database, reservations[i].sql, &room, i < 3, reservations[i].base);
    return result;
}

/* Of files, what the rows of a run refer to are other rows of it, written before them and not
 * deleted meanwhile, and ids come from what was written (row_writer.c): looking each of them up
 * again costs a tenth of the row. A live run deletes what is old, and checks. */
static void check_references(struct store *store, bool checks)
{
    sqlite3_db_config(store->database, SQLITE_DBCONFIG_ENABLE_FKEY, checks, NULL);
}

bool store_begin(struct store *store, const struct run_record *run, struct fault *fault)
{
    sqlite3 *database = store->database;
    struct row_writer *rows = &store->writer.rows;
    assert(!store->run_begun);
    process_mark(rows->context.writer);
    rows->context.state = run_state_name(RUN_RUNNING);
    int result = database_run(database, "BEGIN IMMEDIATE");
    if (result == SQLITE_OK)
        result = reserve_ids(database, &rows->context);
    if (result == SQLITE_OK)
        result = row_write(rows, ROW_RUN, run);
    if (result == SQLITE_OK && store->writer.pressure == STORE_DROP)
        result = finish_build_indexes(database);
    if (result == SQLITE_OK)
        result = database_run(database, "COMMIT");
    if (result != SQLITE_OK) {
        (void)database_fault(fault, "write", store->path, database);
        database_undo(database);
        return false;
    }
    check_references(store, store->writer.pressure == STORE_DROP);
    store->run_begun = true;
    return true;
}

static void put(struct store *store, enum row_kind kind, const void *row, size_t size)
{
    assert(store->run_begun && !store->run_finished);
    store->offered++;
    if (!queue_put(&store->writer.queue, kind, row, size, store->writer.pressure == STORE_WAIT))
        store->dropped++;
}

void store_flow(struct store *store, const struct flow_record *flow)
{
    put(store, ROW_FLOW, flow, sizeof *flow);
}

void store_steps(struct store *store, const struct flow_record *flow,
                 const struct flow_steps *steps)
{
    struct session_steps row = {flow->number, flow->icmp_source, *steps};
    put(store, ROW_STEP, &row, sizeof row);
}

void store_attempts(struct store *store, const struct attempt_sum *sum)
{
    put(store, ROW_ATTEMPTS, sum, sizeof *sum);
}

void store_dns(struct store *store, const struct event *event)
{
    const struct dns_message *dns = event->dns;
    if (event->kind != EVENT_DNS_ANSWER || !dns)
        return;
    struct dns_seen seen = {.time_ns = event->time_ns,
                            .client = event->client,
                            .resolver = event->resolver,
                            .type = dns->type,
                            .rcode = dns->rcode,
                            .address_count = dns->address_count};
    if (seen.address_count > DNS_ADDRESSES_MAX)
        seen.address_count = DNS_ADDRESSES_MAX;
    memcpy(seen.name, dns->name, sizeof seen.name);
    memcpy(seen.canonical, dns->canonical, sizeof seen.canonical);
    memcpy(seen.addresses, dns->addresses, seen.address_count * sizeof seen.addresses[0]);
    put(store, ROW_DNS_ANSWER, &seen, sizeof seen);
}

void store_device(struct store *store, const struct device_record *device)
{
    put(store, ROW_DEVICE, device, sizeof *device);
}

void store_finding(struct store *store, const struct finding *finding)
{
    put(store, ROW_FINDING, finding, sizeof *finding);
}

void store_requirement(struct store *store, const struct requirement_record *requirement)
{
    put(store, ROW_REQUIREMENT, requirement, sizeof *requirement);
}

void store_progress(struct store *store, const struct run_record *run,
                    const struct capture_quality *quality)
{
    struct upkeep_order order = {.what = UPKEEP_QUALITY, .is.quality = *quality};
    put(store, ROW_RUN, run, sizeof *run);
    put(store, ROW_ORDER, &order, sizeof order);
}

void store_withdraw(struct store *store, uint64_t finding_number)
{
    struct upkeep_order order = {.what = UPKEEP_WITHDRAW, .is.finding_number = finding_number};
    put(store, ROW_ORDER, &order, sizeof order);
}

void store_retain(struct store *store, int64_t before_ns, int64_t bytes_max)
{
    struct upkeep_order order = {.what = UPKEEP_RETAIN,
                                 .is.retain = {.before_ns = before_ns, .bytes_max = bytes_max}};
    put(store, ROW_ORDER, &order, sizeof order);
}

bool store_keeps_up(struct store *store)
{
    return queue_used(&store->writer.queue) < store->writer.queue.size / KEEPS_UP;
}

void store_state_of(struct store *store, struct store_state *state)
{
    struct queue *queue = &store->writer.queue;
    *state = (struct store_state){.offered = store->offered,
                                  .dropped = store->dropped,
                                  .waiting = queue_used(queue),
                                  .room = queue->size};
    batch_writer_trouble(&store->writer, state->trouble, sizeof state->trouble);
}

/* ---- the end ---- */

/* Everything that was queued is written or counted as lost; the connection is the caller's again.
 */
static void end_thread(struct store *store)
{
    if (!store->thread_runs)
        return;
    queue_stop(&store->writer.queue);
    pthread_join(store->thread, NULL);
    store->thread_runs = false;
    check_references(store, true);
    store->lost = store->dropped + store->writer.lost;
    store->writer.rows.context.rows_lost = store->lost;
}

/* A run that lacks rows is not complete, and replaces nothing. */
static int write_end(struct store *store, const struct run_record *run,
                     const struct capture_quality *quality)
{
    struct row_writer *rows = &store->writer.rows;
    int64_t run_id = rows->context.run_id;
    enum run_state state = store->lost > 0 ? RUN_INTERRUPTED : run->state;
    if (state == RUN_RUNNING)
        state = RUN_COMPLETE;
    rows->context.state = run_state_name(state);
    int result = row_write(rows, ROW_RUN, run);
    if (result == SQLITE_OK && quality)
        result = finish_quality(rows, quality);
    if (result == SQLITE_OK)
        result = finish_connect(store->database, run_id, rows->context.flow_base);
    if (result == SQLITE_OK)
        result = finish_build_indexes(store->database);
    if (result == SQLITE_OK && state != RUN_INTERRUPTED)
        result = finish_replace(store->database, run_id);
    return result;
}

static int try_end(struct store *store, const struct run_record *run,
                   const struct capture_quality *quality)
{
    int result = database_run(store->database, "BEGIN IMMEDIATE");
    if (result == SQLITE_OK)
        result = write_end(store, run, quality);
    if (result == SQLITE_OK)
        result = database_run(store->database, "COMMIT");
    return result;
}

/* The log goes into the file. Where a reader is in the way, what it reads stays in the log and is
 * safe there; whoever closes last moves it. */
static void settle_log(sqlite3 *database)
{
    database_wait_for_lock(database, 1000);
    (void)database_run(database, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static bool tell_losses(const struct store *store, struct fault *fault)
{
    if (store->lost == 0)
        return true;
    const char *cause = store->writer.cause[0] != '\0'
                            ? store->writer.cause
                            : "rows came faster than the disk took them; use a faster disk";
    return fault_set(fault, "database \"%s\" lacks %" PRIu64 " of %" PRIu64 " rows of this run: %s",
                     store->path, store->lost, store->offered, cause);
}

bool store_finish(struct store *store, const struct run_record *run,
                  const struct capture_quality *quality, int64_t *run_id, struct fault *fault)
{
    assert(store->run_begun && !store->run_finished);
    end_thread(store);
    *run_id = store->writer.rows.context.run_id;
    database_wait_for_lock(store->database, store->writer.busy_ms);
    int result = database_run(store->database, "PRAGMA synchronous = FULL");
    if (result == SQLITE_OK)
        result = try_end(store, run, quality);
    if (result != SQLITE_OK) {
        (void)database_fault(fault, "finish the run in", store->path, store->database);
        database_undo(store->database);
        return false;
    }
    store->run_finished = true;
    settle_log(store->database);
    return tell_losses(store, fault);
}

static void leave_interrupted(struct store *store)
{
    int result = database_run(store->database, "BEGIN IMMEDIATE");
    if (result == SQLITE_OK)
        result = interrupt_run(store->database, store->writer.rows.context.run_id);
    if (result == SQLITE_OK)
        result = database_run(store->database, "COMMIT");
    if (result != SQLITE_OK)
        database_undo(store->database); /* whoever opens it next finds the process gone */
}

void store_close(struct store *store)
{
    if (!store)
        return;
    end_thread(store);
    if (store->run_begun && !store->run_finished)
        leave_interrupted(store);
    row_writer_close(&store->writer.rows);
    queue_free(&store->writer.queue);
    sqlite3_close(store->database);
    free(store->path);
    free(store);
}
