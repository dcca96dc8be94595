/* bag-unreachable: a device cannot fetch its APNs configuration.
 *
 * A rule of the fourth stage. Rests on fetches that fail while nothing else explains them, and on
 * the question for the TXT record of push.apple.com, which devices ask when a fetch has failed
 * (wire.md section 1). Deliberately gives way to what explains the failure better (interception, a
 * blocked port or name), and says nothing of a question for TXT that an administrator asks. */
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/counter.h"
#include "base/text.h"
#include "resets.h"

enum { HTTPS_PORT = 443 };
enum { FAILURES_NEEDED = 2 };
/* The question follows the failure; a fetch takes up to a minute to fail. */
#define ASKS_WITHIN_NS (120 * NS_PER_S)
/* Questions that follow each other sooner are one: the resolver did not answer. */
#define ASKS_AGAIN_NS (60 * NS_PER_S)
enum { QUESTIONS_NEEDED = 2 }; /* older systems ask once of themselves */

struct state {
    struct address client;
    struct address server; /* of the first failed fetch */
    struct address icmp_source;
    int16_t icmp_ttl;
    struct proof first; /* its first frame */
    struct proof txt;   /* the last question for TXT */
    int64_t last_ns;
    int64_t worked_ns; /* the last fetch that worked; 0: none */
    uint64_t flow;
    uint32_t lane;
    uint16_t failed;
    uint16_t asked;
    uint16_t port;
    uint8_t outcome;     /* of the last failure */
    uint8_t sender_hops; /* + 1; 0: not known to be nearer than Apple */
};

static void note_failure(const struct judge *judge, struct state *state,
                         const struct flow_record *flow)
{
    if (!state->failed) {
        struct sender sender = {0};
        if (flow->evidence)
            sender = sender_of_end(judge, flow);
        state->server = flow->server_ip;
        state->icmp_source = flow->icmp_source;
        state->icmp_ttl = flow->icmp_ttl;
        state->first = (struct proof){.frame = flow->first_frame, .time_ns = flow->started_ns};
        state->flow = flow->number;
        state->port = flow->server_port;
        state->sender_hops = sender.is_near ? (uint8_t)(sender.hops + 1) : 0;
    }
    state->client = flow->client_ip;
    state->lane = flow->lane;
    state->last_ns = flow->last_ns;
    state->outcome = flow->outcome;
    counter_up(&state->failed);
}

static void note_success(struct state *state, const struct flow_record *flow)
{
    bool is_of_use = state->failed || state->asked;
    if (is_of_use) /* what failed before passed; of healthy devices nothing is kept */
        *state = (struct state){.worked_ns = flow->last_ns};
}

static void note_question(struct state *state, const struct event *event)
{
    bool had_worked = state->worked_ns && event->time_ns - state->worked_ns < ASKS_WITHIN_NS;
    if (event->dns->type != DNS_TXT || !text_equal_nocase(event->dns->name, "push.apple.com") ||
        had_worked || (state->asked && event->time_ns - state->txt.time_ns < ASKS_AGAIN_NS))
        return;
    state->client = event->client;
    state->lane = event->lane;
    state->txt = (struct proof){.frame = event->frame, .time_ns = event->time_ns};
    counter_up(&state->asked);
}

static bool asked_after_failing(const struct state *state)
{
    return state->asked && state->failed && state->txt.time_ns >= state->first.time_ns &&
           state->txt.time_ns - state->last_ns <= ASKS_WITHIN_NS;
}

/* It speaks with couriers, or tries to: a device, and not somebody's dig. */
static bool is_a_device(const struct judge *judge)
{
    for (enum way way = WAY_COURIER_5223; way <= WAY_COURIER_PROXY; way++) {
        struct way_counts counts = judge_device_way(judge, way);
        if (counts.worked || counts.failed)
            return true;
    }
    return false;
}

/* Another finding of this device is the reason, or the better name for it. */
static bool is_explained(const struct judge *judge, const struct state *state)
{
    static const char *const reasons[] = {"tls-intercepted", "tls-rejected-by-client",
                                          "port-blocked-silent", "port-refused",
                                          "port-unreachable"};
    uint16_t port = state->port ? state->port : HTTPS_PORT;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (judge_has_finding(judge, reasons[i], port))
            return true;
    return judge_has_finding(judge, "courier-unreachable", 0) ||
           judge_has_finding(judge, "dns-blocked", 53) ||
           judge_has_finding(judge, "dns-redirected", 53);
}

static bool weigh(const struct judge *judge, const struct state *state, enum confidence *confidence)
{
    bool asked = asked_after_failing(state);
    *confidence = asked                              ? CONFIDENCE_CERTAIN
                  : state->failed >= FAILURES_NEEDED ? CONFIDENCE_LIKELY
                                                     : CONFIDENCE_POSSIBLE;
    if (asked || state->failed >= FAILURES_NEEDED)
        return true;
    return state->asked >= QUESTIONS_NEEDED && is_a_device(judge);
}

