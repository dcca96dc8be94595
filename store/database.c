/* Opening, settings, helpers and sentences.
 *
 * The settings follow SQLite's own advice for files of unknown origin
 * (https://www.sqlite.org/security.html): no trusted schema, defensive mode, no triggers and no
 * views, for neither are in our schema. Deliberately knows no table. */
#include "database.h"

#include <assert.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "location.h"
#include "migration.h"

int database_run(sqlite3 *database, const char *sql)
{
    return sqlite3_exec(database, sql, NULL, NULL, NULL);
}

static int prepare_with(sqlite3 *database, const char *sql, const int64_t *values, size_t count,
                        sqlite3_stmt **statement)
{
    int result = sqlite3_prepare_v2(database, sql, -1, statement, NULL);
    for (size_t i = 0; i < count && result == SQLITE_OK; i++)
        if (values[i] != INT64_MIN)
            result = sqlite3_bind_int64(*statement, (int)i + 1, values[i]);
    return result;
}

int database_run_with(sqlite3 *database, const char *sql, const int64_t *values, size_t count)
{
    sqlite3_stmt *statement = NULL;
    int result = prepare_with(database, sql, values, count, &statement);
    while (result == SQLITE_OK || result == SQLITE_ROW)
        result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

int database_number_with(sqlite3 *database, const char *sql, const int64_t *values, size_t count,
                         int64_t *number)
{
    sqlite3_stmt *statement = NULL;
    int result = prepare_with(database, sql, values, count, &statement);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

int database_number(sqlite3 *database, const char *sql, int64_t *number)
{
    return database_number_with(database, sql, NULL, 0, number);
}

void database_undo(sqlite3 *database)
{
    if (!sqlite3_get_autocommit(database))
        (void)database_run(database, "ROLLBACK");
}

/* SQLite's own busy handler sleeps up to 100 ms between looks and so may miss the short moments in
 * which another writer is between two transactions. `context` holds the limit in milliseconds. */
static int look_again(void *context, int tries)
{
    int limit_ms = (int)(intptr_t)context;
    struct timespec nap = {.tv_nsec = tries < 100 ? NS_PER_MS : 5 * NS_PER_MS};
    int waited_ms = tries < 100 ? tries : 100 + 5 * (tries - 100);
    if (waited_ms >= limit_ms)
        return 0;
    nanosleep(&nap, NULL);
    return 1;
}

void database_wait_for_lock(sqlite3 *database, int milliseconds)
{
    sqlite3_busy_handler(database, look_again, (void *)(intptr_t)milliseconds);
}

static const struct {
    int result; /* primary result code */
    const char *cause;
} causes[] = {
    {SQLITE_FULL, "the disk is full; free some space and run again"},
    {SQLITE_BUSY, "another program keeps it locked; close that program and run again"},
    {SQLITE_LOCKED, "another program keeps it locked; close that program and run again"},
    {SQLITE_CORRUPT, "it is damaged; move it away and run again"},
    {SQLITE_NOTADB, "it is damaged; move it away and run again"},
    {SQLITE_READONLY, "it may only be read; give write permission or name another file with --db"},
    {SQLITE_NOMEM, "there is not enough memory"},
};

/* SQLite does not always keep the system's reason for a failed write. */
static bool is_refused_write(int extended, int system_error)
{
    return system_error == EFBIG || (extended == SQLITE_IOERR_WRITE && system_error == 0);
}

void database_cause(sqlite3 *database, char *text, size_t size)
{
    int extended = sqlite3_extended_errcode(database), result = extended & 0xff;
    int system_error = sqlite3_system_errno(database);
    if (result == SQLITE_IOERR && (system_error == EDQUOT || system_error == ENOSPC))
        result = SQLITE_FULL;
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        if (causes[i].result == result) {
            snprintf(text, size, "%s", causes[i].cause);
            return;
        }
    if (result == SQLITE_IOERR && is_refused_write(extended, system_error))
        snprintf(text, size,
                 "the disk or a limit on the size of files refused a write; free some "
                 "space or raise the limit and run again");
    else if ((result == SQLITE_IOERR || result == SQLITE_CANTOPEN) && system_error != 0)
        snprintf(text, size, "%s; check its folder's permissions and disk", strerror(system_error));
    else
        snprintf(text, size, "%s (SQLite code %d)", sqlite3_errmsg(database), extended);
}

bool database_fault(struct fault *fault, const char *verb, const char *path, sqlite3 *database)
{
    char cause[256];
    database_cause(database, cause, sizeof cause);
    return fault_set(fault, "cannot %s database \"%s\": %s", verb, path, cause);
}

/* Building an index sorts more than the cache in a temporary file; it belongs beside the database,
 * where there is room and where the sandbox allows files. One folder a process: the first. */
static pthread_mutex_t folder_lock = PTHREAD_MUTEX_INITIALIZER;

static void sort_beside(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    pthread_mutex_lock(&folder_lock);
    if (!sqlite3_temp_directory)
        sqlite3_temp_directory = sqlite3_mprintf("%s", dirname(folder));
    pthread_mutex_unlock(&folder_lock);
}

/* SQLite's own memory statistics cost a lock around every allocation, and nobody asks for them.
 * Possible only before SQLite is first used; harmless later. */
static void configure_once(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int open_uri(sqlite3 **database, const char *path, const char *parameters, int flags)
{
    char *uri = location_uri(path, parameters);
    int result = sqlite3_open_v2(
        uri, database, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    free(uri);
    if (result != SQLITE_OK)
        return result;
    static const struct {
        int option, value;
    } settings[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        sqlite3_db_config(*database, settings[i].option, settings[i].value, NULL);
    sqlite3_limit(*database, SQLITE_LIMIT_ATTACHED, 0);
    database_wait_for_lock(*database, DATABASE_BUSY_MS);
    return database_run(*database, "PRAGMA cell_size_check = ON");
}

static int use_write_ahead_log(sqlite3 *database)
{
    int result = SQLITE_OK;
    /* Needs the file alone for a moment, and SQLite does not wait for that by itself. */
    for (int waited_ms = 0; waited_ms < DATABASE_BUSY_MS; waited_ms += 10) {
        result = database_run(database, "PRAGMA journal_mode = WAL");
        if ((result & 0xff) != SQLITE_BUSY && (result & 0xff) != SQLITE_LOCKED)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 10 * NS_PER_MS}, NULL);
    }
    return result;
}

/* Cache: 4 MiB is what a transaction dirties; more would only be more memory to touch. Log: moved
 * into the file each 16 MiB. */
static int prepare_to_write(sqlite3 *database)
{
    char page_size[40];
    snprintf(page_size, sizeof page_size, "PRAGMA page_size = %d", MIGRATION_PAGE_SIZE);
    int result = database_run(database, page_size); /* counts where the file is still empty */
    if (result == SQLITE_OK)
        result = database_run(database, "PRAGMA cache_size = -4096; PRAGMA secure_delete = FAST");
    if (result == SQLITE_OK)
        result = migration_apply(database);
    if (result == SQLITE_OK)
        result = use_write_ahead_log(database);
    if (result == SQLITE_OK)
        result = database_run(database, "PRAGMA synchronous = NORMAL;"
                                        "PRAGMA wal_autocheckpoint = 2048");
    return result;
}

/* What the header could not tell because it lies in a write-ahead log. */
static bool check_version(sqlite3 *database, const char *path, struct fault *fault)
{
    int64_t version = 0;
    if (database_number(database, "PRAGMA user_version", &version) != SQLITE_OK)
        return database_fault(fault, "read", path, database);
    if (version > migration_newest())
        return migration_refuse_newer(path, version, fault);
    return true;
}

static bool check_log(const char *path, struct fault *fault)
{
    sqlite3 *database = NULL;
    bool good = open_uri(&database, path, "", SQLITE_OPEN_READONLY) == SQLITE_OK
                    ? check_version(database, path, fault)
                    : database_fault(fault, "read", path, database);
    sqlite3_close(database);
    return good;
}

bool database_open_to_write(sqlite3 **database, const char *path, struct fault *fault)
{
    *database = NULL;
    configure_once();
    sort_beside(path);
    if (!location_prepare(path, fault) || (location_has_log(path) && !check_log(path, fault)))
        return false;
    bool good = open_uri(database, path, "", SQLITE_OPEN_READWRITE) == SQLITE_OK &&
                prepare_to_write(*database) == SQLITE_OK;
    if (good)
        return true;
    (void)database_fault(fault, "write", path, *database);
    sqlite3_close(*database);
    *database = NULL;
    return false;
}

/* Opens in one way and reads something, for only that shows whether the way is open. */
static bool try_to_read(sqlite3 **database, const char *path, const char *parameters, int flags)
{
    int64_t number = 0;
    if (open_uri(database, path, parameters, flags) == SQLITE_OK &&
        database_run(*database, "PRAGMA query_only = ON; PRAGMA cache_size = -8192") == SQLITE_OK &&
        database_number(*database, "SELECT count(*) FROM sqlite_schema", &number) == SQLITE_OK)
        return true;
    return false;
}

/* Where a log lies beside the file (a run is being written, or was killed), it is read with its log
 * and nothing is changed. Otherwise SQLite needs to make an empty log and to remove it again, for
 * which the file must be open for writing; where that may not be, nobody else can be writing
 * either, and the file is taken as immutable. */
bool database_open_to_read(sqlite3 **database, const char *path, struct fault *fault)
{
    *database = NULL;
    configure_once();
    if (!location_inspect(path, fault))
        return false;
    bool has_log = location_has_log(path);
    bool may_write = !has_log && access(path, W_OK) == 0;
    bool good =
        try_to_read(database, path, "", may_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    int result = sqlite3_errcode(*database) & 0xff;
    if (!good && !has_log && (result == SQLITE_CANTOPEN || result == SQLITE_READONLY)) {
        sqlite3_close(*database);
        good = try_to_read(database, path, "immutable=1", SQLITE_OPEN_READONLY);
    }
    if (!good)
        (void)database_fault(fault, "read", path, *database);
    else
        good = check_version(*database, path, fault);
    if (!good) {
        sqlite3_close(*database);
        *database = NULL;
    }
    return good;
}
