/* capture-damaged: packets in the capture are not as they were sent.
 *
 * A rule of the fourth stage, at the end of the capture. Information about the evidence, never a
 * failure of the network: track/damage.h has left those packets out. Deliberately does not say
 * where they were damaged, which the capture does not show. */
#include "base/count.h"
#include "detect/judge.h"

static void observe(struct judge *judge, void *state, const struct event *event)
{
    uint64_t damaged = event->quality->skipped[SKIP_DAMAGED];
    (void)state;
    if (!damaged)
        return;
    struct finding finding = judge_draft_of_capture(judge, event);
    finding_say(finding.summary, sizeof finding.summary,
                "%s changed after being sent, beside %s of push sessions that %s whole: the "
                "checksum is wrong",
                COUNTED(damaged, "packet was|packets were"),
                DIGITS(event->quality->session_packets),
                event->quality->session_packets == 1 ? "is" : "are");
    finding_say(finding.reasoning, sizeof finding.reasoning,
                "Other packets of the same senders have right checksums. What was damaged on its "
                "way was thrown away by its receiver, and what was damaged in the capture never "
                "was so: such packets were left out, as if they had not been captured.");
    judge_raise(judge, &finding);
}

const struct detector detector_capture_damaged = {
    .code = "capture-damaged",
    .title = "Damaged packets",
    .meaning = "Bytes of packets were changed after their senders had summed them up: by a network "
               "card, a cable or a switch, by the capturing machine's memory or disk, or when the "
               "capture file was copied.",
    .rests_on = "Wrong IPv4, TCP, UDP or ICMP checksums of packets that were captured whole, from "
                "senders whose checksums are right elsewhere in the capture.",
    .looks_like = "ip.checksum.status == \"Bad\" || tcp.checksum.status == \"Bad\" || "
                  "udp.checksum.status == \"Bad\", with checksum validation switched on in the "
                  "preferences of these protocols.",
    .innocent = "A machine that leaves checksums to its network card and is captured before they "
                "are filled in, packets that a card has merged, and captures whose addresses or "
                "payload were replaced have wrong checksums throughout: those packets are read as "
                "they are.",
    .remedy = "Copy the capture again and compare its SHA-256 with the original's. If the original "
              "has them too, look at the error counters of the mirror's switch ports and of the "
              "capturing machine (ethtool -S), and change cable or card.",
    .severity = SEVERITY_INFO,
    .scope = SCOPE_SITE,
    .requirements = AGAINST(R0_CAPTURE),
    .events = ON(EVENT_CAPTURE_END),
    .observe = observe,
};
