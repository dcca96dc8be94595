/* What a young or reset session shows beyond its record, for rules about hellos and resets.
 *
 * Beside session.c, which calls it. Only notes: whether a reset is forged or a hello was swallowed
 * is weighed in detect/. Follows one hole of the server's first bytes; what is behind several at
 * once is heavy loss, of which nothing is concluded. */
#include "evidence.h"

#include <string.h>

#include "base/counter.h"
#include "base/reader.h"
#include "base/text.h"
#include "dissect/dissect.h"
#include "dissect/tls.h"
#include "tracker.h"

/* A segment of about this size or more is a full one: the smallest MSS in use for IPv6 is 1220
 * (RFC 8200 section 5), tunnels leave 1300 or more of Ethernet's 1500. */
enum { FULL_SEGMENT = 1200 };

/* A round trip below this is too short to tell a fast answer from a near peer. */
enum { TELLING_RTT_US = 4000 };
/* What a mirror may deliver late, in its ordinary order. */
#define OVERTAKEN_NS (3 * NS_PER_MS)
/* A guess ahead of the session beyond what packets on their way can explain. */
enum { SERIES_STEP = 512 };

static struct flow_evidence *evidence_of(const struct tracker *tracker, const struct flow *flow)
{
    return (struct flow_evidence *)pool_at(&tracker->evidence, flow->evidence_id);
}

/* NULL at the cap: a session without evidence is one of which nothing is concluded. */
static struct flow_evidence *need_evidence(struct tracker *tracker, struct flow *flow)
{
    if (flow->record.evidence)
        return evidence_of(tracker, flow);
    struct flow_evidence *evidence =
        (struct flow_evidence *)pool_take(&tracker->evidence, &flow->evidence_id);
    if (!evidence)
        return NULL;
    *evidence = (struct flow_evidence){.last_up_ns = TIME_UNKNOWN};
    flow->record.evidence = evidence;
    return evidence;
}

void evidence_release(struct tracker *tracker, struct flow *flow)
{
    if (!flow->record.evidence)
        return;
    pool_give(&tracker->evidence, flow->evidence_id);
    flow->record.evidence = NULL;
}

void evidence_forget_mac(struct tracker *tracker, struct flow *flow)
{
    struct reset_evidence *reset = &evidence_of(tracker, flow)->reset[DOWN];
    reset->signs = (uint16_t)(reset->signs & ~(unsigned)RESET_OTHER_MAC);
}

/* ---- the opening ---- */

/* RFC 9293 section 3.2: kind 2, length 4; nearly every stack writes it first. */
uint16_t evidence_mss(const struct packet *packet)
{
    const uint8_t *options = packet->tcp_options;
    if (packet->tcp_options_size >= 4 && options[0] == 2 && options[1] == 4)
        return load_u16(options + 2);
    return dissect_tcp_options(packet).mss;
}

void evidence_open(struct tracker *tracker, struct flow *flow, const struct packet *packet)
{
    struct flow_evidence *evidence = need_evidence(tracker, flow);
    if (!evidence || evidence->has_opening || !(flow->record.saw & SAW_SYN))
        return;
    evidence->has_opening = true;
    evidence->mss_up = flow->mss_up;
    evidence->mss_down = evidence_mss(packet);
}

/* RFC 8446 sections 5.1 and 4: the record's length, unless its message goes on in another one. */
static uint32_t told_size(const struct packet *packet)
{
    enum { RECORD_HEADER = 5, MESSAGE_HEADER = 4 };
    struct reader payload = reader_over(packet->payload, packet->payload_captured);
    reader_skip(&payload, 3);
    uint32_t record = reader_u16(&payload);
    reader_skip(&payload, 1);
    uint32_t message = reader_u24(&payload);
    if (packet->payload_captured < RECORD_HEADER)
        return 0;
    bool goes_on = !payload.failed && message + MESSAGE_HEADER > record;
    return goes_on ? 0 : RECORD_HEADER + record;
}

