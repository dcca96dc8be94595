/* From when to when a capture is, and what its clock did: each frame's time, believed or not.
 *
 * Asked by capture.c for every frame, in order. A time that does not go on from the frame before
 * (base/believed_time.h) waits for the next one; where that does not bear it out it is a stray, and
 * neither the beginning nor the end of anything. Deliberately changes no time: what frames carry is
 * what was recorded. */
#ifndef APNSCOPE_CAPTURE_SPAN_H
#define APNSCOPE_CAPTURE_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/believed_time.h"
#include "model/capture_quality.h"

struct span {
    int64_t level_ns; /* the last time believed; with has_level */
    int64_t doubted_ns;
    int64_t first_ns; /* of the frames that count: TIME_UNKNOWN without any */
    int64_t last_ns;
    int64_t largest_step_back_ns;
    uint64_t steps_back;
    uint64_t strays;
    uint64_t doubts; /* frames of the time that waits, one after the other: usually one */
    bool has_level;
    bool doubted_counts;
};

static inline struct span span_fresh(void)
{
    return (struct span){.first_ns = TIME_UNKNOWN, .last_ns = TIME_UNKNOWN};
}

void span_take_slowly(struct span *span, int64_t time_ns, bool counts);

/* `counts`: the frame lies in the range that is asked for. */
static inline void span_take(struct span *span, int64_t time_ns, bool counts)
{
    bool goes_on = span->has_level && !span->doubts && span->first_ns != TIME_UNKNOWN &&
                   time_ns >= span->level_ns &&
                   (uint64_t)time_ns - (uint64_t)span->level_ns <= BELIEVED_AHEAD_NS;
    if (!goes_on) {
        span_take_slowly(span, time_ns, counts);
        return;
    }
    span->level_ns = time_ns;
    if (counts && time_ns > span->last_ns)
        span->last_ns = time_ns;
}

/* Adds what is known, as if the capture ended here. */
void span_tell(const struct span *span, struct capture_quality *quality);

#endif
