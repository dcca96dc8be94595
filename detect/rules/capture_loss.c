/* capture-loss: packets were on the wire that the capture does not hold.
 *
 * A rule of the fourth stage, at the end of the capture. Information about the evidence, never a
 * failure of the network: the rules themselves hold back where a gap could explain what they see.
 */
#include <stdio.h>

#include "base/count.h"
#include "base/text.h"
#include "detect/judge.h"

static void describe(const struct capture_quality *quality, struct finding *finding)
{
    struct text summary = text_over(finding->summary, sizeof finding->summary);
    uint64_t dropped = capture_quality_drops(quality);
    char own[48];
    snprintf(own, sizeof own, ", apnscope %s", DIGITS(quality->dropped_queue));
    if (quality->gap_bytes)
        text_format(&summary,
                    "%s of push sessions %s acknowledged by the receiver but never "
                    "captured",
                    COUNTED(quality->gap_bytes, "byte"), quality->gap_bytes == 1 ? "was" : "were");
    if (dropped)
        text_format(&summary, "%s%s while capturing (kernel %s, interface %s%s)",
                    quality->gap_bytes ? "; " : "",
                    COUNTED(dropped, "packet was dropped|packets were dropped"),
                    DIGITS(quality->dropped_kernel), DIGITS(quality->dropped_interface),
                    quality->dropped_queue ? own : "");
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "What is not in the capture cannot be told from what did not happen: silence and "
                "missing answers weigh less here.");
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    const struct capture_quality *quality = event->quality;
    (void)state;
    if (!quality->gap_bytes && !capture_quality_drops(quality))
        return;
    struct finding finding = judge_draft_of_capture(judge, event);
    describe(quality, &finding);
    judge_raise(judge, &finding);
}

const struct detector detector_capture_loss = {
    .code = "capture-loss",
    .title = "Capture with losses",
    .meaning = "Packets that passed are not in the capture, so part of the evidence is missing.",
    .rests_on = "Bytes of push sessions that the receiver acknowledged and the capture does not "
                "hold, or the drops that the capture's own statistics tell.",
    .looks_like = "tcp.analysis.ack_lost_segment, tcp.analysis.lost_segment; Statistics, Capture "
                  "File Properties: dropped packets.",
    .innocent = "Segments that overtake each other, that the mirror delivers late, or that were "
                "lost on the network and sent again are no loss of the capture.",
    .remedy = "Mirror fewer ports, or a link with room for both directions; capture with a filter "
              "(apnscope filter prints one), a larger buffer (tcpdump -B 65536), on a machine "
              "that does nothing else.",
    .severity = SEVERITY_INFO,
    .scope = SCOPE_SITE,
    .requirements = AGAINST(R0_CAPTURE),
    .events = ON(EVENT_CAPTURE_END),
    .observe = observe,
};