/* Also where the client may send but a few bytes of it; not where the capture holds no more. */
static bool begins_hello(const struct packet *packet)
{
    uint32_t size = packet->payload_captured;
    return tls_may_be_client_hello(packet->payload, size) ||
           (size == packet->payload_size && tls_may_begin_client_hello(packet->payload, size));
}

static void take_hello(const struct tracker *tracker, const struct flow *flow,
                       struct hello_evidence *hello, const struct packet *packet)
{
    uint32_t start = packet->sequence - (flow->record.client_isn + 1);
    uint32_t end = start + packet->payload_size;
    if ((int32_t)start < 0)
        return; /* a keepalive probe */
    if (hello->told_size && start >= hello->told_size)
        return; /* what follows it: its answer is captured late */
    if (!hello->first.frame) {
        hello->first = tracker_proof(tracker, packet);
        hello->is_hello = start == 0 && begins_hello(packet);
        hello->first_segment = packet->payload_size;
        hello->told_size = hello->is_hello ? told_size(packet) : 0;
    }
    if (packet->payload_size > hello->largest_segment)
        hello->largest_segment = packet->payload_size;
    if (end <= hello->size) {
        hello->repeat = tracker_proof(tracker, packet);
        counter_up(&hello->repeats);
        return;
    }
    hello->last = tracker_proof(tracker, packet);
    hello->size = end;
    counter_up(&hello->segments);
}

/* The client's acknowledgement: what it has, and how often it says that it misses the same. */
static void take_client_ack(const struct tracker *tracker, const struct flow *flow,
                            struct flight_evidence *flight, const struct packet *packet)
{
    int32_t acked = sequence_distance(flow->server_isn + 1, packet->acknowledgement);
    if (!(packet->tcp_flags & TCP_ACK) || acked < 0)
        return;
    if ((uint32_t)acked > flight->acked_size) {
        flight->acked_size = (uint32_t)acked;
        flight->stuck_acks = 0;
        flight->stuck = (struct proof){0};
    }
    if (flight->acked_size >= flight->end)
        return;
    flight->stuck = tracker_proof(tracker, packet);
    counter_up(&flight->stuck_acks);
}

static void take_up(const struct tracker *tracker, const struct flow *flow,
                    const struct packet *packet, struct flow_evidence *evidence)
{
    evidence->last_up_ns = tracker->now_ns;
    if (!evidence->has_opening)
        return;
    if (packet->payload_size && !evidence->flight.end)
        take_hello(tracker, flow, &evidence->hello, packet);
    take_client_ack(tracker, flow, &evidence->flight, packet);
}

static void take_flight(const struct tracker *tracker, struct flight_evidence *flight,
                        const struct packet *packet, uint32_t start)
{
    uint32_t end = start + packet->payload_size;
    if (packet->payload_size > flight->largest_segment)
        flight->largest_segment = packet->payload_size;
    if (end <= flight->end && start < flight->contiguous && packet->payload_size >= FULL_SEGMENT) {
        flight->repeat = tracker_proof(tracker, packet);
        counter_up(&flight->large_repeats);
    }
    if (start > flight->contiguous && !flight->beyond.frame) {
        flight->beyond = tracker_proof(tracker, packet);
        flight->beyond_start = start;
    }
    if (start <= flight->contiguous && end > flight->contiguous)
        flight->contiguous = end;
    if (end > flight->end)
        flight->end = end;
    if (flight->beyond.frame && flight->contiguous >= flight->beyond_start) {
        flight->contiguous = flight->end;
        flight->beyond = (struct proof){0};
    }
}

/* A TLS record begins with its type and version (RFC 8446 section 5.1), none of which is a letter
 * or a digit; text has nothing else. */
