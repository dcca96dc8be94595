/* What is APNs: addresses, ports, learned addresses, and the memory of each client's last tries.
 *
 * Asked by screen.c for every packet, by session_find.c when a flow begins and by session_role.c
 * when it shows a name. Remembers addresses and times only, bounded; it never looks at a packet. */
#include "scope.h"

#include <string.h>

#include "base/counter.h"
#include "dissect/push_name.h"

struct learned_address {
    struct address address;
    uint8_t role;
    uint8_t reason;
};

struct client {
    struct address address;
    struct address tried; /* the server of the last try on 5223 */
    uint32_t lane;
    int64_t try_ns; /* last SYN of a try that has not succeeded; TIME_UNKNOWN: none open */
};

struct client_key {
    const struct address *address;
    uint32_t lane;
};

void scope_init(struct scope *scope, const struct track_options *options)
{
    memset(scope, 0, sizeof *scope);
    scope->options = options;
    pool_init(&scope->learned, sizeof(struct learned_address), SCOPE_LEARNED_CAP);
    pool_init(&scope->clients, sizeof(struct client), SCOPE_CLIENTS_CAP);
    table_init(&scope->learned_table, 64);
    table_init(&scope->client_table, 64);
}

void scope_free(struct scope *scope)
{
    table_free(&scope->learned_table);
    table_free(&scope->client_table);
    pool_free(&scope->learned);
    pool_free(&scope->clients);
}

static bool any_contains(const struct prefix *prefixes, size_t count, const struct address *address)
{
    for (size_t i = 0; i < count; i++)
        if (prefix_contains(&prefixes[i], address))
            return true;
    return false;
}

bool scope_added_apple(const struct scope *scope, const struct address *address)
{
    return any_contains(scope->options->apple_nets, scope->options->apple_net_count, address);
}

bool scope_is_home(const struct scope *scope, const struct address *address)
{
    return scope->options->home_net_count == 0 ||
           any_contains(scope->options->home_nets, scope->options->home_net_count, address);
}

enum flow_role scope_port_role(uint16_t port)
{
    static const struct {
        uint16_t port;
        enum flow_role role;
    } rows[] = {
#define PUSH_PORT(port, role, direction, purpose) {port, role},
#include "model/push_port.def"
#undef PUSH_PORT
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].port == port && port != 443)
            return rows[i].role;
    return ROLE_UNKNOWN;
}

static uint64_t address_hash(const struct address *address, uint32_t lane)
{
    return hash_bytes(address->byte, sizeof address->byte, lane);
}

/* ---- watched addresses ---- */

void scope_watch(struct scope *scope, const struct address *address)
{
    uint16_t *count = &scope->watch[scope_watch_slot(address)];
    counter_up(count);
    scope->watch_changes++;
    scope->watched_count++;
}

void scope_unwatch(struct scope *scope, const struct address *address)
{
    uint16_t *count = &scope->watch[scope_watch_slot(address)];
    if (*count == 0 || *count == UINT16_MAX)
        return;
    (*count)--;
    scope->watched_count--;
}

/* ---- learned addresses ---- */

static bool learned_same(const void *context, uint32_t item, const void *key)
{
    const struct learned_address *learned =
        (const struct learned_address *)pool_at((const struct pool *)context, item);
    return address_equal(&learned->address, (const struct address *)key);
}

static struct learned_address *find_learned(const struct scope *scope,
                                            const struct address *address)
{
    uint32_t id = table_find(&scope->learned_table, address_hash(address, 0), learned_same,
                             &scope->learned, address);
    return id == TABLE_NONE ? NULL : (struct learned_address *)pool_at(&scope->learned, id);
}

void scope_learn(struct scope *scope, const struct address *address, enum flow_role role,
                 enum scope_reason reason)
{
    struct learned_address *learned = find_learned(scope, address);
    if (!learned) {
        uint32_t id;
        learned = (struct learned_address *)pool_take(&scope->learned, &id);
        if (!learned)
            return;
        learned->address = *address;
        table_insert(&scope->learned_table, address_hash(address, 0), id);
        if (!scope_is_apple(scope, address))
            scope_watch(scope, address);
    }
    learned->role = (uint8_t)role;
    learned->reason = (uint8_t)reason;
}

enum flow_role scope_learned(const struct scope *scope, const struct address *address,
                             enum scope_reason *reason)
{
    const struct learned_address *learned = find_learned(scope, address);
    if (!learned)
        return ROLE_UNKNOWN;
    *reason = (enum scope_reason)learned->reason;
    return (enum flow_role)learned->role;
}

