/* All flows of a tracker: look-up by addresses and ports, and expiry by silence.
 *
 * Used by session_find.c, expiry.c and session.c. Open addressing over a pool, so a flow never
 * moves. Decides nothing about a flow: it only says which one has been silent, or must make room.
 */
#include "flow_table.h"

#include <assert.h>
#include <string.h>

#include "base/prefetch.h"

static const uint64_t hash_seed = UINT64_C(0x9ddfea08eb382d69);

static inline uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    return value ^ value >> 32;
}

static inline uint64_t end_hash(const struct address *address, uint16_t port)
{
    uint64_t upper, lower;
    memcpy(&upper, address->byte, 8);
    memcpy(&lower, address->byte + 8, 8);
    return mix(lower ^ mix(upper ^ hash_seed ^ port));
}

/* A sum, so that both directions agree. Without the lane, so that a session can be found whose
 * packets come in several. */
static inline uint64_t pair_hash(const struct address *a, uint16_t a_port, const struct address *b,
                                 uint16_t b_port)
{
    return mix(end_hash(a, a_port) + end_hash(b, b_port));
}

uint64_t flow_hash(const struct packet *packet)
{
    return pair_hash(&packet->source, packet->source_port, &packet->destination,
                     packet->destination_port);
}

static inline bool same_ends(const struct flow_record *record, const struct packet *packet)
{
    if (record->client_port == packet->source_port &&
        record->server_port == packet->destination_port &&
        address_equal(&record->client_ip, &packet->source) &&
        address_equal(&record->server_ip, &packet->destination))
        return true;
    return record->client_port == packet->destination_port &&
           record->server_port == packet->source_port &&
           address_equal(&record->client_ip, &packet->destination) &&
           address_equal(&record->server_ip, &packet->source);
}

static bool flow_same(const void *context, uint32_t item, const void *key)
{
    const struct flow_table *flows = (const struct flow_table *)context;
    const struct flow_record *record = &flow_table_at(flows, item)->record;
    const struct packet *packet = (const struct packet *)key;
    return record->lane == packet->lane && same_ends(record, packet);
}

struct search {
    const struct packet *packet;
    flow_test *test;
    void *context;
};

static bool flow_elsewhere(const void *context, uint32_t item, const void *key)
{
    struct flow *flow = flow_table_at((const struct flow_table *)context, item);
    const struct search *search = (const struct search *)key;
    return flow->record.lane != search->packet->lane && same_ends(&flow->record, search->packet) &&
           search->test(search->context, flow, search->packet);
}

void flow_table_init(struct flow_table *flows, uint32_t flow_cap, uint32_t half_open_cap)
{
    *flows = (struct flow_table){.half_open_cap = half_open_cap,
                                 .blank = {.record = flow_record_blank()}};
    pool_init(&flows->pool, sizeof(struct flow), flow_cap);
    table_init(&flows->table, 1024);
    for (int wait = 0; wait < WAIT_COUNT; wait++)
        flows->lists[wait] = (struct flow_list){POOL_NONE, POOL_NONE, 0};
}

void flow_table_free(struct flow_table *flows)
{
    table_free(&flows->table);
    pool_free(&flows->pool);
}

struct flow *flow_table_find(const struct flow_table *flows, const struct packet *packet,
                             uint64_t hash)
{
    uint32_t id = table_find(&flows->table, hash, flow_same, flows, packet);
    return id == TABLE_NONE ? NULL : flow_table_at(flows, id);
}

struct flow *flow_table_find_elsewhere(const struct flow_table *flows, const struct packet *packet,
                                       uint64_t hash, flow_test *test, void *context)
{
    struct search search = {packet, test, context};
    uint32_t id = table_find(&flows->table, hash, flow_elsewhere, flows, &search);
    return id == TABLE_NONE ? NULL : flow_table_at(flows, id);
}

static void list_append(struct flow_table *flows, struct flow *flow, uint8_t wait)
{
    struct flow_list *list = &flows->lists[wait];
    flow->wait = wait;
    flow->queued_ns = flow->record.last_ns;
    flow->list_next = POOL_NONE;
    flow->list_previous = list->last;
    if (list->last == POOL_NONE)
        list->first = flow->id;
    else
        flow_table_at(flows, list->last)->list_next = flow->id;
    list->last = flow->id;
    list->count++;
}

