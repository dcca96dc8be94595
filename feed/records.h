/* What happens in a run, as records in an output's mailbox.
 *
 * Private to feed/. Between the sink that the run calls and the thread that writes: copies what the
 * output asked for. Names and certificates that a session points to are kept for the whole run;
 * nothing else that it points to may be used. */
#ifndef APNSCOPE_FEED_RECORDS_H
#define APNSCOPE_FEED_RECORDS_H

#include "mailbox.h"

enum { NOTICE_LINE_SIZE = 512 };

enum record_kind {
    RECORD_FINDING = 1, /* struct finding */
    RECORD_CHANGED,     /* struct finding: seen again, or more is known */
    RECORD_WITHDRAWN,   /* struct finding, as feed/sink.h says */
    RECORD_DEVICE,      /* struct device_change */
    RECORD_SESSION,     /* struct flow_record: it goes on */
    RECORD_FLOW,        /* struct flow_record: it is over */
    RECORD_REPORT,      /* struct feed_report, each second */
    RECORD_NOTICE,      /* struct notice */
    RECORD_REOPEN,      /* one byte */
    RECORD_KIND_COUNT
};

struct device_change {
    struct device_record device;
    enum device_verdict before; /* VERDICT_COUNT: none */
};

struct notice {
    int64_t time_ns; /* wall clock */
    char line[NOTICE_LINE_SIZE];
};

struct records_output {
    const char *name;
    size_t queue_size;
    unsigned wanted; /* bits 1 << RECORD_... */
    void *context;
    void (*take)(void *context, uint32_t kind, const void *record, size_t size);
    void (*rest)(void *context);  /* as in mailbox.h */
    void (*close)(void *context); /* the thread has ended */
};

/* The sink owns the output's context from here on, also where this fails. `origin` outlives it. */
MUST_USE bool records_open(struct feed_sink *sink, const struct records_output *output,
                           const struct feed_origin *origin, struct mailbox **mailbox,
                           struct fault *fault);

#endif
