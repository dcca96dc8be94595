/* The first and last packets of a young or troubled session, for the packet ladder.
 *
 * Borrowed from a pool by a session from its second packet until it works, and again when trouble
 * comes (a reset, a FIN, a retransmission, an ICMP error), so that an idle session pays a pointer.
 * Of a lone SYN nothing is kept: its record says all of it, and a flood is made of them. */
#ifndef APNSCOPE_TRACK_STEPS_H
#define APNSCOPE_TRACK_STEPS_H

#include "flow.h"
#include "model/packet.h"
#include "model/step.h"
#include "sequence.h"

struct tracker;

enum { STEPS_CAP = 1 << 14 };

/* A packet was taken: `kind` is what its sequence number says, `fresh` the bits of record.saw that
 * it set. */
void steps_take(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                enum direction direction, enum segment_kind kind, uint32_t fresh);
/* An ICMP error quotes a packet of the flow. */
void steps_take_icmp(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                     bool quotes_client);
void steps_release(struct tracker *tracker, struct flow *flow);

/* Is a step wanted of this packet? The short answer for the packets of idle sessions. */
static inline bool steps_wanted(const struct flow *flow, const struct packet *packet,
                                enum segment_kind kind)
{
    return flow->steps || !flow->heard_out || kind == SEGMENT_RETRANSMISSION ||
           packet->tcp_flags & (TCP_RST | TCP_FIN);
}

#endif
