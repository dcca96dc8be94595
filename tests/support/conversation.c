/* TCP as two honest ends speak it: sequence numbers, acknowledgements, options, segmentation.
 *
 * Of tests/support. What reaches the capture and what reaches the peer are two different things
 * (struct shape), so that losses on either side of the capture point can be played. Deliberately
 * has no timers: when something is sent, or sent again, the scenario says. */
#include "stage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIN = 0x01,
    SYN = 0x02,
    RST = 0x04,
    PSH = 0x08,
    ACK = 0x10,
    /* RFC 9293 section 3.1, RFC 7323, RFC 2018 */
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_WINDOW_SCALE = 3,
    OPTION_SACK_PERMITTED = 4,
    OPTION_TIMESTAMPS = 8,
    TIMESTAMPS_SIZE = 12, /* with the two bytes of padding in front */
    SEGMENT_GAP_NS = 12000
};

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* Moves `delivered` over what reached the peer early, now that the gap before it is closed. */
static void close_gaps(struct side *side)
{
    for (size_t i = 0; i < side->early_count;) {
        struct range range = side->early[i];
        if (before(side->delivered, range.first)) {
            i++;
            continue;
        }
        if (before(side->delivered, range.end))
            side->delivered = range.end;
        side->early[i] = side->early[--side->early_count];
        i = 0;
    }
}

static void deliver(struct side *side, uint32_t sequence, uint32_t length)
{
    uint32_t end = sequence + length;
    if (length == 0 || !before(side->delivered, end))
        return;
    if (before(side->delivered, sequence)) {
        if (side->early_count < EARLY_RANGES_MAX)
            side->early[side->early_count++] = (struct range){sequence, end};
        return;
    }
    side->delivered = end;
    close_gaps(side);
}

static uint32_t timestamp_of(const struct stage *stage, const struct side *side)
{
    return side->host->clock_ms + (uint32_t)(stage->now_ns / 1000000);
}

static void add_timestamps(struct bytes *options, uint32_t value, uint32_t echo)
{
    bytes_u8(options, OPTION_TIMESTAMPS);
    bytes_u8(options, 10);
    bytes_u32(options, value);
    bytes_u32(options, echo);
}

/* MSS, window scale, SACK and timestamps in the order of Apple's stacks. */
static void add_syn_options(struct bytes *options, const struct stage *stage, struct side *self,
                            const struct side *peer, bool is_answer, const struct shape *shape)
{
    unsigned mss = shape->mss >= 0 ? (unsigned)shape->mss : self->host->mss;
    bool timestamps = self->host->timestamps && (!is_answer || peer->syn_had_timestamps);
    self->announced_mss = (uint16_t)mss;
    self->syn_had_timestamps = timestamps;
    bytes_u8(options, OPTION_MSS);
    bytes_u8(options, 4);
    bytes_u16(options, mss);
    bytes_u8(options, OPTION_NOP);
    bytes_u8(options, OPTION_WINDOW_SCALE);
    bytes_u8(options, 3);
    bytes_u8(options, self->host->window_scale);
    if (timestamps) {
        bytes_u8(options, OPTION_NOP);
        bytes_u8(options, OPTION_NOP);
        add_timestamps(options, timestamp_of(stage, self), is_answer ? peer->last_timestamp : 0);
    }
    bytes_u8(options, OPTION_SACK_PERMITTED);
    bytes_u8(options, 2);
}

static bool timestamps_agreed(const struct flow *flow)
{
    return flow->side[UPWARD].syn_had_timestamps && flow->side[DOWNWARD].syn_had_timestamps;
}

static void add_options(struct bytes *options, const struct stage *stage, struct flow *flow,
                        enum way way, uint8_t flags, const struct shape *shape)
{
    struct side *self = &flow->side[way];
    struct side *peer = &flow->side[!way];
    if (shape->forged || flags & RST)
        return;
    if (flags & SYN) {
        add_syn_options(options, stage, self, peer, flags & ACK, shape);
    } else if (timestamps_agreed(flow)) {
        bytes_u8(options, OPTION_NOP);
        bytes_u8(options, OPTION_NOP);
        add_timestamps(options, timestamp_of(stage, self), peer->last_timestamp);
    }
}

