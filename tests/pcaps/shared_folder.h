/* A folder of other people's captures: where it is, what lies in it, and what its INDEX.md says. */
#ifndef APNSCOPE_TESTS_PCAPS_SHARED_FOLDER_H
#define APNSCOPE_TESTS_PCAPS_SHARED_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHARED_PATH_SIZE = 1024 };

/* "$APNSCOPE_SHARED_PCAPS", or "../shared/pcaps" beside the tree; NULL where neither is there. */
const char *shared_folder(void);

/* Calls `each` with the path of every file in the folder `name` and in the folders in it, in the
 * order of names, without INDEX.md. Returns their number. */
size_t shared_files(const char *name, void (*each)(const char *path));

/* The packets that INDEX.md beside the file says it has; false where it says nothing of it. */
bool shared_packet_count(const char *path, uint64_t *packets);

#endif
