/* DNS messages about push names: what they teach about addresses, and events for detect/.
 *
 * A side entrance of track/: DNS makes no flow. Over TCP a message is read where one segment holds
 * it whole (with or without its two-byte length, RFC 1035 section 4.2.2); longer ones are left. */
#include "base/reader.h"
#include "base/text.h"
#include "dissect/dns.h"
#include "dissect/push_name.h"
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

void name_watch_take(struct tracker *tracker, const struct packet *packet)
{
    struct dns_message message;
    if (!push_name_may_occur(packet->payload, packet->payload_captured) ||
        !read_message(packet, &message))
        return;
    enum flow_role role = scope_role_by_name(&tracker->scope, message.name);
    if (role == ROLE_UNKNOWN && !text_equal_nocase(message.name, "push.apple.com"))
        return;
    if (message.is_response && role != ROLE_UNKNOWN)
        learn(tracker, &message, role);
    struct event event = {.kind = message.is_response ? EVENT_DNS_ANSWER : EVENT_DNS_QUERY,
                          .time_ns = tracker->now_ns,
                          .frame = packet->frame,
                          .dns = &message,
                          .client = message.is_response ? packet->destination : packet->source,
                          .resolver = message.is_response ? packet->source : packet->destination,
                          .lane = packet->lane};
    tracker->options.event(tracker->options.event_context, &event);
}
