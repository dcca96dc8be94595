/* capture-duplicated: the mirror delivers packets twice.
 *
 * A rule of the fourth stage, at the end of the capture. Copies were recognised while tracking and
 * counted once; this only says so. Deliberately silent about a few copies, which every mirror
 * makes. */
#include "base/count.h"
#include "detect/judge.h"

/* Fewer, or a smaller part, is no habit of the mirror. */
enum { COPIES_NEEDED = 8, PART_NEEDED = 4 };

static void observe(struct judge *judge, void *state, const struct event *event)
{
    const struct capture_quality *quality = event->quality;
    (void)state;
    if (quality->duplicates < COPIES_NEEDED ||
        quality->duplicates < quality->session_packets / PART_NEEDED)
        return;
    struct finding finding = judge_draft_of_capture(judge, event);
    finding_say(finding.summary, sizeof finding.summary,
                "%s of push sessions came with %s of themselves%s%s%s",
                COUNTED(quality->session_packets, "packet"),
                COUNTED(quality->duplicates, "copy|copies"), quality->flows_translated ? "; " : "",
                quality->flows_translated ? COUNTED(quality->flows_translated, "session") : "",
                quality->flows_translated ? " on both sides of an address translation (NAT)" : "");
    finding_say(finding.reasoning, sizeof finding.reasoning,
                "The copies have the same sequence numbers, IP identification and options within a "
                "moment; they were counted once and not taken for retransmissions.");
    judge_raise(judge, &finding);
}

const struct detector detector_capture_duplicated = {
    .code = "capture-duplicated",
    .title = "Packets captured twice",
    .meaning = "The mirror copies packets where they enter and where they leave, or a VLAN's "
               "traffic from two ports; or the capture was taken on a gateway, on all of its "
               "interfaces. Other tools count these copies as retransmissions, or as sessions of "
               "another client.",
    .rests_on = "A quarter of the packets of push sessions, or more, came again within a moment, "
                "equal in sequence numbers, IP identification, options and size. Behind an address "
                "translation the client has another address: first packets of equal numbers and "
                "timestamps to the same server, one of them a router farther on, are one session.",
    .looks_like = "tcp.analysis.retransmission on nearly every packet, microseconds after the "
                  "first; the copies may differ in ip.ttl, vlan.id and eth.src, behind a NAT in "
                  "ip.src and tcp.srcport.",
    .innocent = "Real retransmissions have another IP identification or come later; a few copies "
                "are normal.",
    .remedy = "Mirror one direction of each port (ingress), or one side of the router only; or "
              "take the copies out with editcap -d.",
    .severity = SEVERITY_INFO,
    .scope = SCOPE_SITE,
    .events = ON(EVENT_CAPTURE_END),
    .observe = observe,
};
