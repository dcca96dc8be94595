/* reset-injected: a reset in mid-session that its alleged sender did not send.
 *
 * A rule of the fourth stage. Rests on the signs that track/ noted against the sender's own
 * packets, and wants a distance that differs together with something that distances do not depend
 * on; distance alone counts only when it repeats in young sessions (wire.md section 5).
 * Deliberately silent about refused SYNs and cut ClientHellos (port-refused,
 * reset-after-client-hello say them) and about a reset that answers after a long silence
 * (idle-timeout's matter). */
#include <stdio.h>
#include <string.h>

#include "base/counter.h"
#include "base/text.h"
#include "resets.h"

/* A box that forgot an idle session answers its next packet with a reset: no injection. */
#define IDLE_NS (60 * NS_PER_S)
/* A box that cuts what it recognises does so within this; later, routers that lost their state and
 * networks that change answer with resets too. */
#define YOUNG_NS (60 * NS_PER_S)

enum { NEARER_NEEDED = 3 };

struct state {
    int64_t first_ns;
    uint16_t nearer; /* young sessions cut by a reset from nearer, without another sign */
};

/* Cut before the server's first byte, after the client's: a ClientHello, whether or not the capture
 * shows its bytes, or delivers them in order. */
static bool is_about_a_hello(const struct flow_record *flow)
{
    return (flow->evidence->cut.proof.frame && flow->evidence->hello.size) ||
           (flow->saw & SAW_CLIENT_HELLO && !(flow->saw & SAW_SERVER_DATA));
}

static bool has_ended_before(const struct reset_evidence *reset)
{
    return !reset->proof.frame || reset->after_close;
}

static bool follows_silence(const struct reset_evidence *reset)
{
    return reset->silence_ns == TIME_UNKNOWN || reset->silence_ns >= IDLE_NS;
}

static bool was_young(const struct flow_record *flow, const struct reset_evidence *reset)
{
    return flow->established_ns != TIME_UNKNOWN &&
           reset->proof.time_ns - flow->established_ns <= YOUNG_NS;
}

/* How sure the reset's own signs make it; false: they do not tell. */
static bool signs_tell(const struct reset_evidence *reset, enum confidence *confidence)
{
    const unsigned proofs = RESET_PEER_WENT_ON | RESET_SERIES;
    const unsigned hints = RESET_OTHER_MAC | RESET_OTHER_IP_ID;
    if (reset_is_forged(reset)) {
        *confidence = CONFIDENCE_CERTAIN;
        return true;
    }
    *confidence = CONFIDENCE_LIKELY;
    return (reset->signs & RESET_NEARER && reset->signs & hints) ||
           (reset->signs & RESET_OTHER_DISTANCE && reset->signs & proofs);
}

static void describe(const struct flow_record *flow, enum direction direction,
                     struct finding *finding)
{
    const struct reset_evidence *reset = &flow->evidence->reset[direction];
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], age[DURATION_TEXT_SIZE + 24] = "";
    char text[DURATION_TEXT_SIZE];
    struct sender sender = {.hops = reset->hops,
                            .apple_hops = reset->peer_hops,
                            .is_near = (reset->signs & RESET_NEARER) != 0};
    char by[96];
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    sender_name(&sender, by, sizeof by);
    if (flow->established_ns != TIME_UNKNOWN)
        snprintf(age, sizeof age, " %s after it came up",
                 duration_text(reset->proof.time_ns - flow->established_ns, text));
    if (direction == UP)
        snprintf(by, sizeof by, "in the client's name");
    finding_say(finding->summary, sizeof finding->summary,
                "The session of %s with %s was reset%s, by somebody else: an RST sent %s", client,
                server, age, by);
    reset_explain(flow, direction, finding->reasoning, sizeof finding->reasoning);
    reset_show(flow, direction, finding);
    finding->blocker_hops = sender.is_near ? sender.hops : -1;
}

