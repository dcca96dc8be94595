/* An SQLite connection as this program wants it, and SQLite's failures as sentences.
 *
 * Private to store/. */
#ifndef APNSCOPE_STORE_DATABASE_H
#define APNSCOPE_STORE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/fault.h"

/* How long a locked database is waited for before that counts as a failure. */
enum { DATABASE_BUSY_MS = 10000 };

/* Creates the file where there is none, migrates an older one, refuses what is not ours. */
MUST_USE bool database_open_to_write(sqlite3 **database, const char *path, struct fault *fault);
/* Changes nothing in the file and leaves nothing beside it. */
MUST_USE bool database_open_to_read(sqlite3 **database, const char *path, struct fault *fault);

/* How long a locked database is waited for from now on. */
void database_wait_for_lock(sqlite3 *database, int milliseconds);

/* These return SQLite result codes, SQLITE_OK on success. */
int database_run(sqlite3 *database, const char *sql);
/* Runs one statement with integer parameters; INT64_MIN is NULL. */
int database_run_with(sqlite3 *database, const char *sql, const int64_t *values, size_t count);
/* The first column of the first row; SQLITE_OK and *number unchanged where there is no row. */
int database_number(sqlite3 *database, const char *sql, int64_t *number);
int database_number_with(sqlite3 *database, const char *sql, const int64_t *values, size_t count,
                         int64_t *number);
/* Rolls back where a transaction is open; never fails. */
void database_undo(sqlite3 *database);

/* "cannot <verb> database "x": the disk is full; free some space and run again". Returns false. */
bool database_fault(struct fault *fault, const char *verb, const char *path, sqlite3 *database);
/* The cause alone: "the disk is full; free some space and run again". */
void database_cause(sqlite3 *database, char *text, size_t size);

#endif
