/* Packets to sessions: the front door of track/.
 *
 * Picks from a batch the packets that screen.c wants or whose address is under watch, puts
 * fragments together, holds back a packet of doubtful time, and gives each to its session. What
 * happens there is session.c's. Never reads the wall clock and never judges who is to blame. */
#include "track/track.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dissect/checksum.h"
#include "dissect/dissect.h"
#include "expiry.h"
#include "lanes.h"
#include "lookahead.h"
#include "screen.h"
#include "session.h"

enum { BATCH_MAX = 64 };

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

void tracker_tell(const struct tracker *tracker, enum event_kind kind, const struct flow *flow,
                  uint64_t frame)
{
    struct event event = {.kind = kind,
                          .time_ns = tracker->now_ns,
                          .frame = frame,
                          .flow = &flow->record,
                          .lane = flow->record.lane};
    tracker->options.event(tracker->options.event_context, &event);
}

/* ---- packets ---- */

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
    struct flow *flow = session_find(tracker, packet, hash);
    if (!flow)
        return;
    if (flow->standing == STANDING_BEYOND) {
        session_pass_beyond(tracker, flow, packet, flow_direction_of(flow, packet));
        tracker->counts.duplicates++;
        return;
    }
    if (duplicates_seen(&tracker->duplicates, packet, hash, soonest_again_ns(flow)) ||
        lanes_says_copy(flow, packet)) {
        lanes_note_copy(flow, packet);
        session_take_copy(tracker, flow, packet, flow_direction_of(flow, packet));
        tracker->counts.duplicates++;
        return;
    }
    tracker->counts.session_packets++;
    session_take(tracker, flow, packet, flow_direction_of(flow, packet));
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
    bool quotes_client = flow_direction_of(flow, &key) == UP;
    bool quotes_syn = quoted.has_sequence && quoted.sequence == flow->record.client_isn;
    session_take_icmp(tracker, flow, packet, quotes_client, quotes_syn);
}

static void take_now(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    if (packet->kind == PACKET_DNS ||
        (packet->kind == PACKET_TCP && screen_is_dns_over_tcp(packet)))
        name_watch_take(tracker, packet);
    else if (packet->kind == PACKET_TCP)
        take_tcp(tracker, packet, hash);
    else
        take_icmp(tracker, packet);
}

static void take_in_time(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    expiry_advance(tracker, packet_time_moved(&tracker->time, packet->time_ns));
    take_now(tracker, packet, hash);
}

/* At the level that was found for it; where that is not its time, no delay can be measured. */
static void take_held(struct tracker *tracker, int64_t level_ns)
{
    struct packet_time *time = &tracker->time;
    expiry_advance(tracker, level_ns);
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

/* Whoever dissected it may have asked for its checksum already. */
static bool is_damaged(struct tracker *tracker, const struct packet *packet)
{
    enum packet_checksum checksum = (enum packet_checksum)packet->checksum;
    if (checksum == CHECKSUM_UNASKED)
        checksum = dissect_checksum(packet);
    return damage_found(&tracker->damage, packet, checksum);
}

static void take_packet(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    if (is_damaged(tracker, packet))
        tracker->counts.skipped[SKIP_DAMAGED]++;
    else if (!tracker->time.holds && goes_on(tracker, packet->time_ns))
        take_in_time(tracker, packet, hash);
    else
        take_doubted(tracker, packet, hash);
}

/* A datagram's first part or its rest is a packet like another; a fragment that only waits is a
 * frame that was skipped. */
static void take_fragment(struct tracker *tracker, const struct packet *fragment)
{
    struct packet packet;
    enum skip_reason reason = is_damaged(tracker, fragment)
                                  ? SKIP_DAMAGED
                                  : fragments_take(tracker->fragments, fragment, &packet);
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

/* A packet of just now, by the clock that stamped it: so that clock was set, and is borne out by
 * itself. */
static int64_t settle_by_the_clock(struct tracker *tracker, int64_t now_ns)
{
    const int64_t just_now_ns = 2 * NS_PER_S;
    struct packet_time *time = &tracker->time;
    if (time_is_within(time->held.time_ns, now_ns, just_now_ns))
        return packet_time_settle(time, tracker->now_ns, now_ns);
    return packet_time_settle_last(time, tracker->now_ns);
}

void tracker_advance(struct tracker *tracker, int64_t now_ns)
{
    struct packet_time *time = &tracker->time;
    if (tracker->now_ns == TIME_UNKNOWN)
        return; /* nothing of ours was seen yet */
    if (time->holds)
        take_held(tracker, settle_by_the_clock(tracker, now_ns));
    now_ns = packet_time_moved(time, now_ns); /* it is set with the clock of the packets */
    if (now_ns > tracker->now_ns)
        expiry_advance(tracker, now_ns);
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
    expiry_advance(tracker, packet_time_end(time, tracker->now_ns, quality->end_ns));
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
    quality->flows_translated += counts->flows_translated;
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
