/* One JSON object a line for whatever happens, for collectors (docs/json-lines.md). */
#ifndef APNSCOPE_FEED_JSON_LINES_H
#define APNSCOPE_FEED_JSON_LINES_H

#include "feed/sink.h"

/* `where`: a file, "-", or "unix:PATH". `origin` outlives the sink. */
MUST_USE bool json_lines_open(struct feed_sink *sink, const char *where,
                              const struct feed_origin *origin, struct fault *fault);

#endif
