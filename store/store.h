/* Rows in SQLite: writing a run.
 *
 * Last but one stage. Rows are copied into a bounded queue and written by a thread of the store's
 * own in large transactions; the caller never waits for the disk unless it asks to. What could not
 * be stored is counted and told by store_finish. Names follow docs/schema.md; words, not numbers.
 */
#ifndef APNSCOPE_STORE_STORE_H
#define APNSCOPE_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "model/capture_quality.h"
#include "model/event.h"
#include "model/finding.h"
#include "model/flow_record.h"
#include "model/run_record.h"
#include "model/step.h"

struct store;

enum store_pressure {
    STORE_WAIT, /* offline: a full queue makes the caller wait */
    STORE_DROP  /* live: a full queue drops the row and counts it */
};

/* Starts the writer's thread and opens every file that is needed later, so that the process may
 * give up its privileges afterwards (it still makes and removes files in the database's folder).
 * Creates or opens (migrating) the database; refuses newer and foreign files untouched. Marks runs
 * whose process is gone as interrupted. */
MUST_USE bool store_open(struct store **store, const char *path, enum store_pressure pressure,
                         struct fault *fault);

/* Begins a run (state running). An earlier complete run of the same sha256 (or fingerprint) and
 * options is replaced when the new one finishes. */
MUST_USE bool store_begin(struct store *store, const struct run_record *run, struct fault *fault);

/* One thread calls these. Rows are copied; the names and certificates that a flow points to are not
 * and stay until store_close (they are those kept for the run). A flow, finding or requirement
 * given again under its number or code, and a device under its address and lane, updates its row. A
 * finding may come before its flow and device. */
void store_flow(struct store *store, const struct flow_record *flow);
/* After the session's own row. */
void store_steps(struct store *store, const struct flow_record *flow,
                 const struct flow_steps *steps);
void store_attempts(struct store *store, const struct attempt_sum *sum);
void store_dns(struct store *store, const struct event *event); /* EVENT_DNS_ANSWER */
void store_device(struct store *store, const struct device_record *device);
void store_finding(struct store *store, const struct finding *finding);
void store_requirement(struct store *store, const struct requirement_record *requirement);

/* For live runs. The run's row and its quality so far: strings as with store_begin. */
void store_progress(struct store *store, const struct run_record *run,
                    const struct capture_quality *quality);
/* The finding of that number was taken back: what followed explained it innocently. */
void store_withdraw(struct store *store, uint64_t finding_number);
/* Deletes what is older than `before_ns` (INT64_MIN: nothing is too old), and the oldest sessions
 * where the database is larger than `bytes_max` (0: no limit), in all runs; some at each call. */
void store_retain(struct store *store, int64_t before_ns, int64_t bytes_max);

/* Little waits to be written: there is room for rows that can be told later as well, which must not
 * take it from those that cannot. */
bool store_keeps_up(struct store *store);

/* How the writing goes; may be asked by the thread that stores. */
struct store_state {
    uint64_t offered; /* rows */
    uint64_t dropped; /* rows that there was no room for */
    uint64_t waiting; /* bytes in the queue */
    uint64_t room;    /* of the queue */
    char trouble[256]; /* why nothing can be written at the moment; "": all is well */
};
void store_state_of(struct store *store, struct store_state *state);

/* Ends the run with its final record and quality: everything committed, indexes built, one durable
 * file. False with a sentence where rows were lost. *run_id is the row's id. */
MUST_USE bool store_finish(struct store *store, const struct run_record *run,
                           const struct capture_quality *quality, int64_t *run_id,
                           struct fault *fault);
/* Closes; a run begun and not finished is left as interrupted. */
void store_close(struct store *store);

/* Copies the runs of other databases into one, with new ids; made where it is not there. Runs that
 * are there already (the same source, options and site) are left out. Each input is copied whole or
 * not at all. */
struct store_merged {
    uint64_t runs;          /* copied */
    uint64_t already_there;
    uint64_t still_running; /* left out: they are being written */
};
MUST_USE bool store_merge(const char *into, const char *const *paths, size_t path_count,
                          struct store_merged *merged, struct fault *fault);

const char *store_library_version(void);

#endif
