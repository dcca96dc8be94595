/* capture-clock: the capture's time runs backwards, or single frames have damaged times.
 *
 * A rule of the fourth stage, at the end of the capture. Deliberately silent about the small steps
 * that several interfaces, queues and merged files bring. */
#include "base/count.h"
#include "detect/judge.h"

/* Queues and interfaces deliver within milliseconds of each other; a clock that is set, or files
 * of two machines, differ by more. */
#define STEP_THAT_MATTERS_NS (500 * NS_PER_MS)

static void describe_steps(const struct capture_quality *quality, struct finding *finding)
{
    char step[DURATION_TEXT_SIZE];
    finding_say(finding->summary, sizeof finding->summary,
                "The capture's clock ran backwards %s, by up to %s",
                COUNTED(quality->backward_steps, "time"),
                duration_text(quality->largest_step_back_ns, step));
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "A frame has an earlier time than one before it in the file. Such a step counts as "
                "no time at all: times after it are shown as if the clock had not been set.");
}

static void describe_strays(const struct capture_quality *quality, struct finding *finding)
{
    finding_say(finding->summary, sizeof finding->summary, "%s far from that of the packets around",
                COUNTED(quality->stray_times, "packet has a time|packets have times"));
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "The packets before and after agree with each other, so the time between was "
                "damaged: it was not believed, and no delay was measured with it.");
}

/* Beyond any date: the reader takes all such times for the same moment. */
static bool is_beyond_dates(const struct capture_quality *quality)
{
    return quality->first_ns != TIME_UNKNOWN &&
           (quality->first_ns <= -TIME_LIMIT_NS || quality->last_ns >= TIME_LIMIT_NS);
}

static void describe_beyond(struct finding *finding)
{
    finding_say(finding->summary, sizeof finding->summary,
                "The capture's times lie beyond any date and cannot be true");
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "All of them count as one moment, so no delay and no silence was measured. Times "
                "in nanoseconds in a file that says microseconds look like that.");
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    const struct capture_quality *quality = event->quality;
    bool was_set = quality->largest_step_back_ns >= STEP_THAT_MATTERS_NS;
    bool is_beyond = is_beyond_dates(quality);
    (void)state;
    if (!was_set && !is_beyond && !quality->stray_times)
        return;
    struct finding finding = judge_draft_of_capture(judge, event);
    if (is_beyond)
        describe_beyond(&finding);
    else if (was_set)
        describe_steps(quality, &finding);
    else
        describe_strays(quality, &finding);
    judge_raise(judge, &finding);
}

const struct detector detector_capture_clock = {
    .code = "capture-clock",
    .title = "The capture's clock was set",
    .meaning = "Times in this capture jump, so delays and silences across the jump cannot be "
               "measured.",
    .rests_on =
        "A frame whose time is half a second or more before that of a frame before it in "
        "the same capture; or one whose time is far from that of both its neighbours, which "
        "agree; or times that lie beyond any date.",
    .looks_like = "frame.time_delta < -0.5.",
    .innocent = "Frames of several interfaces, queues or files differ by a few milliseconds; files "
                "that overlap are merged by time first.",
    .remedy = "Let the capturing machine's clock be slewed, not stepped (chrony or ntpd), and "
              "merge captures of several machines only when their clocks agree.",
    .severity = SEVERITY_INFO,
    .scope = SCOPE_SITE,
    .requirements = AGAINST(R0_CAPTURE),
    .events = ON(EVENT_CAPTURE_END),
    .observe = observe,
};
