/* The tracker's parts, shared by the files of this folder. */
#ifndef APNSCOPE_TRACK_TRACKER_H
#define APNSCOPE_TRACK_TRACKER_H

#include "attempts.h"
#include "conversation.h"
#include "damage.h"
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
#include "translation.h"

struct tracker {
    struct track_options options;
    struct scope scope;
    struct flow_table flows;
    struct conversation_desk desk;
    struct certificate_store *certificates;
    struct protocol_engine *protocols;
    struct duplicates duplicates;
    struct translations translations;
    struct damage damage;
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

/* This packet, as what proves something. */
static inline struct proof tracker_proof(const struct tracker *tracker, const struct packet *packet)
{
    return (struct proof){.frame = packet->frame, .time_ns = tracker->now_ns};
}

/* An event of the flow, at the tracker's time. */
void tracker_tell(const struct tracker *tracker, enum event_kind kind, const struct flow *flow,
                  uint64_t frame);

#endif
