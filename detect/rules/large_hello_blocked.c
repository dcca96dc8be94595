/* large-hello-blocked: ClientHellos of two packets vanish or are cut where small ones pass.
 *
 * A rule of the fourth stage: the firewall that looks for a name in the first packet and does not
 * put a post-quantum hello together. Rests on comparison over the whole capture, so it decides at
 * its end, before the rules about cut and swallowed hellos review theirs and give way to it.
 * Deliberately silent where one large hello got through, or a small one of the device did not. */
#include <stdio.h>

#include "base/counter.h"
#include "hello.h"
#include "resets.h"

/* Large hellos of one way that failed, of one device. */
struct size_case {
    struct address server;
    struct address client;
    uint64_t flow;
    struct proof first; /* of the first failed hello: first segment, */
    struct proof last;  /* last new segment, */
    struct proof end;   /* what cut it; frame 0: nothing */
    int64_t first_ns;   /* of the case */
    int64_t last_ns;
    uint32_t lane;
    uint32_t size;
    uint32_t acked_size;
    uint16_t segments;
    uint16_t port;
    uint16_t failed; /* 0: this place is free */
    uint16_t cut;
    uint16_t cut_short; /* the first segment was acknowledged, the rest repeated in vain */
    uint16_t small_failed;
    uint16_t small_answered;
    uint8_t way;
    uint8_t sender_hops; /* + 1; 0: not known to be nearer than Apple */
};

enum { SIZE_CASES = 2, FAILURES_NEEDED = 2, COMPARISONS_NEEDED = 2, REPEATS_NEEDED = 3 };

struct state {
    struct size_case cases[SIZE_CASES];
};

static struct size_case *case_of(struct state *state, enum way way, bool take)
{
    for (int i = 0; i < SIZE_CASES; i++) {
        struct size_case *place = &state->cases[i];
        if (place->failed ? place->way == way : take)
            return place;
    }
    return NULL;
}

static void begin_case(const struct judge *judge, struct size_case *place,
                       const struct flow_record *flow)
{
    struct sender sender = sender_of_end(judge, flow);
    const struct hello_evidence *hello = &flow->evidence->hello;
    *place = (struct size_case){.server = flow->server_ip,
                                .client = flow->client_ip,
                                .flow = flow->number,
                                .first = hello->first,
                                .last = hello->last,
                                .end = flow->evidence->cut.proof,
                                .first_ns = flow->started_ns,
                                .last_ns = flow->last_ns,
                                .lane = flow->lane,
                                .size = hello->size,
                                .acked_size = hello->acked_size,
                                .segments = hello->segments,
                                .port = flow->server_port,
                                .way = (uint8_t)way_of(flow),
                                .sender_hops = sender.is_near ? (uint8_t)(sender.hops + 1) : 0};
}

static bool is_cut_short(const struct hello_evidence *hello)
{
    return hello->acked_size && hello->acked_size < hello->size && hello->repeats >= REPEATS_NEEDED;
}

static void note(const struct judge *judge, struct state *state, const struct flow_record *flow,
                 enum hello_fate fate)
{
    bool is_large = hello_is_large(flow), is_answered = fate == HELLO_ANSWERED;
    struct size_case *place = case_of(state, way_of(flow), is_large && !is_answered);
    if (!place || (is_large && is_answered))
        return; /* that one passed is known of the whole site */
    if (!place->failed)
        begin_case(judge, place, flow);
    uint16_t *counter = is_large      ? &place->failed
                        : is_answered ? &place->small_answered
                                      : &place->small_failed;
    counter_up(counter);
    if (is_large) {
        place->cut = (uint16_t)(place->cut + (fate == HELLO_CUT));
        place->cut_short = (uint16_t)(place->cut_short + is_cut_short(&flow->evidence->hello));
        place->last_ns = flow->last_ns;
    }
}

