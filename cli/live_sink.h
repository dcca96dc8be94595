/* Who is told of what a live run finds: an output, as the run sees it.
 *
 * Each output (terminal, JSON lines, journal, metrics ...) fills in the functions that it cares
 * about; the others are NULL. They are called on the analysis' thread and must not wait. */
#ifndef APNSCOPE_CLI_LIVE_SINK_H
#define APNSCOPE_CLI_LIVE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/live.h"
#include "model/capture_quality.h"
#include "model/finding.h"
#include "model/flow_record.h"
#include "model/frame.h"
#include "model/packet.h"
#include "model/run_record.h"
#include "standing.h"
#include "store/store.h"

/* The state of the run, told about once a second. */
struct live_report {
    int64_t began_ns; /* wall clock */
    int64_t now_ns;
    int64_t lag_ns; /* from when the last packet passed until it was analysed */
    bool is_interval; /* a statistics interval is over */
    struct capture_quality quality;
    struct live_statistics interfaces[LIVE_INTERFACES_MAX];
    size_t interface_count;
    struct store_state store;
    struct standing_counts standing;
    const struct standing *standing_findings;
    uint64_t open_sessions;
    uint64_t ended[OUTCOME_COUNT]; /* sessions by outcome */
    uint64_t glimpses;             /* sessions that name a push host beyond the filter */
};

struct live_sink {
    void *context;
    void (*finding)(void *context, const struct finding *finding, bool is_new);
    void (*withdrawn)(void *context, const struct standing_finding *finding);
    void (*device)(void *context, const struct device_record *device, enum device_verdict before);
    void (*flow)(void *context, const struct flow_record *flow); /* it is over */
    void (*packets)(void *context, const struct frame *frames, size_t count);
    void (*report)(void *context, const struct live_report *report);
    void (*notice)(void *context, const char *line); /* a sentence about the run itself */
    void (*reopen)(void *context); /* SIGHUP */
    void (*close)(void *context);  /* the end; frees the context */
};

#endif
