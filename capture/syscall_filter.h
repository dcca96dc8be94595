/* Which system calls this process may still make, as the kernel enforces it (seccomp).
 *
 * Private to capture/, part of the sandbox: an allow-list (allowed_call.def); any other call ends
 * the process. No program can be run and no process made, no socket opened, no memory made
 * executable, no other process signalled or looked into. */
#ifndef APNSCOPE_CAPTURE_SYSCALL_FILTER_H
#define APNSCOPE_CAPTURE_SYSCALL_FILTER_H

#include <stdbool.h>

enum syscall_use {
    FOR_ALL = 1 << 0,
    FOR_LIVE = 1 << 1,         /* sockets that are open already, a terminal */
    FOR_UNIX_SOCKETS = 1 << 2, /* new Unix sockets, to connect an output again */
    FOR_SANITIZERS = 1 << 3,
    FOR_NO_SOCKETS = 1 << 4 /* the opposite of FOR_UNIX_SOCKETS */
};

/* From here on, for all threads. `uses`: FOR_ALL is meant always. False: this kernel, or the
 * container around it, does not take the filter; nothing has changed then. */
bool syscall_filter_enforce(unsigned uses);

#endif