/* A flow whose first packet is no SYN began before the scenario, with all options agreed. */
static void begin_midstream(struct flow *flow)
{
    for (int way = UPWARD; way <= DOWNWARD; way++) {
        struct side *side = &flow->side[way];
        if (side->started)
            continue;
        side->started = true;
        side->next = side->delivered = side->first_sequence + 1;
        side->syn_had_timestamps =
            flow->side[UPWARD].host->timestamps && flow->side[DOWNWARD].host->timestamps;
    }
}

static void prepare(struct flow *flow, enum way way, uint8_t flags)
{
    struct side *self = &flow->side[way];
    if (flags & SYN)
        self->started = true;
    else if (!(flags & RST) && !self->started && !flow->side[!way].started)
        begin_midstream(flow);
}

static uint32_t numbered(enum number_mode mode, int64_t given, uint32_t ordinary, uint32_t start)
{
    return mode == NUMBER_ORDINARY  ? ordinary
           : mode == NUMBER_SHIFTED ? ordinary + (uint32_t)given
                                    : start + (uint32_t)given;
}

static uint16_t window_of(const struct side *side, uint8_t flags, const struct shape *shape)
{
    if (shape->window >= 0)
        return (uint16_t)shape->window;
    if (flags & RST)
        return 0;
    return flags & SYN ? 65535 : (uint16_t)(131072 >> side->host->window_scale);
}

static struct tcp_header tcp_header_of(struct flow *flow, enum way way, uint8_t flags,
                                       uint32_t sequence, const struct shape *shape)
{
    struct side *self = &flow->side[way];
    struct side *peer = &flow->side[!way];
    struct tcp_header tcp = {.source_port = self->port,
                             .destination_port = peer->port,
                             .flags = flags,
                             .window = window_of(self, flags, shape),
                             .wrong_checksum = shape->wrong_checksum};
    /* RFC 9293 section 3.10.7.1: the answer to a segment that met no connection starts at 0. */
    bool no_connection = flags & RST && !self->started && !shape->forged;
    tcp.sequence = numbered(shape->sequence_mode, shape->sequence, no_connection ? 0 : sequence,
                            self->first_sequence);
    if (flags & ACK || shape->acknowledgement_mode != NUMBER_ORDINARY)
        tcp.acknowledgement = numbered(shape->acknowledgement_mode, shape->acknowledgement,
                                       peer->delivered, peer->first_sequence);
    return tcp;
}

static void remember_packet(struct side *side, const struct bytes *packet)
{
    side->last_packet = support_reallocate(side->last_packet, packet->size);
    memcpy(side->last_packet, packet->at, packet->size);
    side->last_packet_size = packet->size;
}

/* One segment onto the wire, with whatever is true at this moment for all but its sequence. */
static void send_segment(struct stage *stage, struct flow *flow, enum way way, uint8_t flags,
                         uint32_t sequence, const uint8_t *payload, size_t size,
                         const struct shape *shape)
{
    struct side *self = &flow->side[way];
    struct side *peer = &flow->side[!way];
    struct bytes options = {0};
    struct bytes packet = {0};
    struct shape tagged = *shape;
    if (!tagged.has_vlan) {
        tagged.vlan = self->vlan;
        tagged.outer_vlan = self->outer_vlan;
    }
    struct tcp_header tcp = tcp_header_of(flow, way, flags, sequence, shape);
    add_options(&options, stage, flow, way, flags, shape);
    tcp.options = options.at;
    tcp.options_size = options.size;
    struct ip_header ip = stage_ip_header(self->host, &peer->host->address, shape);
    wire_tcp(&packet, &ip, &tcp, payload, size);
    bytes_free(&options);
    if (!shape->forged)
        remember_packet(self, &packet);
    struct link_header link = stage_link(self->host, peer->host, &tagged);
    link.is_outgoing = way == UPWARD;
    link.process = flow->process;
    link.process_id = flow->process_id;
    if (shape->unseen)
        bytes_free(&packet);
    else
        stage_emit(stage, &packet, way, &link, &tagged);
    if (!shape->dropped && !shape->forged) {
        deliver(self, sequence, (uint32_t)size + !!(flags & SYN) + !!(flags & FIN));
        self->last_timestamp = timestamp_of(stage, self);
    }
    if (stage->now_ns > stage->last_ns)
        stage->last_ns = stage->now_ns;
    flow->last_ns = stage->now_ns;
}

