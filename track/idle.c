/* Silences of established sessions, and whether they survive them.
 *
 * Beside session.c, which calls it. A silence that is followed by words of both sides was survived;
 * one after which the client is not answered, is answered by a reset, or never had what the server
 * sent, killed the session. Deliberately concludes nothing from a client that is not heard any
 * more: it may be asleep or gone. Who cut the session is weighed in detect/. */
#include "idle.h"

#include "base/counter.h"
#include "tracker.h"

/* As for SYNs (outcome.c): at least so often, over at least so long. */
enum { TRIES_NEEDED = 3 };
#define TRIES_SPAN_NS (3 * NS_PER_S)

static struct idle_evidence *idle_of(const struct tracker *tracker, const struct flow *flow)
{
    return (struct idle_evidence *)pool_at(&tracker->idle, flow->idle_id);
}

void idle_release(struct tracker *tracker, struct flow *flow)
{
    if (!flow->record.idle)
        return;
    pool_give(&tracker->idle, flow->idle_id);
    flow->record.idle = NULL;
}

static bool works(const struct flow *flow)
{
    const uint32_t both = SAW_UP | SAW_DOWN;
    return (flow->record.saw & both) == both &&
           (flow->state == STATE_MIDSTREAM ||
            (flow->state == STATE_ESTABLISHED && flow->works_told));
}

/* Nothing has decided an earlier silence, and this one is longer: it is what whatever comes now
 * tells of. A server repeats its words for minutes to a device that sleeps for an hour. */
static bool outlasts(const struct idle_evidence *idle, int64_t silence_ns)
{
    return idle->shape == IDLE_UNDECIDED && silence_ns / NS_PER_S > (int64_t)idle_silence_s(idle);
}

/* A server acknowledges what the client said: where that was lost on the way or comes late, the
 * answer is seen first, and it was the client all the same who broke the silence. A probe of the
 * server's own lies before the next byte (RFC 9293 section 3.8.4). */
static bool is_only_an_answer(const struct flow *flow, const struct packet *packet)
{
    return !packet->payload_size && !(packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) &&
           flow->down.known && sequence_distance(flow->down.next, packet->sequence) >= 0;
}

void idle_begin(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                enum direction direction)
{
    struct flow_record *record = &flow->record;
    int64_t silence_ns = record->last_ns == TIME_UNKNOWN ? 0 : tracker->now_ns - record->last_ns;
    if (silence_ns < IDLE_LEAST_NS || (record->idle && !outlasts(record->idle, silence_ns)) ||
        !works(flow) || (direction == UP && packet->tcp_flags & TCP_RST))
        return;
    idle_release(tracker, flow);
    struct idle_evidence *idle = (struct idle_evidence *)pool_take(&tracker->idle, &flow->idle_id);
    if (!idle)
        return; /* at the cap nothing is concluded of this silence */
    *idle = (struct idle_evidence){
        .before = {.frame = record->last_frame, .time_ns = record->last_ns},
        .up_next = flow->up.next,
        .server_broke_it = direction == DOWN && !is_only_an_answer(flow, packet),
    };
    idle->breaker = tracker_proof(tracker, packet);
    record->idle = idle;
}

static void survive(struct tracker *tracker, struct flow *flow)
{
    struct flow_record *record = &flow->record;
    uint32_t survived_s = idle_silence_s(record->idle);
    if (survived_s > record->survived_s)
        record->survived_s = survived_s;
    if (record->idle->server_broke_it && survived_s > record->survived_down_s)
        record->survived_down_s = survived_s;
    idle_release(tracker, flow);
}

static void die(struct tracker *tracker, struct flow *flow, struct idle_evidence *idle,
                enum idle_shape shape, uint64_t frame)
{
    idle->shape = (uint8_t)shape;
    if (flow->standing == STANDING_OURS)
        tracker_tell(tracker, EVENT_IDLE_DEATH, flow, frame);
}

static void count_try(const struct tracker *tracker, struct idle_evidence *idle,
                      const struct packet *packet)
{
    idle->last_try = tracker_proof(tracker, packet);
    counter_up(&idle->tries);
}

static bool tried_in_vain(const struct idle_evidence *idle)
{
    return idle->tries >= TRIES_NEEDED &&
           idle->last_try.time_ns - idle->breaker.time_ns >= TRIES_SPAN_NS;
}

/* ---- the client broke the silence ---- */

/* The client acknowledges what the capture does not hold: the silence was none. */
static bool heard_more(const struct packet *packet, uint32_t next_down)
{
    return packet->tcp_flags & TCP_ACK && sequence_distance(next_down, packet->acknowledgement) > 0;
}

