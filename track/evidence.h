/* What a young or reset session shows beyond its record: model/flow_evidence.h, filled in. */
#ifndef APNSCOPE_TRACK_EVIDENCE_H
#define APNSCOPE_TRACK_EVIDENCE_H

#include "flow.h"
#include "model/flow_evidence.h"
#include "model/packet.h"

struct tracker;

enum { EVIDENCE_CAP = 1 << 15 };

/* Route changes and load balancers move a side's TTL by a few hops within a session. */
enum { TTL_TOLERANCE = 3 };

/* What packets of a side look like that are no resets: called for each, so short. */
static inline void habits_note(struct habits *habits, const struct packet *packet)
{
    uint16_t step = (uint16_t)(packet->ip_id - habits->ip_id);
    if (!habits->packets) {
        habits->ttl_low = habits->ttl_high = packet->ttl;
        habits->ids_are_zero = true;
    }
    if (packet->ttl < habits->ttl_low)
        habits->ttl_low = packet->ttl;
    if (packet->ttl > habits->ttl_high)
        habits->ttl_high = packet->ttl;
    /* a SYN-ACK's identification is written before the session has a counter of its own */
    habits->ids_jump |= step > HABITS_ID_STEP && habits->packets > 1;
    habits->ids_are_zero &= packet->ip_id == 0;
    habits->ip_id = packet->ip_id;
    habits->packets = (uint8_t)(habits->packets + (habits->packets < UINT8_MAX));
}

/* The MSS that a SYN announces; 0: none. */
uint16_t evidence_mss(const struct packet *packet);
/* The SYN-ACK: the opening begins. */
void evidence_open(struct tracker *tracker, struct flow *flow, const struct packet *packet);
/* A packet of a flow that has evidence, not a reset; after its sequence numbers were followed. */
void evidence_take(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                   enum direction direction);
/* The packet, already taken, acknowledges what the other side sent after its alleged reset: the
 * session goes on. */
bool evidence_resumes(const struct flow *flow, const struct packet *packet,
                      enum direction direction);
/* A reset, before the lifecycle hears of it. */
void evidence_reset(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                    enum direction direction);
/* An ICMP error says that a packet of the flow was too big. */
void evidence_too_big(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                      bool quotes_client);
/* Gives it back: the session works, or is over. */
void evidence_release(struct tracker *tracker, struct flow *flow);
/* The server's MAC address turned out to be none to compare with. */
void evidence_forget_mac(struct tracker *tracker, struct flow *flow);

#endif
