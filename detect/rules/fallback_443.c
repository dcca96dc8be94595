/* fallback-443: a device that failed on 5223 gets through on 443.
 *
 * A rule of the fourth stage. Pairs a failed attempt with the session that follows it, by the
 * times in their records: the failure is often known only after its successor works. Deliberately
 * says nothing of 443 sessions without a failure before them. */
#include "detect/judge.h"

/* A device turns to the other port at once (wire.md section 3); the rest allows for its pause
 * after several failures. */
#define FALLBACK_NS (60 * NS_PER_S)
/* Two clocks of a merged capture may disagree by this about what came first. */
#define CLOCK_NS NS_PER_S

struct failure {
    int64_t started_ns;
    int64_t ended_ns; /* no fallback is opened before */
    uint64_t frame;   /* 0 and flow 0: none */
    uint64_t flow;
    struct address server;
    uint32_t syn_count;
    uint8_t outcome;
};

struct success {
    int64_t opened_ns;
    uint64_t frame;
    uint64_t flow; /* of the newest session on 443 */
    struct address server;
    bool is_waiting; /* not yet paired */
    bool is_named;   /* known as APNs by more than its timing */
};

struct state {
    struct failure failure;
    struct success success;
};

static int64_t failure_end(const struct flow_record *flow)
{
    int64_t times[] = {flow->outcome == OUTCOME_REFUSED ? flow->reset_ns : TIME_UNKNOWN,
                       flow->outcome == OUTCOME_UNREACHABLE ? flow->icmp_ns : TIME_UNKNOWN,
                       flow->outcome == OUTCOME_NO_ANSWER ? flow->last_syn_ns : TIME_UNKNOWN};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (times[i] != TIME_UNKNOWN)
            return times[i];
    return flow->last_ns;
}

static void note_failure(struct state *state, const struct flow_record *flow)
{
    state->failure = (struct failure){.started_ns = flow->started_ns,
                                      .ended_ns = failure_end(flow),
                                      .frame = flow->first_frame,
                                      .flow = flow->number,
                                      .server = flow->server_ip,
                                      .syn_count = flow->syn_count,
                                      .outcome = flow->outcome};
}

static void note_success(struct state *state, const struct flow_record *flow)
{
    if (state->success.flow == flow->number)
        return;
    state->success = (struct success){.opened_ns = flow->started_ns,
                                      .frame = flow->first_frame,
                                      .flow = flow->number,
                                      .server = flow->server_ip,
                                      .is_waiting = true,
                                      .is_named = flow->reason != SCOPE_BY_FALLBACK};
}

/* The session was opened because of the failure: after it began, and for a silent port not while
 * SYNs were still being repeated. */
static bool is_pair(const struct state *state)
{
    const struct failure *failure = &state->failure;
    const struct success *success = &state->success;
    if (!failure->flow || !success->is_waiting)
        return false;
    int64_t earliest =
        failure->outcome == OUTCOME_NO_ANSWER ? failure->ended_ns - CLOCK_NS : failure->started_ns;
    return success->opened_ns >= earliest && success->opened_ns <= failure->ended_ns + FALLBACK_NS;
}

static const char *cause_of(uint8_t outcome)
{
    switch (outcome) {
    case OUTCOME_NO_ANSWER:
        return "where no answer reached it";
    case OUTCOME_REFUSED:
        return "which was refused";
    case OUTCOME_UNREACHABLE:
        return "which an ICMP error answered";
    case OUTCOME_TLS_NO_ANSWER:
        return "where its ClientHello was never answered";
    case OUTCOME_TLS_RESET:
        return "which was cut before the server said anything";
    default:
        return "where TLS failed";
    }
}

static void describe(const struct state *state, struct finding *finding)
{
    const struct failure *failure = &state->failure;
    const struct success *success = &state->success;
    char client[ADDRESS_TEXT_SIZE], from[ENDPOINT_TEXT_SIZE], to[ENDPOINT_TEXT_SIZE];
    char delay[DURATION_TEXT_SIZE];
    address_text(&finding->client_ip, client);
    endpoint_text(&failure->server, 5223, from);
    endpoint_text(&success->server, 443, to);
    duration_text(success->opened_ns - failure->started_ns, delay);
    finding_say(finding->summary, sizeof finding->summary,
                "%s fell back to %s, %s after it tried %s, %s", client, to, delay, from,
                cause_of(failure->outcome));
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "A device tries the other port at once when one fails. Its attempt on 5223 failed, "
                "the session on 443 followed within 60 s and works%s.",
                success->is_named ? "" : "; that it is APNs follows from this timing alone");
    finding_add_frame(finding, failure->frame, failure->started_ns, "first SYN to 5223");
    finding_add_frame(finding, success->frame, success->opened_ns, "first SYN to 443");
}

static void raise(struct judge *judge, struct state *state, const struct event *event)
{
    struct finding finding = judge_draft(judge, event);
    finding.flow_number = state->success.flow;
    finding.server_ip = state->success.server;
    finding.server_port = 443;
    finding.first_ns = state->failure.started_ns;
    finding.last_ns = state->success.opened_ns;
    finding.confidence = state->success.is_named ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    finding_show_couriers(&finding);
    describe(state, &finding);
    judge_raise(judge, &finding);
    state->success.is_waiting = false;
    state->failure = (struct failure){0};
}

/* One fallback of a device that does get through on 5223 is its ordinary answer to one failure. */
static void review(struct judge *judge)
{
    struct finding *kept = judge_kept(judge, 443);
    if (kept && kept->count == 1 && judge_device_way(judge, WAY_COURIER_5223).worked)
        judge_withdraw(judge, kept);
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    if (event->kind == EVENT_CAPTURE_END) {
        review(judge);
        return;
    }
    const struct flow_record *flow = event->flow;
    enum way way = way_of(flow);
    if (way == WAY_COURIER_5223 && event->kind == EVENT_FLOW_CLOSED && flow_fails(flow))
        note_failure(state, flow);
    else if (way == WAY_COURIER_443 && (flow->saw & SAW_SYN) &&
             (event->kind == EVENT_FLOW_WORKS || flow_works(flow)))
        note_success(state, flow);
    else
        return;
    if (is_pair(state))
        raise(judge, state, event);
}

const struct detector detector_fallback_443 = {
    .code = "fallback-443",
    .title = "Device had to fall back to port 443",
    .meaning = "Notifications arrive, but only after the device gave up on its own port 5223: "
               "each reconnection loses up to 30 seconds, and everything hangs on one port.",
    .rests_on = "A failed attempt on 5223 and a working courier session on 443 of the same device, "
                "opened within 60 seconds of the failure. A device that works on 5223 and fell "
                "back only once is not reported.",
    .looks_like = "Unanswered or refused SYNs to tcp.port == 5223, then a TLS session to Apple on "
                  "tcp.port == 443, often with ALPN apns-security-v3: "
                  "tls.handshake.extensions_alpn_str contains \"apns\".",
    .innocent =
        "Other Apple services on 443 are not counted. A device that uses 443 without a "
        "failed attempt on 5223 before, or that fell back once and otherwise works on "
        "5223, is not reported. Fallback itself is how Apple's devices are meant to behave.",
    .remedy = "Allow outbound TCP 5223 from devices to 17.0.0.0/8 and Apple's IPv6 ranges; the "
              "finding about 5223 itself says who stops it. Leave 443 open as the fallback.",
    .severity = SEVERITY_WARN,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R1_PORT_5223),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_FLOW_WORKS) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct state),
    .observe = observe,
};
