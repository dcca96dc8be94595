/* high-loss: the way loses packets.
 *
 * A rule of the fourth stage. Counts losses that the peers repaired at once; what was repeated into
 * silence (a device asleep, a session that died) is no loss of the way. Deliberately weighs by
 * device, not by session: most courier sessions are too small to tell. */
#include <stdio.h>

#include "base/count.h"
#include "base/text.h"
#include "detect/judge.h"

/* Above 5 % over at least 200 data segments. Few segments say little: a way that loses
 * 4 % loses more than 5 % of 200 now and then, and there are thousands of devices. So it must be
 * more than 5 % by three standard deviations of what 5 % would give. */
enum { SEGMENTS_NEEDED = 200, SEGMENTS_CERTAIN = 1000, ONE_IN = 20, DEVIATIONS = 3 };

struct state {
    uint16_t is_raised;
};

/* losses - n/20 > 3 sqrt(n 1/20 19/20), in whole numbers: both sides times 20. */
static bool is_high(const struct side_losses *side)
{
    uint64_t segments = side->segments, losses = (uint64_t)side->losses * ONE_IN;
    if (segments < SEGMENTS_NEEDED || losses <= segments)
        return false;
    uint64_t excess = losses - segments;
    return excess * excess > DEVIATIONS * DEVIATIONS * (ONE_IN - 1) * segments;
}

static bool is_lossy(const struct losses *losses)
{
    return is_high(&losses->up) || is_high(&losses->down);
}

static void describe(const struct flow_record *flow, const struct side_losses *side,
                     const char *sender, struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE];
    uint32_t permille = (uint32_t)((uint64_t)side->losses * 1000 / side->segments);
    address_text(&flow->client_ip, client);
    finding_say(finding->summary, sizeof finding->summary,
                "Packets between %s and Apple are lost: %u.%u %% of the %s sent by %s had to be "
                "sent again",
                client, permille / 10, permille % 10, COUNTED(side->segments, "data segment"),
                sender);
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "%s repeated and acknowledged within 2 s, so the peer was there and the first copy "
                "was lost or late; TCP works well up to about 1 %%.",
                COUNTED(side->losses, "segment was|segments were"));
}

/* What came later may have been better. */
static void review(struct judge *judge)
{
    struct losses losses = judge_device_losses(judge);
    struct finding *kept = judge_kept(judge, 0);
    if (kept && !is_lossy(&losses))
        judge_withdraw(judge, kept);
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    const struct flow_record *flow = event->flow;
    if (event->kind == EVENT_CAPTURE_END) {
        review(judge);
        return;
    }
    if (way_of(flow) == WAY_NONE || !flow_works(flow) || !(flow->losses_up | flow->losses_down))
        return;
    struct losses losses = judge_device_losses(judge);
    if (!is_lossy(&losses))
        return;
    bool down = is_high(&losses.down);
    const struct side_losses *side = down ? &losses.down : &losses.up;
    struct finding finding = judge_draft(judge, event);
    finding.server_port = 0; /* the way, not a port */
    struct finding *kept = judge_kept(judge, 0);
    finding.confidence =
        side->segments >= SEGMENTS_CERTAIN ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    finding.first_ns = kept ? kept->first_ns : flow->started_ns;
    finding.count = side->losses;
    describe(flow, side, down ? "Apple" : "the device", &finding);
    finding_add_frame(&finding, flow->first_frame, flow->started_ns,
                      "the first packet of one of the sessions, in which %s lost",
                      COUNTED(flow->losses_up + flow->losses_down, "segment was|segments were"));
    judge_renew(judge, &finding);
    state->is_raised = true;
}

const struct detector detector_high_loss = {
    .code = "high-loss",
    .title = "The way to Apple loses packets",
    .meaning = "So many packets are lost that sessions are slow to come up and break. "
               "Notifications arrive late.",
    .rests_on = "More than 5 % of at least 200 data segments of a device's working sessions were "
                "sent again and then acknowledged within two seconds, and so many more that a way "
                "that loses 5 % does not do it by chance.",
    .looks_like = "tcp.analysis.retransmission || tcp.analysis.fast_retransmission within the "
                  "device's sessions, followed at once by an acknowledgement.",
    .innocent = "Copies made by the mirror, segments that overtake each other, what is repeated to "
                "a device that sleeps, and SYNs without answer are not counted.",
    .remedy = "Look at the device's Wi-Fi (signal, channel use) first, then at policers, duplex "
              "mismatches and full uplinks on the way; compare with other devices in this report.",
    .severity = SEVERITY_WARN,
    .scope = SCOPE_DEVICE,
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct state),
    .observe = observe,
};
