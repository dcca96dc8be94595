/* Counts over all devices: the background against which one device's failure is weighed.
 *
 * Fed by the engine before the rules see a session. Deliberately keeps no time line: rules that
 * need before and after keep it per device. */
#include "site.h"

#include <string.h>

#include "hello.h"

struct server_key {
    struct address ip;
    uint32_t port;
};

_Static_assert(sizeof(struct server_key) == 20, "hashed as bytes: no holes");

enum { SERVER_SEED = 0x737276 };

static bool server_has_key(const void *context, uint32_t id, const void *key)
{
    const struct server *server = site_server_at(context, id);
    const struct server_key *wanted = key;
    return server->port == wanted->port && address_equal(&server->ip, &wanted->ip);
}

static struct server *server_find(const struct site *site, const struct server_key *key,
                                  uint64_t hash)
{
    uint32_t id = table_find(&site->server_table, hash, server_has_key, site, key);
    return id == TABLE_NONE ? NULL : pool_at(&site->servers, id);
}

/* The server's counts; NULL when the table is full and the server is new. */
static struct server *server_take(struct site *site, const struct flow_record *flow)
{
    struct server_key key = {.ip = flow->server_ip, .port = flow->server_port};
    uint64_t hash = hash_bytes(&key, sizeof key, SERVER_SEED);
    struct server *server = server_find(site, &key, hash);
    if (server)
        return server;
    uint32_t id;
    server = pool_take(&site->servers, &id);
    if (!server)
        return NULL;
    *server = (struct server){.ip = flow->server_ip,
                              .port = flow->server_port,
                              .way = (uint8_t)way_of(flow),
                              .hops = -1,
                              .rtt_us = -1};
    table_insert(&site->server_table, hash, id);
    return server;
}

void site_init(struct site *site)
{
    memset(site, 0, sizeof *site);
    places_init(&site->places);
    site->keepalive_s = SITE_KEEPALIVE_S;
    pool_init(&site->servers, sizeof(struct server), SITE_SERVERS_MAX);
    table_init(&site->server_table, 64);
}

void site_free(struct site *site)
{
    table_free(&site->server_table);
    pool_free(&site->servers);
}

/* Which halves of a session were captured. An unanswered SYN shows nothing about the mirror, so
 * only what track/ called one-sided (a client that acknowledges what is not there) counts. */
static void count_sides(struct site *site, const struct flow_record *flow)
{
    site->gapped += (flow->saw & (SAW_GAP_UP | SAW_GAP_DOWN)) != 0;
    if (flow->outcome != OUTCOME_ONE_SIDED) {
        site->sides.both += (flow->saw & SAW_UP) && (flow->saw & SAW_DOWN);
        return;
    }
    if (flow->saw & SAW_DOWN)
        site->sides.down_only++;
    else
        site->sides.up_only++;
}

/* A session outlived every common idle timer and still carried packets of the server near its
 * end. */
static void count_lasting(struct site *site, const struct flow_record *flow)
{
    int64_t from = flow->established_ns == TIME_UNKNOWN ? flow->started_ns : flow->established_ns;
    int64_t lasted = flow->last_ns - from;
    bool died = flow->ended_by == ENDED_IDLE_TIMEOUT || flow->ended_by == ENDED_FORGED_RESET ||
                flow->ended_by == ENDED_SERVER_RESET;
    if (died || flow->last_down_ns == TIME_UNKNOWN ||
        flow->last_down_ns - from < site->keepalive_s * NS_PER_S)
        return;
    site->lasting++;
    if (lasted > site->longest_ns)
        site->longest_ns = lasted;
}

/* Answered by a box that shows its own certificate: no measure of Apple. */
static bool is_intercepted(const struct flow_record *flow)
{
    return flow->certificate && (flow->certificate->judgement == CHAIN_FOREIGN ||
                                 flow->certificate->judgement == CHAIN_SELF_SIGNED);
}

static bool is_straight(const struct flow_record *flow)
{
    return flow->server_is_apple && flow->path <= PATH_DIRECT && !is_intercepted(flow);
}

static void count_distance(struct site *site, const struct flow_record *flow)
{
    if (flow->hops_server < 0 || flow->hops_server >= SITE_HOPS_MAX)
        return;
    site->hops[flow->hops_server]++;
    site->hops_known++;
}

static void count_silence(struct site *site, const struct flow_record *flow)
{
    if (flow->survived_s > site->silence_s)
        site->silence_s = flow->survived_s;
    if (flow->survived_down_s > site->silence_down_s)
        site->silence_down_s = flow->survived_down_s;
}

static void server_learn_distance(struct server *server, const struct flow_record *flow)
{
    if (!server || !is_straight(flow) || flow->hops_server < 0 || flow->rtt_server_us < 0)
        return;
    if (server->hops > flow->hops_server ||
        (server->hops == flow->hops_server && server->rtt_us <= flow->rtt_server_us))
        return;
    server->hops = flow->hops_server;
    server->rtt_us = flow->rtt_server_us;
}

