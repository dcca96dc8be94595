/* Keeps what the packet ladder draws: times, directions, TTLs and frame numbers, never content.
 *
 * Beside session.c, which calls it for the packets of young and troubled sessions. Bounded by
 * STEPS_CAP sessions at a time; a session that finds no room has a record and no ladder. Decides
 * nothing about the session: whether its steps are stored is settled where the stages meet. */
#include "steps.h"

#include "dissect/http.h"
#include "dissect/tls.h"
#include "tracker.h"

static void add_step(struct flow_steps *steps, const struct flow_step *step)
{
    if (steps->first_count < STEPS_FIRST && !steps->last_count)
        steps->first[steps->first_count++] = *step;
    else
        steps->last[steps->last_count++ % STEPS_LAST] = *step;
}

/* ---- what a packet shows ---- */

struct sight {
    const struct flow_record *record;
    const struct packet *packet;
    enum direction direction;
    enum segment_kind kind;
    uint32_t fresh; /* bits of record->saw that the packet set */
    bool is_young;  /* its payload may be a handshake's */
};

static enum step_what what_of_handshake(const struct sight *sight)
{
    uint32_t fresh = sight->fresh;
    const uint8_t *bytes = sight->packet->payload;
    size_t size = sight->packet->payload_captured;
    if (fresh & (SAW_FATAL_ALERT_UP | SAW_FATAL_ALERT_DOWN))
        return STEP_ALERT;
    if (sight->direction == UP && sight->is_young && tls_may_be_client_hello(bytes, size))
        return STEP_CLIENT_HELLO;
    if (fresh & SAW_CLIENT_HELLO)
        return STEP_CLIENT_HELLO_REST;
    if (fresh & SAW_HELLO_RETRY)
        return STEP_HELLO_RETRY;
    if (fresh & SAW_SERVER_HELLO)
        return fresh & SAW_CERTIFICATE ? STEP_SERVER_FLIGHT : STEP_SERVER_HELLO;
    if (fresh & SAW_CERTIFICATE)
        return STEP_CERTIFICATE;
    if (fresh & SAW_CONNECT_MESSAGE)
        return STEP_CONNECT_MESSAGE;
    if (fresh & SAW_FINISHED_UP)
        return STEP_FINISHED;
    if (sight->direction == UP && sight->is_young && http_may_be_connect(bytes, size))
        return STEP_PROXY_REQUEST;
    if (sight->record->proxy_frame && sight->record->proxy_frame == sight->packet->frame)
        return STEP_PROXY_ANSWER;
    bool handshake_runs = sight->record->saw & SAW_SERVER_HELLO &&
                          !(sight->record->saw & (SAW_FINISHED_UP | SAW_APPLICATION_DOWN));
    return sight->direction == DOWN && handshake_runs ? STEP_SERVER_REST : STEP_UNKNOWN;
}

static enum step_what what_of(const struct sight *sight)
{
    const struct packet *packet = sight->packet;
    if (packet->tcp_flags & TCP_RST)
        return STEP_RESET;
    if (packet->tcp_flags & TCP_SYN)
        return packet->tcp_flags & TCP_ACK ? STEP_SYN_ACK : STEP_SYN;
    enum step_what what = packet->payload_size ? what_of_handshake(sight) : STEP_UNKNOWN;
    if (what != STEP_UNKNOWN)
        return what;
    if (packet->tcp_flags & TCP_FIN)
        return STEP_FIN;
    if (sight->kind == SEGMENT_KEEPALIVE)
        return STEP_KEEPALIVE;
    return packet->payload_size ? STEP_DATA : STEP_ACK;
}

static bool is_repeat(const struct sight *sight)
{
    const struct flow_record *record = sight->record;
    if (sight->packet->tcp_flags & TCP_SYN)
        return sight->direction == UP ? record->syn_count > 1
                                      : record->syn_ack_frame != sight->packet->frame;
    return sight->kind == SEGMENT_RETRANSMISSION;
}

static uint32_t number_of(const struct flow_record *record)
{
    uint64_t packets = record->packets_up + record->packets_down;
    return packets < UINT32_MAX ? (uint32_t)packets : UINT32_MAX;
}

/* ---- beginning and ending ---- */

