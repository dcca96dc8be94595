/* DNS messages about push names: what they teach about addresses, and events for detect/.
 *
 * A side entrance of track/: DNS makes no flow. Over TCP a message is read where one segment holds
 * it whole (with or without its two-byte length, RFC 1035 section 4.2.2); longer ones are left.
 * Remembers questions for a moment: an answer is about the device in the question's lane, even when
 * it comes back in another (lanes.h), and a copy of either says nothing new. */
#include "name_watch.h"

#include "base/reader.h"
#include "base/text.h"
#include "dissect/dns.h"
#include "dissect/push_name.h"
#include "screen.h"
#include "tracker.h"

static bool read_message(const struct packet *packet, struct dns_message *message)
{
    if (packet->kind == PACKET_DNS)
        return dns_read(packet->payload, packet->payload_captured, message);
    struct reader reader = reader_over(packet->payload, packet->payload_captured);
    uint16_t size = reader_u16(&reader);
    struct reader body = reader_take(&reader, size);
    if (!body.failed && dns_read(body.at, reader_left(&body), message))
        return true;
    return dns_read(packet->payload, packet->payload_captured, message);
}

static void learn(struct tracker *tracker, const struct dns_message *message, enum flow_role role)
{
    for (uint8_t i = 0; i < message->address_count; i++) {
        const struct address *address = &message->addresses[i];
        if (!address_is_unspecified(address) && !address_is_loopback(address))
            scope_learn(&tracker->scope, address, role, SCOPE_BY_DNS);
    }
}

/* Resolvers give up on a question after some seconds; a client's ports and numbers come round again
 * much later. */
static const int64_t question_ns = 30 * NS_PER_S;

static uint64_t asker_hash(const struct packet *packet, const struct dns_message *message)
{
    bool is_answer = message->is_response;
    const struct address *client = is_answer ? &packet->destination : &packet->source;
    const struct address *resolver = is_answer ? &packet->source : &packet->destination;
    uint16_t port = is_answer ? packet->destination_port : packet->source_port;
    uint64_t numbers = (uint64_t)port << 16 | message->id;
    return hash_bytes(resolver->byte, 16, hash_bytes(client->byte, 16, numbers));
}

/* As numbers without sign: a damaged capture's times may be any. */
static bool is_recent(int64_t time_ns, int64_t then_ns, int64_t limit_ns)
{
    return (uint64_t)time_ns - (uint64_t)then_ns + (uint64_t)limit_ns <= 2 * (uint64_t)limit_ns;
}

/* True when the same message was there a moment ago. */
static bool is_copy(struct name_watch *watch, const struct packet *packet, uint64_t asker)
{
    uint64_t hash = hash_bytes(packet->payload, packet->payload_captured, asker);
    struct watched_message *seen = &watch->messages[hash % NAME_WATCH_SLOTS];
    if (seen->hash == hash && is_recent(packet->time_ns, seen->time_ns, DUPLICATES_WINDOW_NS))
        return true;
    *seen = (struct watched_message){.hash = hash, .time_ns = packet->time_ns};
    return false;
}

static uint32_t lane_of(struct name_watch *watch, const struct packet *packet,
                        const struct dns_message *message, uint64_t asker)
{
    struct watched_message *question = &watch->questions[asker % NAME_WATCH_SLOTS];
    if (!message->is_response)
        *question = (struct watched_message){asker, packet->time_ns, packet->lane};
    else if (question->hash == asker && is_recent(packet->time_ns, question->time_ns, question_ns))
        return question->lane;
    return packet->lane;
}

static struct watched_resolver *resolver_slot(struct name_watch *watch,
                                              const struct address *resolver)
{
    return &watch->resolvers[hash_bytes(resolver->byte, 16, 0) % NAME_WATCH_RESOLVERS];
}

static int64_t spoke_ns(struct name_watch *watch, const struct address *resolver)
{
    const struct watched_resolver *slot = resolver_slot(watch, resolver);
    return address_equal(&slot->address, resolver) ? slot->spoke_ns : TIME_UNKNOWN;
}

/* Whatever it answers: only of a resolver that is heard can silence be told. */
static void note_resolver(struct tracker *tracker, const struct packet *packet)
{
    enum { QR_OFFSET = 2, QR = 0x80 };
    if (packet->kind == PACKET_DNS && packet->source_port == DNS_PORT &&
        packet->payload_captured > QR_OFFSET && packet->payload[QR_OFFSET] & QR)
        *resolver_slot(&tracker->names, &packet->source) =
            (struct watched_resolver){packet->source, tracker->now_ns};
}

static void watch(struct tracker *tracker, const struct packet *packet)
{
    struct dns_message message;
    if (!push_name_may_occur(packet->payload, packet->payload_captured) ||
        !read_message(packet, &message))
        return;
    enum flow_role role = scope_role_by_name(&tracker->scope, message.name);
    if (role == ROLE_UNKNOWN && !text_equal_nocase(message.name, "push.apple.com"))
        return;
    uint64_t asker = asker_hash(packet, &message);
    if (is_copy(&tracker->names, packet, asker))
        return;
    if (message.is_response && role != ROLE_UNKNOWN)
        learn(tracker, &message, role);
    struct event event = {.kind = message.is_response ? EVENT_DNS_ANSWER : EVENT_DNS_QUERY,
                          .time_ns = tracker->now_ns,
                          .frame = packet->frame,
                          .dns = &message,
                          .client = message.is_response ? packet->destination : packet->source,
                          .resolver = message.is_response ? packet->source : packet->destination,
                          .lane = lane_of(&tracker->names, packet, &message, asker)};
    event.resolver_spoke_ns = spoke_ns(&tracker->names, &event.resolver);
    tracker->options.event(tracker->options.event_context, &event);
}

void name_watch_take(struct tracker *tracker, const struct packet *packet)
{
    watch(tracker, packet);
    note_resolver(tracker, packet);
}
