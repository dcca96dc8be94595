/* Sessions on both sides of an address translation: see translation.h.
 *
 * Asked by session_find.c. What would prove it wrong: two devices that send the same numbers to the
 * same server at the same time, from different distances. Programs that forge SYNs do send the same
 * numbers, but from one distance: where it does not differ, it takes one address that is private
 * and one that is not. */
#include "translation.h"

#include "base/believed_time.h"
#include "base/table.h"
#include "dissect/dissect.h"

static bool is_from_client(const struct flow *flow, const struct packet *packet)
{
    return flow_direction_of(flow, packet) == UP;
}

static uint64_t key_of(const struct flow *flow, const struct packet *packet)
{
    struct {
        struct address server;
        uint32_t sequence, acknowledgement, payload_size, timestamp;
        uint16_t server_port, flags;
        uint32_t is_from_client;
    } key = {.server = flow->record.server_ip,
             .sequence = packet->sequence,
             .acknowledgement = packet->acknowledgement,
             .payload_size = packet->payload_size,
             .timestamp = dissect_tcp_options(packet).timestamp_value,
             .server_port = flow->record.server_port,
             .flags = packet->tcp_flags,
             .is_from_client = is_from_client(flow, packet)};
    return hash_bytes(&key, sizeof key, 5) | 1;
}

/* Every router takes one off (RFC 791 section 3.1): a client's packet has more left inside, a
 * server's less. */
static bool can_tell(const struct translation_slot *slot, const struct flow *other,
                     const struct flow *flow, const struct packet *packet, bool *is_inside)
{
    if (slot->ttl != packet->ttl) {
        *is_inside = (slot->ttl > packet->ttl) == is_from_client(flow, packet);
        return true;
    }
    *is_inside = address_is_private(&other->record.client_ip);
    return *is_inside != address_is_private(&flow->record.client_ip);
}

struct flow *translation_find(struct translations *translations, const struct flow_table *flows,
                              const struct flow *flow, const struct packet *packet, bool *is_inside)
{
    uint64_t key = key_of(flow, packet);
    struct translation_slot *slot = &translations->slots[(key >> 32) % TRANSLATION_SLOTS];
    int64_t age_ns = time_between(slot->time_ns, packet->time_ns);
    if (slot->key == key && age_ns <= TRANSLATION_WINDOW_NS && age_ns >= -TRANSLATION_WINDOW_NS) {
        struct flow *other = flow_table_at(flows, slot->flow_id);
        bool is_there = other->hash == slot->flow_hash && other != flow;
        if (is_there && !address_equal(&other->record.client_ip, &flow->record.client_ip) &&
            can_tell(slot, other, flow, packet, is_inside))
            return other;
    }
    *slot = (struct translation_slot){.key = key,
                                      .flow_hash = flow->hash,
                                      .time_ns = packet->time_ns,
                                      .flow_id = flow->id,
                                      .ttl = packet->ttl};
    return NULL;
}
