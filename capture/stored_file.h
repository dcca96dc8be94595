/* Opening a stored file, and saying in one sentence why not. */
#ifndef APNSCOPE_CAPTURE_STORED_FILE_H
#define APNSCOPE_CAPTURE_STORED_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/fault.h"

bool stored_file_is_standard_input(const char *path);

/* A regular file or a pipe, for reading; "-" is standard input, of which *fd is a copy. The caller
 * closes *fd. False with a sentence: no such file, no permission, a directory, a device, a socket,
 * a terminal. */
MUST_USE bool stored_file_open(const char *path, int *fd, struct stat *status, struct fault *fault);

#endif
