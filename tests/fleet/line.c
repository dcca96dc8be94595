/* TCP as both ends speak it (RFC 9293, RFC 6298, RFC 7323), and the path between them.
 *
 * Of tests/fleet. Deliberately without selective acknowledgements: flights are short. */
#include "line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "fault.h"

enum {
    FIN = 0x01,
    SYN = 0x02,
    RST = 0x04,
    PSH = 0x08,
    ACK = 0x10,
    TIMESTAMPS_SIZE = 12,
    DEVICE_TRIES = 12, /* Apple's and Linux's stacks repeat for minutes, then give up */
    SYN_ACK_TRIES = 5
};

#define PACKET_GAP_NS (12 * NS_PER_US)
#define FIRST_TIMER_NS (300 * NS_PER_MS)
#define LAST_TIMER_NS (60 * NS_PER_S)

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static uint32_t length_of(const struct segment *segment)
{
    return (uint32_t)segment->size + !!(segment->flags & SYN) + !!(segment->flags & FIN);
}

static uint32_t timestamp_of(const struct line *line, enum direction way)
{
    return line->party[way].station->clock_ms + (uint32_t)(line->fleet->now_ns / NS_PER_MS);
}

static bool has_timestamps(const struct line *line)
{
    return line->party[UP].station->timestamps && line->party[DOWN].station->timestamps;
}

/* ---- packets ---- */

static void add_options(struct bytes *options, const struct line *line, enum direction way,
                        uint8_t flags)
{
    bool stamped = flags == SYN ? line->party[way].station->timestamps : has_timestamps(line);
    if (flags & RST)
        return;
    if (flags & SYN) { /* MSS, window scale, SACK permitted */
        bytes_u16(options, 0x0204);
        bytes_u16(options, line->party[way].station->mss);
        bytes_u32(options, 0x01030306);
        bytes_u16(options, 0x0402);
        bytes_u16(options, 0x0101);
    }
    if (stamped) {
        bytes_u32(options, 0x0101080a);
        bytes_u32(options, timestamp_of(line, way));
        bytes_u32(options, line->party[way].echo);
    }
}

static void build(struct line *line, enum direction way, const struct segment *segment,
                  struct bytes *packet)
{
    struct party *self = &line->party[way], *peer = &line->party[!way];
    struct bytes options = {0};
    struct ip_header ip = station_ip(self->station, &peer->station->address);
    struct tcp_header tcp = {.source_port = self->port,
                             .destination_port = peer->port,
                             .sequence = segment->sequence,
                             .acknowledgement = segment->flags & ACK ? self->expected : 0,
                             .window = segment->flags & RST   ? 0
                                       : segment->flags & SYN ? 65535
                                                              : 2048,
                             .flags = segment->flags};
    add_options(&options, line, way, segment->flags);
    if (segment->flags == RST)
        ip.id = 0; /* Apple's stacks, for a socket that is no more */
    tcp.options = options.at;
    tcp.options_size = options.size;
    wire_tcp(packet, &ip, &tcp, segment->payload, segment->size);
    bytes_free(&options);
}

static void show(struct line *line, enum direction way, int64_t at_ns, struct bytes *packet)
{
    struct link_header link =
        station_link(line->party[way].station, line->party[!way].station, way == UP);
    mirror_see(&line->fleet->mirror, at_ns, &link, packet);
}

static void arrive(void *subject, const uint64_t detail[3]);

static void send_off(struct line *line, enum direction way, int64_t at_ns,
                     const struct segment *segment, uint32_t acknowledgement, uint32_t stamp)
{
    struct appointment appointment = {.at_ns = at_ns, .keep = arrive, .subject = line};
    appointment.detail[0] = (uint64_t)segment->sequence << 32 | acknowledgement;
    appointment.detail[1] = (uint64_t)segment->size << 32 | (uint64_t)segment->flags << 8 | way;
    appointment.detail[2] = stamp;
    agenda_add(&line->fleet->agenda, &appointment);
}

static int64_t later(int64_t previous_ns, int64_t at_ns)
{
    return at_ns > previous_ns + PACKET_GAP_NS ? at_ns : previous_ns + PACKET_GAP_NS;
}

