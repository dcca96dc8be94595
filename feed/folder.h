/* The folder of excerpts, and its budget.
 *
 * Private to feed/. Files appear by rename, mode 0600; where they would be more than the budget,
 * the oldest go first. Only files with our names are counted and removed. */
#ifndef APNSCOPE_FEED_FOLDER_H
#define APNSCOPE_FEED_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"

struct folder;

/* Makes the folder (mode 0700) where it is not there. `budget` is in bytes. */
MUST_USE bool folder_open(struct folder **folder, const char *path, uint64_t budget,
                          struct fault *fault);
void folder_close(struct folder *folder); /* NULL is fine */

/* A file under a temporary name; NULL with the cause. folder_keep closes it. */
FILE *folder_create(struct folder *folder, struct fault *fault);
/* Gives the file its name, in place of an earlier one of that name, and makes room. */
MUST_USE bool folder_keep(struct folder *folder, FILE *file, const char *name, struct fault *fault);
void folder_remove(struct folder *folder, const char *name);
/* Files that had to go for others. */
uint64_t folder_removed(const struct folder *folder);

#endif
