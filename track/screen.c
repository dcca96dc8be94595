/* Which packets can be ours, by what they show themselves.
 *
 * The first step for every packet of a mirror, at which the common one leaves after a few loads.
 * Asks nothing of other packets, so that any thread may do it; whether a session becomes ours is
 * decided in session_find.c and session_role.c. */
#include "screen.h"

#include "dissect/http.h"
#include "dissect/push_name.h"
#include "dissect/tls.h"

bool screen_may_name_push_host(const struct tracker *tracker, const struct packet *packet)
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
        if (from_apple && !to_apple && screen_opens(packet))
            return true;
    }
    return packet->payload_captured && screen_may_name_push_host(tracker, packet);
}

bool screen_is_dns_over_tcp(const struct packet *packet)
{
    return packet->payload_captured &&
           (packet->source_port == DNS_PORT || packet->destination_port == DNS_PORT);
}

bool tracker_screen(const struct tracker *tracker, const struct packet *packet, uint64_t *key)
{
    *key = 0;
    if (packet->kind != PACKET_TCP || screen_is_dns_over_tcp(packet))
        return true;
    bool is_wanted = tcp_is_wanted(tracker, packet);
    *key = is_wanted ? flow_hash(packet) : scope_watch_key(&packet->source, &packet->destination);
    return is_wanted;
}