/* A queue here, a radio that waits there. */
static int64_t travel_ns(struct line *line, int64_t least_ns)
{
    return least_ns + draw_wait(&line->device->draw, least_ns / 10 + 1);
}

static bool box_lets(struct line *line, enum direction way, const struct segment *segment)
{
    const struct fault *fault = line->fleet->fault;
    if (!fault || !line->device->is_hit)
        return true;
    bool (*lets)(struct line *, const struct segment *) =
        way == UP ? fault->lets_up : fault->lets_down;
    return !lets || lets(line, segment);
}

/* Two thirds of the losses are the radio's, between device and mirror. */
static bool is_lost(struct line *line, bool on_the_radio)
{
    double loss = line->device->loss;
    return draw_chance(&line->device->draw, on_the_radio ? loss * 2 / 3 : loss / 3);
}

/* One of Apple's networks is away for a minute: packets pass the mirror, and find nobody. */
static bool is_away(const struct line *line)
{
    const struct address *server = &line->party[DOWN].station->address;
    int64_t since_ns = line->fleet->now_ns - line->fleet->outage_ns;
    return since_ns >= 0 && since_ns < MINUTE_NS && address_is_ipv4(server) &&
           server->byte[13] == 188;
}

/* One packet from end to end: what the mirror sees of it, and whether it arrives. */
static void transmit(struct line *line, enum direction way, const struct segment *segment)
{
    struct party *self = &line->party[way], *peer = &line->party[!way];
    struct bytes packet = {0};
    int64_t first_leg = way == UP ? line->near_ns : line->far_ns;
    int64_t second_leg = way == UP ? line->far_ns : line->near_ns;
    if (way == UP && !line->device->is_on_air)
        return;
    bool is_seen = !is_lost(line, way == UP) && (way == UP || !is_away(line));
    bool arrives = !is_lost(line, way == DOWN) && is_seen && !is_away(line);
    build(line, way, segment, &packet);
    self->passed_ns = later(self->passed_ns, line->fleet->now_ns + travel_ns(line, first_leg));
    if (way == UP) { /* the box is behind the mirror */
        if (is_seen)
            show(line, way, self->passed_ns, &packet);
        arrives = arrives && box_lets(line, way, segment);
    } else {
        is_seen = is_seen && box_lets(line, way, segment);
        arrives = arrives && is_seen;
        if (is_seen)
            show(line, way, self->passed_ns, &packet);
    }
    bytes_free(&packet);
    if (arrives) {
        peer->came_ns = later(peer->came_ns, self->passed_ns + travel_ns(line, second_leg));
        send_off(line, way, peer->came_ns, segment, self->expected, timestamp_of(line, way));
    }
}

static void say_bare(struct line *line, enum direction way, uint8_t flags)
{
    struct segment segment = {.sequence = line->party[way].next, .flags = flags};
    transmit(line, way, &segment);
}

/* ---- what is said, and repeated ---- */

static void drop_kept(struct party *party, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(party->kept[i].payload);
    memmove(party->kept, party->kept + count, (party->kept_count - count) * sizeof *party->kept);
    party->kept_count = (uint8_t)(party->kept_count - count);
}

static void go(struct party *party)
{
    drop_kept(party, party->kept_count);
    party->saying_count = 0;
    party->timer++;
    party->is_gone = true;
}

static int64_t timer_ns(const struct line *line, enum direction way)
{
    /* Apple's stacks: five SYNs a second apart, then with growing gaps */
    static const uint8_t syn_s[] = {1, 1, 1, 1, 1, 2, 4, 8, 16};
    const struct party *party = &line->party[way];
    const struct segment *first = &party->kept[0];
    if (first->flags & SYN)
        return (way == UP ? syn_s[party->tries < 8 ? party->tries : 8] : 1 << party->tries) *
               NS_PER_S;
    int64_t base = FIRST_TIMER_NS + 2 * (line->near_ns + line->far_ns);
    int64_t wait = party->tries < 10 ? base << party->tries : LAST_TIMER_NS;
    return wait < LAST_TIMER_NS ? wait : LAST_TIMER_NS;
}

