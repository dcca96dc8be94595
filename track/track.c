/* Packets to sessions: the front door of track/.
 *
 * Decides for each packet, within a few loads, whether it can be ours; finds or begins its flow;
 * runs expiry on the packets' time. What happens inside a flow is session.c's. Never reads the
 * wall clock and never judges who is to blame. */
#include "track/track.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dissect/dissect.h"
#include "dissect/http.h"
#include "dissect/push_name.h"
#include "dissect/tls.h"
#include "lanes.h"
#include "lookahead.h"
#include "tracker.h"

enum { DNS_PORT = 53, BATCH_MAX = 64 };

/* Silence after which a flow is judged, by what it waits for. A SYN is repeated for up to 30 s by
 * devices (wire.md section 3) and with gaps of up to 64 s by servers; an established courier
 * session is silent for up to 30 min and 35 s between heartbeats. */
static const int64_t patience_ns[WAIT_COUNT] = {
    [WAIT_HALF_OPEN] = 75 * NS_PER_S,
    [WAIT_IDLE] = 4 * 3600 * NS_PER_S,
    [WAIT_CLOSING] = 60 * NS_PER_S,
    [WAIT_LINGER] = 10 * NS_PER_S,
};

bool tracker_new(struct tracker **out, const struct track_options *options, struct fault *fault)
{
    assert(options->names && options->event);
    struct tracker *tracker = (struct tracker *)calloc(1, sizeof *tracker);
    if (!tracker)
        return fault_set(fault, "no memory for the session tracker; free some and try again");
    tracker->options = *options;
    tracker->now_ns = TIME_UNKNOWN;
    tracker->next_number = 1;
    tracker->fragments = fragments_new();
    packet_time_init(&tracker->time);
    tracker->certificates = certificate_store_new(options->names);
    for (size_t i = 0; i < options->push_domain_count; i++)
        certificate_store_add_push_domain(tracker->certificates, options->push_domains[i]);
    tracker->protocols = options->without_ndpi ? NULL : protocol_engine_new(options->names);
    scope_init(&tracker->scope, &tracker->options);
    attempts_init(&tracker->attempts);
    pool_init(&tracker->evidence, sizeof(struct flow_evidence), EVIDENCE_CAP);
    pool_init(&tracker->idle, sizeof(struct idle_evidence), IDLE_CAP);
    pool_init(&tracker->steps, sizeof(struct flow_steps), STEPS_CAP);
    conversation_desk_init(&tracker->desk, options->names, tracker->certificates,
                           tracker->protocols);
    flow_table_init(&tracker->flows, options->flow_cap ? options->flow_cap : FLOW_CAP_DEFAULT,
                    options->half_open_cap ? options->half_open_cap : HALF_OPEN_CAP_DEFAULT);
    *out = tracker;
    if (options->trust_path &&
        !certificate_store_trust(tracker->certificates, options->trust_path, fault)) {
        tracker_free(tracker);
        *out = NULL;
        return false;
    }
    return true;
}

void tracker_free(struct tracker *tracker)
{
    if (!tracker)
        return;
    flow_table_free(&tracker->flows);
    conversation_desk_free(&tracker->desk);
    attempts_free(&tracker->attempts);
    pool_free(&tracker->evidence);
    pool_free(&tracker->idle);
    pool_free(&tracker->steps);
    scope_free(&tracker->scope);
    protocol_engine_free(tracker->protocols);
    certificate_store_free(tracker->certificates);
    fragments_free(tracker->fragments);
    packet_time_free(&tracker->time);
    free(tracker);
}

/* ---- which packets can be ours ---- */

