/* Where lines go while a run goes on: a file, standard output, a Unix socket.
 *
 * Private to feed/. Belongs to one thread. A line goes out whole or, where its reader went away in
 * the middle, again from its beginning to the next one. */
#ifndef APNSCOPE_FEED_OUTLET_H
#define APNSCOPE_FEED_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

struct outlet;

/* "-", "unix:PATH" or a file's name. A file is appended to, and made with mode 0600. A socket that
 * nobody listens at yet is not a failure: it is tried again about once a second. */
MUST_USE bool outlet_open(struct outlet **outlet, const char *where, struct fault *fault);
void outlet_close(struct outlet *outlet); /* NULL is fine; what was not written is lost */

/* Keeps the line, which ends with a newline. False: no room until outlet_flush has made some. */
bool outlet_put(struct outlet *outlet, const char *line, size_t size);
/* Writes what is kept, waiting at most so long. False with the cause: some of it is still here. */
MUST_USE bool outlet_flush(struct outlet *outlet, int patience_ms, struct fault *fault);
/* A file's name is opened anew; a socket is connected anew. */
void outlet_reopen(struct outlet *outlet);
/* Gives up what is kept; how many lines that was. */
size_t outlet_drop(struct outlet *outlet);

#endif
