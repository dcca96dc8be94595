/* The run's state for Prometheus, over HTTP. */
#ifndef APNSCOPE_FEED_METRICS_H
#define APNSCOPE_FEED_METRICS_H

#include "feed/sink.h"

/* `where`: "PORT" or ":PORT" (loopback), "ADDRESS:PORT", "[ADDRESS]:PORT", or "unix:PATH". */
MUST_USE bool metrics_open(struct feed_sink *sink, const char *where,
                           const struct feed_origin *origin, struct fault *fault);

#endif
