/* The events that track/ hands to detect/, in the order in which packets prove them.
 *
 * `flow` is the record as it stands at the event; it is final only with EVENT_FLOW_CLOSED. Pointers
 * are valid during the call. */
#ifndef APNSCOPE_MODEL_EVENT_H
#define APNSCOPE_MODEL_EVENT_H

#include <stdint.h>

#include "model/capture_quality.h"
#include "model/dns_message.h"
#include "model/flow_record.h"

enum event_kind {
#define EVENT(constant, name, meaning) constant,
#include "model/event.def"
#undef EVENT
    EVENT_COUNT
};

struct event {
    enum event_kind kind;
    int64_t time_ns;
    uint64_t frame;                         /* the frame that proves it; 0: a timer or the end */
    const struct flow_record *flow;         /* flow events; else NULL */
    const struct dns_message *dns;          /* DNS events; else NULL */
    struct address client;                  /* DNS events: who asked */
    struct address resolver;                /* DNS events: who was asked */
    int64_t resolver_spoke_ns;              /* DNS events: its last answer to anybody about anything
                                               before this; TIME_UNKNOWN: none was captured */
    uint32_t lane;
    const struct capture_quality *quality;  /* EVENT_CAPTURE_END; else NULL */
};

/* Receives events one by one; must not keep the pointers. */
typedef void (*event_sink)(void *context, const struct event *event);

const char *event_name(enum event_kind kind);

#endif
