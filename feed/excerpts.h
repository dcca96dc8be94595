/* A pcapng excerpt for each finding, while the run goes on. */
#ifndef APNSCOPE_FEED_EXCERPTS_H
#define APNSCOPE_FEED_EXCERPTS_H

#include "feed/sink.h"

#define EXCERPTS_SIZE_DEFAULT (INT64_C(1) << 30) /* bytes on disk */

/* `size`: the folder's budget in bytes. Memory: RING_SIZE for packets, and a queue. */
MUST_USE bool excerpts_open(struct feed_sink *sink, const char *folder, uint64_t size,
                            const struct feed_origin *origin, struct fault *fault);

#endif
