/* Who is told of what a live run finds: an output, as the run sees it.
 *
 * Each output (terminal, JSON lines, journal, metrics ...) fills in the functions that it cares
 * about; the others are NULL. All but `start` and `close` are called on the analysis' thread and
 * must not wait: what takes time is copied to a thread of the output's own (mailbox.h). */
#ifndef APNSCOPE_FEED_SINK_H
#define APNSCOPE_FEED_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/speaker.h"
#include "capture/live.h"
#include "model/capture_quality.h"
#include "model/finding.h"
#include "model/flow_record.h"
#include "model/frame.h"
#include "model/packet.h"
#include "model/run_record.h"
#include "store/store.h"

/* The state of the run, told about once a second. */
struct feed_report {
    int64_t began_ns; /* wall clock */
    int64_t now_ns;
    int64_t lag_ns;   /* from when the last packet passed until it was analysed */
    bool is_interval; /* a statistics interval is over */
    struct capture_quality quality;
    struct live_statistics interfaces[LIVE_INTERFACES_MAX];
    size_t interface_count;
    struct store_state store;
    uint64_t findings[SEVERITY_COUNT]; /* that stand */
    uint64_t devices[VERDICT_COUNT];
    uint64_t open_sessions;
    uint64_t ended[OUTCOME_COUNT]; /* sessions by outcome */
    uint64_t glimpses;             /* sessions that name a push host beyond the filter */
};

struct feed_sink {
    void *context;
    /* Starts threads; the process may have given up its privileges since the sink was opened. */
    bool (*start)(void *context, struct fault *fault);
    void (*finding)(void *context, const struct finding *finding, bool is_new);
    /* Taken back: number, code, severity, scope, addresses; last_ns says since when, summary why. */
    void (*withdrawn)(void *context, const struct finding *finding);
    /* `before`: the verdict told before; VERDICT_COUNT: none. */
    void (*device)(void *context, const struct device_record *device, enum device_verdict before);
    void (*session)(void *context, const struct flow_record *flow); /* it goes on, and changed */
    void (*flow)(void *context, const struct flow_record *flow);    /* it is over */
    /* Frames as they came, and the packets of interest in them. */
    void (*packets)(void *context, const struct frame *frames, size_t frame_count,
                    const struct packet *packets, size_t packet_count);
    void (*report)(void *context, const struct feed_report *report);
    void (*notice)(void *context, const char *line); /* a sentence about the run itself */
    void (*reopen)(void *context);                   /* SIGHUP */
    void (*close)(void *context);                    /* the end; frees the context */
};

/* What every output may say of the run that it tells of. Strings are the caller's. */
struct feed_origin {
    const char *version;                       /* of the program */
    const char *host;                          /* name of this machine */
    const char *sensor;                        /* NULL: not given */
    const char *site;                          /* NULL: not given */
    const char *interfaces;                    /* "eth1; eth2" */
    int64_t began_ns;                          /* wall clock; names the run */
    const char *evidence_folder;               /* where excerpts go; NULL: there are none */
    const char *(*title_of)(const char *code); /* what a finding's code means, in a few words */
    /* A sentence about the output itself, for everybody who is told. Analysis' thread only. */
    struct speaker speaker;
};

#endif
