/* The place of a database: is there a file, is it ours, may we have it?
 *
 * Private to store/. Looks at the file's first bytes before SQLite sees it, so that a file of
 * someone else's is refused without a byte of it, or beside it, being touched. */
#ifndef APNSCOPE_STORE_LOCATION_H
#define APNSCOPE_STORE_LOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* PRAGMA application_id: "APNs" in ASCII. Published in docs/schema.md. */
#define STORE_APPLICATION_ID INT32_C(0x41504e73)

/* Makes an empty file with mode 0600 where there is none; else refuses what is not a database of
 * this program, or of a newer one. */
MUST_USE bool location_prepare(const char *path, struct fault *fault);
/* The same for a file that must be there. */
MUST_USE bool location_inspect(const char *path, struct fault *fault);

/* A write-ahead log with something in it lies beside the file. */
bool location_has_log(const char *path);

/* SQLite's URI for the path: no character of it has a meaning to SQLite. Freed with free(). */
char *location_uri(const char *path, const char *parameters);

#endif