static void describe(const struct state *state, struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE];
    address_text(&state->client, client);
    if (state->failed)
        finding_say(finding->summary, sizeof finding->summary,
                    "%s cannot fetch its APNs configuration (init.push.apple.com) from %s (%s)%s",
                    client, endpoint_text(&state->server, state->port, server),
                    outcome_meaning((enum flow_outcome)state->outcome),
                    state->asked ? " and asks DNS instead" : "");
    else
        finding_say(finding->summary, sizeof finding->summary,
                    "%s asks DNS for the TXT record of push.apple.com, as devices do that could "
                    "not fetch their APNs configuration (init.push.apple.com)",
                    client);
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "%s failed and none worked after that; the question for TXT, which follows a "
                "failed fetch, was asked %s. Couriers are not affected by that: devices go "
                "on with the configuration that they have.",
                COUNTED(state->failed, "fetch|fetches"), COUNTED(state->asked, "time"));
    finding_add_frame(finding, state->first.frame, state->first.time_ns, "first failed fetch");
    finding_add_frame(finding, state->txt.frame, state->txt.time_ns, "DNS: TXT push.apple.com?");
}

/* The failed fetches, and what the device asks DNS. */
static void show_filter(const struct state *state, struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], server[ADDRESS_TEXT_SIZE];
    const char *family = filter_family(&state->client);
    struct text filter = text_over(finding->display_filter, sizeof finding->display_filter);
    text_format(&filter, "%s.addr == %s && (", family, address_text(&state->client, client));
    if (state->failed)
        text_format(&filter, "(%s.addr == %s && tcp.port == %u) || ", family,
                    address_text(&state->server, server), state->port);
    text_add(&filter, "dns.qry.name contains \"push.apple.com\")");
}

static void decide(struct judge *judge, const struct state *state, const struct event *event)
{
    struct finding finding = judge_draft(judge, event);
    if (!weigh(judge, state, &finding.confidence) || is_explained(judge, state))
        return;
    finding.flow_number = state->flow;
    finding.client_ip = state->client;
    finding.lane = state->lane;
    finding.server_ip = state->server;
    finding.server_port = state->failed ? state->port : HTTPS_PORT;
    finding.count = state->failed ? state->failed : state->asked;
    finding.first_ns = state->failed ? state->first.time_ns : state->txt.time_ns;
    finding.last_ns = state->failed ? state->last_ns : state->txt.time_ns;
    finding.blocker_ip = state->icmp_source;
    if (!address_is_unspecified(&state->icmp_source))
        finding.blocker_hops = hops_of_ttl(state->icmp_ttl);
    else if (state->sender_hops)
        finding.blocker_hops = (int16_t)(state->sender_hops - 1);
    show_filter(state, &finding);
    describe(state, &finding);
    judge_raise(judge, &finding);
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    if (event->kind == EVENT_CAPTURE_END)
        decide(judge, state, event);
    else if (event->kind == EVENT_DNS_QUERY)
        note_question(state, event);
    else if (event->flow->role == ROLE_BAG && flow_works(event->flow))
        note_success(state, event->flow);
    else if (event->flow->role == ROLE_BAG && flow_fails(event->flow))
        note_failure(judge, state, event->flow);
}

const struct detector detector_bag_unreachable = {
    .code = "bag-unreachable",
    .title = "The APNs configuration cannot be fetched",
    .meaning = "Devices fetch from init.push.apple.com which couriers to use and how. Where that "
               "fails, devices that have a configuration go on with it, and new ones may not find "
               "APNs at all.",
    .rests_on = "Two failed fetches of a device without one that worked after them, or one that "
                "the question for the TXT record of push.apple.com follows, which devices ask "
                "when a fetch has failed; possibly also that question alone, asked repeatedly. A "
                "fetch that works later would prove it to be chance.",
    .looks_like = "tls.handshake.extensions_server_name == \"init.push.apple.com\" without a "
                  "Server Hello, or dns.qry.name == \"push.apple.com\" && dns.qry.type == 16.",
    .innocent =
        "One failed fetch, fetches broken off by the device, a content network outside "
        "Apple's ranges, a single question for TXT, and those of a host that is no device are not "
        "reported; where interception, a blocked port or DNS explains it, that is "
        "reported instead.",
    .remedy = "Allow devices outbound TCP 443 to init.push.apple.com, directly and without TLS "
              "inspection; it is served from Apple's addresses and from content networks, so allow "
              "it by name where only 17.0.0.0/8 is open.",
    .severity = SEVERITY_WARN,
    .kind = BLOCK_UNCLEAR,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R4_DIRECT),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_DNS_QUERY) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct state),
    .observe = observe,
};
