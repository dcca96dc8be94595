/* Packets that a mirror delivers twice: recognised, so that they are not taken for retransmissions.
 *
 * Asked by track/track.c for packets of tracked flows only. Remembers hashes, not packets; where a
 * packet carries nothing that would tell a copy from a repetition (a bare ACK without timestamps
 * and IP id) it is taken as it is. */
#include "duplicates.h"

#include <string.h>

bool duplicates_can_tell(const struct packet *packet)
{
    return packet->ip_id != 0 || packet->payload_size > 0 || packet->tcp_options_size > 0 ||
           (packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

static inline uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
    return hash ^ hash >> 28;
}

static inline uint64_t mix_options(uint64_t hash, const struct packet *packet)
{
    for (uint32_t at = 0; at < packet->tcp_options_size; at += 8) {
        uint64_t word = 0;
        uint32_t left = packet->tcp_options_size - at;
        memcpy(&word, packet->tcp_options + at, left < 8 ? left : 8);
        hash = mix(hash, word);
    }
    return hash;
}

/* Of what two copies share. */
static inline uint64_t fingerprint(const struct packet *packet, uint64_t flow_hash)
{
    uint64_t numbers = (uint64_t)packet->sequence << 32 | packet->acknowledgement;
    uint64_t sizes =
        (uint64_t)packet->payload_size << 32 | (uint64_t)packet->window << 16 | packet->ip_id;
    uint64_t ends = (uint64_t)packet->source_port << 8 | packet->tcp_flags;
    return mix_options(mix(mix(mix(flow_hash, numbers), sizes), ends), packet);
}

static size_t slot_of(uint64_t hash)
{
    return (hash >> 32) % DUPLICATES_SLOTS;
}

/* The timestamps (RFC 7323 section 3.2), where stacks put them: first and aligned, or in a SYN. */
static bool has_timestamps(const struct packet *packet)
{
    static const uint8_t aligned[4] = {1, 1, 8, 10}; /* appendix A: two NOPs before */
    enum { TIMESTAMPS_SIZE = 12 };
    return packet->tcp_options_size >= TIMESTAMPS_SIZE &&
           (packet->tcp_flags & TCP_SYN ||
            memcmp(packet->tcp_options, aligned, sizeof aligned) == 0);
}

static uint64_t window_of(const struct packet *packet)
{
    static const uint64_t windows_ns[] = {DUPLICATES_WINDOW_NS, DUPLICATES_MARKED_WINDOW_NS,
                                          DUPLICATES_TWICE_MARKED_WINDOW_NS};
    return windows_ns[(packet->ip_id != 0) + has_timestamps(packet)];
}

static bool is_in(const struct duplicates *duplicates, const struct packet *packet, uint64_t hash,
                  uint64_t soonest_ns)
{
    size_t slot = slot_of(hash);
    if (duplicates->slots[slot].hash != hash)
        return false;
    /* As numbers without sign: a damaged capture's times may be any. */
    uint64_t age_ns = (uint64_t)packet->time_ns - (uint64_t)duplicates->slots[slot].time_ns;
    uint64_t window_ns = window_of(packet);
    if (window_ns < soonest_ns)
        window_ns = soonest_ns;
    return age_ns + window_ns <= 2 * window_ns;
}

bool duplicates_knows(const struct duplicates *duplicates, const struct packet *packet,
                      uint64_t flow_hash)
{
    return duplicates_can_tell(packet) &&
           is_in(duplicates, packet, fingerprint(packet, flow_hash), 0);
}

bool duplicates_seen(struct duplicates *duplicates, const struct packet *packet, uint64_t flow_hash,
                     int64_t soonest_ns)
{
    if (!duplicates_can_tell(packet))
        return false;
    uint64_t hash = fingerprint(packet, flow_hash);
    if (is_in(duplicates, packet, hash, (uint64_t)soonest_ns))
        return true;
    size_t slot = slot_of(hash);
    duplicates->slots[slot].hash = hash;
    duplicates->slots[slot].time_ns = packet->time_ns;
    return false;
}
