/* Who is writing a run: a mark that outlives the process and tells whether it still runs.
 *
 * Private to store/. */
#ifndef APNSCOPE_STORE_PROCESS_MARK_H
#define APNSCOPE_STORE_PROCESS_MARK_H

#include <stdbool.h>

enum { PROCESS_MARK_SIZE = 128 };

/* "<boot id> <process id namespace> <process id> <start time>" of this process. */
void process_mark(char text[PROCESS_MARK_SIZE]);

/* False where the marked process is certainly gone (another boot, no such process, or a later one
 * of the same number); NULL and unreadable marks are gone. A process of another namespace cannot be
 * looked at and counts as alive. */
bool process_mark_is_alive(const char *text);

#endif
