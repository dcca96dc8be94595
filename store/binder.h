/* Values into the parameters of one prepared statement, in order, without work that can be saved.
 *
 * Private to store/. A parameter keeps its value from row to row, so one that does not change is
 * not bound again: most columns of most rows. Text is bound without a copy and must live until the
 * statement has run. Deliberately knows no tables. */
#ifndef APNSCOPE_STORE_BINDER_H
#define APNSCOPE_STORE_BINDER_H

#include <stdint.h>

#include <sqlite3.h>

#include "base/address.h"

enum { BINDER_PARAMETERS_MAX = 64 };

struct bound {
    enum { BOUND_OTHER, BOUND_NULL, BOUND_INTEGER, BOUND_NAME, BOUND_ADDRESS, BOUND_MAC } what;
    int64_t integer;
    const char *name;
    struct address address;
    uint8_t mac[6];
    char text[ADDRESS_TEXT_SIZE];
};

struct binder {
    sqlite3_stmt *statement;
    int next;   /* parameter, from 1 */
    int result; /* the first SQLite result code that was not SQLITE_OK */
    struct bound bound[BINDER_PARAMETERS_MAX];
};

/* Returns an SQLite result code. */
int binder_open(struct binder *binder, sqlite3 *database, const char *sql);
void binder_close(struct binder *binder);

/* INT64_MIN (ROW_NULL, TIME_UNKNOWN) is NULL. */
void bind_integer(struct binder *binder, int64_t value);
/* Text that may change under the same pointer; NULL is NULL. */
void bind_text(struct binder *binder, const char *text);
/* Text that never changes under the same pointer. */
void bind_name(struct binder *binder, const char *name);
/* Unspecified is NULL. */
void bind_address(struct binder *binder, const struct address *address);
void bind_mac(struct binder *binder, const uint8_t *mac);

/* Runs the statement and begins anew at the first parameter. Returns SQLITE_DONE, or what failed.
 */
int binder_run(struct binder *binder);

#endif