static void take_answer(const struct tracker *tracker, struct answer_evidence *answer,
                        const struct packet *packet)
{
    enum { LEAST = 8 };
    uint32_t size = packet->payload_captured, line = 0;
    while (line < size && packet->payload[line] >= ' ' && packet->payload[line] <= '~')
        line++;
    if (line < LEAST)
        return;
    text_printable(answer->text, sizeof answer->text, packet->payload, line);
    answer->proof = tracker_proof(tracker, packet);
}

/* A SYN-ACK on its way when the client's acknowledgement is sent is no repetition. */
static void take_syn_ack_again(const struct tracker *tracker, const struct flow *flow,
                               struct unheard_evidence *unheard, const struct packet *packet)
{
    const int64_t soon_ns = 500 * NS_PER_MS;
    if (!(flow->record.saw & SAW_HANDSHAKE) || packet->sequence != flow->server_isn ||
        time_between(flow->record.established_ns, tracker->now_ns) < soon_ns)
        return;
    unheard->proof = tracker_proof(tracker, packet);
    counter_up(&unheard->count);
}

static void note_cut(const struct tracker *tracker, const struct flow *flow,
                     const struct packet *packet, struct flow_evidence *evidence,
                     enum cut_kind kind)
{
    if (!evidence->has_opening || evidence->flight.end || evidence->cut.proof.frame)
        return;
    evidence->cut = (struct cut_evidence){
        .offset = sequence_distance(flow->server_isn + 1, packet->sequence),
        .ttl = packet->ttl,
        .kind = (uint8_t)kind,
    };
    evidence->cut.proof = tracker_proof(tracker, packet);
}

/* RFC 8446 section 5.1: content type, version, length; section 6: two bytes. */
static bool is_alert_record(const struct packet *packet)
{
    enum { ALERT = 21, MAJOR_VERSION = 3, SIZE = 2 };
    struct reader payload = reader_over(packet->payload, packet->payload_captured);
    uint8_t type = reader_u8(&payload);
    uint8_t version = reader_u8(&payload);
    reader_skip(&payload, 1);
    uint16_t size = reader_u16(&payload);
    return !payload.failed && type == ALERT && version == MAJOR_VERSION && size == SIZE;
}

static void take_cut(const struct tracker *tracker, const struct flow *flow,
                     const struct packet *packet, struct flow_evidence *evidence)
{
    if (packet->payload_size && evidence->hello.is_hello && is_alert_record(packet))
        note_cut(tracker, flow, packet, evidence, CUT_BY_ALERT);
    else if (packet->tcp_flags & TCP_FIN && !packet->payload_size)
        note_cut(tracker, flow, packet, evidence, CUT_BY_FIN);
}

static void take_down(const struct tracker *tracker, const struct flow *flow,
                      const struct packet *packet, struct flow_evidence *evidence)
{
    if (!evidence->has_opening)
        return;
    if (packet->tcp_flags & TCP_SYN) {
        take_syn_ack_again(tracker, flow, &evidence->unheard, packet);
        return;
    }
    struct hello_evidence *hello = &evidence->hello;
    int32_t start = sequence_distance(flow->server_isn + 1, packet->sequence);
    int32_t acked = sequence_distance(flow->record.client_isn + 1, packet->acknowledgement);
    if (packet->tcp_flags & TCP_ACK && acked > 0 && !evidence->flight.end &&
        (uint32_t)acked > hello->acked_size) {
        hello->acked_size = (uint32_t)acked;
        hello->acked = tracker_proof(tracker, packet);
    }
    if (packet->tcp_flags & TCP_ACK && !evidence->flight.end)
        hello->window_is_shut = packet->window == 0;
    take_cut(tracker, flow, packet, evidence);
    if (packet->payload_size && start == 0 && hello->is_hello && !evidence->flight.end)
        take_answer(tracker, &evidence->answer, packet);
    if (packet->payload_size && start >= 0)
        take_flight(tracker, &evidence->flight, packet, (uint32_t)start);
}

/* ---- resets ---- */