/* No large hello got through on this way, and what failed did so more than by chance. */
static bool fails_by_size(const struct judge *judge, const struct size_case *size_case)
{
    enum way way = (enum way)size_case->way;
    struct way_counts small = judge_site_hellos(judge, way, false);
    return size_case->failed && !size_case->small_failed && small.failed <= small.worked &&
           !judge_site_hellos(judge, way, true).worked;
}

/* Large hellos of everyone that failed, on any port. */
static uint32_t failed_everywhere(const struct judge *judge)
{
    uint32_t failed = 0;
    for (enum way way = WAY_COURIER_5223; way < WAY_COUNT; way++)
        failed += judge_site_hellos(judge, way, true).failed;
    return failed;
}

/* Small hellos pass where the large ones fail. */
static bool has_comparison(const struct judge *judge, const struct size_case *size_case)
{
    bool is_repeated = failed_everywhere(judge) >= FAILURES_NEEDED || size_case->cut_short;
    struct way_counts small = judge_site_hellos(judge, (enum way)size_case->way, false);
    return fails_by_size(judge, size_case) &&
           (size_case->small_answered || (is_repeated && small.worked >= COMPARISONS_NEEDED));
}

/* Everyone's hellos on that way pass where they are small, and fail where they are large. */
static bool site_shows_it(const struct judge *judge, enum way way)
{
    struct way_counts small = judge_site_hellos(judge, way, false);
    struct way_counts large = judge_site_hellos(judge, way, true);
    return small.worked >= COMPARISONS_NEEDED && small.failed <= small.worked && !large.worked &&
           large.failed >= FAILURES_NEEDED;
}

/* On a port where no small hello was seen, another port is the comparison, of the device or of
 * everyone: what stops large hellos there is taken to stop them here. WAY_NONE: there is none. */
static enum way other_way(const struct judge *judge, const struct state *state,
                          const struct size_case *size_case)
{
    for (int i = 0; i < SIZE_CASES; i++)
        if (&state->cases[i] != size_case && has_comparison(judge, &state->cases[i]))
            return (enum way)state->cases[i].way;
    for (enum way way = WAY_COURIER_5223; way < WAY_COUNT; way++)
        if (way != (enum way)size_case->way && site_shows_it(judge, way))
            return way;
    return WAY_NONE;
}

static bool weigh(const struct judge *judge, const struct state *state,
                  const struct size_case *size_case, enum confidence *confidence)
{
    *confidence = size_case->small_answered || failed_everywhere(judge) > size_case->failed
                      ? CONFIDENCE_CERTAIN
                      : CONFIDENCE_LIKELY;
    if (has_comparison(judge, size_case))
        return true;
    *confidence = CONFIDENCE_LIKELY;
    return other_way(judge, state, size_case) != WAY_NONE && fails_by_size(judge, size_case);
}

static void describe(const struct judge *judge, const struct state *state,
                     const struct size_case *size_case, struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], acked[80] = "";
    struct way_counts small = judge_site_hellos(judge, (enum way)size_case->way, false);
    bool is_elsewhere = !small.worked;
    if (is_elsewhere)
        small = judge_site_hellos(judge, other_way(judge, state, size_case), false);
    address_text(&size_case->client, client);
    endpoint_text(&size_case->server, size_case->port, server);
    finding_say(finding->summary, sizeof finding->summary,
                "ClientHellos of %s to %s that take %u packets (%u bytes) are %s, small ones pass",
                client, server, size_case->segments, size_case->size,
                size_case->cut ? "cut off" : "never answered");
    if (size_case->acked_size && size_case->acked_size < size_case->size)
        snprintf(acked, sizeof acked, ", only the first %u bytes were acknowledged",
                 size_case->acked_size);
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "TCP was accepted %u times and a hello with a post-quantum key share failed each "
                "time (%u cut, %u left without an answer%s), while %u small hellos on %s were "
                "answered, and no large one.",
                size_case->failed, size_case->cut, size_case->failed - size_case->cut, acked,
                small.worked, is_elsewhere ? "another port" : "this port");
    finding_add_frame(finding, size_case->first.frame, size_case->first.time_ns,
                      "ClientHello, first segment");
    if (size_case->last.frame != size_case->first.frame)
        finding_add_frame(finding, size_case->last.frame, size_case->last.time_ns,
                          "ClientHello, segment %u", size_case->segments);
    finding_add_frame(finding, size_case->end.frame, size_case->end.time_ns,
                      "cut off by the server's side");
}

