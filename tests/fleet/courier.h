/* What device and courier say to one another: TLS, the Connect message, heartbeats, pushes.
 *
 * Of tests/fleet, after the facts of real captures: courier sessions with TLS 1.3 or 1.2, and the
 * fetch of the configuration. Deliberately has no view of packets: line.h carries what is said. */
#ifndef APNSCOPE_TESTS_FLEET_COURIER_H
#define APNSCOPE_TESTS_FLEET_COURIER_H

#include "line.h"

struct session {
    struct line line;     /* first: a line's owner is its session */
    int64_t rtt_extra_ns; /* between a box in the server's name and the server */
    int64_t due_ns;       /* when the heartbeat must have come */
    int64_t opened_ns;
    struct session *earlier; /* of the same device */
    struct station box;      /* where one answers in the server's name */
    uint8_t session_id[32];
    bool is_bag;
    bool is_provider; /* of the MDM server */
    bool is_proxied;
    bool is_stray; /* nobody relies on it */
    bool is_tls12;
    bool resumes;
    bool works;
    bool is_given_up; /* the device looks to another one */
};

/* Both are kept until the end, since packets and plans refer to them. */
struct session *courier_connect(struct device *device, bool over_v6, uint16_t port);
struct session *courier_fetch_bag(struct device *device);
/* Somebody tries a port of a courier's and says something that is not TLS, if anything. */
void courier_try_by_hand(struct device *device, uint16_t port);
/* The device is on the air again, and waits for the heartbeat as before. */
void courier_wakes(struct session *session);
/* The device closes it, with a farewell. */
void courier_close(struct session *session);

void courier_free(struct session *session); /* and all earlier ones */

#endif