static void list_unlink(struct flow_table *flows, struct flow *flow)
{
    struct flow_list *list = &flows->lists[flow->wait];
    if (flow->list_previous == POOL_NONE)
        list->first = flow->list_next;
    else
        flow_table_at(flows, flow->list_previous)->list_next = flow->list_next;
    if (flow->list_next == POOL_NONE)
        list->last = flow->list_previous;
    else
        flow_table_at(flows, flow->list_next)->list_previous = flow->list_previous;
    list->count--;
}

/* What is not known to be ours is not worth an idle session's patience. */
static uint8_t wait_of(const struct flow *flow)
{
    enum lifecycle_wait wait = lifecycle_wait((enum lifecycle_state)flow->state);
    bool is_ours = flow->standing == STANDING_OURS || flow->standing == STANDING_BEYOND;
    return !is_ours && wait == WAIT_IDLE ? WAIT_CLOSING : (uint8_t)wait;
}

void flow_table_touch(struct flow_table *flows, struct flow *flow)
{
    uint8_t wait = wait_of(flow);
    bool is_fresh = wait == WAIT_IDLE && flow->queued_ns != TIME_UNKNOWN &&
                    flow->record.last_ns - flow->queued_ns < FLOW_REQUEUE_NS;
    if (wait == flow->wait && (is_fresh || flow->list_next == POOL_NONE))
        return;
    list_unlink(flows, flow);
    list_append(flows, flow, wait);
}

static void set_key(struct flow_record *record, const struct packet *packet, bool from_client)
{
    record->lane = packet->lane;
    record->vlan = packet->vlan;
    record->ip_version = packet->ip_version;
    record->client_ip = from_client ? packet->source : packet->destination;
    record->client_port = from_client ? packet->source_port : packet->destination_port;
    record->server_ip = from_client ? packet->destination : packet->source;
    record->server_port = from_client ? packet->destination_port : packet->source_port;
}

struct flow *flow_table_add(struct flow_table *flows, const struct packet *packet, uint64_t hash,
                            bool from_client)
{
    uint32_t id;
    struct flow *flow = (struct flow *)pool_take(&flows->pool, &id);
    if (!flow)
        return NULL;
    /* of a size that the compiler does not know: what it makes of a known one is slower */
    memcpy(flow, &flows->blank, flows->pool.item_size);
    flow->id = id;
    set_key(&flow->record, packet, from_client);
    flow->hash = hash;
    list_append(flows, flow, WAIT_HALF_OPEN);
    table_insert(&flows->table, hash, id);
    return flow;
}

void flow_table_remove(struct flow_table *flows, struct flow *flow)
{
    list_unlink(flows, flow);
    table_remove(&flows->table, flow->hash, flow->id);
    flow->hash = 0; /* nobody who remembers it takes it for one that is there */
    pool_give(&flows->pool, flow->id);
}

static struct flow *oldest(const struct flow_table *flows, enum lifecycle_wait wait)
{
    uint32_t id = flows->lists[wait].first;
    return id == POOL_NONE ? NULL : flow_table_at(flows, id);
}

/* In a flood each attempt takes the place of the oldest one: the next one's slot and the memory of
 * the one after that are asked for now. */
static struct flow *oldest_half_open(const struct flow_table *flows)
{
    struct flow *flow = oldest(flows, WAIT_HALF_OPEN);
    if (flow->list_next == POOL_NONE)
        return flow;
    const struct flow *next = flow_table_at(flows, flow->list_next);
    table_prefetch(&flows->table, next->hash);
    if (next->list_next != POOL_NONE)
        prefetch(flow_table_at(flows, next->list_next), sizeof *next);
    return flow;
}

struct flow *flow_table_crowded(const struct flow_table *flows)
{
    static const enum lifecycle_wait order[] = {WAIT_HALF_OPEN, WAIT_LINGER, WAIT_CLOSING,
                                                WAIT_IDLE};
    if (flows->lists[WAIT_HALF_OPEN].count >= flows->half_open_cap)
        return oldest_half_open(flows);
    if (flows->pool.taken < flows->pool.cap)
        return NULL;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (flows->lists[order[i]].count)
            return oldest(flows, order[i]);
    return NULL;
}

struct flow *flow_table_silent(const struct flow_table *flows, enum lifecycle_wait wait,
                               int64_t before_ns)
{
    struct flow *flow = oldest(flows, wait);
    return flow && flow->record.last_ns < before_ns ? flow : NULL;
}
