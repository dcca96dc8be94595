/* The table of clients: found by address and lane, given up oldest first.
 *
 * Fed by the engine with sessions as they prove themselves; verdict.c says what it comes to.
 * Deliberately keeps no session, only counts and the newest times: a device is 144 bytes. */
#include "devices.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/counter.h"

struct device_key {
    struct address ip;
    uint32_t lane;
};

_Static_assert(sizeof(struct device_key) == 20, "hashed as bytes: no holes");
_Static_assert(sizeof(struct device) <= 192, "100,000 of these must stay cheap");

enum { DEVICE_SEED = 0x646576 };

static uint64_t key_hash(const struct device_key *key)
{
    return hash_bytes(key, sizeof *key, DEVICE_SEED);
}

static struct device_key key_of(const struct device *device)
{
    return (struct device_key){.ip = device->ip, .lane = device->lane};
}

static bool has_key(const void *context, uint32_t id, const void *key)
{
    const struct device *device = devices_at(context, id);
    const struct device_key *wanted = key;
    return device->lane == wanted->lane && address_equal(&device->ip, &wanted->ip);
}

static void list_append(struct devices *devices, struct device_list *list, uint32_t id)
{
    struct device *device = devices_at(devices, id);
    device->older = list->newest;
    device->newer = DEVICE_NONE;
    if (list->newest == DEVICE_NONE)
        list->oldest = id;
    else
        devices_at(devices, list->newest)->newer = id;
    list->newest = id;
    list->count++;
}

static void list_remove(struct devices *devices, struct device_list *list, uint32_t id)
{
    struct device *device = devices_at(devices, id);
    if (device->older == DEVICE_NONE)
        list->oldest = device->newer;
    else
        devices_at(devices, device->older)->newer = device->newer;
    if (device->newer == DEVICE_NONE)
        list->newest = device->older;
    else
        devices_at(devices, device->newer)->older = device->older;
    list->count--;
}

void devices_init(struct devices *devices, uint32_t cap)
{
    const struct device_list empty = {.oldest = DEVICE_NONE, .newest = DEVICE_NONE};
    *devices = (struct devices){.proven = empty, .unproven = empty};
    pool_init(&devices->pool, sizeof(struct device), cap);
    table_init(&devices->table, 64);
}

void devices_free(struct devices *devices)
{
    table_free(&devices->table);
    pool_free(&devices->pool);
}

uint32_t devices_find(const struct devices *devices, const struct address *ip, uint32_t lane)
{
    struct device_key key = {.ip = *ip, .lane = lane};
    uint32_t id = table_find(&devices->table, key_hash(&key), has_key, devices, &key);
    return id == TABLE_NONE ? DEVICE_NONE : id;
}

/* The oldest proven device that was idle since it was last asked; a few busy ones are passed over
 * and asked again later. */
static uint32_t oldest_idle(struct devices *devices)
{
    enum { PASSED_OVER_MAX = 64 };
    for (int i = 0; i < PASSED_OVER_MAX; i++) {
        uint32_t id = devices->proven.oldest;
        struct device *device = devices_at(devices, id);
        if (!device->was_active)
            break;
        device->was_active = false;
        list_remove(devices, &devices->proven, id);
        list_append(devices, &devices->proven, id);
    }
    return devices->proven.oldest;
}

uint32_t devices_crowded_out(struct devices *devices)
{
    if (devices->unproven.count >= DEVICES_UNPROVEN_MAX)
        return devices->unproven.oldest;
    if (devices->pool.taken < devices->pool.cap)
        return DEVICE_NONE;
    return devices->unproven.count ? devices->unproven.oldest : oldest_idle(devices);
}

uint32_t devices_add(struct devices *devices, const struct address *ip, uint32_t lane)
{
    uint32_t id;
    struct device *device = pool_take(&devices->pool, &id);
    assert(device); /* room was made */
    *device =
        (struct device){.ip = *ip, .lane = lane, .first_ns = TIME_UNKNOWN, .last_ns = TIME_UNKNOWN};
    struct device_key key = key_of(device);
    table_insert(&devices->table, key_hash(&key), id);
    list_append(devices, &devices->unproven, id);
    return id;
}

