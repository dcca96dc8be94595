/* The session that a packet belongs to: one that goes on, or one that it begins.
 *
 * Between track.c and session.c. Decides by the packet alone whether it can begin a session of
 * ours; what the session's names say later is session_role.c's. */
#include <assert.h>

#include "dissect/http.h"
#include "dissect/tls.h"
#include "lanes.h"
#include "screen.h"
#include "session.h"

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
        *from_client = screen_opens(packet);
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
    else if (packet->payload_captured && screen_may_name_push_host(tracker, packet))
        beginning.standing = STANDING_CANDIDATE;
    else if (screen_opens(packet) && scope_is_apple(scope, client) && scope_is_home(scope, server))
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

/* Its numbers say that it is another one on the far side of a NAT, or on the near side of one that
 * nobody was told of yet. */
static void find_other_side(struct tracker *tracker, struct flow *flow, const struct packet *packet)
{
    bool is_inside;
    if (flow_table_is_flooded(&tracker->flows))
        return;
    struct flow *other =
        translation_find(&tracker->translations, &tracker->flows, flow, packet, &is_inside);
    if (!other || other->standing == STANDING_BEYOND)
        return;
    struct flow *inside = is_inside ? other : flow, *beyond = is_inside ? flow : other;
    if (beyond->opened)
        return;
    beyond->standing = STANDING_BEYOND;
    beyond->inside_id = inside->id;
    beyond->inside_hash = inside->hash;
    if (!inside->record.number)
        inside->record.number = beyond->record.number;
    inside->record.was_passed_on = inside->record.was_translated = true;
}

/* A copy of a packet whose session is over begins none: files that were joined, a clock that was
 * set back. */
static bool is_late_copy(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    bool is_copy = !flow_table_is_flooded(&tracker->flows) &&
                   duplicates_knows(&tracker->duplicates, packet, hash);
    tracker->counts.duplicates += is_copy;
    return is_copy;
}

static struct flow *begin_flow(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    struct beginning beginning = find_beginning(tracker, packet);
    if (beginning.standing == STANDING_OTHER || is_late_copy(tracker, packet, hash))
        return NULL;
    make_room(tracker);
    struct flow *flow = flow_table_add(&tracker->flows, packet, hash, beginning.from_client);
    assert(flow);
    flow->standing = (uint8_t)beginning.standing;
    flow->record.server_is_apple = scope_is_apple(&tracker->scope, &flow->record.server_ip);
    find_other_side(tracker, flow, packet);
    if (flow->standing == STANDING_BEYOND)
        return flow;
    if (beginning.standing == STANDING_OURS)
        session_adopt(tracker, flow, beginning.role, beginning.reason);
    session_watch(tracker, flow);
    return flow;
}

/* A SYN with another initial sequence number begins another session on the same ports. */
static bool ports_are_used_again(const struct flow *flow, const struct packet *packet)
{
    if (!screen_opens(packet))
        return false;
    if (flow_direction_of(flow, packet) == DOWN)
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

/* The first SYN may not have been captured on the other side; in the middle of sessions copies of
 * two packets may have overtaken each other. */
static bool may_show_other_side(const struct flow *flow, const struct packet *packet)
{
    enum { FIRST_PACKETS = 8 };
    const struct flow_record *record = &flow->record;
    bool is_early =
        !(record->saw & SAW_SYN) && record->packets_up + record->packets_down < FIRST_PACKETS;
    return (screen_opens(packet) || is_early) && !record->was_passed_on &&
           flow->standing != STANDING_BEYOND;
}

struct flow *session_find(struct tracker *tracker, const struct packet *packet, uint64_t hash)
{
    struct flow *flow = flow_table_find(&tracker->flows, packet, hash);
    flow = unless_over(tracker, flow, packet);
    if (!flow)
        flow = unless_over(tracker, lanes_find(tracker, packet, hash), packet);
    if (!flow)
        return begin_flow(tracker, packet, hash);
    if (may_show_other_side(flow, packet))
        find_other_side(tracker, flow, packet);
    return flow;
}
