/* Giving up what the process may do: another user, no capabilities, no way back.
 *
 * A live run needs CAP_NET_RAW to open its interfaces, and nothing afterwards. Deliberately knows
 * nothing of files and system calls: those are the sandbox's (capture/sandbox.h). */
#ifndef APNSCOPE_CAPTURE_PRIVILEGES_H
#define APNSCOPE_CAPTURE_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/fault.h"

struct privileges_user {
    char name[64]; /* "": stay who we are */
    uid_t uid;
    gid_t gid;
};

/* Whom a run that was started as root goes on as: `name`, or the service user `fallback` where
 * there is one, or root. Not root: whoever runs it; then `name` must be that user, or NULL. */
MUST_USE bool privileges_find_user(struct privileges_user *user, const char *name,
                                   const char *fallback, struct fault *fault);

/* Becomes that user with no other groups, loses every capability for good (no new ones by running
 * a program either), and leaves no core dump. Proves it by trying to come back. Before threads are
 * started: capabilities are each thread's own. */
MUST_USE bool privileges_drop(const struct privileges_user *user, struct fault *fault);

/* For runs that only read files: every capability goes, but those to pass over file permissions
 * where there are any, for root is asked to read other people's captures. */
MUST_USE bool privileges_drop_but_files(struct fault *fault);

/* No more processes and threads of this user for this process: once all threads are started. */
void privileges_end_threads(void);

#endif