void devices_remove(struct devices *devices, uint32_t id)
{
    struct device *device = devices_at(devices, id);
    struct device_key key = key_of(device);
    list_remove(devices, device->is_proven ? &devices->proven : &devices->unproven, id);
    table_remove(&devices->table, key_hash(&key), id);
    pool_give(&devices->pool, id);
}

struct sorted_device {
    struct device_key key;
    uint32_t id;
};

static int by_address(const void *a, const void *b)
{
    const struct sorted_device *left = a, *right = b;
    int order = memcmp(left->key.ip.byte, right->key.ip.byte, sizeof left->key.ip.byte);
    if (order)
        return order;
    return (left->key.lane > right->key.lane) - (left->key.lane < right->key.lane);
}

static uint32_t gather(const struct devices *devices, const struct device_list *list,
                       struct sorted_device *into)
{
    uint32_t count = 0;
    for (uint32_t id = list->oldest; id != DEVICE_NONE; id = devices_at(devices, id)->newer)
        into[count++] = (struct sorted_device){.key = key_of(devices_at(devices, id)), .id = id};
    return count;
}

uint32_t *devices_sorted(const struct devices *devices, uint32_t *count)
{
    size_t all = (size_t)devices->proven.count + devices->unproven.count;
    struct sorted_device *sorted = malloc((all + 1) * sizeof *sorted);
    uint32_t *ids = malloc((all + 1) * sizeof *ids);
    assert(sorted && ids);
    *count = gather(devices, &devices->proven, sorted);
    *count += gather(devices, &devices->unproven, sorted + *count);
    qsort(sorted, *count, sizeof *sorted, by_address);
    for (uint32_t i = 0; i < *count; i++)
        ids[i] = sorted[i].id;
    free(sorted);
    return ids;
}

uint32_t second_of(int64_t time_ns)
{
    if (time_ns == TIME_UNKNOWN || time_ns < 0)
        return 0;
    int64_t second = time_ns / NS_PER_S;
    return second > UINT32_MAX ? UINT32_MAX : (uint32_t)second;
}

static void newest_of(uint32_t *second, int64_t time_ns)
{
    uint32_t other = second_of(time_ns);
    if (other > *second)
        *second = other;
}

static void device_prove(struct devices *devices, uint32_t id)
{
    struct device *device = devices_at(devices, id);
    device->was_active = true;
    if (device->is_proven)
        return;
    list_remove(devices, &devices->unproven, id);
    device->is_proven = true;
    list_append(devices, &devices->proven, id);
}

/* A session seen from its middle began at an unknown time before: when it was first seen is then
 * the latest that it can have been established. */
static int64_t established_by(const struct flow_record *flow)
{
    return flow->established_ns == TIME_UNKNOWN ? flow->started_ns : flow->established_ns;
}

static void note_success(struct device *device, enum way way, const struct flow_record *flow)
{
    newest_of(&device->way[way].worked_s, established_by(flow));
    if (!way_is_provider(way) && flow->server_is_apple && flow->path <= PATH_DIRECT)
        newest_of(&device->straight_s, established_by(flow));
}

void devices_session_works(struct devices *devices, uint32_t id, const struct flow_record *flow)
{
    struct device *device = devices_at(devices, id);
    enum way way = way_of(flow);
    device_prove(devices, id);
    if (way == WAY_NONE)
        return;
    device->working_ways |= (uint8_t)(1u << way);
    counter_up(&device->way[way].worked);
    note_success(device, way, flow);
    if (!way_is_provider(way))
        counter_up(&device->open_sessions);
}

static void device_see(struct device *device, const struct flow_record *flow)
{
    if (device->first_ns == TIME_UNKNOWN || flow->started_ns < device->first_ns)
        device->first_ns = flow->started_ns;
    if (flow->last_ns > device->last_ns)
        device->last_ns = flow->last_ns;
    if (flow->has_client_mac && !device->has_mac) {
        memcpy(device->mac, flow->client_mac, sizeof device->mac);
        device->has_mac = true;
    }
    device->sessions++;
}

