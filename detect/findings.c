/* Findings as they are kept: one for each code, client and port, however often it is seen.
 *
 * Between the rules, which raise, and the engine, which tells them at the end. Deliberately does
 * not judge: confidence and words are the rules'. */
#include "findings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sentences.h"

_Static_assert(sizeof(struct finding_key) == 40, "hashed as bytes: no holes");

enum { FINDING_SEED = 0x66696e };

static bool same_key(const void *context, uint32_t id, const void *key)
{
    const struct kept_finding *kept = findings_at(context, id);
    struct finding_key own = finding_key_of(&kept->finding, kept->rule);
    return memcmp(&own, key, sizeof own) == 0;
}

static uint64_t key_hash(const struct finding_key *key)
{
    return hash_bytes(key, sizeof *key, FINDING_SEED);
}

void findings_init(struct findings *findings, uint32_t cap)
{
    *findings = (struct findings){0};
    pool_init(&findings->pool, sizeof(struct kept_finding), cap);
    table_init(&findings->table, 64);
    table_init(&findings->by_flow, 64);
}

void findings_free(struct findings *findings)
{
    table_free(&findings->table);
    table_free(&findings->by_flow);
    pool_free(&findings->pool);
}

/* ---- by session ---- */

static bool same_flow(const void *context, uint32_t id, const void *key)
{
    return findings_at(context, id)->finding.flow_number == *(const uint64_t *)key;
}

static uint64_t flow_number_hash(uint64_t flow_number)
{
    return hash_bytes(&flow_number, sizeof flow_number, FINDING_SEED);
}

bool findings_rest_on(const struct findings *findings, uint64_t flow_number)
{
    return table_find(&findings->by_flow, flow_number_hash(flow_number), same_flow, findings,
                      &flow_number) != TABLE_NONE;
}

/* A finding that came to rest on another session stands under both; `same_flow` tells. */
static void note_flow(struct findings *findings, uint32_t id)
{
    enum { ENTRIES_A_FINDING = 4 };
    uint64_t flow_number = findings_at(findings, id)->finding.flow_number;
    bool has_room = findings->by_flow.count / ENTRIES_A_FINDING < findings->pool.cap;
    if (flow_number && has_room && !findings_rest_on(findings, flow_number))
        table_insert(&findings->by_flow, flow_number_hash(flow_number), id);
}

/* ---- raising ---- */

struct finding_key finding_key_of(const struct finding *finding, uint16_t rule)
{
    struct finding_key key = {.lane = finding->lane, .port = finding->server_port, .rule = rule};
    if (finding->scope != SCOPE_SITE)
        key.client = finding->client_ip;
    if (finding->scope != SCOPE_DEVICE)
        key.server = finding->server_ip;
    return key;
}

static uint32_t find_id(const struct findings *findings, const struct finding_key *key)
{
    return table_find(&findings->table, key_hash(key), same_key, findings, key);
}

struct kept_finding *findings_find(const struct findings *findings, const struct finding_key *key)
{
    uint32_t id = find_id(findings, key);
    return id == TABLE_NONE ? NULL : findings_at(findings, id);
}

/* A filter for one session only, as judge_draft writes it; rules that cover more write "||". */
static bool filter_is_narrow(const struct finding *finding)
{
    return strstr(finding->display_filter, "tcp.port") && !strstr(finding->display_filter, "||");
}

void finding_widen(struct finding *finding, int64_t first_ns, int64_t last_ns, uint32_t count,
                   uint64_t flow_number)
{
    uint32_t room = UINT32_MAX - finding->count;
    finding->count += count < room ? count : room;
    if (first_ns < finding->first_ns)
        finding->first_ns = first_ns;
    if (last_ns > finding->last_ns)
        finding->last_ns = last_ns;
    if (finding->flow_number != flow_number && filter_is_narrow(finding))
        filter_of_device(finding);
}

static void merge(struct finding *old, const struct finding *new)
{
    if (new->confidence <= old->confidence) {
        finding_widen(old, new->first_ns, new->last_ns, new->count, new->flow_number);
        return;
    }
    struct finding surer = *new;
    finding_widen(&surer, old->first_ns, old->last_ns, old->count, old->flow_number);
    *old = surer;
}

/* TABLE_NONE at the cap. */
static uint32_t add(struct findings *findings, const struct finding_key *key)
{
    uint32_t id;
    if (!pool_take(&findings->pool, &id)) {
        findings->beyond_cap++;
        return TABLE_NONE;
    }
    findings_at(findings, id)->is_withdrawn = true; /* until it is filled in */
    table_insert(&findings->table, key_hash(key), id);
    return id;
}

bool findings_raise(struct findings *findings, const struct finding *finding, uint16_t rule)
{
    struct finding_key key = finding_key_of(finding, rule);
    uint32_t id = find_id(findings, &key);
    if (id == TABLE_NONE && (id = add(findings, &key)) == TABLE_NONE)
        return false;
    struct kept_finding *kept = findings_at(findings, id);
    if (kept->is_withdrawn)
        *kept = (struct kept_finding){.finding = *finding, .rule = rule};
    else
        merge(&kept->finding, finding);
    note_flow(findings, id);
    return true;
}

struct sorted_finding {
    const struct finding *finding;
    uint32_t id;
};

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int by_time(const void *a, const void *b)
{
    const struct sorted_finding *left = a, *right = b;
    const struct finding *x = left->finding, *y = right->finding;
    int order = ORDER(x->first_ns, y->first_ns);
    if (!order)
        order = strcmp(x->code, y->code);
    if (!order)
        order = memcmp(x->client_ip.byte, y->client_ip.byte, sizeof x->client_ip.byte);
    if (!order)
        order = ORDER(x->server_port, y->server_port);
    return order ? order : ORDER(left->id, right->id);
}

uint32_t *findings_sorted(const struct findings *findings, uint32_t *count)
{
    uint32_t all = findings_count(findings), standing = 0;
    struct sorted_finding *sorted = malloc(((size_t)all + 1) * sizeof *sorted);
    uint32_t *ids = malloc(((size_t)all + 1) * sizeof *ids);
    assert(sorted && ids);
    for (uint32_t id = 0; id < all; id++)
        if (!findings_at(findings, id)->is_withdrawn)
            sorted[standing++] =
                (struct sorted_finding){.finding = &findings_at(findings, id)->finding, .id = id};
    qsort(sorted, standing, sizeof *sorted, by_time);
    for (uint32_t i = 0; i < standing; i++)
        ids[i] = sorted[i].id;
    free(sorted);
    *count = standing;
    return ids;
}
