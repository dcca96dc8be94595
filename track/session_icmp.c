/* What an ICMP error does to the session whose packet it quotes.
 *
 * track.c has found the session by the quote. Believes no error about a handshake that was answered
 * already; who sent it is weighed in detect/. */
#include "session.h"
#include "steps.h"

/* No way is longer: a SYN that had so many hops left here and used them all up went round in a
 * circle. What tracers of routes send has fewer. */
enum { CIRCLE_TTL = 33 };

/* RFC 792 and RFC 4443 section 3.3, both with code 0, "in transit". */
static bool is_time_exceeded(const struct packet *packet)
{
    return packet->icmp_type == (packet->ip_version == 6 ? 3 : 11) && packet->icmp_code == 0;
}

/* Codes that say the SYN will not be let through (wire.md section 4): all of destination
 * unreachable (RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1) but 4, fragmentation
 * needed; ICMPv6 type 1, codes 0 to 6 (RFC 4443 section 3.1). "Port unreachable", 3 and 4, is what
 * packet filters answer with where their rule names no other error, and "protocol unreachable", 2,
 * one that they can name for TCP, which every host speaks; stacks take them for a refusal (RFC 1122
 * section 4.2.3.9). */
static bool icmp_refuses(const struct packet *packet, const struct flow_record *record)
{
    if (is_time_exceeded(packet))
        return record->ttl_client >= CIRCLE_TTL;
    uint32_t codes_v4 = 0xffff & ~(1u << 4);
    uint32_t codes_v6 = 0x7f;
    bool v6 = packet->ip_version == 6;
    if (packet->icmp_type != (v6 ? 1 : 3) || packet->icmp_code > 31)
        return false;
    return (v6 ? codes_v6 : codes_v4) >> packet->icmp_code & 1;
}

void session_take_icmp(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                       bool quotes_client, bool quotes_syn)
{
    struct flow_record *record = &flow->record;
    if (packet->icmp_mtu) {
        record->saw |= SAW_ICMP_TOO_BIG;
        evidence_too_big(tracker, flow, packet, quotes_client);
    }
    steps_take_icmp(tracker, flow, packet, quotes_client);
    if (!quotes_client || !icmp_refuses(packet, record) || record->icmp_frame)
        return;
    record->icmp_frame = packet->frame;
    record->icmp_ns = tracker->now_ns;
    record->icmp_source = packet->source;
    record->icmp_type = packet->icmp_type;
    record->icmp_code = packet->icmp_code;
    record->icmp_ttl = packet->ttl;
    record->saw |= SAW_ICMP;
    if (quotes_syn && flow->state == STATE_SYN_SENT) {
        flow->state = (uint8_t)lifecycle_next(STATE_SYN_SENT, ON_ICMP);
        record->last_ns = tracker->now_ns;
        if (record->server_port == 5223 && flow->standing == STANDING_OURS)
            scope_note_try(&tracker->scope, flow, tracker->now_ns);
        flow_table_touch(&tracker->flows, flow);
    }
}