static void count_losses(struct device *device, const struct flow_record *flow)
{
    device->up.segments += flow->data_packets_up;
    device->up.losses += flow->losses_up;
    device->down.segments += flow->data_packets_down;
    device->down.losses += flow->losses_down;
}

static void note_silence(uint16_t *longest_s, uint32_t survived_s)
{
    if (survived_s > *longest_s)
        *longest_s = survived_s < UINT16_MAX ? (uint16_t)survived_s : UINT16_MAX;
}

/* One segment of the client's, again and again, or words of the server's without data, are what is
 * left of an attempt that was given up: no session of which half was captured, and which may well
 * work. */
static bool is_left_over(const struct flow_record *flow)
{
    bool is_repeated = !flow->packets_down && flow->packets_up <= flow->retransmissions_up + 1;
    bool is_empty = !flow->packets_up && !flow->bytes_down;
    return !(flow->saw & SAW_SYN) && (is_repeated || is_empty);
}

void devices_session_closed(struct devices *devices, uint32_t id, const struct flow_record *flow)
{
    struct device *device = devices_at(devices, id);
    enum way way = way_of(flow);
    device_see(device, flow);
    if (flow->outcome == OUTCOME_UNFINISHED)
        counter_up(&device->unfinished);
    if (flow->outcome == OUTCOME_ONE_SIDED && !is_left_over(flow))
        counter_up(&device->one_sided);
    if (flow->role == ROLE_LEGACY_PROVIDER)
        counter_up(&device->legacy);
    if (flow->outcome != OUTCOME_UNFINISHED || flow->saw & SAW_DOWN)
        device_prove(devices, id);
    if (way == WAY_NONE)
        return;
    if (!way_is_provider(way) && flow->told_to_work && device->open_sessions)
        device->open_sessions--;
    if (flow->saw & SAW_SYN_ACK && flow->outcome != OUTCOME_NO_ANSWER)
        device->reached_ways = (uint8_t)(device->reached_ways | 1u << way);
    if (flow_works(flow)) {
        count_losses(device, flow);
        if (!way_is_provider(way)) {
            note_silence(&device->silence_s, flow->survived_s);
            note_silence(&device->silence_down_s, flow->survived_down_s);
        }
        if (!flow->told_to_work)
            counter_up(&device->way[way].worked);
        note_success(device, way, flow);
    } else if (flow->outcome == OUTCOME_UNFINISHED && flow_may_have_worked(flow)) {
        newest_of(&device->maybe_s, established_by(flow));
    } else if (flow_fails(flow)) {
        counter_up(&device->way[way].failed);
        newest_of(&device->way[way].failed_s, flow->last_ns);
    }
}

static bool way_has_port(enum way way, uint16_t port)
{
    switch (way) {
    case WAY_COURIER_5223:
        return port == 5223;
    case WAY_COURIER_443:
    case WAY_PROVIDER_443:
        return port == 443;
    case WAY_PROVIDER_2197:
        return port == 2197;
    default:
        return false;
    }
}

static bool is_push_port(uint16_t port)
{
    return port == 5223 || port == 443 || port == 2197;
}

bool device_recovered(const struct device *device, uint16_t port, uint32_t since_s)
{
    for (enum way way = WAY_COURIER_5223; way < WAY_COUNT; way++)
        if ((!is_push_port(port) || way_has_port(way, port)) && device->way[way].worked_s > since_s)
            return true;
    return false;
}

bool device_is_mdm_server(const struct device *device)
{
    uint32_t courier = 0, provider = device->legacy;
    for (enum way way = WAY_COURIER_5223; way < WAY_COUNT; way++) {
        uint32_t sessions = (uint32_t)device->way[way].worked + device->way[way].failed;
        if (device->working_ways & 1u << way)
            sessions++;
        *(way_is_provider(way) ? &provider : &courier) += sessions;
    }
    return provider && !courier;
}
