/* From when to when a capture is, and what its clock did: see span.h. */
#include "span.h"

static void believe(struct span *span, int64_t time_ns, bool counts)
{
    if (span->has_level && time_ns < span->level_ns) {
        int64_t step_ns = time_between(time_ns, span->level_ns);
        span->steps_back++;
        if (step_ns > span->largest_step_back_ns)
            span->largest_step_back_ns = step_ns;
    }
    span->level_ns = time_ns;
    span->has_level = true;
    if (!counts)
        return;
    if (span->first_ns == TIME_UNKNOWN || time_ns < span->first_ns)
        span->first_ns = time_ns;
    if (span->last_ns == TIME_UNKNOWN || time_ns > span->last_ns)
        span->last_ns = time_ns;
}

static void settle(struct span *span, bool is_right)
{
    if (is_right)
        believe(span, span->doubted_ns, span->doubted_counts);
    else
        span->strays += span->doubts;
    span->doubts = 0;
}

void span_take_slowly(struct span *span, int64_t time_ns, bool counts)
{
    if (span->doubts && time_ns == span->doubted_ns) {
        span->doubts++; /* a copy of that frame, as mirrors make them, bears nothing out */
        return;
    }
    if (span->doubts)
        settle(span, span->has_level ? time_bears_out(span->level_ns, span->doubted_ns, time_ns)
                                     : time_may_stand_alone(span->doubted_ns, time_ns));
    if (span->has_level ? time_goes_on(span->level_ns, time_ns) : time_is_of_this_world(time_ns)) {
        believe(span, time_ns, counts);
        return;
    }
    span->doubts = 1;
    span->doubted_ns = time_ns;
    span->doubted_counts = counts;
}

void span_tell(const struct span *span, struct capture_quality *quality)
{
    struct span end = *span;
    if (end.doubts)
        settle(&end, !end.has_level || time_may_stand_alone(end.level_ns, end.doubted_ns));
    quality->stray_times += end.strays;
    quality->backward_steps += end.steps_back;
    if (end.largest_step_back_ns > quality->largest_step_back_ns)
        quality->largest_step_back_ns = end.largest_step_back_ns;
    quality->end_ns = end.has_level ? end.level_ns : TIME_UNKNOWN;
    bool is_first = quality->frames == 0 || quality->first_ns == TIME_UNKNOWN;
    if (is_first) {
        quality->first_ns = end.first_ns;
        quality->last_ns = end.last_ns;
    } else if (end.first_ns != TIME_UNKNOWN) {
        if (end.first_ns < quality->first_ns)
            quality->first_ns = end.first_ns;
        if (end.last_ns > quality->last_ns)
            quality->last_ns = end.last_ns;
    }
}
