/* The judgement of a live run, told by its differences.
 *
 * See standing.h. Keeps a few words and a hash of whatever was told; a finding keeps its number for
 * the whole run. Deliberately does not judge: the engine's copy does. */
#include "standing.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/pool.h"
#include "base/table.h"

/* A finding that is not found again is waited for: what proves it may be changing its shape (a
 * session that waits is reset, and rests a second before it counts). */
#define ABSENT_NS (2 * NS_PER_S)

enum { SETTLED_MAX = 4096, STANDING_SEED = 0x737464 };

struct told_device {
    struct address ip;
    uint32_t lane;
    enum device_verdict verdict;
    uint64_t content;
};

struct standing {
    struct standing_sink sink;
    const struct engine *engine; /* the one that goes on */
    struct engine *copy;         /* the one that is asked */
    struct pool findings;
    struct table finding_table;
    struct pool devices;
    struct table device_table;
    uint64_t requirements[REQUIREMENT_COUNT]; /* hashes of what was told */
    struct standing_counts counts;
    uint64_t last_number;
    uint32_t round;
    int64_t now_ns;
};

struct standing *standing_new(const struct standing_sink *sink, const struct engine *engine)
{
    struct standing *standing = calloc(1, sizeof *standing);
    assert(standing);
    standing->sink = *sink;
    standing->engine = engine;
    standing->copy = engine_new();
    pool_init(&standing->findings, sizeof(struct standing_finding), 4 * DETECT_FINDINGS_MAX);
    pool_init(&standing->devices, sizeof(struct told_device), DETECT_DEVICES_MAX);
    table_init(&standing->finding_table, 64);
    table_init(&standing->device_table, 64);
    return standing;
}

void standing_free(struct standing *standing)
{
    if (!standing)
        return;
    engine_free(standing->copy);
    table_free(&standing->finding_table);
    table_free(&standing->device_table);
    pool_free(&standing->findings);
    pool_free(&standing->devices);
    free(standing);
}

/* ---- what makes two of them the same, and what makes one another than before ---- */

static uint64_t add_number(uint64_t hash, uint64_t number)
{
    return hash_bytes(&number, sizeof number, hash);
}

static uint64_t add_text(uint64_t hash, const char *text)
{
    return hash_bytes(text, strlen(text), hash);
}

static uint64_t finding_key(const struct finding *finding)
{
    uint64_t hash = add_text(STANDING_SEED, finding->code);
    if (finding->scope != SCOPE_SITE)
        hash = hash_bytes(finding->client_ip.byte, sizeof finding->client_ip.byte, hash);
    if (finding->scope != SCOPE_DEVICE)
        hash = hash_bytes(finding->server_ip.byte, sizeof finding->server_ip.byte, hash);
    return add_number(hash, (uint64_t)finding->lane << 16 | finding->server_port);
}

static bool same_finding(const void *context, uint32_t id, const void *key)
{
    const struct standing *standing = context;
    const struct standing_finding *told = pool_at(&standing->findings, id);
    const struct finding *finding = key;
    return told->code == finding->code && told->lane == finding->lane &&
           told->server_port == finding->server_port &&
           (finding->scope == SCOPE_SITE || address_equal(&told->client_ip, &finding->client_ip)) &&
           (finding->scope == SCOPE_DEVICE || address_equal(&told->server_ip, &finding->server_ip));
}

static uint64_t finding_content(const struct finding *finding)
{
    uint64_t hash = add_number(finding->count, (uint64_t)finding->confidence);
    hash = add_number(hash, (uint64_t)finding->first_ns);
    hash = add_number(hash, (uint64_t)finding->last_ns);
    hash = add_text(hash, finding->summary);
    hash = add_text(hash, finding->reasoning);
    hash = add_text(hash, finding->place);
    return add_text(hash, finding->limits);
}

static uint64_t device_key(const struct address *ip, uint32_t lane)
{
    return hash_bytes(ip->byte, sizeof ip->byte, lane);
}

static bool same_device(const void *context, uint32_t id, const void *key)
{
    const struct standing *standing = context;
    const struct told_device *told = pool_at(&standing->devices, id);
    const struct device_record *device = key;
    return told->lane == device->lane && address_equal(&told->ip, &device->ip);
}

