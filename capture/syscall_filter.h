/* Which system calls this process may still make, as the kernel enforces it (seccomp).
 *
 * Private to capture/, part of the sandbox: an allow-list (allowed_call.def); any other call ends
 * the process. No program can be run and no process made, no socket opened, no memory made
 * executable, no other process signalled or looked into. */
#ifndef APNSCOPE_CAPTURE_SYSCALL_FILTER_H
#define APNSCOPE_CAPTURE_SYSCALL_FILTER_H

#include <stdbool.h>

/* From here on, for all threads. `is_live`: with what a live run needs besides. False: this kernel,
 * or the container around it, does not take the filter; nothing has changed then. */
bool syscall_filter_enforce(bool is_live);

#endif
