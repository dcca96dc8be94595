/* What the user named, as a flat list of files: a directory stands for the regular files in it.
 *
 * First step of capture_open. Deliberately does not open files: whether they are captures is found
 * out by input.h. */
#ifndef APNSCOPE_CAPTURE_PATH_LIST_H
#define APNSCOPE_CAPTURE_PATH_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fault.h"

struct path_entry {
    char *path;            /* owned by the list */
    const char *directory; /* as given; NULL: the file was named itself */
    dev_t device;          /* with the inode: the same file under another name; 0: not there */
    ino_t inode;
};

struct path_list {
    struct path_entry *items;
    size_t count;
    size_t room;
};

/* In the order of the arguments, within a directory by name; subdirectories, pipes and devices in
 * it are left alone, and a file that was listed already is not listed again. False with a sentence:
 * a directory that cannot be read or holds no file, or standard input named twice. `paths` must
 * outlive the list. */
MUST_USE bool path_list_expand(struct path_list *list, const char *const *paths, size_t path_count,
                               struct fault *fault);
void path_list_free(struct path_list *list);

#endif
