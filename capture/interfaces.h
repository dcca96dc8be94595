/* Which interfaces can be captured on, as libpcap lists them. */
#ifndef APNSCOPE_CAPTURE_INTERFACES_H
#define APNSCOPE_CAPTURE_INTERFACES_H

#include <stdbool.h>

#include "base/fault.h"

struct capture_interface {
    const char *name;
    const char *description; /* NULL: none */
    bool is_up;
    bool is_loopback;
};

/* Calls `each` per interface; the strings live for the call. False where they cannot be listed. */
MUST_USE bool capture_interfaces(void (*each)(void *context,
                                              const struct capture_interface *interface),
                                 void *context, struct fault *fault);

#endif