static void repeat(void *subject, const uint64_t detail[3]);

static void set_timer(struct line *line, enum direction way)
{
    struct party *party = &line->party[way];
    party->timer++;
    if (party->kept_count)
        fleet_later(line->fleet, timer_ns(line, way), repeat, line,
                    (uint64_t)party->timer << 8 | way);
}

static void send_kept(struct line *line, enum direction way, struct segment *segment)
{
    if (segment->size) {
        line->device->said[way] += !segment->sends;
        line->device->repeated[way] += !!segment->sends;
    }
    segment->sends = (uint8_t)(segment->sends + (segment->sends < UINT8_MAX));
    transmit(line, way, segment);
}

static void repeat(void *subject, const uint64_t detail[3])
{
    struct line *line = subject;
    enum direction way = detail[0] & 1 ? DOWN : UP;
    struct party *party = &line->party[way];
    if (party->is_gone || !party->kept_count || party->timer != detail[0] >> 8)
        return;
    if (party->tries >= party->tries_max) {
        bool tells = way == DOWN && draw_chance(&line->device->draw, 0.5);
        if (tells)
            line_reset(line, way, false);
        go(party);
        line->over(line, way, CAUSE_NO_ANSWER);
        return;
    }
    if (way == DOWN || line->device->is_on_air)
        party->tries++;
    send_kept(line, way, &party->kept[0]);
    set_timer(line, way);
}

static struct segment *keep(struct party *party, uint8_t flags, enum saying saying)
{
    assert(party->kept_count < KEPT_MAX);
    struct segment *segment = &party->kept[party->kept_count++];
    *segment = (struct segment){.sequence = party->next, .flags = flags, .saying = saying};
    return segment;
}

static void note_saying(struct party *party, enum saying saying)
{
    assert(party->saying_count < SAYINGS_MAX);
    party->sayings[party->saying_count].end = party->next;
    party->sayings[party->saying_count++].saying = saying;
}

/* After a time-out one segment goes at a time (RFC 5681 section 3.1). */
static void send_new(struct line *line, enum direction way)
{
    struct party *party = &line->party[way];
    for (size_t i = 0; i < party->kept_count && !party->tries; i++)
        if (!party->kept[i].sends)
            send_kept(line, way, &party->kept[i]);
}

void line_say(struct line *line, enum direction way, enum saying saying, struct bytes *payload)
{
    struct party *party = &line->party[way];
    size_t limit = line->party[!way].station->mss - (has_timestamps(line) ? TIMESTAMPS_SIZE : 0);
    size_t pieces = (payload->size + limit - 1) / limit;
    bool is_idle = !party->kept_count;
    if (party->is_gone || party->has_closed || party->kept_count + pieces >= KEPT_MAX) {
        bytes_free(payload); /* closed, or its buffer is full */
        return;
    }
    for (size_t sent = 0, piece = 0; sent < payload->size; piece++) {
        size_t size = payload->size - sent < limit ? payload->size - sent : limit;
        bool is_last = sent + size == payload->size;
        struct segment *segment = keep(party, (uint8_t)(ACK | (is_last ? PSH : 0)), saying);
        segment->size = (uint16_t)size;
        segment->piece = (uint8_t)piece;
        segment->payload = support_allocate(size);
        memcpy(segment->payload, payload->at + sent, size);
        party->next += (uint32_t)size;
        sent += size;
    }
    bytes_free(payload);
    note_saying(party, saying);
    send_new(line, way);
    if (is_idle)
        set_timer(line, way);
}

void line_open(struct line *line)
{
    struct party *party = &line->party[UP];
    keep(party, SYN, SAY_OPEN);
    party->next++;
    party->is_open = true;
    send_kept(line, UP, &party->kept[0]);
    set_timer(line, UP);
}

void line_close(struct line *line, enum direction way)
{
    struct party *party = &line->party[way];
    bool is_idle = !party->kept_count;
    if (party->is_gone || party->has_closed || party->kept_count == KEPT_MAX)
        return;
    keep(party, FIN | ACK, SAY_FIN);
    party->next++;
    party->has_closed = true;
    note_saying(party, SAY_FIN);
    send_new(line, way);
    if (is_idle)
        set_timer(line, way);
}

