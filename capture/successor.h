/* An interface that was deleted and made anew under its old name.
 *
 * A USB adapter that is plugged in again, a tunnel that is set up anew: for the kernel another
 * interface, for whoever watches it the same. The packet socket, which stays open, is bound to it:
 * that takes no capability, and the filter stays locked. Private to capture/. Deliberately does not
 * look for an interface that was only renamed: its socket goes on as it is. */
#ifndef APNSCOPE_CAPTURE_SUCCESSOR_H
#define APNSCOPE_CAPTURE_SUCCESSOR_H

#include <stdbool.h>

/* What tells interfaces of one name apart: /sys/class/net/NAME/ifindex and type. */
struct interface_identity {
    int index; /* 0: there is none */
    int type;  /* ARPHRD_ of linux/if_arp.h, which decides the link type */
};

struct interface_identity interface_identity_of(const char *name);

enum succession {
    NO_SUCCESSOR, /* nothing has the name now */
    SUCCESSOR_TAKEN,
    SUCCESSOR_REFUSED /* it is there, but this socket cannot be its */
};

/* `identity`: of the one that is gone; of its successor, once that is taken. */
enum succession successor_take(const char *name, int socket, bool is_promiscuous,
                               struct interface_identity *identity);

#endif
