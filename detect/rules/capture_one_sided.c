/* capture-one-sided: the mirror carries one direction only.
 *
 * A rule of the fourth stage, at the end of the capture. Rests on sessions that one side carries on
 * while the other is not there. Deliberately does not count unanswered SYNs: those say something
 * about the network, not about the mirror. */
#include "base/count.h"
#include "detect/judge.h"

static void observe(struct judge *judge, void *state, const struct event *event)
{
    (void)state;
    struct side_counts sides = judge_sides(judge);
    uint32_t one_sided = sides.up_only + sides.down_only;
    if (!one_sided || one_sided < sides.both)
        return;
    struct finding finding = judge_draft_of_capture(judge, event);
    finding.confidence = one_sided >= 2 ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    finding.count = one_sided;
    finding_say(finding.summary, sizeof finding.summary,
                "Sessions captured in one direction only: %s of %s (%u the client's, %u the "
                "server's); whether they work is not judged",
                DIGITS(one_sided), DIGITS(one_sided + sides.both), sides.up_only, sides.down_only);
    finding_say(finding.reasoning, sizeof finding.reasoning,
                "In these sessions one side acknowledges or answers packets that are not in the "
                "capture.");
    judge_raise(judge, &finding);
}

const struct detector detector_capture_one_sided = {
    .code = "capture-one-sided",
    .title = "Only one direction was captured",
    .meaning = "Half of each conversation is missing, so the report cannot say whether sessions "
               "work. Repeated, unacknowledged SYNs still prove a block.",
    .rests_on = "At least half of the sessions have packets of one side only, although that side "
                "acknowledges the other.",
    .looks_like =
        "Only one arrow in the flow graph; tcp.analysis.ack_lost_segment on most packets.",
    .innocent = "A few one-sided sessions among many complete ones come from the capture's start "
                "or from other paths and are not reported; neither are unanswered SYNs.",
    .remedy = "Mirror both directions (ingress and egress, or both links of an aggregate) of the "
              "port that leads to the Internet, and capture again; where paths are asymmetric, "
              "capture on both and give both files together.",
    .severity = SEVERITY_INFO,
    .scope = SCOPE_SITE,
    .requirements = AGAINST(R0_CAPTURE),
    .events = ON(EVENT_CAPTURE_END),
    .observe = observe,
};
