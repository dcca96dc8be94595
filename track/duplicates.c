/* Packets that a mirror delivers twice: recognised, so that they are not taken for retransmissions.
 *
 * Asked by track/track.c for packets of tracked flows only. Remembers hashes, not packets; where a
 * packet carries nothing that would tell a copy from a repetition (a bare ACK without timestamps
 * and IP id) it is taken as it is. */
#include "duplicates.h"

#include "base/table.h"

/* What two copies share, without holes. */
struct fingerprint {
    uint64_t flow;
    uint64_t options;
    uint32_t sequence;
    uint32_t acknowledgement;
    uint32_t payload_size;
    uint16_t window;
    uint16_t ip_id;
    uint16_t source_port;
    uint8_t flags;
    uint8_t zero[5];
};

static bool can_tell(const struct packet *packet)
{
    return packet->ip_id != 0 || packet->payload_size > 0 || packet->tcp_options_size > 0 ||
           (packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

bool duplicates_seen(struct duplicates *duplicates, const struct packet *packet,
                     uint64_t flow_hash)
{
    if (!can_tell(packet))
        return false;
    struct fingerprint fingerprint = {
        .flow = flow_hash,
        .options = packet->tcp_options_size
                       ? hash_bytes(packet->tcp_options, packet->tcp_options_size, 1)
                       : 0,
        .sequence = packet->sequence,
        .acknowledgement = packet->acknowledgement,
        .payload_size = packet->payload_size,
        .window = packet->window,
        .ip_id = packet->ip_id,
        .source_port = packet->source_port,
        .flags = packet->tcp_flags,
    };
    uint64_t hash = hash_bytes(&fingerprint, sizeof fingerprint, 2);
    size_t slot = hash % DUPLICATES_SLOTS;
    int64_t age_ns = packet->time_ns - duplicates->slots[slot].time_ns;
    if (duplicates->slots[slot].hash == hash && age_ns <= DUPLICATES_WINDOW_NS &&
        age_ns >= -DUPLICATES_WINDOW_NS)
        return true;
    duplicates->slots[slot].hash = hash;
    duplicates->slots[slot].time_ns = packet->time_ns;
    return false;
}
