/* Packets to sessions: what is APNs, the flow table, the TCP lifecycle, stream heads.
 *
 * Third stage. A packet that is not ours leaves within a few loads; for the rest a flow record is
 * kept, events go to detect/ as packets prove them, and finished records to the store. Runs on the
 * packets' time only. Judges nothing beyond a session's own outcome: that is detect/'s work. */
#ifndef APNSCOPE_TRACK_TRACK_H
#define APNSCOPE_TRACK_TRACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/names.h"
#include "model/event.h"
#include "model/packet.h"
#include "model/run_record.h"
#include "model/step.h"

struct track_options {
    struct names *names;               /* required; outlives the tracker */
    const struct prefix *home_nets;    /* what is inside; NULL: any address may be */
    size_t home_net_count;
    const struct prefix *apple_nets;   /* added to the built-in table */
    size_t apple_net_count;
    const char *const *push_domains;   /* added to push.apple.com */
    size_t push_domain_count;
    const char *trust_path;            /* PEM file; NULL: none */
    int64_t idle_limit_ns;             /* an established session this silent is over; 0: default */
    bool keep_all_apple;               /* --all-apple: store other Apple HTTPS too */
    bool without_ndpi;                 /* for benchmarks and fuzzing */
    uint32_t flow_cap;                 /* 0: the default */
    uint32_t half_open_cap;            /* 0: the default */
    bool (*passes)(void *context, const struct packet *packet); /* NULL: all. Asked of packets */
    void *passes_context;                                        /* put together from fragments */
    event_sink event;                  /* required */
    void *event_context;
    void (*flow_done)(void *context, const struct flow_record *flow); /* after EVENT_FLOW_CLOSED */
    /* the packets kept of it, if any; right after flow_done */
    void (*steps_done)(void *context, const struct flow_record *flow,
                       const struct flow_steps *steps);
    void (*attempts_done)(void *context, const struct attempt_sum *sum);
    void *done_context;
};

struct tracker;

MUST_USE bool tracker_new(struct tracker **tracker, const struct track_options *options,
                          struct fault *fault);
void tracker_free(struct tracker *tracker);

/* What a packet shows by itself, whatever came before it. True: it is to be taken, and *key is the
 * hash of its session; false: only if one of its addresses is under watch by then, and *key says
 * which those are. Any thread may screen packets while another one has the tracker take earlier
 * ones. */
bool tracker_screen(const struct tracker *tracker, const struct packet *packet, uint64_t *key);

/* Takes packets in the order of frames, each with its key; bit i % 64 of wanted[i / 64] is what
 * tracker_screen said of packet i. */
void tracker_take_screened(struct tracker *tracker, const struct packet *packets,
                           const uint64_t *keys, const uint64_t *wanted, size_t count);
/* The same for packets that were not screened. Fragments are put together in either; those that
 * give no packet of their own are counted as skipped by tracker_finish. */
void tracker_take(struct tracker *tracker, const struct packet *packets, size_t count);

/* For live runs, where time goes on without packets: what has been silent for too long by then is
 * closed. `now_ns` is the wall clock, a little behind, so that no packet comes from before it. */
void tracker_advance(struct tracker *tracker, int64_t now_ns);

/* For live runs: what stands now of sessions that are not over, in no order. */
struct track_interim {
    void *context;
    /* One that changed since it was last told here, judged as if the capture ended now. NULL: not
     * asked. At most `changed_max` a call, the others at the next. False: no more now, and this one
     * again at the next call. */
    bool (*changed)(void *context, const struct flow_record *flow);
    size_t changed_max;
    /* One that is as good as over: later packets could hardly change what became of it. Told at
     * each call until it is closed. NULL: not asked. */
    void (*settled)(void *context, const struct flow_record *flow);
    size_t settled_max;
};
void tracker_interim(struct tracker *tracker, const struct track_interim *interim);
/* Adds the tracker's counts so far into *quality, as tracker_finish does. */
void tracker_quality_of(const struct tracker *tracker, struct capture_quality *quality);
size_t tracker_open_sessions(const struct tracker *tracker);

/* No more packets: closes every flow, adds the tracker's counts into *quality and sends
 * EVENT_CAPTURE_END with it. */
void tracker_finish(struct tracker *tracker, struct capture_quality *quality);

#endif