static void weigh_ttl(struct reset_evidence *reset)
{
    if (ttl_is_doubtful(reset->ttl, reset->peer_ttl_high) || reset->peer_ttl_low < 0)
        return;
    if (hops_are_nearer(reset->hops, reset->peer_hops))
        reset->signs |= RESET_NEARER;
    else if (reset->ttl + TTL_TOLERANCE < reset->peer_ttl_low ||
             reset->ttl > reset->peer_ttl_high + TTL_TOLERANCE)
        reset->signs |= RESET_OTHER_DISTANCE;
}

/* IP identifications tell only of a side that counts, or always writes zero. A zero on a reset is
 * what many stacks write there themselves (wire.md section 5). */
static bool id_is_unlike(const struct habits *habits, const struct packet *packet)
{
    uint16_t step = (uint16_t)(packet->ip_id - habits->ip_id);
    if (packet->ip_version != 4 || habits->packets < HABITS_TELLING || packet->ip_id == 0)
        return false;
    return habits->ids_are_zero || (!habits->ids_jump && step > HABITS_ID_STEP);
}

/* It acknowledges the other side's newest data sooner than that can have reached the peer. */
static bool is_too_fast(const struct flow *flow, const struct reset_evidence *reset,
                        const struct packet *packet)
{
    return flow->record.rtt_server_us >= TELLING_RTT_US && packet->tcp_flags & TCP_ACK &&
           packet->acknowledgement == flow->up.next && reset->answer_ns != TIME_UNKNOWN &&
           reset->answer_ns * 2 < flow->record.rtt_server_us * NS_PER_US;
}

static void weigh_first(const struct flow *flow, struct reset_evidence *reset,
                        const struct packet *packet, enum direction direction)
{
    const struct flow_record *record = &flow->record;
    reset->signs = 0;
    weigh_ttl(reset);
    if (direction == UP)
        return;
    if (id_is_unlike(&flow->habits[DOWN], packet))
        reset->signs |= RESET_OTHER_IP_ID;
    if (is_too_fast(flow, reset, packet))
        reset->signs |= RESET_TOO_FAST;
    if (record->saw & SAW_DOWN && flow_has_other_mac(flow, packet))
        reset->signs |= RESET_OTHER_MAC;
}

static int16_t nearest(const struct habits *habits)
{
    int16_t low = ttl_hops(habits->ttl_low), high = ttl_hops(habits->ttl_high);
    return low < high ? low : high;
}

static int64_t since(int64_t then_ns, int64_t now_ns)
{
    return then_ns == TIME_UNKNOWN || then_ns == 0 ? TIME_UNKNOWN : now_ns - then_ns;
}

/* What that side had acknowledged at least when it was said to reset: of a young session exactly,
 * later no more than what the other side had sent. */
static void note_acked(const struct flow *flow, const struct flow_evidence *evidence,
                       enum direction direction, struct reset_evidence *reset)
{
    const struct sequence *other = direction == UP ? &flow->down : &flow->up;
    bool is_young = direction == DOWN && evidence->has_opening && !evidence->flight.end;
    reset->knows_acked = is_young || other->known;
    reset->acked =
        is_young ? flow->record.client_isn + 1 + evidence->hello.acked_size : other->next;
}

static void note_first(const struct tracker *tracker, const struct flow *flow,
                       const struct packet *packet, enum direction direction,
                       struct reset_evidence *reset)
{
    const struct habits *habits = &flow->habits[direction];
    const struct sequence *own = direction == UP ? &flow->up : &flow->down;
    const struct sequence *other = direction == UP ? &flow->down : &flow->up;
    uint32_t closed = SAW_FIN_UP | SAW_FIN_DOWN | (direction == UP ? SAW_RST_DOWN : SAW_RST_UP);
    *reset = (struct reset_evidence){
        .silence_ns =
            direction == DOWN ? since(flow->record.last_down_ns, tracker->now_ns) : TIME_UNKNOWN,
        .answer_ns = other->known ? since(other->advanced_ns, tracker->now_ns) : TIME_UNKNOWN,
        .next = own->known ? own->next : packet->sequence,
        .highest = packet->sequence,
        .ttl = packet->ttl,
        .hops = ttl_hops(packet->ttl),
        .peer_ttl_low = habits->packets ? habits->ttl_low : -1,
        .peer_ttl_high = habits->packets ? habits->ttl_high : -1,
        .peer_hops = habits->packets ? nearest(habits) : -1,
        .count = 1,
        .after_close = (flow->record.saw & closed) != 0,
    };
    reset->proof = tracker_proof(tracker, packet);
    weigh_first(flow, reset, packet, direction);
}

