/* capture-truncated: the file is cut or damaged, or packets were captured in part.
 *
 * A rule of the fourth stage, at the end of the capture. Counts as quality of evidence, never as a
 * failure of the network. */
#include "base/count.h"
#include "detect/judge.h"

static void describe(const struct capture_quality *quality, struct finding *finding)
{
    if (quality->truncated)
        finding_say(finding->summary, sizeof finding->summary, "The capture is cut or damaged%s%s",
                    quality->damage[0] ? ": " : "", quality->damage);
    else
        finding_say(finding->summary, sizeof finding->summary,
                    "%s captured in part (snap length %u): names and certificates may be missing",
                    COUNTED(quality->push_frames_cut, "packet of push sessions was|"
                                                      "packets of push sessions were"),
                    quality->smallest_snap);
    finding_say(finding->reasoning, sizeof finding->reasoning,
                quality->truncated ? "Everything before the damage was analysed; what came after "
                                     "is not known."
                                   : "Bytes that would have been read were not stored.");
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    (void)state;
    const struct capture_quality *quality = event->quality;
    if (!quality->truncated && !quality->push_frames_cut)
        return;
    struct finding finding = judge_draft_of_capture(judge, event);
    describe(quality, &finding);
    judge_raise(judge, &finding);
}

const struct detector detector_capture_truncated = {
    .code = "capture-truncated",
    .title = "Capture cut short",
    .meaning = "Part of the evidence is missing: the end of the file, or the end of each packet.",
    .rests_on = "The capture file ends in the middle of a record or contradicts itself, or packets "
                "of push sessions hold fewer bytes than were on the wire where the content "
                "mattered.",
    .looks_like = "Wireshark says \"appears to have been cut short in the middle of a packet\"; "
                  "frame.cap_len < frame.len.",
    .innocent = "Cut packets of other traffic, and cut application data that is encrypted anyway, "
                "are not reported.",
    .remedy = "Capture with full packets (tcpdump -s 0) and stop the capture properly (SIGINT), or "
              "copy the file again after it is complete.",
    .severity = SEVERITY_INFO,
    .scope = SCOPE_SITE,
    .requirements = AGAINST(R0_CAPTURE),
    .events = ON(EVENT_CAPTURE_END),
    .observe = observe,
};
