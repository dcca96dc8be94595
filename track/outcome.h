/* What became of a session: its outcome and what ended it, from the facts of its record. */
#ifndef APNSCOPE_TRACK_OUTCOME_H
#define APNSCOPE_TRACK_OUTCOME_H

#include "flow.h"

/* Why the flow is judged now. */
enum outcome_cause {
    CAUSE_ENDED,      /* it closed, was reset, refused, or its ports were used again */
    CAUSE_SILENT,     /* nothing was heard for longer than its state waits */
    CAUSE_EVICTED,    /* it had to make room */
    CAUSE_CAPTURE_END /* there are no more packets */
};

/* Sets record.outcome, and record.ended_by where it is not set yet. */
void outcome_judge(struct flow *flow, enum outcome_cause cause, int64_t now_ns);

#endif
