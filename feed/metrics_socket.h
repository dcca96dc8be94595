/* The socket that metrics are asked for at.
 *
 * Private to feed/. */
#ifndef APNSCOPE_FEED_METRICS_SOCKET_H
#define APNSCOPE_FEED_METRICS_SOCKET_H

#include <stdbool.h>

#include "base/fault.h"

/* Listens at "PORT", ":PORT" (127.0.0.1), "ADDRESS:PORT", "[ADDRESS]:PORT" or "unix:PATH" (mode
 * 0660; a socket left behind by a process that is gone is replaced). */
MUST_USE bool metrics_socket_open(int *descriptor, const char *where, struct fault *fault);
/* Removes a Unix socket's name; the descriptor is the server's to close. */
void metrics_socket_remove(const char *where);

#endif
