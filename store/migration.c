/* Migrations, in order.
 *
 * The SQL is in files of its own (schema.sql is the first), built in by embed.cmake. */
#include "migration.h"

#include <assert.h>
#include <stdio.h>

#include "database.h"
#include "location.h"

extern const char schema_sql[];
extern const char schema_2_sql[];
extern const char schema_3_sql[];

/* migrations[n - 1] leads from version n - 1 to version n. */
static const char *const migrations[] = {
    schema_sql,
    schema_2_sql,
    schema_3_sql,
};

int migration_newest(void)
{
    return (int)(sizeof migrations / sizeof migrations[0]);
}

static int apply_from(sqlite3 *database, int64_t version)
{
    char sql[80];
    int result = SQLITE_OK;
    if (version == 0) {
        snprintf(sql, sizeof sql, "PRAGMA application_id = %d", STORE_APPLICATION_ID);
        result = database_run(database, sql);
    }
    for (; version < migration_newest() && result == SQLITE_OK; version++)
        result = database_run(database, migrations[version]);
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", migration_newest());
    return result == SQLITE_OK ? database_run(database, sql) : result;
}

int migration_apply(sqlite3 *database)
{
    int64_t version = 0;
    int result = database_number(database, "PRAGMA user_version", &version);
    if (result != SQLITE_OK || version >= migration_newest())
        return result;
    result = database_run(database, "BEGIN EXCLUSIVE");
    if (result != SQLITE_OK)
        return result;
    /* Another process may have been first. */
    result = database_number(database, "PRAGMA user_version", &version);
    if (result == SQLITE_OK && version < migration_newest())
        result = apply_from(database, version);
    if (result == SQLITE_OK)
        result = database_run(database, "COMMIT");
    if (result != SQLITE_OK)
        database_undo(database);
    return result;
}

/* Bytes 18 and 19 of the header are the versions needed to write and to read the file; 2 stands for
 * the write-ahead log (https://www.sqlite.org/fileformat2.html section 1.3.3). */
unsigned char *migration_new_file(size_t *size)
{
    sqlite3 *database = NULL;
    unsigned char *file = NULL;
    sqlite3_int64 file_size = 0;
    char page_size[40];
    snprintf(page_size, sizeof page_size, "PRAGMA page_size = %d", MIGRATION_PAGE_SIZE);
    if (sqlite3_open(":memory:", &database) == SQLITE_OK &&
        database_run(database, page_size) == SQLITE_OK && migration_apply(database) == SQLITE_OK)
        file = sqlite3_serialize(database, "main", &file_size, 0);
    sqlite3_close(database);
    if (file)
        file[18] = file[19] = 2;
    *size = (size_t)file_size;
    return file;
}

bool migration_refuse_newer(const char *path, int64_t version, struct fault *fault)
{
    return fault_set(fault,
                     "database \"%s\" was written by a newer apnscope (schema %lld, this one knows "
                     "%d): it was left as it is; use that apnscope, or name another file with --db",
                     path, (long long)version, migration_newest());
}
