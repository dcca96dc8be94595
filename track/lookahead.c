/* Three cursors over the wanted packets of a batch.
 *
 * See lookahead.h. The distances were found by measuring; they differ by about what memory takes to
 * answer, in packets. */
#include "lookahead.h"

#include "base/prefetch.h"
#include "conversation.h"
#include "steps.h"

enum { SLOTS_AHEAD = 16, FLOWS_AHEAD = 10, PARTS_AHEAD = 4 };

/* The next wanted packet from `index` on, or `count`. */
static size_t next_wanted(const struct lookahead *ahead, size_t index)
{
    while (index < ahead->count) {
        uint64_t left = ahead->wanted[index / 64] >> index % 64;
        if (left)
            return index + (size_t)__builtin_ctzll(left);
        index = (index / 64 + 1) * 64;
    }
    return ahead->count;
}

/* The options of TCP (timestamps first), and where the payload begins. */
static void ask_for_bytes(const struct packet *packet)
{
    enum { OPTIONS = 12, HEAD = 32 };
    __builtin_prefetch(packet->payload - OPTIONS);
    __builtin_prefetch(packet->payload + HEAD);
}

static void ask_for_slot(struct lookahead *ahead)
{
    size_t index = next_wanted(ahead, ahead->next_slot);
    if (index < ahead->count) {
        table_prefetch(&ahead->flows->table, ahead->keys[index]);
        ask_for_bytes(&ahead->packets[index]);
    }
    ahead->next_slot = index + 1;
}

static void ask_for_flow(struct lookahead *ahead)
{
    size_t index = next_wanted(ahead, ahead->next_flow);
    uint32_t id = POOL_NONE;
    if (index < ahead->count)
        id = flow_table_guess(ahead->flows, ahead->keys[index]);
    if (id != POOL_NONE)
        prefetch(flow_table_at(ahead->flows, id), FLOW_HOT_SIZE);
    ahead->ids[ahead->flows_seen++ % LOOKAHEAD_RING] = id;
    ahead->next_flow = index + 1;
}

/* The step of its next packet, if none was left out before, and the count of those that are. */
static void ask_for_step(const struct flow *flow)
{
    uint64_t packets = flow->record.packets_up + flow->record.packets_down;
    __builtin_prefetch(flow->steps, 1);
    if (packets < STEPS_FIRST)
        prefetch(&flow->steps->first[packets], sizeof(struct flow_step));
}

/* The flow itself has come by now, or nearly so. */
static void ask_for_parts(struct lookahead *ahead)
{
    uint32_t id = ahead->ids[ahead->flows_opened++ % LOOKAHEAD_RING];
    if (id == POOL_NONE)
        return;
    const struct flow *flow = flow_table_at(ahead->flows, id);
    if (flow->heard_out && !flow->record.evidence)
        return;
    prefetch((const char *)flow + FLOW_HOT_SIZE, sizeof *flow - FLOW_HOT_SIZE);
    if (flow->record.evidence)
        prefetch(flow->record.evidence, sizeof *flow->record.evidence);
    if (flow->steps)
        ask_for_step(flow);
    if (flow->conversation)
        conversation_ask_for(flow->conversation);
}

void lookahead_begin(struct lookahead *ahead, const struct flow_table *flows,
                     const struct packet *packets, const uint64_t *keys, const uint64_t *wanted,
                     size_t count)
{
    *ahead = (struct lookahead){
        .flows = flows, .packets = packets, .keys = keys, .wanted = wanted, .count = count};
    for (int i = 0; i < SLOTS_AHEAD; i++)
        ask_for_slot(ahead);
    for (int i = 0; i < FLOWS_AHEAD; i++)
        ask_for_flow(ahead);
    for (int i = 0; i < PARTS_AHEAD; i++)
        ask_for_parts(ahead);
}

void lookahead_step(struct lookahead *ahead)
{
    ask_for_slot(ahead);
    ask_for_flow(ahead);
    ask_for_parts(ahead);
}
