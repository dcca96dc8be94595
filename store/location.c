/* Files before SQLite opens them.
 *
 * The header's fields are those of https://www.sqlite.org/fileformat2.html section 1.3. The schema
 * is created outside of the write-ahead log (migration.c), so the file of even a killed run says
 * whose it is. */
#include "location.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/reader.h"
#include "migration.h"

enum { HEADER_SIZE = 100, MAGIC_SIZE = 16, USER_VERSION_AT = 60, APPLICATION_ID_AT = 68 };

/* Through SQLite's own file, without a lock: a descriptor of ours, once closed, would take with it
 * the locks that this process may hold on the file elsewhere (POSIX advisory locks). */
static int read_header(const char *path, uint8_t header[HEADER_SIZE])
{
    sqlite3 *database = NULL;
    sqlite3_file *file = NULL;
    char *uri = location_uri(path, "");
    int result = sqlite3_open_v2(uri, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    free(uri);
    if (result == SQLITE_OK)
        result = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (result == SQLITE_OK)
        result =
            file->pMethods ? file->pMethods->xRead(file, header, HEADER_SIZE, 0) : SQLITE_CANTOPEN;
    sqlite3_close(database);
    return result;
}

static bool check_header(const char *path, struct fault *fault)
{
    uint8_t header[HEADER_SIZE];
    int result = read_header(path, header);
    if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ)
        return fault_set(fault, "cannot read database \"%s\": %s", path, sqlite3_errstr(result));
    if (result == SQLITE_IOERR_SHORT_READ || memcmp(header, "SQLite format 3", MAGIC_SIZE) != 0 ||
        load_u32(header + APPLICATION_ID_AT) != (uint32_t)STORE_APPLICATION_ID)
        return fault_set(fault,
                         "\"%s\" is not an apnscope database: it was left as it is; name another "
                         "file with --db",
                         path);
    uint32_t version = load_u32(header + USER_VERSION_AT);
    if (version > (uint32_t)migration_newest())
        return migration_refuse_newer(path, version, fault);
    return true;
}

static bool check_kind(const char *path, const struct stat *facts, struct fault *fault)
{
    if (S_ISDIR(facts->st_mode))
        return fault_set(fault, "\"%s\" is a folder; name a database file in it", path);
    if (!S_ISREG(facts->st_mode))
        return fault_set(fault, "\"%s\" is not a regular file; a database needs one", path);
    return true;
}

static bool cannot_open(const char *path, bool to_write, struct fault *fault)
{
    int cause = errno;
    const char *advice = cause == EACCES || cause == EPERM
                             ? "; run as a user who may, or name another file with --db"
                         : cause == EROFS ? "; name a file on a writable file system with --db"
                                          : "";
    struct stat facts;
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    if (cause == ENOENT && to_write && stat(dirname(folder), &facts) != 0) {
        snprintf(folder, sizeof folder, "%s", path);
        return fault_set(fault,
                         "cannot create database \"%s\": there is no folder \"%s\"; create "
                         "it first",
                         path, dirname(folder));
    }
    if (cause == ENOENT && !to_write)
        return fault_set(fault, "there is no database \"%s\"; apnscope analyze makes one", path);
    return fault_set(fault, "cannot %s database \"%s\": %s%s", to_write ? "write" : "read", path,
                     strerror(cause), advice);
}

static bool check_named(const char *path, struct fault *fault)
{
    if (path[0] == '\0')
        return fault_set(fault, "the name of the database is empty; name a file with --db");
    return true;
}

static bool write_all(int file, const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file, bytes, size);
        if (written < 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    int descriptor = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
}

/* Writes a new database beside its place and moves it there, so that nobody sees half of one, and a
 * process that loses the race to make it uses the winner's. False with errno set. */
static bool make_database(const char *path)
{
    char draft[PATH_MAX];
    int length = snprintf(draft, sizeof draft, "%s.XXXXXX.new", path);
    if (length < 0 || (size_t)length >= sizeof draft) {
        errno = ENAMETOOLONG;
        return false;
    }
    int file = mkostemps(draft, 4, O_CLOEXEC); /* 4: ".new"; mode 0600 */
    if (file < 0)
        return false;
    size_t size;
    unsigned char *bytes = migration_new_file(&size);
    assert(bytes); /* a few pages, at the start */
    bool made = write_all(file, bytes, size) && fdatasync(file) == 0;
    close(file);
    sqlite3_free(bytes);
    made = made && renameat2(AT_FDCWD, draft, AT_FDCWD, path, RENAME_NOREPLACE) == 0;
    int cause = errno;
    if (!made)
        unlink(draft);
    else
        sync_folder(path);
    errno = cause;
    return made || cause == EEXIST;
}

/* Where the file system cannot move without replacing, an empty file is made and SQLite fills it.
 */
static bool make_file(const char *path)
{
    if (make_database(path))
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0)
        close(file);
    return file >= 0 || errno == EEXIST;
}

bool location_prepare(const char *path, struct fault *fault)
{
    struct stat facts;
    if (!check_named(path, fault))
        return false;
    if (stat(path, &facts) != 0 && errno == ENOENT && !make_file(path))
        return cannot_open(path, true, fault);
    if (stat(path, &facts) != 0)
        return cannot_open(path, true, fault);
    if (!check_kind(path, &facts, fault))
        return false;
    if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0)
        return cannot_open(path, true, fault);
    return facts.st_size == 0 || check_header(path, fault); /* empty is as good as new */
}

bool location_inspect(const char *path, struct fault *fault)
{
    struct stat facts;
    if (!check_named(path, fault))
        return false;
    if (stat(path, &facts) != 0 || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0)
        return cannot_open(path, false, fault);
    return check_kind(path, &facts, fault) && check_header(path, fault);
}

bool location_has_log(const char *path)
{
    char log[PATH_MAX + 8];
    struct stat facts;
    snprintf(log, sizeof log, "%s-wal", path);
    return stat(log, &facts) == 0 && facts.st_size > 0;
}

char *location_uri(const char *path, const char *parameters)
{
    char *uri = malloc(16 + 3 * strlen(path) + strlen(parameters) + 2);
    assert(uri);
    char *at = uri + sprintf(uri, "%s", path[0] == '/' ? "file://" : "file:./");
    for (const char *from = path; *from; from++) {
        unsigned char c = (unsigned char)*from;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("/._-", c);
        at += sprintf(at, plain ? "%c" : "%%%02X", c);
    }
    if (parameters[0] != '\0')
        sprintf(at, "?%s", parameters);
    return uri;
}
