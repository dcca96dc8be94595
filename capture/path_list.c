/* Expanding directories.
 *
 * See path_list.h. Deliberately not recursive: a folder of captures is one level deep, and a
 * mistyped / would read the disk. */
#include "path_list.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* A file that is named twice (in its folder and by itself, or by a link) is read once: its packets
 * are not there twice. Pipes may be anything, and are left to the user. */
static bool is_listed(const struct path_list *list, const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].inode == status->st_ino && list->items[i].device == status->st_dev)
            return true;
    return false;
}

/* Takes the path. */
static void add(struct path_list *list, char *path, const char *directory)
{
    struct stat status = {0};
    bool is_there = !is_standard_input(path) && stat(path, &status) == 0;
    if (is_there && is_listed(list, &status)) {
        free(path);
        return;
    }
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 16;
        list->items = realloc(list->items, list->room * sizeof *list->items);
        assert(list->items);
    }
    list->items[list->count++] = (struct path_entry){
        .path = path, .directory = directory, .device = status.st_dev, .inode = status.st_ino};
}

static bool is_directory(const char *path)
{
    struct stat status;
    return !is_standard_input(path) && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_regular(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Byte order, not the locale's: the same folder gives the same run everywhere. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool add_directory(struct path_list *list, const char *directory, struct fault *fault)
{
    struct dirent **entries;
    int entry_count = scandir(directory, &entries, NULL, by_name);
    if (entry_count < 0)
        return fault_set(fault, "%s: the folder cannot be read: %s", directory, strerror(errno));
    size_t found = 0;
    size_t length = strlen(directory);
    const char *slash = length && directory[length - 1] == '/' ? "" : "/";
    for (int i = 0; i < entry_count; i++) {
        char *path = NULL;
        int written = asprintf(&path, "%s%s%s", directory, slash, entries[i]->d_name);
        assert(written >= 0);
        bool is_file = is_regular(path);
        found += is_file;
        if (is_file)
            add(list, path, directory);
        else
            free(path);
        free(entries[i]);
    }
    free(entries);
    if (!found)
        return fault_set(fault,
                         "%s: the folder holds no captures: there is no file in it (folders in it "
                         "are not looked into)",
                         directory);
    return true;
}

bool path_list_expand(struct path_list *list, const char *const *paths, size_t path_count,
                      struct fault *fault)
{
    bool has_standard_input = false;
    for (size_t i = 0; i < path_count; i++) {
        if (is_directory(paths[i])) {
            if (!add_directory(list, paths[i], fault))
                return false;
            continue;
        }
        if (is_standard_input(paths[i]) && has_standard_input)
            return fault_set(fault, "standard input (-) is named twice; it can be read only once");
        has_standard_input = has_standard_input || is_standard_input(paths[i]);
        char *path = strdup(paths[i]);
        assert(path);
        add(list, path, NULL);
    }
    return true;
}

void path_list_free(struct path_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].path);
    free(list->items);
    *list = (struct path_list){0};
}