static uint64_t device_content(const struct device_record *device)
{
    uint64_t hash = add_number(device->sessions, (uint64_t)device->verdict);
    hash = add_number(hash, (uint64_t)device->last_ns);
    hash = add_text(hash, device->works_on);
    return add_text(hash, device->reason);
}

/* ---- telling ---- */

static struct standing_finding *take_finding(struct standing *standing,
                                             const struct finding *finding, uint64_t key)
{
    uint32_t id;
    struct standing_finding *told = pool_take(&standing->findings, &id);
    if (!told)
        return NULL;
    *told = (struct standing_finding){.number = ++standing->last_number,
                                      .code = finding->code,
                                      .severity = finding->severity,
                                      .scope = finding->scope,
                                      .client_ip = finding->client_ip,
                                      .server_ip = finding->server_ip,
                                      .lane = finding->lane,
                                      .server_port = finding->server_port};
    table_insert(&standing->finding_table, key, id);
    return told;
}

static void on_finding(void *context, const struct finding *finding)
{
    struct standing *standing = context;
    uint64_t key = finding_key(finding), content = finding_content(finding);
    uint32_t id = table_find(&standing->finding_table, key, same_finding, standing, finding);
    struct standing_finding *told =
        id == TABLE_NONE ? take_finding(standing, finding, key) : pool_at(&standing->findings, id);
    if (!told)
        return; /* beyond four times what the engine keeps: found and taken back many times */
    bool is_new = !told->stands;
    told->round = standing->round;
    told->absent_ns = TIME_UNKNOWN;
    standing->counts.findings[finding->severity] += is_new;
    if (told->stands && told->content == content)
        return;
    if (is_new)
        told->since_ns = standing->now_ns;
    told->stands = true;
    struct finding numbered = *finding;
    numbered.number = told->number;
    if (standing->sink.finding(standing->sink.context, &numbered, is_new))
        told->content = content;
}

/* ---- taking back ---- */

/* Does the other one speak of the same client and way? */
static bool may_replace(const struct standing_finding *other,
                        const struct standing_finding *finding)
{
    bool same_client =
        other->scope == SCOPE_SITE || finding->scope == SCOPE_SITE ||
        (other->lane == finding->lane && address_equal(&other->client_ip, &finding->client_ip));
    return same_client && (other->server_port == finding->server_port || !other->server_port);
}

static const char *find_replacement(const struct standing *standing,
                                    const struct standing_finding *finding)
{
    for (uint32_t id = 0; id < standing->findings.touched; id++) {
        const struct standing_finding *other = pool_at(&standing->findings, id);
        if (other->stands && other->round == standing->round &&
            other->since_ns >= finding->absent_ns && may_replace(other, finding))
            return other->code;
    }
    return NULL;
}

static bool client_works(const struct standing *standing, const struct standing_finding *finding)
{
    struct device_record device = {.ip = finding->client_ip, .lane = finding->lane};
    uint32_t id = finding->scope == SCOPE_SITE
                      ? TABLE_NONE
                      : table_find(&standing->device_table, device_key(&device.ip, device.lane),
                                   same_device, standing, &device);
    const struct told_device *told = id == TABLE_NONE ? NULL : pool_at(&standing->devices, id);
    return told && told->verdict == VERDICT_WORKS;
}

static void take_back(struct standing *standing, struct standing_finding *told)
{
    told->stands = false;
    told->replaced_by = find_replacement(standing, told);
    told->why = told->replaced_by              ? WITHDRAWN_REPLACED
                : client_works(standing, told) ? WITHDRAWN_WORKS
                                               : WITHDRAWN_OTHERWISE;
    standing->counts.findings[told->severity]--;
    standing->sink.withdrawn(standing->sink.context, told);
}

