/* The tracker's parts, shared by the files of this folder. */
#ifndef APNSCOPE_TRACK_TRACKER_H
#define APNSCOPE_TRACK_TRACKER_H

#include "attempts.h"
#include "conversation.h"
#include "dissect/fragments.h"
#include "duplicates.h"
#include "evidence.h"
#include "flow_table.h"
#include "idle.h"
#include "name_watch.h"
#include "outcome.h"
#include "packet_time.h"
#include "scope.h"
#include "steps.h"
#include "track/track.h"

struct tracker {
    struct track_options options;
    struct scope scope;
    struct flow_table flows;
    struct conversation_desk desk;
    struct certificate_store *certificates;
    struct protocol_engine *protocols;
    struct duplicates duplicates;
    struct fragments *fragments;
    struct name_watch names;
    struct attempts attempts;
    struct pool evidence;      /* struct flow_evidence: of young and of reset sessions */
    struct pool idle;          /* struct idle_evidence: of sessions that broke a silence */
    struct pool steps;         /* of struct flow_steps */
    uint32_t example_kinds;    /* bits of steps.c: kinds of sessions that have an example */
    struct packet_time time;
    int64_t now_ns;            /* the level that packets of ours have reached: see packet_time.h */
    bool is_late;              /* the packet at hand is from before it: no delay can be measured */
    int64_t next_expiry_ns;    /* expiry looks at the lists once a second of packet time */
    uint64_t next_number;      /* of flow_record.number */
    struct capture_quality counts; /* the tracker's part of it */
};

/* session.c: takes a packet of a tracked flow. */
void session_take(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                  enum direction direction);
/* A packet that was taken already, captured elsewhere. */
void session_take_copy(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                       enum direction direction);
/* An ICMP error quotes a packet of the flow. */
void session_take_icmp(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                       bool quotes_client, bool quotes_syn);
/* The flow becomes ours: it gets its number, role and path. */
void session_adopt(struct tracker *tracker, struct flow *flow, enum flow_role role,
                   enum scope_reason reason);
/* Packets of the flow do not show by their addresses that they are ours: have them looked up. */
void session_watch(struct tracker *tracker, struct flow *flow);
/* The flow is over: judged, told, and gone from the table. */
void session_finish(struct tracker *tracker, struct flow *flow, enum outcome_cause cause);

/* This packet, as what proves something. */
static inline struct proof tracker_proof(const struct tracker *tracker, const struct packet *packet)
{
    return (struct proof){.frame = packet->frame, .time_ns = tracker->now_ns};
}

void tracker_tell(struct tracker *tracker, enum event_kind kind, const struct flow *flow,
                  uint64_t frame);

#endif
