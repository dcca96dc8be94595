/* A flow as the tracker holds it: the record that leaves, and the state that does not.
 *
 * One per tracked TCP session, in a pool of flow_table.h. What only a young session needs (stream
 * heads, TLS state, nDPI's memory) is in `conversation`, borrowed until the session is known. */
#ifndef APNSCOPE_TRACK_FLOW_H
#define APNSCOPE_TRACK_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lifecycle.h"
#include "model/flow_record.h"
#include "model/packet.h"
#include "sequence.h"

struct conversation;
struct flow_steps;

/* What the packets of one side look like, resets left out, to hold a reset against. */
struct habits {
    uint8_t packets; /* saturating */
    uint8_t ttl_low;
    uint8_t ttl_high;
    bool ids_are_zero; /* IP identification: always zero */
    bool ids_jump;     /* it does not count up in small steps */
    uint16_t ip_id;    /* of the newest */
};

enum { HABITS_TELLING = 4, HABITS_ID_STEP = 64 };

/* Lanes of a flow besides the record's own. Real paths show two, in both directions four. */
enum { FLOW_LANES_MORE = 3 };

/* Whether a flow is ours is not always known at its first packet (443 carries all of Apple). */
enum flow_standing {
    STANDING_CANDIDATE, /* may become ours: no event, no row yet */
    STANDING_OURS,      /* in scope: events and a row */
    STANDING_OTHER,     /* other Apple traffic: kept only with --all-apple */
    STANDING_BEYOND     /* another flow's packets behind a NAT: copies (translation.h) */
};

enum { FLOW_ALIGNMENT = 64 }; /* a line of cache */

/* What every packet of a session touches comes first, and goes on into the record's first lines of
 * cache; see FLOW_HOT_SIZE. */
struct flow {
    _Alignas(FLOW_ALIGNMENT) struct sequence up;
    struct sequence down;
    struct conversation *conversation; /* NULL: not begun, or done */
    struct flow_steps *steps;          /* NULL: none are kept */
    union {
        int64_t syn_ack_ns;
        uint64_t inside_hash; /* STANDING_BEYOND: `hash` of the flow whose packets it repeats, */
    };
    uint64_t hash; /* of its addresses and ports */
    uint32_t server_isn;
    uint32_t id;            /* in the pool */
    uint32_t list_previous; /* of its wait list */
    uint32_t list_next;
    int64_t queued_ns;    /* last_ns when it was put into its list */
    uint8_t state;        /* enum lifecycle_state */
    uint8_t wait;         /* enum lifecycle_wait: the list it is in */
    uint8_t standing;     /* enum flow_standing */
    bool opened;          /* EVENT_FLOW_OPENED was sent */
    bool heard_out;       /* its conversation is over: payload is only counted */
    bool works_told;      /* NEWS_WORKS was given; told if ours: record.told_to_work */
    bool follows_failure; /* its first SYN came as a fallback from 5223 comes (scope_is_fallback) */
    bool went_on;         /* after the server's flight came a message, and an answer to it */
    bool answered_late;   /* new bytes of the server's came long after its start: late_end */
    bool was_late;        /* a packet's time was not its own: delays cannot be measured */
    bool watched;         /* its address outside Apple's ranges is in scope's filter */
    uint8_t lane_count;
    uint8_t lane_copies;     /* bits by place in `lanes`: it carries copies */
    uint8_t settled_state;   /* the state in which tracker_interim told it settled; new: never */
    uint16_t mss_up;         /* announced in the client's SYN */
    uint32_t evidence_id;    /* of record.evidence, in the tracker's pool */
    uint32_t idle_id;        /* of record.idle, likewise */
    union {
        uint32_t up_at_flight; /* up.next when the server's flight had come (count_answer) */
        uint32_t inside_id;    /* STANDING_BEYOND: and that flow's place in the pool */
    };
    uint32_t late_end;       /* one past those bytes */
    struct habits habits[2]; /* by enum direction */
    uint32_t lanes[FLOW_LANES_MORE]; /* other lanes in which its packets come: lanes.h */
    uint32_t told_packets;           /* how many it had when tracker_interim last told it */
    struct flow_record record;
};

_Static_assert(sizeof(struct flow) <= 11 * FLOW_ALIGNMENT,
               "docs/performance.md tells how large a session is, and memory is time");

/* Bytes of a flow that an ordinary packet of an established session needs. */
enum { FLOW_HOT_SIZE = offsetof(struct flow, record.syn_frame) };

/* The packet comes from another MAC address than the server's packets did. */
static inline bool flow_has_other_mac(const struct flow *flow, const struct packet *packet)
{
    const struct flow_record *record = &flow->record;
    return packet->has_mac && record->has_server_mac &&
           memcmp(packet->source_mac, record->server_mac, sizeof record->server_mac) != 0;
}

/* Who sent a packet of the flow, or the one that an ICMP error quotes. */
static inline enum direction flow_direction_of(const struct flow *flow, const struct packet *packet)
{
    bool up = packet->source_port == flow->record.client_port &&
              address_equal(&packet->source, &flow->record.client_ip);
    return up ? UP : DOWN;
}

/* A delay as records have it. */
static inline int32_t flow_delay_us(int64_t from_ns, int64_t to_ns)
{
    int64_t us = (to_ns - from_ns) / NS_PER_US;
    return us < 0 ? 0 : us > INT32_MAX ? INT32_MAX : (int32_t)us;
}

#endif