static void count_working(struct site *site, const struct flow_record *flow, enum way way)
{
    if (is_straight(flow) && site->direct_worked < UINT32_MAX)
        site->direct_worked++;
    if (!is_straight(flow) && way != WAY_COURIER_PROXY && way != WAY_PROVIDER_PROXY)
        site->diverted_worked++;
    if (is_straight(flow) && !flow->told_to_work)
        count_distance(site, flow);
    if (way_is_provider(way))
        return;
    count_lasting(site, flow);
    count_silence(site, flow);
}

static void count_hello(struct site *site, const struct flow_record *flow, enum way way)
{
    enum hello_fate fate = hello_fate(flow);
    if (fate == HELLO_NOT_JUDGED)
        return;
    struct way_counts *counts = &site->hellos[way][hello_is_large(flow)];
    *(fate == HELLO_ANSWERED ? &counts->worked : &counts->failed) += 1;
}

static void count_unreached(struct server *server, const struct flow_record *flow)
{
    uint32_t started_s = (uint32_t)(flow->started_ns / NS_PER_S);
    if (!server->unreached++) {
        server->client = flow->client_ip;
        server->fail = (struct proof){.frame = flow->syn_frame, .time_ns = flow->started_ns};
        server->fail_first_s = started_s;
        server->gave_up_s = (uint32_t)(flow->last_ns / NS_PER_S);
    }
    server->several_clients |= !address_equal(&server->client, &flow->client_ip);
    server->fail_last_s = started_s;
}

/* By way, by server and by IP version; NULL: the server is one too many. */
static struct server *count_result(struct site *site, const struct flow_record *flow, enum way way,
                                   bool works)
{
    struct server *server = server_take(site, flow);
    struct way_counts *into[3] = {&site->way[way], server ? &server->sessions : NULL,
                                  way_is_provider(way) ? NULL
                                                       : &site->family[flow->ip_version == 6]};
    for (size_t i = 0; i < sizeof into / sizeof *into; i++)
        if (into[i])
            *(works ? &into[i]->worked : &into[i]->failed) += 1;
    return server;
}

/* A session may be open for days: what it shows is known as soon as it works. */
void site_session_works(struct site *site, const struct flow_record *flow)
{
    enum way way = way_of(flow);
    places_learn(&site->places, flow);
    if (way == WAY_NONE)
        return;
    count_hello(site, flow, way);
    struct server *server = count_result(site, flow, way, true);
    if (!is_straight(flow))
        return;
    if (server && !server->success.frame)
        server->success = (struct proof){.frame = flow->syn_frame, .time_ns = flow->started_ns};
    server_learn_distance(server, flow);
    count_distance(site, flow);
    if (flow->established_ns != TIME_UNKNOWN)
        timeline_note(&site->worked[way], (uint32_t)(flow->established_ns / NS_PER_S));
}

void site_session_closed(struct site *site, const struct flow_record *flow)
{
    enum way way = way_of(flow);
    bool worked = flow_works(flow), failed = flow_fails(flow) && !flow->told_to_work;
    count_sides(site, flow);
    places_learn(&site->places, flow);
    if (flow->role == ROLE_INBOUND) {
        site->inbound++;
        return;
    }
    site->opened_inside += (flow->saw & SAW_SYN) != 0;
    site->legacy += flow->role == ROLE_LEGACY_PROVIDER;
    if (!flow->told_to_work)
        count_hello(site, flow, way);
    site->answered_on_the_way += flow->path == PATH_TRANSPARENT_PROXY;
    if (way == WAY_NONE || (!worked && !failed))
        return;
    struct server *server = flow->told_to_work ? NULL : count_result(site, flow, way, worked);
    if (server && flow_is_unreached(flow))
        count_unreached(server, flow);
    if (server && worked)
        server_learn_distance(server, flow);
    if (worked)
        count_working(site, flow, way);
}

int16_t site_apple_hops(const struct site *site)
{
    uint32_t below = 0;
    for (int16_t hops = 0; site->hops_known && hops < SITE_HOPS_MAX; hops++) {
        below += site->hops[hops];
        if (2 * (uint64_t)below >= site->hops_known)
            return hops;
    }
    return -1;
}

struct way_counts site_server(const struct site *site, const struct address *ip, uint16_t port)
{
    struct server_key key = {.ip = *ip, .port = port};
    uint64_t hash = hash_bytes(&key, sizeof key, SERVER_SEED);
    const struct server *server = server_find(site, &key, hash);
    return server ? server->sessions : (struct way_counts){0};
}

static bool same_network(const struct address *a, const struct address *b)
{
    if (address_is_ipv4(a) != address_is_ipv4(b))
        return false;
    return memcmp(a->byte, b->byte, address_is_ipv4(a) ? 15 : 8) == 0;
}

bool site_network_distance(const struct site *site, const struct address *ip, int16_t *hops,
                           int32_t *rtt_us)
{
    *hops = -1;
    for (uint32_t id = 0; id < site_server_count(site); id++) {
        const struct server *server = site_server_at(site, id);
        if (server->hops < 0 || !same_network(&server->ip, ip))
            continue;
        if (server->hops > *hops) {
            *hops = server->hops;
            *rtt_us = server->rtt_us;
        }
    }
    return *hops >= 0;
}