static void add_repetition(const struct state *state, struct finding *finding)
{
    struct text text = text_after(finding->reasoning, sizeof finding->reasoning);
    text_format(&text, " The same happened to %u sessions within a minute of their beginning.",
                state->nearer);
}

static void raise(struct judge *judge, struct state *state, const struct event *event,
                  enum direction direction, enum confidence confidence, bool is_alone)
{
    if (judge_only_counts(judge, event, confidence))
        return;
    struct finding finding = judge_draft(judge, event);
    finding.confidence = confidence;
    describe(event->flow, direction, &finding);
    if (direction == DOWN)
        finding_name_mac(&finding, event->flow);
    if (is_alone && !judge_kept(judge, finding.server_port)) {
        finding.count = state->nearer;
        finding.first_ns = state->first_ns;
        add_repetition(state, &finding);
    }
    judge_raise(judge, &finding);
}

/* A reset from nearer and no other sign: home routers and virtual machines write their own TTL
 * into genuine ones, so it takes several, in sessions too young for other reasons. */
static bool nearer_repeats(struct state *state, const struct flow_record *flow,
                           const struct reset_evidence *reset)
{
    if (!(reset->signs & RESET_NEARER) || !was_young(flow, reset))
        return false;
    if (!state->nearer)
        state->first_ns = flow->started_ns;
    counter_up(&state->nearer);
    return state->nearer >= NEARER_NEEDED;
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    const struct flow_record *flow = event->flow;
    enum confidence confidence;
    if (way_of(flow) == WAY_NONE || !flow->evidence || is_about_a_hello(flow))
        return;
    for (enum direction side = UP; side <= DOWN; side++) {
        const struct reset_evidence *reset = &flow->evidence->reset[side];
        if (has_ended_before(reset))
            continue;
        if (side == UP) {
            if (reset_is_forged(reset))
                raise(judge, state, event, side, CONFIDENCE_CERTAIN, false);
        } else if (!follows_silence(reset) && signs_tell(reset, &confidence)) {
            raise(judge, state, event, side, confidence, false);
        } else if (!follows_silence(reset) && nearer_repeats(state, flow, reset)) {
            raise(judge, state, event, side, CONFIDENCE_LIKELY, true);
        }
    }
}

const struct detector detector_reset_injected = {
    .code = "reset-injected",
    .title = "Sessions are reset by somebody else",
    .meaning = "A box on the way ends running connections by sending resets in the name of Apple "
               "or of the device. Notifications are lost until the device has reconnected, and "
               "with every cut again.",
    .rests_on = "An RST whose TTL does not fit the side that it claims to come from, together with "
                "something else: that side goes on sending, the RST is one of a series that "
                "guesses sequence numbers, it answers faster than the way there and back, it has "
                "another MAC address or IP identification. A TTL alone counts when three young "
                "sessions of one device were cut so. Packets with the RST's TTL from the server "
                "itself would prove it wrong.",
    .looks_like = "tcp.flags.reset == 1 with an ip.ttl that differs from the ip.ttl of the same "
                  "address's other packets by more than three, and packets of that address after "
                  "it.",
    .innocent =
        "A peer's own reset has its TTL. Routes and load balancers move TTLs by up to three "
        "hops; home routers write 255 into genuine resets; resets after a close, the "
        "device's own with zero identification, window and acknowledgement, and resets "
        "that answer after a minute of silence or more (a forgotten session) do not count.",
    .remedy = "Find the box at the distance or with the MAC address named (intrusion prevention, "
              "application control, a traffic manager, \"reset both\" or \"reset client\" as an "
              "action) and exempt 17.0.0.0/8 and Apple's IPv6 ranges on TCP 5223, 443 and 2197. "
              "Its log shows the client's address at the time named.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_SESSION,
    .scope = SCOPE_DEVICE,
    .recurs = true,
    .requirements = AGAINST(R4_DIRECT) | AGAINST(R5_PERSISTS),
    .events = ON(EVENT_FLOW_CLOSED),
    .state_size = sizeof(struct state),
    .observe = observe,
};
