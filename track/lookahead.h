/* Memory asked for before the packet that needs it is taken.
 *
 * A busy tracker's sessions are spread over many megabytes, and each packet is of another session
 * than the one before: without this the tracker would wait for memory most of the time. Three
 * cursors run ahead of the packet at hand, each by a few packets: at the packet's own bytes, which
 * another processor may have dissected, and the slot of the table; at the flow that the slot names;
 * and at what the flow points to. Deliberately decides nothing: a wrong guess costs a line of cache.
 */
#ifndef APNSCOPE_TRACK_LOOKAHEAD_H
#define APNSCOPE_TRACK_LOOKAHEAD_H

#include <stddef.h>
#include <stdint.h>

#include "flow_table.h"
#include "model/packet.h"

enum { LOOKAHEAD_RING = 16 };

struct lookahead {
    const struct flow_table *flows;
    const struct packet *packets; /* as tracker_take_screened has them */
    const uint64_t *keys;
    const uint64_t *wanted;
    size_t count;
    size_t next_slot; /* packets; where each cursor goes on */
    size_t next_flow;
    uint32_t ids[LOOKAHEAD_RING]; /* flows on their way, not yet looked into */
    size_t flows_seen;
    size_t flows_opened;
};

void lookahead_begin(struct lookahead *ahead, const struct flow_table *flows,
                     const struct packet *packets, const uint64_t *keys, const uint64_t *wanted,
                     size_t count);
/* Called once for each wanted packet that is taken. */
void lookahead_step(struct lookahead *ahead);

#endif