static void decide(struct judge *judge, const struct state *state,
                   const struct size_case *size_case, const struct event *event)
{
    char client[ADDRESS_TEXT_SIZE];
    struct finding finding = judge_draft(judge, event);
    if (!size_case->failed || !weigh(judge, state, size_case, &finding.confidence))
        return;
    finding.flow_number = size_case->flow;
    finding.client_ip = size_case->client;
    finding.server_ip = size_case->server;
    finding.server_port = size_case->port;
    finding.lane = size_case->lane;
    finding.count = size_case->failed;
    finding.first_ns = size_case->first_ns;
    finding.last_ns = size_case->last_ns;
    finding_say(finding.display_filter, sizeof finding.display_filter,
                "%s.addr == %s && tcp.port == %u", filter_family(&size_case->client),
                address_text(&size_case->client, client), size_case->port);
    if (size_case->sender_hops)
        finding.blocker_hops = (int16_t)(size_case->sender_hops - 1);
    describe(judge, state, size_case, &finding);
    judge_raise(judge, &finding);
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    if (event->kind == EVENT_CAPTURE_END) {
        for (int i = 0; i < SIZE_CASES; i++)
            decide(judge, state, &state->cases[i], event);
        return;
    }
    const struct flow_record *flow = event->flow;
    enum hello_fate fate = hello_fate(flow);
    if (fate != HELLO_NOT_JUDGED && flow->server_is_apple && way_of(flow) != WAY_NONE)
        note(judge, state, flow, fate);
}

const struct detector detector_large_hello_blocked = {
    .code = "large-hello-blocked",
    .title = "Large ClientHellos are blocked",
    .meaning = "Current devices send a post-quantum key share, which makes the ClientHello longer "
               "than one packet. Something on the way cannot read such a hello and drops or cuts "
               "it: new systems lose their notifications where old ones keep them.",
    .rests_on = "Repeated ClientHellos of two or more segments that are never answered or are cut, "
                "on a port where small hellos are answered and no large one is. One large hello "
                "that gets an answer on this port would prove it wrong.",
    .looks_like = "A Client Hello in two segments (\"TCP segment of a reassembled PDU\" before it) "
                  "and then retransmissions or an RST; in those that pass tls.handshake.type == 1 "
                  "is one frame. The key share is tls.handshake.extensions_key_share_group == "
                  "4588.",
    .innocent = "A segment lost once and repeated, large hellos that are answered late, a device "
                "of which small hellos fail as well (a filter by name), and a capture without "
                "small hellos to compare are not reported.",
    .remedy = "Update the firewall, web filter or load balancer on the path to a version that "
              "reassembles ClientHellos over several packets (vendors list it under post-quantum "
              "TLS, X25519MLKEM768 or ML-KEM), or exempt 17.0.0.0/8 and *.push.apple.com from TLS "
              "inspection and SNI filtering there. Check too that packets of full size pass "
              "upwards (MTU).",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_SIZE,
    .place = PLACE_ON_THE_WAY,
    .scope = SCOPE_DEVICE,
    .is_of_its_port = true,
    .requirements = AGAINST(R1_PORT_5223) | AGAINST(R2_FALLBACK_443) | AGAINST(R4_DIRECT) |
                    AGAINST(R6_MDM_SERVER),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct state),
    .observe = observe,
};
