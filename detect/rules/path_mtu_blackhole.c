/* path-mtu-blackhole: the server's full packets never arrive, its small ones do.
 *
 * A rule of the fourth stage. Rests on the client's own acknowledgements, which keep asking for the
 * same bytes while later, smaller ones arrive (the capture is on the client's side of the hole), or
 * never move while the server repeats its full segments (on the other side). Deliberately silent
 * where nothing arrives at all: that is stall-after-client-hello, which cannot tell why. */
#include <stdio.h>
#include <string.h>

#include "attempts.h"
#include "base/counter.h"

/* What is missing for so long was sent again three times and more (RFC 6298). */
#define MISSING_NS (5 * NS_PER_S)
#define LONE_NS    (10 * NS_PER_S)
/* Less is missing or repeated than a full packet in any tunnel: ordinary loss. */
enum { FULL_SEGMENT = 1000, REPEATS_NEEDED = 3, STUCK_ACKS_NEEDED = 2 };

struct state {
    uint16_t seen; /* sessions, on any port */
};

enum side { NOT_STUCK, BEHIND_THE_HOLE, BEFORE_THE_HOLE };

/* What a full segment holds at least: the announced size less RFC 7323's timestamps, and a little
 * for other options. The last segment of a flight has any size below. */
static uint32_t full_segment(const struct flow_evidence *evidence)
{
    enum { OPTIONS = 40 };
    return evidence->mss_up > FULL_SEGMENT + OPTIONS ? evidence->mss_up - OPTIONS : FULL_SEGMENT;
}

/* Smaller segments arrived beyond the missing ones, none of full size did. */
static bool is_behind(const struct flow_evidence *evidence)
{
    const struct flight_evidence *flight = &evidence->flight;
    return flight->beyond.frame && flight->acked_size <= flight->contiguous &&
           flight->beyond_start - flight->contiguous >= FULL_SEGMENT &&
           flight->largest_segment < full_segment(evidence) &&
           flight->stuck_acks >= STUCK_ACKS_NEEDED;
}

/* Nothing is missing in the capture; the server sends full segments again and again. */
static bool is_before(const struct flight_evidence *flight)
{
    return !flight->beyond.frame && flight->large_repeats >= REPEATS_NEEDED &&
           flight->end - flight->acked_size >= FULL_SEGMENT && flight->stuck_acks;
}

/* From the hello to the client's last word, be it the reset with which it gave up. */
static int64_t stuck_ns(const struct flow_record *flow)
{
    bool gave_up = flow->ended_by == ENDED_CLIENT_RESET && flow->reset_ns != TIME_UNKNOWN;
    int64_t last_ns = gave_up ? flow->reset_ns : flow->evidence->last_up_ns;
    return last_ns - flow->evidence->hello.last.time_ns;
}

static enum side side_of(const struct flow_record *flow)
{
    const struct flow_evidence *evidence = flow->evidence;
    if (!evidence || !evidence->has_opening || !evidence->hello.is_hello || flow_works(flow) ||
        !evidence->flight.end || stuck_ns(flow) < MISSING_NS)
        return NOT_STUCK;
    if (is_behind(evidence))
        return BEHIND_THE_HOLE;
    return is_before(&evidence->flight) ? BEFORE_THE_HOLE : NOT_STUCK;
}

static void explain(const struct flow_record *flow, enum side side, struct finding *finding)
{
    const struct flight_evidence *flight = &flow->evidence->flight;
    const char *icmp = flow->evidence->too_big.frame
                           ? " A router said that packets are too big; the server did not hear it."
                           : "";
    if (side == BEHIND_THE_HOLE)
        finding_say(finding->reasoning, sizeof finding->reasoning,
                    "Bytes from %u on arrived in segments of up to %u bytes, the %u bytes before "
                    "them never did, though the client asked for them %u times; it announced "
                    "segments of up to %u bytes. Loss by chance does not choose by size.%s",
                    flight->beyond_start, flight->largest_segment,
                    flight->beyond_start - flight->contiguous, flight->stuck_acks,
                    flow->evidence->mss_up, icmp);
    else
        finding_say(finding->reasoning, sizeof finding->reasoning,
                    "The server sent segments of up to %u bytes and repeated full ones %u times; "
                    "the client was there and kept acknowledging %u bytes only.%s",
                    flight->largest_segment, flight->large_repeats, flight->acked_size, icmp);
}

