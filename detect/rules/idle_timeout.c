/* idle-timeout: established sessions die of silence.
 *
 * A rule of the fourth stage. A firewall or NAT forgets a session that was silent for longer than
 * its timer; what comes next finds nobody. Rests on what followed the silence, on a device that is
 * there (it speaks, and reconnects), and on repetition with the same age; a silence of the same
 * length that was survived speaks against a timer. Deliberately silent about a client that is not
 * heard any more: it may sleep, or be gone. */
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/counter.h"
#include "base/text.h"
#include "resets.h"

/* wire.md section 3: a device waits so long for a heartbeat that is due. */
enum { HEARTBEAT_GRACE_S = 35 };
/* That grace and a little for clocks: a timer that is longer than the longest interval between
 * heartbeats by more never sees a session silent for so long, unless the device is away. */
enum { BEYOND_KEEPALIVE_S = HEARTBEAT_GRACE_S + 25 };
/* A dead session is replaced at once; later, another cause may have come and gone. */
#define REPLACED_NS (120 * NS_PER_S)
/* Deaths of one timer agree to within this part of the shortest, or come in numbers while nothing
 * of the device's survives as much: what breaks a silence beyond the timer may be anything. */
enum { AGREE_DIVISOR = 4, DEATHS_NEEDED = 3 };
/* Ages of silences that the same interval between heartbeats makes. */
enum { SAME_AGE_S = 2 };

struct state {
    struct flow_record flow; /* the first that died; its pointers to evidence are not used */
    struct idle_evidence idle;
    uint64_t last_number;   /* the last that died, */
    int64_t last_broken_ns; /* when its silence was broken, */
    int64_t last_tried_ns;  /* and the client's last word in it */
    uint32_t shortest_s;    /* idle age that killed */
    uint32_t longest_s;
    uint16_t deaths;
    int16_t reset_ttl;
    int16_t peer_ttl;
    bool box_reset;   /* the first died by a reset that is not the server's by its TTL */
    bool is_replaced; /* the device came up again right after one of them */
    bool was_open;    /* ... or even before one of them was given up */
    bool box_is_near;
};

static uint32_t killing_age_s(const struct idle_evidence *idle)
{
    uint32_t silence_s = idle_silence_s(idle);
    if (idle->shape == IDLE_MISSED && silence_s > 2 * HEARTBEAT_GRACE_S)
        silence_s -= HEARTBEAT_GRACE_S; /* the heartbeat was due then, and did not come */
    return silence_s;
}

/* One timer explains all deaths. */
static bool agree(const struct state *state)
{
    return state->deaths >= DEATHS_NEEDED ||
           state->longest_s - state->shortest_s <= state->shortest_s / AGREE_DIVISOR + 1;
}

/* Where the server's words were lost, only a silence that the server broke tells: a box may make a
 * new entry of whatever a client says. */
static bool server_must_break_it(const struct state *state)
{
    return state->idle.shape == IDLE_MISSED || state->idle.shape == IDLE_UNHEARD;
}

/* A silence as long was survived: by anybody where there was one death, by this device where there
 * were several (others may have another way out). What is lost when heartbeats are due is lost at
 * an age that others survive to the second: that is no timer, but a moment without a way, or a
 * device that slept and woke up just then. */
static bool is_contradicted(const struct judge *judge, const struct state *state)
{
    bool server_broke_it = server_must_break_it(state);
    uint32_t survived_s = state->deaths > 1 ? judge_device_silence_s(judge, server_broke_it)
                                            : judge_longest_silence_s(judge, server_broke_it);
    bool is_of_same_age = state->deaths == 1 || state->idle.shape == IDLE_UNHEARD;
    if (server_broke_it && is_of_same_age)
        return survived_s + SAME_AGE_S >= state->shortest_s;
    return survived_s > state->shortest_s + state->shortest_s / 20;
}

