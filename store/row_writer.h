/* One row of any table into the open transaction.
 *
 * Private to store/. Holds the prepared statements and what rows share: the run's number and the
 * bases of ids. Used by one thread at a time. */
#ifndef APNSCOPE_STORE_ROW_WRITER_H
#define APNSCOPE_STORE_ROW_WRITER_H

#include <stdint.h>

#include <sqlite3.h>

#include "binder.h"
#include "catalogue.h"
#include "community_id.h"
#include "evidence.h"
#include "flow_ids.h"
#include "model/dns_message.h"
#include "model/event.h"
#include "model/run_record.h"
#include "model/step.h"
#include "process_mark.h"

enum { DNS_ROWS_MAX = 100000 }; /* a run; told in catalogue.c */

/* What crosses the queue as ROW_DNS_ANSWER. */
struct dns_seen {
    int64_t time_ns;
    struct address client;
    struct address resolver;
    uint16_t type;
    uint8_t rcode;
    uint8_t address_count;
    char name[DNS_NAME_SIZE];
    char canonical[DNS_NAME_SIZE];
    struct address addresses[DNS_ADDRESSES_MAX];
};

/* What crosses the queue as ROW_STEP: rows of one session, after the session's own. */
struct session_steps {
    uint64_t flow_number;
    struct address icmp_source;
    struct flow_steps kept;
};

struct skipped_count {
    enum skip_reason reason;
    uint64_t count;
};

struct quality_fact {
    const char *name;
    int64_t value;
    const char *text;
};

/* What the rows of a run share, and room for the text of the row that is being bound. */
struct row_context {
    int64_t run_id;
    int64_t flow_base;
    int64_t device_base;
    int64_t finding_base;
    const char *state; /* of the run */
    uint64_t rows_lost;
    char writer[PROCESS_MARK_SIZE];
    int64_t flow_id;      /* of the session that is being written, or that the finding rests on */
    int64_t device_id;    /* of the device that is being written, or that the finding is about */
    const char *evidence; /* of the finding that is being written */
    struct community_id *community;
    char community_text[COMMUNITY_ID_TEXT_SIZE];
    char prefix_text[PREFIX_TEXT_SIZE];
    char version_text[16];
    char random_text[17];
    char flags_text[8];
};

/* Counts that go back with the transaction. */
struct row_counts {
    int64_t devices;
    int64_t
        devices_in_step; /* the first ones, whose rows have the numbers that they were told by */
    int64_t dns_rows;
    int64_t dns_not_stored;
    int64_t flows;
};

struct row_writer {
    sqlite3 *database;
    struct row_context context;
    struct flow_ids flow_ids;
    struct row_counts counts;
    char evidence[EVIDENCE_TEXT_SIZE];
    struct binder binders[ROW_KIND_COUNT];
    struct binder again[ROW_KIND_COUNT]; /* for rows that are there already; opened when needed */
    struct binder dns_again;
    int64_t retain_from; /* upkeep.c: where it looks for old sessions next */
};

/* These return SQLite result codes. */
int row_writer_open(struct row_writer *writer, sqlite3 *database);
void row_writer_close(struct row_writer *writer);

/* `row` is the struct of that kind: run_record, flow_record, device_record, finding,
 * session_steps,
 * requirement_record, dns_seen, attempt_sum, skipped_count, quality_fact. SQLITE_OK when written.
 */
int row_write(struct row_writer *writer, enum row_kind kind, const void *row);

/* A row was refused by its own fault (a constraint): the transaction goes on without it. */
bool row_is_refused(int result);

#endif