static bool opens(const struct packet *packet)
{
    return (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* The first payload bytes of a foreign session that may name a push host: a ClientHello with such
 * a name, one that goes on in the next segment, or a CONNECT. */
static bool may_name_push_host(const struct tracker *tracker, const struct packet *packet)
{
    const uint8_t *bytes = packet->payload;
    size_t size = packet->payload_captured;
    if (size < 8)
        return false;
    if (http_may_be_connect(bytes, size))
        return push_name_may_occur(bytes, size) || tracker->options.push_domain_count;
    if (!tls_may_be_client_hello(bytes, size))
        return false;
    size_t record_size = 5 + (size_t)load_u16(bytes + 3);
    return push_name_may_occur(bytes, size) || record_size > size ||
           tracker->options.push_domain_count;
}

static bool tcp_is_wanted(const struct tracker *tracker, const struct packet *packet)
{
    const struct scope *scope = &tracker->scope;
    bool to_apple = scope_is_apple(scope, &packet->destination);
    bool from_apple = scope_is_apple(scope, &packet->source);
    if (to_apple || from_apple) {
        if (to_apple && scope_is_push_port(packet->destination_port))
            return true;
        if (from_apple && scope_is_push_port(packet->source_port))
            return true;
        if (from_apple && !to_apple && opens(packet))
            return true;
    }
    return packet->payload_captured && may_name_push_host(tracker, packet);
}

static bool is_dns_over_tcp(const struct packet *packet)
{
    return packet->payload_captured &&
           (packet->source_port == DNS_PORT || packet->destination_port == DNS_PORT);
}

bool tracker_screen(const struct tracker *tracker, const struct packet *packet, uint64_t *key)
{
    *key = 0;
    if (packet->kind != PACKET_TCP || is_dns_over_tcp(packet))
        return true;
    bool is_wanted = tcp_is_wanted(tracker, packet);
    *key = is_wanted ? flow_hash(packet) : scope_watch_key(&packet->source, &packet->destination);
    return is_wanted;
}

/* ---- beginning a flow ---- */

struct beginning {
    bool from_client;
    enum flow_standing standing;
    enum flow_role role;
    enum scope_reason reason;
};

/* Who opened the session: the SYN says it; midstream the push port at Apple's does. */
static bool find_client(const struct scope *scope, const struct packet *packet, bool *from_client)
{
    enum { LOWEST_EPHEMERAL = 1024 };
    if (packet->tcp_flags & TCP_SYN) {
        *from_client = opens(packet);
        return true;
    }
    if (packet->payload_captured >= 8 &&
        (tls_may_be_client_hello(packet->payload, packet->payload_captured) ||
         http_may_be_connect(packet->payload, packet->payload_captured))) {
        *from_client = true;
        return true;
    }
    bool to_push = scope_is_push_port(packet->destination_port) &&
                   scope_is_apple(scope, &packet->destination) &&
                   packet->source_port >= LOWEST_EPHEMERAL;
    bool from_push = scope_is_push_port(packet->source_port) &&
                     scope_is_apple(scope, &packet->source) &&
                     packet->destination_port >= LOWEST_EPHEMERAL;
    *from_client = to_push;
    return to_push != from_push;
}

static const struct address *server_of(const struct packet *packet, bool from_client)
{
    return from_client ? &packet->destination : &packet->source;
}

static uint16_t server_port_of(const struct packet *packet, bool from_client)
{
    return from_client ? packet->destination_port : packet->source_port;
}

static void begin_at_apple(const struct tracker *tracker, const struct packet *packet,
                           struct beginning *beginning)
{
    uint16_t port = server_port_of(packet, beginning->from_client);
    const struct address *server = server_of(packet, beginning->from_client);
    enum flow_role role = scope_port_role(port);
    if (role != ROLE_UNKNOWN) {
        *beginning = (struct beginning){beginning->from_client, STANDING_OURS, role, SCOPE_BY_PORT};
        return;
    }
    enum scope_reason reason = SCOPE_BY_NONE;
    bool begins = packet->tcp_flags & TCP_SYN ||
                  tls_may_be_client_hello(packet->payload, packet->payload_captured);
    role = scope_learned(&tracker->scope, server, &reason);
    if (begins)
        beginning->standing = STANDING_CANDIDATE;
    else if (role != ROLE_UNKNOWN && port == 443)
        *beginning = (struct beginning){beginning->from_client, STANDING_OURS, role, reason};
}

/* What a packet without a flow begins; standing OTHER: nothing. */
static struct beginning find_beginning(const struct tracker *tracker, const struct packet *packet)
{
    const struct scope *scope = &tracker->scope;
    struct beginning beginning = {false, STANDING_OTHER, ROLE_UNKNOWN, SCOPE_BY_NONE};
    bool bare = packet->payload_size == 0 && !(packet->tcp_flags & TCP_SYN);
    if (packet->tcp_flags & TCP_RST || (bare && packet->tcp_flags & TCP_FIN))
        return beginning; /* the tail of something that is over */
    if (!find_client(scope, packet, &beginning.from_client))
        return beginning;
    const struct address *client = server_of(packet, !beginning.from_client);
    const struct address *server = server_of(packet, beginning.from_client);
    bool server_is_apple = scope_is_apple(scope, server);
    if (server_is_apple)
        begin_at_apple(tracker, packet, &beginning);
    else if (packet->payload_captured && may_name_push_host(tracker, packet))
        beginning.standing = STANDING_CANDIDATE;
    else if (opens(packet) && scope_is_apple(scope, client) && scope_is_home(scope, server))
        beginning = (struct beginning){true, STANDING_OURS, ROLE_INBOUND, SCOPE_BY_PORT};
    else if (packet->tcp_flags & TCP_SYN && scope_watched(scope, server))
        beginning.standing = STANDING_CANDIDATE;
    return beginning;
}

static void make_room(struct tracker *tracker)
{
    struct flow *flow;
    while ((flow = flow_table_crowded(&tracker->flows)))
        session_finish(tracker, flow, CAUSE_EVICTED);
}

static struct flow *begin_flow(struct tracker *tracker, const struct packet *packet)
{
    struct beginning beginning = find_beginning(tracker, packet);
    if (beginning.standing == STANDING_OTHER)
        return NULL;
    make_room(tracker);
    struct flow *flow = flow_table_add(&tracker->flows, packet, beginning.from_client);
    assert(flow);
    flow->standing = (uint8_t)beginning.standing;
    flow->record.server_is_apple = scope_is_apple(&tracker->scope, &flow->record.server_ip);
    if (beginning.standing == STANDING_OURS)
        session_adopt(tracker, flow, beginning.role, beginning.reason);
    session_watch(tracker, flow);
    return flow;
}

/* ---- packets ---- */

static enum direction direction_of(const struct flow *flow, const struct packet *packet)
{
    bool up = packet->source_port == flow->record.client_port &&
              address_equal(&packet->source, &flow->record.client_ip);
    return up ? UP : DOWN;
}

/* A SYN with another initial sequence number begins another session on the same ports. */
static bool ports_are_used_again(const struct flow *flow, const struct packet *packet)
{
    if (!opens(packet))
        return false;
    if (direction_of(flow, packet) == DOWN)
        return flow->state == STATE_CLOSED || flow->state == STATE_RESET;
    if (flow->record.saw & SAW_SYN)
        return packet->sequence != flow->record.client_isn;
    return !(flow->record.saw & SAW_SYN_ACK);
}

static struct flow *unless_over(struct tracker *tracker, struct flow *flow,
                                const struct packet *packet)
{
    if (!flow || !ports_are_used_again(flow, packet))
        return flow;
    session_finish(tracker, flow, CAUSE_ENDED);
    return NULL;
}

static struct flow *find_flow(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    struct flow *flow = flow_table_find(&tracker->flows, packet, hash);
    flow = unless_over(tracker, flow, packet);
    if (!flow)
        flow = unless_over(tracker, lanes_find(tracker, packet, hash), packet);
    return flow ? flow : begin_flow(tracker, packet);
}

/* A sender learns of a loss from the peer, or waits for longer than the peer takes to answer (RFC
 * 6298 section 2): a round trip at least, here with something off for one that was slow at first.
 */
static int64_t soonest_again_ns(const struct flow *flow)
{
    const int64_t most_ns = 250 * NS_PER_MS;
    const struct flow_record *record = &flow->record;
    if (record->rtt_server_us <= 0 || record->rtt_client_us < 0)
        return 0;
    int64_t round_trip_ns = (record->rtt_server_us + record->rtt_client_us) * NS_PER_US;
    return round_trip_ns < most_ns ? round_trip_ns * 7 / 8 : most_ns;
}

static void take_tcp(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    struct flow *flow = find_flow(tracker, packet, hash);
    if (!flow)
        return;
    if (duplicates_seen(&tracker->duplicates, packet, hash, soonest_again_ns(flow)) ||
        lanes_says_copy(flow, packet)) {
        lanes_note_copy(flow, packet);
        session_take_copy(tracker, flow, packet, direction_of(flow, packet));
        tracker->counts.duplicates++;
        return;
    }
    tracker->counts.session_packets++;
    session_take(tracker, flow, packet, direction_of(flow, packet));
    if (flow->standing == STANDING_OTHER && !tracker->options.keep_all_apple)
        session_finish(tracker, flow, CAUSE_ENDED);
}

static void take_icmp(struct tracker *tracker, const struct packet *packet)
{
    struct quoted_packet quoted;
    enum { TCP_PROTOCOL = 6 };
    if (!dissect_icmp_quote(packet, &quoted) || quoted.protocol != TCP_PROTOCOL)
        return;
    struct packet key = {.source = quoted.source,
                         .destination = quoted.destination,
                         .source_port = quoted.source_port,
                         .destination_port = quoted.destination_port,
                         .sequence = quoted.sequence,
                         .lane = packet->lane};
    struct flow *flow = flow_table_find(&tracker->flows, &key, flow_hash(&key));
    if (!flow && quoted.has_sequence)
        flow = lanes_find_quoted(tracker, &key);
    if (!flow)
        return;
    bool quotes_client = direction_of(flow, &key) == UP;
    bool quotes_syn = quoted.has_sequence && quoted.sequence == flow->record.client_isn;
    session_take_icmp(tracker, flow, packet, quotes_client, quotes_syn);
}

static int64_t patience_of(const struct tracker *tracker, int wait)
{
    bool is_given = wait == WAIT_IDLE && tracker->options.idle_limit_ns;
    return is_given ? tracker->options.idle_limit_ns : patience_ns[wait];
}

static void expire(struct tracker *tracker)
{
    for (int wait = 0; wait < WAIT_COUNT; wait++) {
        int64_t before_ns = time_between(patience_of(tracker, wait), tracker->now_ns);
        enum outcome_cause cause =
            wait == WAIT_HALF_OPEN || wait == WAIT_IDLE ? CAUSE_SILENT : CAUSE_ENDED;
        struct flow *flow;
        while ((flow = flow_table_silent(&tracker->flows, (enum lifecycle_wait)wait, before_ns)))
            session_finish(tracker, flow, cause);
    }
}

/* Time is that of packets of ours, so that neither the size of a batch nor foreign traffic changes
 * what is judged when. */
static void advance_clock(struct tracker *tracker, int64_t time_ns)
{
    /* Packets of several queues overtake each other by less. */
    const int64_t unnoticed_ns = NS_PER_MS;
    tracker->is_late = time_between(tracker->now_ns, time_ns) < -unnoticed_ns;
    if (time_ns > tracker->now_ns)
        tracker->now_ns = time_ns;
    if (tracker->now_ns >= tracker->next_expiry_ns) {
        expire(tracker);
        tracker->next_expiry_ns = tracker->now_ns + NS_PER_S;
    }
}

static void take_now(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    if (packet->kind == PACKET_DNS || (packet->kind == PACKET_TCP && is_dns_over_tcp(packet)))
        name_watch_take(tracker, packet);
    else if (packet->kind == PACKET_TCP)
        take_tcp(tracker, packet, hash);
    else
        take_icmp(tracker, packet);
}

static void take_in_time(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    advance_clock(tracker, packet_time_moved(&tracker->time, packet->time_ns));
    take_now(tracker, packet, hash);
}

/* At the level that was found for it; where that is not its time, no delay can be measured. */
static void take_held(struct tracker *tracker, int64_t level_ns)
{
    struct packet_time *time = &tracker->time;
    advance_clock(tracker, level_ns);
    tracker->is_late = packet_time_moved(time, time->held.time_ns) != level_ns;
    take_now(tracker, &time->held, time->held_hash);
}

static bool goes_on(const struct tracker *tracker, int64_t time_ns)
{
    return tracker->now_ns == TIME_UNKNOWN
               ? time_is_of_this_world(time_ns)
               : packet_time_goes_on(&tracker->time, tracker->now_ns, time_ns);
}

/* The rare packet that does not go on in time, and the one after it. */
static void take_doubted(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    struct packet_time *time = &tracker->time;
    if (packet_time_holds_copy(time, packet)) {
        tracker->counts.duplicates++;
        return;
    }
    if (time->holds)
        take_held(tracker, packet_time_settle(time, tracker->now_ns, packet->time_ns));
    if (goes_on(tracker, packet->time_ns) ||
        packet_time_finds_clock(time, tracker->now_ns, packet->time_ns) ||
        !packet_time_hold(time, packet, hash))
        take_in_time(tracker, packet, hash);
}

static void take_packet(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    if (!tracker->time.holds && goes_on(tracker, packet->time_ns))
        take_in_time(tracker, packet, hash);
    else
        take_doubted(tracker, packet, hash);
}

/* A datagram's first part or its rest is a packet like another; a fragment that only waits is a
 * frame that was skipped. */
static void take_fragment(struct tracker *tracker, const struct packet *fragment)
{
    struct packet packet;
    enum skip_reason reason = fragments_take(tracker->fragments, fragment, &packet);
    if (reason == SKIP_NONE && tracker->options.passes &&
        !tracker->options.passes(tracker->options.passes_context, &packet))
        reason = SKIP_FILTERED;
    if (reason != SKIP_NONE) {
        tracker->counts.skipped[reason]++;
        return;
    }
    uint64_t key;
    if (tracker_screen(tracker, &packet, &key))
        take_packet(tracker, &packet, key);
    else if (scope_watches(&tracker->scope, key))
        take_packet(tracker, &packet, flow_hash(&packet));
}

static void take_selected(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    if (packet->kind == PACKET_FRAGMENT)
        take_fragment(tracker, packet);
    else
        take_packet(tracker, packet, hash);
}

/* Adds to the wanted packets those of which an address is under watch. Returns a bit per packet. */
static uint64_t select_packets(const struct scope *scope, const uint64_t *keys, uint64_t wanted,
                               size_t count)
{
    uint64_t selected = wanted;
    if (!scope->watched_count)
        return selected;
    for (size_t i = 0; i < count; i++)
        selected |= (uint64_t)(!(wanted >> i & 1) && scope_watches(scope, keys[i])) << i;
    return selected;
}

static void take_batch(struct tracker *tracker, const struct packet *packets, const uint64_t *keys,
                       uint64_t wanted, size_t count, struct lookahead *ahead)
{
    uint64_t changes = tracker->scope.watch_changes;
    uint64_t left = select_packets(&tracker->scope, keys, wanted, count);
    while (left) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        bool is_wanted = wanted >> i & 1;
        if (is_wanted)
            lookahead_step(ahead);
        take_selected(tracker, &packets[i], is_wanted ? keys[i] : flow_hash(&packets[i]));
        left &= left - 1;
        if (tracker->scope.watch_changes == changes)
            continue;
        /* this one put an address under watch that later packets of the batch may have */
        changes = tracker->scope.watch_changes;
        left = select_packets(&tracker->scope, keys, wanted, count) & -(UINT64_C(2) << i);
    }
}

void tracker_take_screened(struct tracker *tracker, const struct packet *packets,
                           const uint64_t *keys, const uint64_t *wanted, size_t count)
{
    struct lookahead ahead;
    lookahead_begin(&ahead, &tracker->flows, packets, keys, wanted, count);
    for (size_t done = 0; done < count; done += BATCH_MAX) {
        size_t part = count - done < BATCH_MAX ? count - done : BATCH_MAX;
        take_batch(tracker, packets + done, keys + done, wanted[done / BATCH_MAX], part, &ahead);
    }
}

void tracker_take(struct tracker *tracker, const struct packet *packets, size_t count)
{
    uint64_t keys[BATCH_MAX];
    for (size_t done = 0; done < count; done += BATCH_MAX) {
        size_t part = count - done < BATCH_MAX ? count - done : BATCH_MAX;
        uint64_t wanted = 0;
        for (size_t i = 0; i < part; i++)
            wanted |= (uint64_t)tracker_screen(tracker, &packets[done + i], &keys[i]) << i;
        tracker_take_screened(tracker, packets + done, keys, &wanted, part);
    }
}

void tracker_advance(struct tracker *tracker, int64_t now_ns)
{
    struct packet_time *time = &tracker->time;
    if (tracker->now_ns == TIME_UNKNOWN)
        return; /* nothing of ours was seen yet */
    if (time->holds)
        take_held(tracker, packet_time_settle_last(time, tracker->now_ns));
    if (now_ns > tracker->now_ns)
        advance_clock(tracker, now_ns);
}

/* ---- the end ---- */

static int by_first_frame(const void *a, const void *b)
{
    const struct flow *const *first = (const struct flow *const *)a;
    const struct flow *const *second = (const struct flow *const *)b;
    uint64_t first_frame = (*first)->record.first_frame;
    uint64_t second_frame = (*second)->record.first_frame;
    return (first_frame > second_frame) - (first_frame < second_frame);
}

/* The end of the capture is a judgement too: flows in the order in which they began, which is also
 * the order of their rows. */
static void finish_all(struct tracker *tracker)
{
    size_t count = 0;
    struct flow **open = (struct flow **)calloc(tracker->flows.pool.taken + 1, sizeof *open);
    assert(open);
    for (int wait = 0; wait < WAIT_COUNT; wait++)
        for (uint32_t id = tracker->flows.lists[wait].first; id != POOL_NONE;
             id = open[count - 1]->list_next)
            open[count++] = (struct flow *)pool_at(&tracker->flows.pool, id);
    qsort(open, count, sizeof *open, by_first_frame);
    for (size_t i = 0; i < count; i++)
        session_finish(tracker, open[i],
                       open[i]->wait == WAIT_LINGER ? CAUSE_ENDED : CAUSE_CAPTURE_END);
    free(open);
}

/* The capture may have gone on after the last packet of ours. Times that were moved are shown as
 * they are: the capture is as long as they say. */
static void finish_time(struct tracker *tracker, struct capture_quality *quality)
{
    struct packet_time *time = &tracker->time;
    if (time->holds)
        take_held(tracker, packet_time_settle_last(time, tracker->now_ns));
    if (tracker->now_ns == TIME_UNKNOWN)
        return;
    advance_clock(tracker, packet_time_end(time, tracker->now_ns, quality->end_ns));
    if (time->clock_count > 1 && quality->last_ns < tracker->now_ns)
        quality->last_ns = tracker->now_ns;
}

void tracker_quality_of(const struct tracker *tracker, struct capture_quality *quality)
{
    const struct capture_quality *counts = &tracker->counts;
    quality->flows_tracked += counts->flows_tracked;
    quality->flows_up_only += counts->flows_up_only;
    quality->flows_down_only += counts->flows_down_only;
    quality->flows_evicted += counts->flows_evicted;
    quality->attempts_summed += counts->attempts_summed;
    quality->other_apple += counts->other_apple;
    quality->session_packets += counts->session_packets;
    quality->duplicates += counts->duplicates;
    quality->gap_bytes += counts->gap_bytes;
    quality->push_frames_cut += counts->push_frames_cut;
    struct fragment_counts fragments = fragments_count(tracker->fragments);
    quality->fragments_refused += fragments.refused;
    quality->fragments_incomplete += fragments.incomplete;
    for (int reason = 0; reason < SKIP_COUNT; reason++)
        quality->skipped[reason] += counts->skipped[reason];
}

void tracker_finish(struct tracker *tracker, struct capture_quality *quality)
{
    finish_time(tracker, quality);
    finish_all(tracker);
    tracker_quality_of(tracker, quality);
    if (tracker->options.attempts_done)
        attempts_each(&tracker->attempts, tracker->options.attempts_done,
                      tracker->options.done_context);
    struct event event = {
        .kind = EVENT_CAPTURE_END, .time_ns = tracker->now_ns, .quality = quality};
    tracker->options.event(tracker->options.event_context, &event);
}
