/* What is seen of sessions beyond the filter.
 *
 * See glimpses.h. Deliberately judges nothing: that a session off Apple's addresses names a push
 * host may be a relay of the site's own, and one packet does not show what becomes of it. */
#include "glimpses.h"

#include "dissect/push_name.h"

bool glimpses_open(struct glimpses *glimpses, const struct scope_filter *scope, struct fault *fault)
{
    glimpses->scope = scope;
    return !scope->also || filter_compile_packets(&glimpses->also, scope->also, fault);
}

void glimpses_close(struct glimpses *glimpses)
{
    filter_free(glimpses->also);
}

static bool is_followed(const struct glimpses *glimpses, const struct packet *packet)
{
    if (scope_filter_follows(glimpses->scope, packet))
        return true;
    uint32_t captured = (uint32_t)(packet->payload - packet->ip) + packet->payload_captured;
    return glimpses->also && filter_matches_packet(glimpses->also, packet->ip, captured, captured);
}

static bool was_told(const struct glimpses *glimpses, const struct address *address)
{
    for (size_t i = 0; i < glimpses->told_count; i++)
        if (address_equal(&glimpses->told[i], address))
            return true;
    return false;
}

static void note(struct glimpses *glimpses, const struct packet *packet)
{
    char address[ADDRESS_TEXT_SIZE];
    if (!push_name_may_occur(packet->payload, packet->payload_captured))
        return;
    glimpses->count++;
    if (was_told(glimpses, &packet->destination) || glimpses->told_count == GLIMPSES_TOLD_MAX)
        return;
    glimpses->told[glimpses->told_count++] = packet->destination;
    address_text(&packet->destination, address);
    speaker_say(&glimpses->speaker,
                "a session to %s port %u names a push host but lies beyond the filter, so it is "
                "not judged; to follow such sessions add --also 'host %s'",
                address, packet->destination_port, address);
}

void glimpses_leave_out(struct glimpses *glimpses, struct front_batch *batch)
{
    size_t kept = 0;
    uint64_t wanted = 0;
    if (glimpses->scope->wide || glimpses->scope->decapsulate)
        return;
    for (size_t i = 0; i < batch->packet_count; i++) {
        if (!is_followed(glimpses, &batch->packets[i])) {
            note(glimpses, &batch->packets[i]);
            batch->skipped[SKIP_FILTERED]++;
            continue;
        }
        uint64_t is_wanted = batch->wanted[0] >> i & 1; /* a live batch has at most 64 packets */
        if (kept != i) {
            batch->packets[kept] = batch->packets[i];
            batch->keys[kept] = batch->keys[i];
        }
        wanted |= is_wanted << kept++;
    }
    batch->wanted[0] = wanted;
    batch->packet_count = kept;
}
