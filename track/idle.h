/* Silences of established sessions, and whether they survive them. */
#ifndef APNSCOPE_TRACK_IDLE_H
#define APNSCOPE_TRACK_IDLE_H

#include "flow.h"
#include "model/packet.h"

struct tracker;

enum { IDLE_CAP = 1 << 14 };

/* Before the packet is counted: has it broken a silence? */
void idle_begin(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                enum direction direction);
/* Of a flow with idle evidence, after the packet was taken; `next_down` and `next_up` are the
 * sequence numbers expected of each side before it. */
void idle_take(struct tracker *tracker, struct flow *flow, const struct packet *packet,
               enum direction direction, uint32_t next_down);
void idle_release(struct tracker *tracker, struct flow *flow);

#endif
