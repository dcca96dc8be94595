/* A small summary of every client, and the verdict on it; part of the engine.
 *
 * Bounded. Clients of which nothing but unfinished attempts is known (a scan, a flood of invented
 * senders) are kept apart, few, and go first, so that they never cost a real device its place. */
#ifndef APNSCOPE_DETECT_DEVICES_H
#define APNSCOPE_DETECT_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/table.h"
#include "detect/judge.h"
#include "model/run_record.h"

#define DEVICE_NONE POOL_NONE
enum { DEVICES_UNPROVEN_MAX = 1 << 16 };

/* Times in whole seconds since the epoch: enough to tell before from after, half the size. */
struct device_way {
    uint16_t worked; /* saturating */
    uint16_t failed;
    uint32_t worked_s; /* when the newest working session was established */
    uint32_t failed_s; /* when the newest failure ended */
};

struct device {
    struct address ip;
    uint32_t lane;
    uint8_t mac[6];
    bool has_mac : 1;
    bool is_proven : 1;  /* something of it was answered, or an attempt was judged */
    bool was_active : 1; /* since it was last looked at for eviction */
    uint32_t maybe_s;    /* when its newest session that may have worked began */
    int64_t first_ns;
    int64_t last_ns;
    uint32_t sessions;
    uint32_t number;       /* of the row that was told of it; 0: none */
    uint32_t straight_s;   /* when its newest session straight to Apple was established */
    uint32_t older, newer; /* neighbours in its list */
    struct device_way way[WAY_COUNT];
    uint16_t silence_s;      /* the longest that one of its courier sessions survived */
    uint16_t silence_down_s; /* and the server broke; both stop at 18 hours */
    struct side_losses up;   /* of its working sessions */
    struct side_losses down;
    uint16_t open_sessions; /* courier sessions that work and have not closed */
    uint16_t unfinished;
    uint16_t one_sided;
    uint16_t good_answers; /* DNS */
    uint16_t legacy;       /* attempts on 2195 and 2196 */
    uint16_t fail_port;    /* of the failure below; 0: none */
    uint32_t fail_s;       /* when the newest finding of severity fail was last seen */
    uint16_t fail_rule;    /* its detector's place in the list + 1; 0: none */
    uint8_t reached_ways;  /* bits 1 << enum way: a server's SYN-ACK came, whatever followed */
    uint8_t working_ways;  /* bits 1 << enum way: a session works, though not yet closed */
};

struct device_list {
    uint32_t oldest, newest;
    uint32_t count;
};

struct devices {
    struct pool pool;
    struct table table;
    struct device_list proven, unproven;
};

void devices_init(struct devices *devices, uint32_t cap);
void devices_free(struct devices *devices);
uint32_t devices_find(const struct devices *devices, const struct address *ip, uint32_t lane);
/* The next to give up so that another fits; DEVICE_NONE while there is room. */
uint32_t devices_crowded_out(struct devices *devices);
uint32_t devices_add(struct devices *devices, const struct address *ip, uint32_t lane);
void devices_remove(struct devices *devices, uint32_t id);

static inline struct device *devices_at(const struct devices *devices, uint32_t id)
{
    return pool_at(&devices->pool, id);
}

/* The ids of all devices, by address and lane; `count` of them. The caller frees. */
uint32_t *devices_sorted(const struct devices *devices, uint32_t *count);

/* What a session says of its client. */
void devices_session_works(struct devices *devices, uint32_t id, const struct flow_record *flow);
void devices_session_closed(struct devices *devices, uint32_t id, const struct flow_record *flow);
/* A session of this port's ways was established after that time: what failed is over. */
bool device_recovered(const struct device *device, uint16_t port, uint32_t since_s);
bool device_is_mdm_server(const struct device *device);
uint32_t second_of(int64_t time_ns);

/* verdict.c: whether APNs works for it, and why. `fail_code` names its unexplained failure. */
struct device_record device_judge(const struct device *device, const char *fail_code);
/* Something is known of it that a reader wants to see. */
bool device_is_worth_a_row(const struct device *device);

#endif
