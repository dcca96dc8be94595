/* All flows of a tracker: look-up by addresses and ports, and expiry by silence.
 *
 * Both directions of a session find the same flow; who is the client is in the record. Flows wait
 * in lists ordered by their last packet, one per kind of wait, so expiry looks at list heads only.
 * Bounded: at the half-open cap the oldest half-open attempt goes, at the flow cap the oldest
 * half-open, then the oldest of the others, so that established sessions survive a flood. */
#ifndef APNSCOPE_TRACK_FLOW_TABLE_H
#define APNSCOPE_TRACK_FLOW_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/table.h"
#include "flow.h"
#include "model/packet.h"

enum { FLOW_CAP_DEFAULT = 1 << 20, HALF_OPEN_CAP_DEFAULT = 1 << 16 };

#define FLOW_REQUEUE_NS (60 * NS_PER_S)

struct flow_list {
    uint32_t first; /* longest silent */
    uint32_t last;
    uint32_t count;
};

struct flow_table {
    struct pool pool;
    struct table table;
    struct flow_list lists[WAIT_COUNT];
    struct flow blank; /* what a new flow begins as */
    uint32_t half_open_cap;
};

void flow_table_init(struct flow_table *flows, uint32_t flow_cap, uint32_t half_open_cap);
void flow_table_free(struct flow_table *flows);

/* The same for both directions and in every lane. */
uint64_t flow_hash(const struct packet *packet);

/* The flow between the packet's ends, in its lane. */
struct flow *flow_table_find(const struct flow_table *flows, const struct packet *packet,
                             uint64_t hash);
/* The first flow between the packet's ends in another lane that passes the test. */
typedef bool flow_test(void *context, struct flow *flow, const struct packet *packet);
struct flow *flow_table_find_elsewhere(const struct flow_table *flows, const struct packet *packet,
                                       uint64_t hash, flow_test *test, void *context);
/* A new flow (zeroed beyond the record, record blank) with its key set as client and server, in
 * the half-open list; NULL when flow_table_crowded should have been heeded. */
struct flow *flow_table_add(struct flow_table *flows, const struct packet *packet, uint64_t hash,
                            bool from_client);
void flow_table_remove(struct flow_table *flows, struct flow *flow);

/* The number of the flow that flow_table_find will most likely find, or POOL_NONE. */
static inline uint32_t flow_table_guess(const struct flow_table *flows, uint64_t hash)
{
    return table_guess(&flows->table, hash);
}

static inline struct flow *flow_table_at(const struct flow_table *flows, uint32_t id)
{
    return (struct flow *)pool_at(&flows->pool, id);
}

/* The flow was heard just now: to the end of the list of what it waits for. An idle session moves
 * at most once in FLOW_REQUEUE_NS, so that its common packet touches no neighbour. */
void flow_table_touch(struct flow_table *flows, struct flow *flow);

/* So many attempts are half open that most of them are forged. */
static inline bool flow_table_is_flooded(const struct flow_table *flows)
{
    return flows->lists[WAIT_HALF_OPEN].count > flows->half_open_cap / 4;
}

/* The flow that must go before another can be added; NULL while there is room. */
struct flow *flow_table_crowded(const struct flow_table *flows);
/* The longest silent flow of a list, when it was last heard before `before_ns`; else NULL. Idle
 * sessions may come up to FLOW_REQUEUE_NS late. */
struct flow *flow_table_silent(const struct flow_table *flows, enum lifecycle_wait wait,
                               int64_t before_ns);

#endif