/* The SYN that opened the session, from its record. */
static struct flow_step opening_of(const struct flow_record *record)
{
    return (struct flow_step){.time_ns = record->started_ns,
                              .frame = record->syn_frame,
                              .number = 1,
                              .direction = UP,
                              .tcp_flags = TCP_SYN,
                              .ttl = (uint8_t)record->ttl_client,
                              .what = STEP_SYN};
}

/* Young: seen from its opening or first words, and not heard out. A session that began before the
 * capture, or works, is drawn from where trouble begins. */
static bool is_young(const struct flow *flow)
{
    const struct flow_record *record = &flow->record;
    return !flow->heard_out && !flow->works_told &&
           (record->saw & (SAW_SYN | SAW_SYN_ACK | SAW_CLIENT_HELLO) || record->connect_host);
}

static bool begin(struct tracker *tracker, struct flow *flow)
{
    const struct flow_record *record = &flow->record;
    uint32_t id;
    struct flow_steps *steps = (struct flow_steps *)pool_take(&tracker->steps, &id);
    if (!steps)
        return false;
    flow->steps = steps;
    steps->id = id;
    steps->first_count = steps->last_count = 0;
    steps->is_example = false;
    steps->is_tail = !is_young(flow);
    if (!steps->is_tail && record->syn_frame && record->syn_frame == record->first_frame)
        steps->first[steps->first_count++] = opening_of(record);
    return true;
}

void steps_release(struct tracker *tracker, struct flow *flow)
{
    if (!flow->steps)
        return;
    uint32_t id = flow->steps->id;
    flow->steps = NULL;
    pool_give(&tracker->steps, id);
}

/* The first session of each kind that was seen from its beginning to its working stands beside the
 * failing ones. */
static bool becomes_example(struct tracker *tracker, const struct flow *flow)
{
    const struct flow_record *record = &flow->record;
    uint32_t kind = 1u << (2 * record->role + (record->server_port == 5223));
    if (flow->standing != STANDING_OURS || !(record->saw & SAW_CLIENT_HELLO) ||
        flow->steps->first[0].number != 1 || tracker->example_kinds & kind)
        return false;
    tracker->example_kinds |= kind;
    return true;
}

/* Trouble that passed: what was sent again arrived, and new data follows. */
static bool is_overcome(const struct flow *flow, const struct packet *packet,
                        enum segment_kind kind)
{
    const uint32_t ending = SAW_FIN_UP | SAW_FIN_DOWN | SAW_RST_UP | SAW_RST_DOWN | SAW_ICMP;
    return flow->steps->is_tail && kind == SEGMENT_NEW && packet->payload_size &&
           !(flow->record.saw & ending);
}

static void settle(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                   enum segment_kind kind)
{
    struct flow_steps *steps = flow->steps;
    if (steps->is_example || !flow->works_told)
        return;
    if (!steps->is_tail && becomes_example(tracker, flow))
        steps->is_example = true;
    else if (!steps->is_tail || is_overcome(flow, packet, kind))
        steps_release(tracker, flow);
}

/* ---- packets ---- */

void steps_take(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                enum direction direction, enum segment_kind kind, uint32_t fresh)
{
    const struct flow_record *record = &flow->record;
    bool is_lone_syn = record->first_frame == packet->frame && record->syn_frame == packet->frame;
    bool is_trouble = kind == SEGMENT_RETRANSMISSION || packet->tcp_flags & (TCP_RST | TCP_FIN);
    if (!flow->steps && (is_lone_syn || (!is_young(flow) && !is_trouble) || !begin(tracker, flow)))
        return;
    struct sight sight = {record, packet, direction, kind, fresh, !flow->works_told};
    struct flow_step step = {.time_ns = tracker->now_ns,
                             .frame = packet->frame,
                             .number = number_of(record),
                             .payload_size = packet->payload_size,
                             .direction = (uint8_t)direction,
                             .tcp_flags = packet->tcp_flags,
                             .ttl = packet->ttl,
                             .what = (uint8_t)what_of(&sight),
                             .is_repeat = is_repeat(&sight)};
    add_step(flow->steps, &step);
    settle(tracker, flow, packet, kind);
}

void steps_take_icmp(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                     bool quotes_client)
{
    if (!flow->steps && !begin(tracker, flow))
        return;
    struct flow_step step = {.time_ns = tracker->now_ns,
                             .frame = packet->frame,
                             .number = number_of(&flow->record),
                             .direction = quotes_client ? DOWN : UP,
                             .ttl = packet->ttl,
                             .what = STEP_ICMP};
    add_step(flow->steps, &step);
}
