/* Where the author of a block stands: inside the user's network or beyond it.
 *
 * Part of the engine: learns from sessions, is asked when findings are told. Holds no pointers. */
#ifndef APNSCOPE_DETECT_PLACE_H
#define APNSCOPE_DETECT_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/finding.h"
#include "model/flow_record.h"

enum { PLACE_LANES_MAX = 16, PLACE_MACS_MAX = 4, PLACE_HOME_NETS_MAX = 64 };

/* What one lane has shown. Distances are hops from the capture point; -1: none. */
struct place_lane {
    uint32_t lane;
    struct address inside_ip; /* the farthest router of the user's that sent an ICMP error */
    struct address beyond_ip; /* the nearest of others' */
    int16_t inside_hops;
    int16_t beyond_hops;
    int16_t farthest_client;           /* clients are the user's own */
    uint8_t mac[PLACE_MACS_MAX][6];    /* that packets of Apple's come from */
    uint8_t mac_count;
    bool has_more_macs; /* than fit: nothing follows from one that is new */
    bool passes_on;     /* sessions that work were captured before and behind a router or NAT */
    bool passes_unseen; /* others that work were not */
};

struct places {
    struct prefix home_nets[PLACE_HOME_NETS_MAX]; /* --home-net; none: private addresses */
    uint32_t home_net_count;
    int16_t home_hops; /* --home-hops: to the user's last box; -1: not given */
    uint32_t lane_count;
    struct place_lane lanes[PLACE_LANES_MAX];
};

void places_init(struct places *places);
void places_add_home_net(struct places *places, const struct prefix *prefix);
/* A session that works or has closed. */
void places_learn(struct places *places, const struct flow_record *flow);
/* Packets of Apple's were seen in that lane, and none came from this MAC address. */
bool places_mac_is_foreign(const struct places *places, uint32_t lane, const uint8_t mac[6]);
/* Fills in side and place of a finding that is a block. */
void places_judge(const struct places *places, struct finding *finding);

#endif