static size_t segment_limit(const struct flow *flow, enum way way, size_t size,
                            const struct shape *shape)
{
    size_t mss = flow->side[!way].announced_mss;
    size_t own = flow->side[way].host->mss;
    size_t limit = (own < mss ? own : mss) - (timestamps_agreed(flow) ? TIMESTAMPS_SIZE : 0);
    if (shape->split > 1)
        limit = (size + shape->split - 1) / shape->split;
    if (shape->segment_size > 0)
        limit = shape->segment_size;
    return limit > 0 ? limit : 1;
}

static struct utterance *remember(struct side *side, const char *verb)
{
    side->said = support_reallocate(side->said, (side->said_count + 1) * sizeof *side->said);
    struct utterance *utterance = &side->said[side->said_count++];
    *utterance = (struct utterance){.verb = support_copy(verb)};
    return utterance;
}

static void remember_segment(struct utterance *utterance, uint32_t sequence, uint8_t flags,
                             const uint8_t *payload, size_t size)
{
    struct segment segment = {.sequence = sequence, .flags = flags, .size = size};
    segment.payload = support_allocate(size);
    if (size > 0)
        memcpy(segment.payload, payload, size);
    utterance->segments = support_reallocate(utterance->segments,
                                             (utterance->count + 1) * sizeof *utterance->segments);
    utterance->segments[utterance->count++] = segment;
}

void conversation_say(struct stage *stage, struct flow *flow, enum way way, const char *verb,
                      uint8_t flags, const uint8_t *payload, size_t size, const struct shape *shape)
{
    if (shape->forged) { /* outside the conversation: nobody's numbers move */
        send_segment(stage, flow, way, flags, flow->side[way].next, payload, size, shape);
        return;
    }
    prepare(flow, way, flags);
    struct side *self = &flow->side[way];
    size_t limit = segment_limit(flow, way, size, shape);
    struct utterance *utterance = remember(self, verb);
    size_t sent = 0;
    do {
        size_t piece = size - sent < limit ? size - sent : limit;
        bool last = sent + piece == size;
        uint8_t piece_flags = last ? flags : (uint8_t)(flags & ~(PSH | FIN));
        const uint8_t *at = piece > 0 ? payload + sent : NULL;
        remember_segment(utterance, self->next, piece_flags, at, piece);
        send_segment(stage, flow, way, piece_flags, self->next, at, piece, shape);
        if (shape->sequence_mode == NUMBER_ORDINARY && !(flags & RST))
            self->next += (uint32_t)piece + !!(piece_flags & SYN) + !!(piece_flags & FIN);
        sent += piece;
        if (!last)
            stage->now_ns += SEGMENT_GAP_NS;
    } while (sent < size);
}

bool conversation_repeat(struct stage *stage, struct flow *flow, enum way way, const char *verb,
                         const struct shape *shape)
{
    struct side *self = &flow->side[way];
    for (size_t i = self->said_count; i-- > 0;) {
        const struct utterance *utterance = &self->said[i];
        if (verb && strcmp(utterance->verb, verb) != 0)
            continue;
        if (shape->only_segment > (int)utterance->count)
            return false;
        for (size_t k = 0; k < utterance->count; k++) {
            const struct segment *segment = &utterance->segments[k];
            if (shape->only_segment > 0 && (size_t)shape->only_segment != k + 1)
                continue;
            send_segment(stage, flow, way, segment->flags, segment->sequence, segment->payload,
                         segment->size, shape);
            if (k + 1 < utterance->count && shape->only_segment == 0)
                stage->now_ns += SEGMENT_GAP_NS;
        }
        return true;
    }
    return false;
}

void conversation_probe(struct stage *stage, struct flow *flow, enum way way,
                        const struct shape *shape)
{
    prepare(flow, way, ACK);
    send_segment(stage, flow, way, ACK, flow->side[way].next - 1, NULL, 0, shape);
}
