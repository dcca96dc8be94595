/* A device and its day: it comes, connects, sleeps, roams, and goes.
 *
 * Of tests/fleet. Deliberately decides only when; what is said on a connection is courier.h's. */
#ifndef APNSCOPE_TESTS_FLEET_DEVICE_H
#define APNSCOPE_TESTS_FLEET_DEVICE_H

#include "fleet.h"

struct session;

struct device {
    struct fleet *fleet;
    struct station v4;
    struct station v6;
    struct draw draw;
    double loss; /* of each packet */
    int64_t near_ns, far_ns;
    int64_t heartbeat_ns;
    int64_t arrives_ns, leaves_ns;
    bool has_v6;
    bool names_courier; /* in its hello; many do not */
    bool is_post_quantum;
    bool is_tls12;
    bool is_mdm_server; /* none of Apple's: it sends notifications */
    bool has_ticket;    /* of an earlier session */
    bool is_hit;
    bool is_on_air;
    bool is_here;
    uint16_t next_port;
    uint16_t port; /* that it tries next: 5223 or 443 */
    uint8_t bag_tries;
    uint8_t failures;        /* in a row */
    uint32_t plan;           /* only the newest counts */
    struct session *session; /* that it relies on, or tries */
    struct session *rival;   /* the attempt over the other IP version */
    struct session *sessions_kept;
    /* what really happened, for the judges */
    uint32_t bites;
    uint32_t attempts;
    uint32_t sessions;
    uint32_t worked[2]; /* those that were opened since the capture began; [1]: over IPv6 */
    uint32_t worked_5223[2];
    uint32_t fallbacks; /* to 443, at once after a failure on 5223 */
    int64_t failed_5223_ns;
    uint32_t said[2];
    uint32_t repeated[2];
};

/* A fault did it harm; before the capture begins nobody sees that. */
static inline void device_bite(struct device *device)
{
    device->bites += device->fleet->now_ns >= 0;
}

void device_begin(struct device *device);
void device_opens(struct device *device, struct session *session); /* TCP is there */
/* Its session works, or is over although the device did not want that. */
void device_works(struct device *device, struct session *session);
void device_lost(struct device *device, struct session *session, bool had_worked);

#endif