static bool weigh(const struct judge *judge, const struct state *state, enum confidence *confidence)
{
    if (!state->deaths || state->shortest_s > judge_keepalive_s(judge) + BEYOND_KEEPALIVE_S ||
        !agree(state) || is_contradicted(judge, state))
        return false;
    if (state->idle.shape == IDLE_RESET) {
        *confidence = state->deaths > 1 ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
        return state->box_reset;
    }
    if (!state->is_replaced)
        return false;
    bool is_repeated = state->deaths > 1;
    switch ((enum idle_shape)state->idle.shape) {
    case IDLE_UNHEARD: /* once, a device that is away for a while looks the same */
        *confidence = CONFIDENCE_LIKELY;
        return is_repeated;
    case IDLE_MISSED:
        *confidence = is_repeated ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
        return true;
    default: /* once, an uplink that is down looks the same, unless it carried another session */
        *confidence = is_repeated ? CONFIDENCE_CERTAIN : CONFIDENCE_POSSIBLE;
        return is_repeated || state->was_open;
    }
}

/* ---- sentences ---- */

static void say_what(const struct state *state, char *text, size_t size)
{
    const struct idle_evidence *idle = &state->idle;
    switch ((enum idle_shape)idle->shape) {
    case IDLE_RESET:
        snprintf(text, size, "its next packet was answered by %s",
                 state->box_reset ? "a reset that the server did not send" : "a reset");
        break;
    case IDLE_MISSED:
        snprintf(text, size, "%s of Apple's never arrived, so that the device gave it up",
                 COUNTED(idle->missed_size, "byte"));
        break;
    case IDLE_UNHEARD:
        snprintf(text, size, "Apple's data, sent %s, did not reach the device",
                 COUNTED(idle->tries, "time"));
        break;
    case IDLE_UNDECIDED:
    case IDLE_UNANSWERED:
        snprintf(text, size, "%s found no answer",
                 COUNTED(idle->tries, "packet of the device's|packets of the device's"));
        break;
    }
}

static void say_bracket(const struct judge *judge, const struct state *state, struct text *text)
{
    char killed[DURATION_TEXT_SIZE], survived[DURATION_TEXT_SIZE];
    uint32_t survived_s = judge_longest_silence_s(judge, server_must_break_it(state));
    duration_text(state->shortest_s * NS_PER_S, killed);
    if (!survived_s)
        text_format(text,
                    "The shortest silence that killed was %s; none that was survived was "
                    "seen.",
                    killed);
    else if (survived_s < state->shortest_s)
        text_format(text,
                    "Silences of up to %s were survived, one of %s was not: the timer lies "
                    "between.",
                    duration_text(survived_s * NS_PER_S, survived), killed);
    else
        text_format(text,
                    "The shortest silence that killed was %s; others on this network "
                    "survived %s, so not all ways out have this timer.",
                    killed, duration_text(survived_s * NS_PER_S, survived));
    if (state->deaths > 1)
        text_format(text, " It happened to %s of this device, at ages of up to %s.",
                    COUNTED(state->deaths, "session"),
                    duration_text(state->longest_s * NS_PER_S, killed));
}

static void explain(const struct judge *judge, const struct state *state, struct finding *finding)
{
    struct text text = text_over(finding->reasoning, sizeof finding->reasoning);
    if (state->box_reset)
        text_format(&text,
                    "The reset has a TTL of %d, the server's own packets have %d: the "
                    "server did not send it. ",
                    state->reset_ttl, state->peer_ttl);
    if (state->is_replaced)
        text_add(&text, "The device's next session came up at once, so the way was open and only "
                        "the old session was forgotten. ");
    say_bracket(judge, state, &text);
}

static void show_frames(const struct state *state, struct finding *finding)
{
    const struct idle_evidence *idle = &state->idle;
    finding_add_frame(finding, idle->before.frame, idle->before.time_ns,
                      "the last packet before the silence");
    finding_add_frame(finding, idle->breaker.frame, idle->breaker.time_ns,
                      "the first one after it");
    if (idle->tries > 1)
        finding_add_frame(finding, idle->last_try.frame, idle->last_try.time_ns,
                          "the last try of %u", idle->tries);
    if (idle->answer.frame != idle->breaker.frame)
        finding_add_frame(finding, idle->answer.frame, idle->answer.time_ns, "%s",
                          idle->shape == IDLE_RESET    ? "the reset"
                          : idle->shape == IDLE_MISSED ? "the server, ahead of the client"
                                                       : "the client, behind the server");
}

