/* What the capture as a whole shows: sessions by way and family, servers, distances; part of the
 * engine. Grows with distinct Apple servers only, up to SITE_SERVERS_MAX. */
#ifndef APNSCOPE_DETECT_SITE_H
#define APNSCOPE_DETECT_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/table.h"
#include "detect/judge.h"
#include "place.h"
#include "detect/timeline.h"

enum { SITE_SERVERS_MAX = 8192, SITE_HOPS_MAX = 256 };

struct server {
    struct address ip;
    uint16_t port;
    uint8_t way;    /* enum way of its first session */
    int16_t hops;   /* of the farthest session that works straight; -1: none */
    int32_t rtt_us; /* the shortest of those; -1: none */
    struct way_counts sessions;
    uint32_t unreached; /* of those that failed, by TCP itself */
    uint32_t fail_first_s; /* when the first of them began */
    uint32_t gave_up_s;    /* when the first of them was over */
    uint32_t fail_last_s;  /* when the last one began */
    struct address client; /* of the first of them */
    struct proof fail;     /* its SYN */
    struct proof success;  /* the SYN of the first session that works straight; frame 0: none */
    bool several_clients;
};

struct site {
    struct way_counts way[WAY_COUNT];
    struct timeline worked[WAY_COUNT]; /* when sessions straight to Apple came up */
    struct way_counts hellos[WAY_COUNT][2]; /* small, large: answered (worked) or not */
    struct way_counts family[2];            /* courier sessions: IPv4, IPv6 */
    struct side_counts sides;
    uint32_t gapped; /* sessions of which acknowledged bytes were not captured */
    uint32_t answered_on_the_way; /* sessions by a transparent proxy */
    uint32_t direct_worked; /* courier and provider sessions, straight to Apple */
    uint32_t diverted_worked; /* neither straight to Apple nor through a proxy that was asked */
    uint32_t opened_inside; /* sessions of which the SYN from inside was seen */
    uint32_t inbound;
    uint32_t legacy;  /* sessions on 2195 and 2196 */
    uint32_t keepalive_s; /* the longest interval between heartbeats */
    uint32_t lasting;     /* courier sessions that outlived it and worked on */
    int64_t longest_ns;
    uint32_t silence_s;           /* the longest that a courier session survived */
    uint32_t silence_down_s;      /* and the server broke */
    uint32_t answers;             /* DNS answers about courier and provider names */
    uint32_t answers_good;        /* of them, with addresses that are all Apple's */
    uint32_t hops[SITE_HOPS_MAX]; /* working sessions to Apple, by the server's distance */
    uint32_t hops_known;
    struct places places;
    struct pool servers;
    struct table server_table;
};

enum { SITE_KEEPALIVE_S = 1800 }; /* wire.md section 3: heartbeats come every 600 to 1800 s */

void site_init(struct site *site);
void site_free(struct site *site);
/* Tells Apple's distance as soon as a session works, long before it closes. */
void site_session_works(struct site *site, const struct flow_record *flow);
void site_session_closed(struct site *site, const struct flow_record *flow);
int16_t site_apple_hops(const struct site *site);
/* How far the servers in the same network (/24, /64) are by sessions that work straight: the
 * farthest of them; false where none is known. */
bool site_network_distance(const struct site *site, const struct address *ip, int16_t *hops,
                           int32_t *rtt_us);
struct way_counts site_server(const struct site *site, const struct address *ip, uint16_t port);

static inline uint32_t site_server_count(const struct site *site)
{
    return site->servers.taken; /* servers are never given back: ids are [0, count) */
}

static inline const struct server *site_server_at(const struct site *site, uint32_t id)
{
    return pool_at(&site->servers, id);
}

#endif
