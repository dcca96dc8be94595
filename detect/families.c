/* IPv4 beside IPv6 of one machine, joined by its MAC address.
 *
 * Fed by the engine with every session as soon as it works, or when it closes. Where the capture
 * shows a router's MAC address for all, they are one group: still IPv4 beside IPv6 of the same
 * network. Deliberately ignores attempts that were given up early: machines race both families and
 * drop the slower. */
#include "families.h"

#include <string.h>

struct family_key {
    uint8_t mac[6];
    uint16_t port;
    uint32_t lane;
};

_Static_assert(sizeof(struct family_key) == 12, "hashed as bytes: no holes");

enum { FAMILY_SEED = 0x66616d };

void families_init(struct families *families)
{
    pool_init(&families->pool, sizeof(struct family_pair), FAMILIES_MAX);
    table_init(&families->table, 64);
}

void families_free(struct families *families)
{
    table_free(&families->table);
    pool_free(&families->pool);
}

static struct family_key key_of(const uint8_t *mac, uint32_t lane, uint16_t port)
{
    struct family_key key = {.port = port, .lane = lane};
    if (mac)
        memcpy(key.mac, mac, sizeof key.mac);
    return key;
}

static bool pair_has_key(const void *context, uint32_t id, const void *wanted)
{
    const struct families *families = context;
    const struct family_pair *pair = pool_at(&families->pool, id);
    const struct family_key *key = wanted;
    return pair->port == key->port && pair->lane == key->lane &&
           memcmp(pair->mac, key->mac, sizeof key->mac) == 0;
}

const struct family_pair *families_find(const struct families *families, const uint8_t *mac,
                                        uint32_t lane, uint16_t port)
{
    struct family_key key = key_of(mac, lane, port);
    uint32_t id = table_find(&families->table, hash_bytes(&key, sizeof key, FAMILY_SEED),
                             pair_has_key, families, &key);
    return id == TABLE_NONE ? NULL : pool_at(&families->pool, id);
}

static struct family_pair *take(struct families *families, const struct flow_record *flow)
{
    struct family_key key =
        key_of(flow->has_client_mac ? flow->client_mac : NULL, flow->lane, flow->server_port);
    uint64_t hash = hash_bytes(&key, sizeof key, FAMILY_SEED);
    uint32_t id = table_find(&families->table, hash, pair_has_key, families, &key);
    if (id != TABLE_NONE)
        return pool_at(&families->pool, id);
    struct family_pair *pair = pool_take(&families->pool, &id);
    if (!pair)
        return NULL;
    *pair = (struct family_pair){
        .port = flow->server_port, .lane = flow->lane, .has_mac = flow->has_client_mac};
    memcpy(pair->mac, key.mac, sizeof pair->mac);
    table_insert(&families->table, hash, id);
    return pair;
}

static void note_failure(struct family_pair *pair, const struct flow_record *flow)
{
    uint32_t started_s = (uint32_t)(flow->started_ns / NS_PER_S);
    if (!pair->v6_failed || started_s < pair->v6_first_s)
        pair->v6_first_s = started_s;
    if (started_s > pair->v6_last_s)
        pair->v6_last_s = started_s;
    pair->v6_failed++;
}

static void note_success(struct family_pair *pair, const struct flow_record *flow)
{
    bool is_v6 = flow->ip_version == 6;
    *(is_v6 ? &pair->v6_worked : &pair->v4_worked) += 1;
    if (!is_v6 && flow->established_ns != TIME_UNKNOWN)
        timeline_note(&pair->v4_times, (uint32_t)(flow->established_ns / NS_PER_S));
}

static void note_client(struct family_pair *pair, const struct flow_record *flow)
{
    bool is_v6 = flow->ip_version == 6;
    uint8_t *clients = is_v6 ? &pair->v6_clients : &pair->v4_clients;
    if (*clients && address_equal(&pair->newest_client[is_v6], &flow->client_ip))
        return;
    pair->newest_client[is_v6] = flow->client_ip;
    *clients = (uint8_t)(*clients + (*clients < UINT8_MAX));
}

void families_note(struct families *families, const struct flow_record *flow, bool works)
{
    if (way_of(flow) == WAY_NONE || !flow->server_is_apple || (!works && !flow_is_unreached(flow)))
        return;
    struct family_pair *pair = take(families, flow);
    if (!pair)
        return;
    note_client(pair, flow);
    if (works)
        note_success(pair, flow);
    else if (flow->ip_version == 6)
        note_failure(pair, flow);
    else
        pair->v4_failed++;
}