static void describe(const struct judge *judge, const struct state *state, struct finding *finding)
{
    const struct flow_record *flow = &state->flow;
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], age[DURATION_TEXT_SIZE], what[120];
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    duration_text(state->shortest_s * NS_PER_S, age);
    say_what(state, what, sizeof what);
    finding_say(finding->summary, sizeof finding->summary,
                "The session of %s with %s did not survive a silence of %s: %s", client, server,
                age, what);
    explain(judge, state, finding);
    show_frames(state, finding);
    if (state->box_reset && state->box_is_near)
        finding->blocker_hops = hops_of_ttl(state->reset_ttl);
    if (state->box_reset)
        finding_name_mac(finding, flow);
}

/* ---- watching ---- */

/* Writes the finding about the first session that died, whatever the event at hand is. */
static void raise(struct judge *judge, struct state *state, const struct event *event,
                  enum confidence confidence)
{
    struct event first = *event;
    state->flow.idle = NULL;
    state->flow.evidence = NULL;
    first.flow = &state->flow;
    struct finding finding = judge_draft(judge, &first);
    finding.confidence = confidence;
    finding.first_ns = state->idle.before.time_ns;
    finding.last_ns = event->time_ns;
    finding.count = state->deaths;
    describe(judge, state, &finding);
    const struct finding *kept = judge_kept(judge, finding.server_port);
    if (kept && kept->last_ns > finding.last_ns)
        finding.last_ns = kept->last_ns;
    judge_renew(judge, &finding);
}

/* The server's own reset may answer a device that slept through the end of its session. */
static bool is_box_reset(const struct flow_record *flow)
{
    return flow->evidence && flow->evidence->reset[DOWN].proof.frame &&
           flow->evidence->reset[DOWN].signs & (RESET_NEARER | RESET_OTHER_DISTANCE);
}

static void note_reset(struct state *state, const struct flow_record *flow)
{
    const struct reset_evidence *reset = &flow->evidence->reset[DOWN];
    state->reset_ttl = reset->ttl;
    state->peer_ttl = reset->peer_ttl_high;
    state->box_is_near = reset->signs & RESET_NEARER;
    state->box_reset = true;
}

static bool is_about(int64_t span_ns, int64_t wanted_s)
{
    const int64_t early_ns = 5 * NS_PER_S, late_ns = 10 * NS_PER_S;
    return span_ns >= wanted_s * NS_PER_S - early_ns && span_ns <= wanted_s * NS_PER_S + late_ns;
}

/* A device that closes when the heartbeat is overdue was there all along; one that closes at some
 * other time may just have woken up. Its clock runs from the heartbeat that it had last. */
static bool closes_when_due(const struct judge *judge, const struct idle_evidence *idle)
{
    const int64_t intervals_s[] = {600, 900, 1800, /* wire.md section 3 */
                                   judge_keepalive_s(judge)};
    if (is_about(idle->answer.time_ns - idle->breaker.time_ns, HEARTBEAT_GRACE_S))
        return true;
    for (size_t i = 0; i < sizeof intervals_s / sizeof intervals_s[0]; i++)
        if (is_about(idle->answer.time_ns - idle->before.time_ns,
                     intervals_s[i] + HEARTBEAT_GRACE_S))
            return true;
    return false;
}

static void note_death(const struct judge *judge, struct state *state,
                       const struct flow_record *flow)
{
    uint32_t age_s = killing_age_s(flow->idle);
    if ((flow->idle->shape == IDLE_UNHEARD && !closes_when_due(judge, flow->idle)) ||
        (flow->idle->shape == IDLE_RESET && !is_box_reset(flow)))
        return;
    if (!state->deaths) {
        state->flow = *flow;
        state->idle = *flow->idle;
        state->shortest_s = state->longest_s = age_s;
        if (flow->idle->shape == IDLE_RESET)
            note_reset(state, flow);
    }
    if (age_s < state->shortest_s)
        state->shortest_s = age_s;
    if (age_s > state->longest_s)
        state->longest_s = age_s;
    counter_up(&state->deaths);
    state->last_number = flow->number;
    state->last_broken_ns = flow->idle->breaker.time_ns;
    state->last_tried_ns =
        flow->idle->last_try.frame ? flow->idle->last_try.time_ns : flow->idle->breaker.time_ns;
    /* A device that closes for want of a heartbeat is back before its farewell is given up. */
    if (judge_last_success_s(judge, false) >= flow->idle->breaker.time_ns / NS_PER_S)
        state->is_replaced = state->was_open = true;
}