void line_reset(struct line *line, enum direction way, bool terse)
{
    if (!line->party[way].is_gone)
        say_bare(line, way, terse ? RST : RST | ACK);
    go(&line->party[way]);
}

void line_forget(struct line *line, enum direction way)
{
    go(&line->party[way]);
}

void line_forge_reset(struct line *line, enum direction claimed, uint32_t ahead, uint8_t ttl,
                      bool answers_syn)
{
    struct party *self = &line->party[claimed], *peer = &line->party[!claimed];
    struct bytes packet = {0};
    struct segment segment = {.sequence = answers_syn ? 0 : peer->expected + ahead,
                              .flags = RST | ACK};
    struct ip_header ip = {
        .source = self->station->address, .destination = peer->station->address, .ttl = ttl};
    struct tcp_header tcp = {.source_port = self->port,
                             .destination_port = peer->port,
                             .sequence = segment.sequence,
                             .acknowledgement = peer->next,
                             .flags = segment.flags};
    int64_t now_ns = line->fleet->now_ns;
    int64_t at_ns = (peer->passed_ns > now_ns ? peer->passed_ns : now_ns) + 200 * NS_PER_US;
    if (claimed == DOWN) { /* the other way it is sent behind the mirror */
        wire_tcp(&packet, &ip, &tcp, NULL, 0);
        show(line, claimed, at_ns, &packet);
    }
    send_off(line, claimed, at_ns + (claimed == DOWN ? line->near_ns : line->far_ns), &segment,
             peer->next, 0);
}

/* RFC 1812 section 5.2.7.1 code 13, RFC 4443 section 3.1 code 1 */
void line_forge_prohibited(struct line *line)
{
    struct party *device = &line->party[UP];
    struct station *router = &line->fleet->router;
    struct bytes quoted = {0}, packet = {0};
    struct segment syn = {.sequence = device->first, .flags = SYN};
    bool is_v4 = address_is_ipv4(&device->station->address);
    struct ip_header ip = {.destination = device->station->address, .ttl = router->ttl};
    ip.source = is_v4 ? router->address : line->fleet->router_v6;
    build(line, UP, &syn, &quoted);
    wire_icmp(&packet, &ip, is_v4 ? 3 : 1, is_v4 ? 13 : 1, 0, quoted.at, quoted.size);
    int64_t at_ns = device->passed_ns + 300 * NS_PER_US;
    show(line, DOWN, at_ns, &packet);
    bytes_free(&quoted);
    struct segment refusal = {.flags = RST | ACK};
    send_off(line, DOWN, at_ns + line->near_ns, &refusal, 0, 0);
}

/* ---- what is heard ---- */

static void take_acknowledgement(struct line *line, enum direction of, uint32_t number, bool bare)
{
    struct party *party = &line->party[of];
    size_t done = 0;
    if (before(party->oldest, number) && !before(party->next, number)) {
        bool was_opening = party->kept_count && party->kept[0].flags & SYN;
        while (done < party->kept_count &&
               !before(number, party->kept[done].sequence + length_of(&party->kept[done])))
            done++;
        drop_kept(party, done);
        party->oldest = number;
        party->tries = party->repeats = 0;
        if (was_opening)
            party->tries_max = DEVICE_TRIES;
        if (was_opening && of == DOWN)
            line->heard(line, UP, SAY_OPEN);
        send_new(line, of);
        set_timer(line, of);
    } else if (bare && number == party->oldest && party->kept_count && ++party->repeats == 3) {
        send_kept(line, of, &party->kept[0]); /* RFC 5681 section 3.2 */
    }
}

static void hear(struct line *line, enum direction way)
{
    struct party *speaker = &line->party[way], *listener = &line->party[!way];
    while (speaker->saying_count && !before(listener->expected, speaker->sayings[0].end)) {
        enum saying saying = speaker->sayings[0].saying;
        speaker->saying_count--;
        memmove(speaker->sayings, speaker->sayings + 1,
                speaker->saying_count * sizeof *speaker->sayings);
        if (saying == SAY_FIN)
            listener->was_closed = true;
        line->heard(line, way, saying);
        if (listener->is_gone)
            return;
    }
}

