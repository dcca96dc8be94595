/* A day of a site: devices that keep connections with Apple's couriers, and what befalls them.
 *
 * Of tests/fleet: the whole that its parts share. Deliberately sees nothing of the program under
 * test: support/ makes the packets, this makes the life behind them. */
#ifndef APNSCOPE_TESTS_FLEET_FLEET_H
#define APNSCOPE_TESTS_FLEET_FLEET_H

#include "agenda.h"
#include "base/clock.h"
#include "draw.h"
#include "mirror.h"
#include "station.h"

enum direction { UP, DOWN }; /* from the device, to it */

#define MINUTE_NS (60 * NS_PER_S)
#define HOUR_NS   (60 * MINUTE_NS)

enum {
    SERVERS_V4 = 48, /* couriers, from 0 on */
    SERVERS_V6 = 8,
    SERVERS_BAG = 2,
    SERVERS_PROVIDER = 4,
    FIRST_V6 = SERVERS_V4,
    FIRST_BAG = FIRST_V6 + SERVERS_V6,
    FIRST_PROVIDER = FIRST_BAG + SERVERS_BAG,
    SERVERS_ALL = FIRST_PROVIDER + SERVERS_PROVIDER
};

struct fault;
struct device;

struct fleet {
    size_t device_count;
    int64_t length_ns;
    double hit_part; /* of the devices that the fault can hit */
    double loss_low, loss_high;
    const struct fault *fault; /* NULL: healthy */
    struct device *devices;
    struct station *servers; /* SERVERS_ALL */
    struct station resolver;
    struct station proxy;     /* that devices ask with CONNECT */
    struct station elsewhere; /* passes on what comes for Apple's couriers */
    struct station router;    /* its own packets */
    struct address router_v6;
    struct agenda agenda;
    struct draw draw;
    struct mirror mirror;
    int64_t now_ns;
    int64_t outage_ns; /* one of Apple's networks is away for a minute */
};

static inline void fleet_later(struct fleet *fleet, int64_t wait_ns,
                               void (*keep)(void *subject, const uint64_t detail[3]), void *subject,
                               uint64_t detail)
{
    struct appointment appointment = {
        .at_ns = fleet->now_ns + wait_ns, .keep = keep, .subject = subject, .detail = {detail}};
    agenda_add(&fleet->agenda, &appointment);
}

#endif