/* A session that came up after the last death, and soon after the client's last word in it. */
static void note_replacement(struct state *state, const struct flow_record *flow)
{
    if (state->deaths && flow->number != state->last_number &&
        flow->started_ns >= state->last_broken_ns &&
        flow->started_ns - state->last_tried_ns <= REPLACED_NS)
        state->is_replaced = true;
}

/* The session that was given up for dead spoke again, or was reset by its own server. */
static void take_back(struct judge *judge, struct state *state)
{
    struct finding *kept = judge_kept(judge, state->flow.server_port);
    if (kept)
        judge_withdraw(judge, kept);
    memset(state, 0, sizeof *state);
}

static void note_close(struct judge *judge, struct state *state, const struct flow_record *flow)
{
    if (state->deaths == 1 && flow->number == state->flow.number && !flow->idle)
        take_back(judge, state);
}

static void review(struct judge *judge, const struct state *state)
{
    enum confidence confidence;
    struct finding *kept = judge_kept(judge, state->flow.server_port);
    if (kept && !weigh(judge, state, &confidence))
        judge_withdraw(judge, kept);
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    enum confidence confidence;
    if (event->kind == EVENT_CAPTURE_END) {
        if (state->deaths)
            review(judge, state);
        return;
    }
    enum way way = way_of(event->flow);
    if (way == WAY_NONE || way_is_provider(way))
        return;
    bool is_news = false;
    if (event->kind == EVENT_FLOW_CLOSED) {
        note_close(judge, state, event->flow);
    } else if (event->kind == EVENT_IDLE_DEATH) {
        note_death(judge, state, event->flow);
        is_news = true;
    } else if (!state->is_replaced) {
        note_replacement(state, event->flow);
        is_news = state->is_replaced;
    }
    if (is_news && weigh(judge, state, &confidence))
        raise(judge, state, event, confidence);
}

const struct detector detector_idle_timeout = {
    .code = "idle-timeout",
    .title = "Idle sessions are forgotten",
    .meaning = "A firewall or NAT drops courier sessions that are silent for longer than its "
               "timer. Until the device notices, up to half an hour later, no notification "
               "reaches it; it then reconnects, and the same happens again.",
    .rests_on = "A session that worked, a silence, and what came after it: the device's packets "
                "found no answer or were answered by a reset that is not the server's; or the "
                "device gave up waiting for the heartbeat and the server turned out to be ahead "
                "by bytes that never arrived. The device is there: it speaks, and its next "
                "session works. A longer silence that was survived would prove it wrong.",
    .looks_like = "Statistics, Conversations, then tcp.time_delta > 60 within the session: after "
                  "the gap, tcp.analysis.retransmission without answer, or tcp.flags.reset == 1 "
                  "with another ip.ttl, or a server whose tcp.seq is a few dozen bytes further "
                  "(tcp.analysis.lost_segment).",
    .innocent = "A device that sleeps or leaves is not heard any more, or closes whenever it wakes "
                "up instead of when the heartbeat is overdue; sessions that are still "
                "silent when the capture ends are not counted; a timer beyond the longest "
                "interval between heartbeats (30 minutes and 35 s; --keepalive) harms nobody; a "
                "server's own reset may answer a device that slept through the end of its "
                "session; a close by FIN is Apple's right; packets that the mirror lost are "
                "acknowledged by the device; one session that finds no answer may have met an "
                "outage. None of these is reported.",
    .remedy = "Raise the idle (session, conntrack, NAT) time-out for TCP 5223 and 443 to "
              "17.0.0.0/8 and Apple's IPv6 ranges to at least 60 minutes on every stateful box of "
              "the path: heartbeats come every 10 to 30 minutes, and devices wait 35 s longer.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_SILENCE,
    .place = PLACE_ON_THE_WAY,
    .scope = SCOPE_DEVICE,
    .recurs = true,
    .requirements = AGAINST(R5_PERSISTS),
    .events =
        ON(EVENT_IDLE_DEATH) | ON(EVENT_FLOW_WORKS) | ON(EVENT_FLOW_CLOSED) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct state),
    .observe = observe,
};
