/* The run's state in the text formats that Prometheus reads.
 *
 * Private to feed/. */
#ifndef APNSCOPE_FEED_METRICS_TEXT_H
#define APNSCOPE_FEED_METRICS_TEXT_H

#include <stdio.h>

#include "feed/sink.h"

enum { METRICS_CODES_MAX = 128 };

/* Findings of one code. */
struct metrics_code {
    const char *code;
    enum severity severity;
    uint64_t standing;
    uint64_t found;
    uint64_t withdrawn;
};

struct metrics_state {
    struct feed_report report; /* report.now_ns 0: none yet */
    struct metrics_code codes[METRICS_CODES_MAX];
    size_t code_count;
};

enum metrics_format {
    METRICS_PROMETHEUS, /* text format 0.0.4 */
    METRICS_OPENMETRICS /* 1.0.0 */
};

void metrics_write(FILE *out, enum metrics_format format, const struct feed_origin *origin,
                   const struct metrics_state *state);

#endif