/* ---- clients ---- */

static bool client_same(const void *context, uint32_t item, const void *key)
{
    const struct client *client =
        (const struct client *)pool_at((const struct pool *)context, item);
    const struct client_key *wanted = (const struct client_key *)key;
    return client->lane == wanted->lane && address_equal(&client->address, wanted->address);
}

static struct client *find_client(const struct scope *scope, const struct flow_record *record)
{
    struct client_key key = {&record->client_ip, record->lane};
    uint32_t id = table_find(&scope->client_table, address_hash(key.address, key.lane), client_same,
                             &scope->clients, &key);
    return id == TABLE_NONE ? NULL : (struct client *)pool_at(&scope->clients, id);
}

/* A place for one more client; at the cap the place of the one that came first. */
static struct client *place_client(struct scope *scope, uint32_t *id)
{
    struct client *client = (struct client *)pool_take(&scope->clients, id);
    if (client)
        return client;
    *id = scope->client_oldest;
    scope->client_oldest = (scope->client_oldest + 1) % scope->clients.cap;
    client = (struct client *)pool_at(&scope->clients, *id);
    table_remove(&scope->client_table, address_hash(&client->address, client->lane), *id);
    return client;
}

void scope_note_try(struct scope *scope, const struct flow *flow, int64_t now_ns)
{
    struct client *client = find_client(scope, &flow->record);
    if (!client) {
        uint32_t id;
        client = place_client(scope, &id);
        client->address = flow->record.client_ip;
        client->lane = flow->record.lane;
        table_insert(&scope->client_table, address_hash(&client->address, client->lane), id);
    }
    client->tried = flow->record.server_ip;
    client->try_ns = now_ns;
}

void scope_note_success(struct scope *scope, const struct flow *flow)
{
    struct client *client = find_client(scope, &flow->record);
    if (client)
        client->try_ns = TIME_UNKNOWN;
}

static bool on_published_list(const struct address *address)
{
    static const char *const texts[] = {
#define APPLE_RANGE(prefix, listed, note) (listed) ? (prefix) : NULL,
#include "model/apple_range.def"
#undef APPLE_RANGE
    };
    struct address plain = apple_plain_address(address);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct prefix prefix;
        if (texts[i] && prefix_parse(texts[i], &prefix) && prefix_contains(&prefix, &plain))
            return true;
    }
    return false;
}

static bool same_slash_16(const struct address *a, const struct address *b)
{
    return address_is_ipv4(a) && memcmp(a->byte, b->byte, 14) == 0;
}

bool scope_is_fallback(const struct scope *scope, const struct flow_record *record)
{
    if (record->server_port != 443 || record->started_ns == TIME_UNKNOWN)
        return false;
    const struct client *client = find_client(scope, record);
    if (!client || client->try_ns == TIME_UNKNOWN)
        return false;
    int64_t delay_ns = record->started_ns - client->try_ns;
    if (delay_ns < 0 || delay_ns > SCOPE_FALLBACK_NS)
        return false;
    return on_published_list(&record->server_ip) ||
           same_slash_16(&record->server_ip, &client->tried);
}

/* ---- names ---- */

enum flow_role scope_role_by_name(const struct scope *scope, const char *host)
{
    return push_name_role(host, scope->options->push_domains, scope->options->push_domain_count);
}

enum flow_role scope_role_without_name(const struct scope *scope, const struct flow *flow,
                                       enum scope_reason *reason)
{
    enum flow_role role = scope_learned(scope, &flow->record.server_ip, reason);
    if (role != ROLE_UNKNOWN || !flow->follows_failure)
        return role;
    *reason = SCOPE_BY_FALLBACK;
    return ROLE_COURIER;
}

enum flow_role scope_role_by_hello(const struct scope *scope, const struct flow *flow,
                                   enum scope_reason *reason)
{
    const struct flow_record *record = &flow->record;
    enum flow_role role = ROLE_UNKNOWN;
    if (record->sni && (role = scope_role_by_name(scope, record->sni)) != ROLE_UNKNOWN) {
        *reason = SCOPE_BY_NAME;
        return role;
    }
    if (record->alpn && push_alpn(record->alpn)) {
        *reason = SCOPE_BY_ALPN;
        return ROLE_COURIER;
    }
    return record->sni ? ROLE_UNKNOWN : scope_role_without_name(scope, flow, reason);
}