static void note_again(struct reset_evidence *reset, const struct packet *packet)
{
    counter_up(&reset->count);
    if (sequence_distance(reset->highest, packet->sequence) < SERIES_STEP)
        return;
    reset->highest = packet->sequence;
    if (sequence_distance(reset->next, packet->sequence) >= SERIES_STEP)
        reset->signs |= RESET_SERIES;
}

void evidence_reset(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                    enum direction direction)
{
    bool is_refusal =
        flow->state == STATE_NEW || flow->state == STATE_SYN_SENT || flow->state == STATE_REFUSED;
    struct flow_evidence *evidence = is_refusal ? NULL : need_evidence(tracker, flow);
    if (!evidence)
        return;
    struct reset_evidence *reset = &evidence->reset[direction];
    if (reset->proof.frame) {
        note_again(reset, packet);
    } else {
        note_first(tracker, flow, packet, direction, reset);
        note_acked(flow, evidence, direction, reset);
    }
    if (direction == DOWN)
        note_cut(tracker, flow, packet, evidence, CUT_BY_RESET);
}

/* A packet of a side after its RST, with new bytes, or with an acknowledgement of bytes that came
 * after it: a peer that has reset the session has no memory of it, and answers with nothing but
 * further resets (RFC 9293 section 3.10.7.1). */
static void note_going_on(const struct tracker *tracker, struct reset_evidence *reset,
                          const struct packet *packet)
{
    bool has_news = packet->payload_size &&
                    sequence_distance(reset->next, packet->sequence + packet->payload_size) > 0;
    bool acknowledges_news = packet->tcp_flags & TCP_ACK && reset->knows_acked &&
                             sequence_distance(reset->acked, packet->acknowledgement) > 0;
    if (reset->went_on.frame || (!has_news && !acknowledges_news) ||
        tracker->now_ns - reset->proof.time_ns <= OVERTAKEN_NS)
        return;
    reset->went_on = tracker_proof(tracker, packet);
    reset->signs |= RESET_PEER_WENT_ON;
}

void evidence_take(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                   enum direction direction)
{
    struct flow_evidence *evidence = evidence_of(tracker, flow);
    if (evidence->reset[direction].proof.frame)
        note_going_on(tracker, &evidence->reset[direction], packet);
    if (direction == UP)
        take_up(tracker, flow, packet, evidence);
    else
        take_down(tracker, flow, packet, evidence);
}

bool evidence_resumes(const struct flow *flow, const struct packet *packet,
                      enum direction direction)
{
    const struct flow_evidence *evidence = flow->record.evidence;
    const struct reset_evidence *reset = &evidence->reset[direction == UP ? DOWN : UP];
    return reset->went_on.frame && packet->tcp_flags & TCP_ACK &&
           sequence_distance(reset->next, packet->acknowledgement) > 0;
}

void evidence_too_big(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                      bool quotes_client)
{
    struct flow_evidence *evidence = need_evidence(tracker, flow);
    if (!evidence || evidence->too_big.frame)
        return;
    evidence->too_big = tracker_proof(tracker, packet);
    evidence->too_big_source = packet->source;
    evidence->too_big_mtu = packet->icmp_mtu;
    evidence->too_big_of_server = !quotes_client;
}