static void show(const struct flow_record *flow, struct finding *finding)
{
    const struct flow_evidence *evidence = flow->evidence;
    const struct flight_evidence *flight = &evidence->flight;
    finding_add_frame(finding, evidence->hello.first.frame, evidence->hello.first.time_ns,
                      "ClientHello");
    finding_add_frame(finding, flight->beyond.frame, flight->beyond.time_ns,
                      "a small segment; %u bytes before it are missing",
                      flight->beyond_start - flight->contiguous);
    finding_add_frame(finding, flight->repeat.frame, flight->repeat.time_ns,
                      "a full segment again, the last of %u times", flight->large_repeats);
    finding_add_frame(finding, flight->stuck.frame, flight->stuck.time_ns,
                      "the client still has %u bytes only", flight->acked_size);
    finding_add_frame(finding, evidence->too_big.frame, evidence->too_big.time_ns,
                      "ICMP: packet too big, MTU %u", evidence->too_big_mtu);
    if (evidence->too_big.frame)
        finding->blocker_ip = evidence->too_big_source;
}

static void raise(struct judge *judge, const struct event *event, enum side side,
                  enum confidence confidence)
{
    const struct flow_record *flow = event->flow;
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], span[DURATION_TEXT_SIZE];
    if (judge_only_counts(judge, event, confidence))
        return;
    struct finding finding = judge_draft(judge, event);
    finding.confidence = confidence;
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    finding_say(finding.summary, sizeof finding.summary,
                "%s never got the whole answer of %s: for %s its full packets did not arrive, "
                "however often they were sent",
                client, server, duration_text(stuck_ns(flow), span));
    explain(flow, side, &finding);
    show(flow, &finding);
    finding.is_before_capture = side == BEFORE_THE_HOLE;
    judge_raise(judge, &finding);
}

/* It works after all: once was chance. */
static void recover(struct judge *judge, struct state *state)
{
    judge_withdraw_doubtful(judge);
    memset(state, 0, sizeof *state);
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    const struct flow_record *flow = event->flow;
    if (!is_attempt_at_apple(flow))
        return;
    if (event->kind == EVENT_FLOW_WORKS || flow_works(flow)) {
        if (flow->saw & SAW_SYN_ACK)
            recover(judge, state);
        return;
    }
    enum side side = side_of(flow);
    if (side == NOT_STUCK)
        return;
    counter_up(&state->seen);
    bool is_sure = state->seen > 1 || flow->evidence->too_big.frame;
    if (is_sure || stuck_ns(flow) >= LONE_NS)
        raise(judge, event, side, is_sure ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
}

const struct detector detector_path_mtu_blackhole = {
    .code = "path-mtu-blackhole",
    .title = "Full packets vanish on the way",
    .meaning = "Something on the path carries only smaller packets, and the message that would "
               "tell the server so is lost. The connection opens, but the server's certificate "
               "and keys, which fill packets, never arrive: no session comes up.",
    .rests_on = "In one session for ten seconds, or in several for five: server bytes that the "
                "client keeps asking for while later, smaller ones arrive, or full segments "
                "repeated in vain, with a client that is still there. One full segment that "
                "arrives would prove it wrong.",
    .looks_like = "After the Client Hello \"TCP Previous segment not captured\" and then duplicate "
                  "ACKs: tcp.analysis.duplicate_ack && tcp.port == 5223; on the server's side of "
                  "the hole tcp.analysis.retransmission with tcp.len > 1200.",
    .innocent = "One large packet lost and repeated, segments that the capture missed but the "
                "client acknowledges, a client that left, and silence without any answer are not "
                "reported.",
    .remedy = "Let ICMP \"fragmentation needed\" (type 3 code 4) and ICMPv6 \"packet too big\" "
              "(type 2) pass on every firewall between the devices and the provider, and clamp the "
              "MSS of TCP SYNs to the path (for example 1360) on the tunnel, PPPoE or VPN gateway "
              "whose MTU is below 1500. To measure: ping -M do -s 1472 towards the provider, "
              "smaller until it passes.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_SIZE,
    .place = PLACE_ON_THE_WAY,
    .scope = SCOPE_DEVICE,
    .is_of_its_port = true,
    .requirements = AGAINST(R1_PORT_5223) | AGAINST(R2_FALLBACK_443) | AGAINST(R6_MDM_SERVER),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_FLOW_WORKS),
    .state_size = sizeof(struct state),
    .observe = observe,
};
