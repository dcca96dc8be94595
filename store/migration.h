/* The schema's versions: how an older database becomes today's.
 *
 * Private to store/. PRAGMA user_version holds the number of the last migration that was applied. A
 * migration that was released is never edited; a change of the schema is a new one. */
#ifndef APNSCOPE_STORE_MIGRATION_H
#define APNSCOPE_STORE_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/fault.h"

/* Bytes; 8 KiB holds a dozen sessions. */
#define MIGRATION_PAGE_SIZE 8192

int migration_newest(void);

/* Brings an empty or older database up to date, in one transaction. Returns an SQLite result code.
 */
int migration_apply(sqlite3 *database);

/* A new, empty database of today's schema, as the bytes of a file that uses a write-ahead log. To
 * be freed with sqlite3_free; NULL where memory is short. */
unsigned char *migration_new_file(size_t *size);

/* "... was written by a newer apnscope ...". Returns false. */
bool migration_refuse_newer(const char *path, int64_t version, struct fault *fault);

#endif