const char *withdrawal_text(const struct standing_finding *finding, char text[WITHDRAWAL_TEXT_SIZE])
{
    char client[ADDRESS_TEXT_SIZE];
    if (finding->why == WITHDRAWN_REPLACED)
        snprintf(text, WITHDRAWAL_TEXT_SIZE, "%s says it better", finding->replaced_by);
    else if (finding->why == WITHDRAWN_WORKS)
        snprintf(text, WITHDRAWAL_TEXT_SIZE, "%s reached Apple since",
                 address_text(&finding->client_ip, client));
    else
        snprintf(text, WITHDRAWAL_TEXT_SIZE, "what followed makes it doubtful");
    return text;
}

/* `patience_ns`: how long a finding may be absent. */
static void tell_withdrawn(struct standing *standing, int64_t patience_ns)
{
    for (uint32_t id = 0; id < standing->findings.touched; id++) {
        struct standing_finding *told = pool_at(&standing->findings, id);
        if (!told->stands || told->round == standing->round)
            continue;
        if (told->absent_ns == TIME_UNKNOWN)
            told->absent_ns = standing->now_ns;
        if (standing->now_ns - told->absent_ns >= patience_ns)
            take_back(standing, told);
    }
}

/* ---- devices and requirements ---- */

static void on_device(void *context, const struct device_record *device)
{
    struct standing *standing = context;
    uint64_t key = device_key(&device->ip, device->lane), content = device_content(device);
    uint32_t id = table_find(&standing->device_table, key, same_device, standing, device);
    enum device_verdict before = VERDICT_COUNT;
    struct told_device *told = NULL;
    if (id != TABLE_NONE) {
        told = pool_at(&standing->devices, id);
        if (told->content == content)
            return;
        before = told->verdict;
        standing->counts.devices[before]--;
    } else if ((told = pool_take(&standing->devices, &id)) != NULL) {
        *told = (struct told_device){.ip = device->ip, .lane = device->lane};
        table_insert(&standing->device_table, key, id);
    } else {
        return;
    }
    told->verdict = device->verdict;
    standing->counts.devices[device->verdict]++;
    if (standing->sink.device(standing->sink.context, device, before))
        told->content = content;
}

static void on_requirement(void *context, const struct requirement_record *requirement)
{
    struct standing *standing = context;
    uint64_t content = add_number(requirement->seen, requirement->failed);
    content = add_text(add_number(content, (uint64_t)requirement->status), requirement->summary);
    if (standing->requirements[requirement->code] == content)
        return;
    standing->requirements[requirement->code] = content;
    standing->sink.requirement(standing->sink.context, requirement);
}

static void finish(struct standing *standing, struct engine *engine, int64_t patience_ns)
{
    struct engine_results results = {.context = standing,
                                     .finding = on_finding,
                                     .device = on_device,
                                     .requirement = on_requirement};
    standing->round++;
    engine_finish(engine, &results);
    tell_withdrawn(standing, patience_ns);
}

static void on_settled(void *context, const struct flow_record *flow)
{
    struct standing *standing = context;
    struct event event = {
        .kind = EVENT_FLOW_CLOSED, .time_ns = standing->now_ns, .flow = flow, .lane = flow->lane};
    engine_observe(standing->copy, &event);
}

void standing_judge(struct standing *standing, struct tracker *tracker,
                    const struct capture_quality *quality, int64_t now_ns)
{
    struct track_interim interim = {
        .context = standing, .settled = on_settled, .settled_max = SETTLED_MAX};
    struct event end = {.kind = EVENT_CAPTURE_END, .time_ns = now_ns, .quality = quality};
    standing->now_ns = now_ns;
    if (!engine_copy(standing->copy, standing->engine))
        return; /* no memory for the copy: the engine itself goes on */
    tracker_interim(tracker, &interim);
    engine_observe(standing->copy, &end);
    finish(standing, standing->copy, ABSENT_NS);
}

void standing_end(struct standing *standing, struct engine *engine)
{
    finish(standing, engine, 0);
}

struct standing_counts standing_counts_of(const struct standing *standing)
{
    return standing->counts;
}

void standing_each(const struct standing *standing, void *context,
                   void (*each)(void *context, const struct standing_finding *finding))
{
    for (uint32_t id = 0; id < standing->findings.touched; id++) {
        const struct standing_finding *told = pool_at(&standing->findings, id);
        if (told->stands)
            each(context, told);
    }
}