static void keep_early(struct party *party, uint32_t first, uint32_t end)
{
    if (party->early_count == EARLY_MAX)
        return; /* the buffer is full: it will come again */
    party->early[party->early_count].first = first;
    party->early[party->early_count++].end = end;
}

static void close_gaps(struct party *party)
{
    for (size_t i = 0; i < party->early_count;) {
        if (before(party->expected, party->early[i].first)) {
            i++;
            continue;
        }
        if (before(party->expected, party->early[i].end))
            party->expected = party->early[i].end;
        party->early[i] = party->early[--party->early_count];
        i = 0;
    }
}

static void take_data(struct line *line, enum direction way, uint32_t first, uint32_t length)
{
    struct party *listener = &line->party[!way];
    if (before(listener->expected, first)) {
        keep_early(listener, first, first + length);
    } else if (before(listener->expected, first + length)) {
        listener->expected = first + length;
        close_gaps(listener);
    }
    say_bare(line, !way, ACK);
    hear(line, way);
}

/* The server's first SYN, or one more: its answer got lost. */
static void take_syn(struct line *line, uint32_t sequence)
{
    struct party *server = &line->party[DOWN];
    if (server->is_open) {
        if (server->kept_count && server->kept[0].flags & SYN)
            send_kept(line, DOWN, &server->kept[0]);
        return;
    }
    server->is_open = true;
    server->expected = sequence + 1;
    server->tries_max = SYN_ACK_TRIES;
    keep(server, SYN | ACK, SAY_OPEN);
    server->next++;
    send_kept(line, DOWN, &server->kept[0]);
    set_timer(line, DOWN);
}

static void take_syn_ack(struct line *line, uint32_t sequence, uint32_t acknowledgement)
{
    struct party *device = &line->party[UP];
    bool is_first = device->expected == 0;
    if (is_first)
        device->expected = sequence + 1;
    take_acknowledgement(line, UP, acknowledgement, false);
    say_bare(line, UP, ACK);
    if (is_first)
        line->heard(line, DOWN, SAY_OPEN);
}

/* RFC 9293 section 3.10.7.1 */
static void answer_stranger(struct line *line, enum direction way, uint32_t acknowledgement)
{
    struct segment reset = {.sequence = acknowledgement, .flags = RST};
    transmit(line, way, &reset);
}

static void take_reset(struct line *line, enum direction way, uint32_t sequence)
{
    struct party *party = &line->party[!way];
    bool fits = !before(sequence, party->expected) && before(sequence, party->expected + 65535);
    if (party->is_gone || (party->expected && !fits))
        return;
    go(party);
    line->over(line, !way, CAUSE_RESET);
}

static void arrive(void *subject, const uint64_t detail[3])
{
    struct line *line = subject;
    enum direction way = detail[1] & 1 ? DOWN : UP;
    uint8_t flags = (uint8_t)(detail[1] >> 8);
    uint32_t sequence = (uint32_t)(detail[0] >> 32), acknowledgement = (uint32_t)detail[0];
    uint32_t size = (uint32_t)(detail[1] >> 32);
    struct party *party = &line->party[!way];
    if (way == DOWN && !line->device->is_on_air)
        return;
    if (flags & RST) {
        take_reset(line, way, sequence);
        return;
    }
    if (party->is_gone) {
        answer_stranger(line, !way, acknowledgement);
        return;
    }
    party->echo = (uint32_t)detail[2];
    if (flags & SYN) {
        if (flags & ACK)
            take_syn_ack(line, sequence, acknowledgement);
        else
            take_syn(line, sequence);
        return;
    }
    take_acknowledgement(line, !way, acknowledgement, size == 0 && !(flags & FIN));
    if (!party->is_gone && (size || flags & FIN))
        take_data(line, way, sequence, size + !!(flags & FIN));
}
