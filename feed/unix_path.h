/* "unix:PATH", as outputs are given a Unix socket. */
#ifndef APNSCOPE_FEED_UNIX_PATH_H
#define APNSCOPE_FEED_UNIX_PATH_H

#include <sys/un.h>

#include "base/fault.h"

/* The PATH; NULL: `where` is NULL or another kind of place. */
const char *unix_path(const char *where);
/* False, with a sentence that begins with `option`: too long for a socket, or empty. */
MUST_USE bool unix_path_address(struct sockaddr_un *address, const char *path, const char *option,
                                struct fault *fault);

#endif
