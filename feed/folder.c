/* Excerpts on disk.
 *
 * See folder.h. The folder is kept as a descriptor, so that nothing outside of it is touched.
 * Deliberately does not watch the folder: what others remove or add is seen when the next run
 * begins. */
#include "folder.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "excerpt_name.h"

#define TEMPORARY ".excerpt.tmp"

struct excerpt {
    char name[EXCERPT_NAME_SIZE];
    uint64_t size;
    int64_t time_ns;
};

struct folder {
    int descriptor;
    char *path; /* for sentences */
    uint64_t budget, used, removed;
    struct excerpt *excerpts; /* oldest first */
    size_t count, room;
};

/* ---- what is there ---- */

static void add(struct folder *folder, const char *name, uint64_t size, int64_t time_ns)
{
    if (folder->count == folder->room) {
        folder->room = folder->room ? 2 * folder->room : 64;
        folder->excerpts =
            (struct excerpt *)realloc(folder->excerpts, folder->room * sizeof *folder->excerpts);
        assert(folder->excerpts);
    }
    struct excerpt *excerpt = &folder->excerpts[folder->count++];
    *excerpt = (struct excerpt){.size = size, .time_ns = time_ns};
    memcpy(excerpt->name, name, strlen(name) + 1);
    folder->used += size;
}

static void take_out(struct folder *folder, size_t index)
{
    folder->used -= folder->excerpts[index].size;
    folder->count--;
    memmove(&folder->excerpts[index], &folder->excerpts[index + 1],
            (folder->count - index) * sizeof *folder->excerpts);
}

static void take_out_named(struct folder *folder, const char *name)
{
    for (size_t i = folder->count; i-- > 0;)
        if (strcmp(folder->excerpts[i].name, name) == 0)
            take_out(folder, i);
}

static int by_time(const void *a, const void *b)
{
    const struct excerpt *left = (const struct excerpt *)a, *right = (const struct excerpt *)b;
    if (left->time_ns != right->time_ns)
        return left->time_ns < right->time_ns ? -1 : 1;
    return strcmp(left->name, right->name);
}

static void look(struct folder *folder)
{
    int descriptor = openat(folder->descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = descriptor >= 0 ? fdopendir(descriptor) : NULL;
    const struct dirent *entry;
    while (listing && (entry = readdir(listing)) != NULL) {
        struct stat status;
        if (excerpt_name_is_ours(entry->d_name) &&
            fstatat(folder->descriptor, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode))
            add(folder, entry->d_name, (uint64_t)status.st_size,
                status.st_mtim.tv_sec * NS_PER_S + status.st_mtim.tv_nsec);
    }
    if (listing)
        closedir(listing);
    else if (descriptor >= 0)
        close(descriptor);
    if (folder->count)
        qsort(folder->excerpts, folder->count, sizeof *folder->excerpts, by_time);
}

static void make_room(struct folder *folder, uint64_t size)
{
    while (folder->count && folder->used + size > folder->budget) {
        unlinkat(folder->descriptor, folder->excerpts[0].name, 0);
        take_out(folder, 0);
        folder->removed++;
    }
}

/* ---- life ---- */

bool folder_open(struct folder **opened, const char *path, uint64_t budget, struct fault *fault)
{
    *opened = NULL;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fault_set(fault, "cannot make the folder %s: %s", path, strerror(errno));
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return fault_set(fault, "cannot open the folder %s: %s", path, strerror(errno));
    if (faccessat(descriptor, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        fault_set(fault, "cannot write in the folder %s: %s", path, strerror(errno));
        close(descriptor);
        return false;
    }
    struct folder *folder = (struct folder *)calloc(1, sizeof *folder);
    assert(folder);
    folder->descriptor = descriptor;
    folder->budget = budget;
    folder->path = strdup(path);
    assert(folder->path);
    unlinkat(descriptor, TEMPORARY, 0);
    look(folder);
    make_room(folder, 0);
    *opened = folder;
    return true;
}

void folder_close(struct folder *folder)
{
    if (!folder)
        return;
    close(folder->descriptor);
    free(folder->excerpts);
    free(folder->path);
    free(folder);
}

/* ---- files ---- */

FILE *folder_create(struct folder *folder, struct fault *fault)
{
    int descriptor = openat(folder->descriptor, TEMPORARY,
                            O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "wb") : NULL;
    if (!file)
        fault_set(fault, "cannot write in %s: %s", folder->path, strerror(errno));
    return file;
}

static void abandon(struct folder *folder, FILE *file)
{
    fclose(file);
    unlinkat(folder->descriptor, TEMPORARY, 0);
}

bool folder_keep(struct folder *folder, FILE *file, const char *name, struct fault *fault)
{
    bool is_whole = fflush(file) == 0 && !ferror(file);
    long size = is_whole ? ftell(file) : -1;
    if (size < 0) {
        fault_set(fault, "cannot write %s/%s: %s", folder->path, name, strerror(errno));
        abandon(folder, file);
        return false;
    }
    if ((uint64_t)size > folder->budget) {
        abandon(folder, file);
        return fault_set(fault, "%s/%s would be larger than --evidence-size", folder->path, name);
    }
    take_out_named(folder, name);
    make_room(folder, (uint64_t)size);
    if (fclose(file) != 0 ||
        renameat(folder->descriptor, TEMPORARY, folder->descriptor, name) != 0) {
        fault_set(fault, "cannot write %s/%s: %s", folder->path, name, strerror(errno));
        unlinkat(folder->descriptor, TEMPORARY, 0);
        return false;
    }
    add(folder, name, (uint64_t)size, INT64_MAX);
    return true;
}

void folder_remove(struct folder *folder, const char *name)
{
    take_out_named(folder, name);
    unlinkat(folder->descriptor, name, 0);
}

uint64_t folder_removed(const struct folder *folder)
{
    return folder->removed;
}