static void client_goes_on(struct tracker *tracker, struct flow *flow, struct idle_evidence *idle,
                           const struct packet *packet, uint32_t next_down)
{
    if (packet->tcp_flags & TCP_RST)
        return;
    if (heard_more(packet, next_down)) {
        /* After it has closed without them it may still get the bytes that it missed. */
        if (idle->shape != IDLE_MISSED)
            idle_release(tracker, flow);
        return;
    }
    bool closes = packet->tcp_flags & TCP_FIN;
    int32_t said = sequence_distance(idle->up_next, packet->sequence + packet->payload_size);
    if (packet->payload_size)
        idle->last_size = packet->payload_size;
    if (said > 0 && (uint32_t)said > idle->said_size)
        idle->said_size = (uint32_t)said;
    idle->client_closes |= closes;
    count_try(tracker, idle, packet);
    if (idle->shape == IDLE_UNDECIDED && idle->answer.frame && closes)
        die(tracker, flow, idle, IDLE_MISSED, packet->frame);
    else if (idle->shape == IDLE_UNDECIDED && !idle->answer.frame && tried_in_vain(idle))
        die(tracker, flow, idle, IDLE_UNANSWERED, packet->frame);
}

/* Bytes of the server's lie between what the client has and this packet. */
static uint32_t missed(const struct packet *packet, uint32_t next_down)
{
    int32_t ahead = sequence_distance(next_down, packet->sequence);
    return ahead > 0 ? (uint32_t)ahead : 0;
}

/* The answer to the client's close_notify is the server's own, which has the same size. Where the
 * mirror lost or delayed it, the server's FIN is ahead by just as much. */
static bool is_farewell(const struct idle_evidence *idle, uint32_t size)
{
    return size == idle->last_size || size == idle->said_size;
}

static void server_answers(struct tracker *tracker, struct flow *flow, struct idle_evidence *idle,
                           const struct packet *packet, uint32_t next_down)
{
    if (packet->tcp_flags & TCP_RST) {
        idle->answer = tracker_proof(tracker, packet);
        die(tracker, flow, idle, IDLE_RESET, packet->frame);
        return;
    }
    uint32_t size = missed(packet, next_down);
    if (!size && idle->shape == IDLE_UNDECIDED && !idle->answer.frame) {
        survive(tracker, flow);
    } else if (!size) {
        /* Sent again, or answered after all: the way was not dead. */
        if (idle->shape != IDLE_MISSED)
            idle_release(tracker, flow);
    } else if (is_farewell(idle, size)) {
        idle_release(tracker, flow);
    } else if (!idle->answer.frame) {
        idle->answer = tracker_proof(tracker, packet);
        idle->missed_size = size;
        if (idle->shape == IDLE_UNANSWERED)
            idle_release(tracker, flow);
        else if (idle->client_closes)
            die(tracker, flow, idle, IDLE_MISSED, packet->frame);
    }
}

/* ---- the server broke it ---- */

static void server_goes_on(struct tracker *tracker, struct flow *flow, struct idle_evidence *idle,
                           const struct packet *packet)
{
    if (idle->shape != IDLE_UNDECIDED)
        return;
    if (packet->tcp_flags & TCP_RST) {
        idle->answer = tracker_proof(tracker, packet);
        die(tracker, flow, idle, IDLE_RESET, packet->frame);
    } else if (packet->tcp_flags & TCP_FIN) {
        idle_release(tracker, flow); /* it closes: its right */
    } else if (packet->payload_size) {
        count_try(tracker, idle, packet);
    }
}

/* The client says something while the server's bytes wait to be acknowledged. */
static void client_answers(struct tracker *tracker, struct flow *flow, struct idle_evidence *idle,
                           const struct packet *packet)
{
    bool has_all = packet->tcp_flags & TCP_ACK &&
                   sequence_distance(packet->acknowledgement, flow->down.next) <= 0;
    if (packet->tcp_flags & TCP_RST) {
        idle_release(tracker, flow); /* it has forgotten the session itself */
    } else if (has_all || !idle->tries) {
        survive(tracker, flow);
    } else if (packet->tcp_flags & TCP_FIN && tried_in_vain(idle)) {
        idle->client_closes = true;
        idle->missed_size = flow->down.next - packet->acknowledgement;
        idle->answer = tracker_proof(tracker, packet);
        die(tracker, flow, idle, IDLE_UNHEARD, packet->frame);
    }
}

void idle_take(struct tracker *tracker, struct flow *flow, const struct packet *packet,
               enum direction direction, uint32_t next_down)
{
    struct idle_evidence *idle = idle_of(tracker, flow);
    if (idle->server_broke_it) {
        if (direction == DOWN)
            server_goes_on(tracker, flow, idle, packet);
        else if (idle->shape == IDLE_UNDECIDED)
            client_answers(tracker, flow, idle, packet);
    } else if (direction == UP) {
        client_goes_on(tracker, flow, idle, packet, next_down);
    } else if (idle->shape == IDLE_UNDECIDED || idle->shape == IDLE_UNANSWERED) {
        server_answers(tracker, flow, idle, packet, next_down);
    }
}
