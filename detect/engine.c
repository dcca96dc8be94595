/* The engine: learns from each event, then shows it to the rules that want it.
 *
 * Between track/, whose events it takes, and store/, to which cli/ hands what it says at the end.
 * Deliberately holds no rule of its own: a healthy session costs it a few counters and a look at
 * rules that have nothing to remember. */
#include "engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/counter.h"
#include "sentences.h"

static void *cleared(size_t count, size_t size)
{
    void *bytes = calloc(count ? count : 1, size ? size : 1);
    assert(bytes); /* small, at start-up */
    return bytes;
}

static void index_rules(struct engine *engine)
{
    for (int kind = 0; kind < EVENT_COUNT; kind++) {
        uint16_t *places = cleared(detector_count, sizeof *places);
        uint16_t count = 0;
        for (size_t i = 0; i < detector_count; i++)
            if (detector_list[i]->events & ON(kind))
                places[count++] = (uint16_t)i;
        engine->rules_of[kind] = places;
        engine->rule_count_of[kind] = count;
    }
}

static void make_memories(struct engine *engine)
{
    size_t largest = 0, site_size = 0;
    engine->memories = cleared(detector_count, sizeof *engine->memories);
    engine->site_state_at = cleared(detector_count, sizeof *engine->site_state_at);
    for (size_t i = 0; i < detector_count; i++) {
        const struct detector *rule = detector_list[i];
        uint32_t cap = rule->scope == SCOPE_FLOW ? ENGINE_FLOW_STATES_MAX : DETECT_DEVICES_MAX;
        size_t size = rule->scope == SCOPE_SITE ? 0 : rule->state_size;
        memory_init(&engine->memories[i], size, cap);
        largest = rule->state_size > largest ? rule->state_size : largest;
        engine->site_state_at[i] = site_size;
        if (rule->scope == SCOPE_SITE)
            site_size += (rule->state_size + 15) / 16 * 16;
    }
    engine->scratch = cleared(largest / sizeof(uint64_t) + 1, sizeof(uint64_t));
    engine->site_states = cleared(1, site_size);
    engine->site_states_size = site_size;
}

struct engine *engine_new(void)
{
    struct engine *engine = cleared(1, sizeof *engine);
    site_init(&engine->site);
    families_init(&engine->families);
    devices_init(&engine->devices, DETECT_DEVICES_MAX);
    findings_init(&engine->findings, DETECT_FINDINGS_MAX);
    index_rules(engine);
    make_memories(engine);
    engine->judge.engine = engine;
    return engine;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    for (size_t i = 0; i < detector_count; i++)
        memory_free(&engine->memories[i]);
    for (int kind = 0; kind < EVENT_COUNT; kind++)
        free(engine->rules_of[kind]);
    free(engine->memories);
    free(engine->site_state_at);
    free(engine->site_states);
    free(engine->scratch);
    findings_free(&engine->findings);
    devices_free(&engine->devices);
    families_free(&engine->families);
    site_free(&engine->site);
    free(engine);
}

void engine_add_apple_net(struct engine *engine, const struct prefix *prefix)
{
    if (engine->apple_net_count < ENGINE_APPLE_NETS_MAX)
        engine->apple_nets[engine->apple_net_count++] = *prefix;
}

void engine_add_home_net(struct engine *engine, const struct prefix *prefix)
{
    places_add_home_net(&engine->site.places, prefix);
}

void engine_set_home_hops(struct engine *engine, int16_t hops)
{
    engine->site.places.home_hops = hops;
}

void engine_set_keepalive(struct engine *engine, uint32_t keepalive_s)
{
    engine->site.keepalive_s = keepalive_s;
}

void engine_on_early_device(struct engine *engine, void *context,
                            void (*device)(void *context, const struct device_record *device))
{
    engine->early_context = context;
    engine->early_device = device;
}

bool engine_flow_is_evidence(const struct engine *engine, uint64_t flow_number)
{
    return findings_rest_on(&engine->findings, flow_number);
}

struct engine_losses engine_losses(const struct engine *engine)
{
    struct engine_losses losses = {.findings = engine->findings.beyond_cap,
                                   .devices = engine->devices_early};
    for (size_t i = 0; i < detector_count; i++)
        losses.states += engine->memories[i].refused;
    return losses;
}

const struct detector *detector_by_code(const char *code)
{
    size_t low = 0, high = detector_count; /* the list is sorted by code */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(code, detector_list[middle]->code);
        if (order == 0)
            return detector_list[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Devices */

void engine_mark_failure(struct device *device, uint16_t rule, int64_t last_ns, uint16_t port)
{
    uint32_t last_s = second_of(last_ns);
    if (device->fail_rule && last_s < device->fail_s)
        return;
    device->fail_rule = (uint16_t)(rule + 1);
    device->fail_s = last_s;
    device->fail_port = port;
}

static struct device_record judge_device(const struct device *device)
{
    const char *code = NULL;
    const struct detector *rule = device->fail_rule ? detector_list[device->fail_rule - 1] : NULL;
    if (rule && (rule->recurs || !device_recovered(device, device->fail_port, device->fail_s)))
        code = rule->code;
    return device_judge(device, code);
}

static void give_up_device(struct engine *engine, uint32_t id)
{
    const struct device *device = devices_at(&engine->devices, id);
    if (engine->early_device && device_is_worth_a_row(device)) {
        struct device_record record = judge_device(device);
        record.number = ++engine->devices_told;
        engine->early_device(engine->early_context, &record);
    }
    engine->devices_early++;
    for (size_t i = 0; i < detector_count; i++)
        if (detector_list[i]->scope == SCOPE_DEVICE)
            memory_forget(&engine->memories[i], id);
    devices_remove(&engine->devices, id);
}

uint32_t engine_device(struct judge *judge)
{
    if (!judge->device_is_known) {
        judge->device = judge->has_client
                            ? devices_find(&judge->engine->devices, &judge->client, judge->lane)
                            : DEVICE_NONE;
        judge->device_is_known = true;
    }
    return judge->device;
}

uint32_t engine_need_device(struct judge *judge)
{
    struct engine *engine = judge->engine;
    if (engine_device(judge) != DEVICE_NONE)
        return judge->device;
    uint32_t crowded_out = devices_crowded_out(&engine->devices);
    if (crowded_out != DEVICE_NONE)
        give_up_device(engine, crowded_out);
    judge->device = devices_add(&engine->devices, &judge->client, judge->lane);
    struct device *device = devices_at(&engine->devices, judge->device);
    /* the event may tell of a session that was over long before */
    const struct flow_record *flow = judge->event->flow;
    device->first_ns = device->last_ns = flow ? flow->started_ns : judge->event->time_ns;
    return judge->device;
}

/* Learning, before any rule looks */

static bool is_of_a_device(const struct flow_record *flow)
{
    return flow->role != ROLE_INBOUND && flow->role != ROLE_UNKNOWN_PUSH_PORT &&
           flow->role != ROLE_UNKNOWN;
}

static bool answer_is_good(const struct judge *judge, const struct dns_message *dns)
{
    for (unsigned i = 0; i < dns->address_count; i++)
        if (!judge_is_apple(judge, &dns->addresses[i]))
            return false;
    return dns->rcode == DNS_NOERROR && dns->address_count;
}

static void learn_answer(struct engine *engine, const struct event *event)
{
    if (!is_push_host(event->dns->name) || is_bag_host(event->dns->name))
        return;
    bool is_good = answer_is_good(&engine->judge, event->dns);
    engine->site.answers += event->dns->rcode != DNS_NOERROR || event->dns->address_count;
    engine->site.answers_good += is_good;
    uint32_t id = is_good ? engine_device(&engine->judge) : DEVICE_NONE;
    if (id == DEVICE_NONE)
        return;
    struct device *device = devices_at(&engine->devices, id);
    counter_up(&device->good_answers);
}

static void learn(struct engine *engine, const struct event *event)
{
    struct judge *judge = &engine->judge;
    switch (event->kind) {
    case EVENT_FLOW_WORKS:
        site_session_works(&engine->site, event->flow);
        families_note(&engine->families, event->flow, true);
        if (is_of_a_device(event->flow))
            devices_session_works(&engine->devices, engine_need_device(judge), event->flow);
        break;
    case EVENT_FLOW_CLOSED:
        site_session_closed(&engine->site, event->flow);
        if (!event->flow->told_to_work)
            families_note(&engine->families, event->flow, flow_works(event->flow));
        if (is_of_a_device(event->flow))
            devices_session_closed(&engine->devices, engine_need_device(judge), event->flow);
        break;
    case EVENT_DNS_ANSWER:
        learn_answer(engine, event);
        break;
    case EVENT_CAPTURE_END:
        engine->quality = *event->quality;
        engine->has_quality = true;
        break;
    default:
        break;
    }
}

/* Showing it to the rules */

/* States are kept in whole words, so that the common look at an untouched one is short. */
static size_t state_words(const struct detector *rule)
{
    return (rule->state_size + sizeof(uint64_t) - 1) / sizeof(uint64_t);
}

static bool is_zero(const uint64_t *words, size_t count)
{
    uint64_t any = 0;
    for (size_t i = 0; i < count; i++)
        any |= words[i];
    return !any;
}

/* The number by which a rule of this scope remembers; false where it has nothing to hold on to. */
static bool state_key(struct judge *judge, bool make, uint64_t *key)
{
    if (judge->rule->scope == SCOPE_FLOW) {
        *key = judge->event->flow ? judge->event->flow->number : 0;
        return judge->event->flow != NULL;
    }
    if (!judge->has_client)
        return false;
    uint32_t id = make ? engine_need_device(judge) : engine_device(judge);
    *key = id;
    return id != DEVICE_NONE;
}

static void observe_with_memory(struct engine *engine, struct memory *memory)
{
    struct judge *judge = &engine->judge;
    const struct detector *rule = judge->rule;
    uint64_t key;
    void *state = NULL;
    if (!memory_is_empty(memory) && state_key(judge, false, &key))
        state = memory_find(memory, key);
    if (state) {
        rule->observe(judge, state, judge->event);
    } else {
        rule->observe(judge, engine->scratch, judge->event);
        if (!is_zero(engine->scratch, state_words(rule))) {
            if (state_key(judge, true, &key))
                memory_keep(memory, key, engine->scratch);
            memset(engine->scratch, 0, rule->state_size);
        }
    }
    if (rule->scope == SCOPE_FLOW && judge->event->kind == EVENT_FLOW_CLOSED &&
        state_key(judge, false, &key))
        memory_forget(memory, key);
}

static void set_rule(struct judge *judge, uint16_t place)
{
    judge->rule = detector_list[place];
    judge->rule_place = place;
}

/* Once for each device that the rule remembers. */
static void observe_end(struct engine *engine, struct memory *memory)
{
    struct judge *judge = &engine->judge;
    uint32_t place = 0;
    uint64_t key;
    for (void *state; (state = memory_next(memory, &place, &key)) != NULL;) {
        const struct device *device = devices_at(&engine->devices, (uint32_t)key);
        judge->client = device->ip;
        judge->lane = device->lane;
        judge->device = (uint32_t)key;
        judge->has_client = judge->device_is_known = true;
        judge->rule->observe(judge, state, judge->event);
    }
    judge->has_client = judge->device_is_known = false;
}

static void show(struct engine *engine, uint16_t place)
{
    struct judge *judge = &engine->judge;
    struct memory *memory = &engine->memories[place];
    set_rule(judge, place);
    if (judge->rule->scope == SCOPE_SITE)
        judge->rule->observe(judge, engine->site_states + engine->site_state_at[place],
                             judge->event);
    else if (judge->event->kind == EVENT_CAPTURE_END)
        observe_end(engine, memory);
    else if (judge->rule->state_size)
        observe_with_memory(engine, memory);
    else
        judge->rule->observe(judge, NULL, judge->event);
}

/* Those that it learns from itself (learn), and those that rules want. */
uint32_t engine_events(void)
{
    uint32_t events =
        ON(EVENT_FLOW_WORKS) | ON(EVENT_FLOW_CLOSED) | ON(EVENT_DNS_ANSWER) | ON(EVENT_CAPTURE_END);
    for (size_t i = 0; i < detector_count; i++)
        events |= detector_list[i]->events;
    return events;
}

void engine_observe(void *context, const struct event *event)
{
    struct engine *engine = context;
    struct judge *judge = &engine->judge;
    judge->event = event;
    judge->device_is_known = false;
    judge->has_client = event->flow || event->dns;
    judge->client = event->flow ? event->flow->client_ip : event->client;
    judge->lane = event->flow ? event->flow->lane : event->lane;
    learn(engine, event);
    for (uint16_t i = 0; i < engine->rule_count_of[event->kind]; i++)
        show(engine, engine->rules_of[event->kind][i]);
}

/* The end */

/* Marks made while reading may rest on findings that were withdrawn or doubted since. */
static void mark_failures_again(struct engine *engine)
{
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < findings_count(&engine->findings); i++) {
            const struct kept_finding *kept = findings_at(&engine->findings, i);
            const struct finding *finding = &kept->finding;
            if (finding->severity != SEVERITY_FAIL || finding->scope == SCOPE_SITE)
                continue;
            uint32_t id = devices_find(&engine->devices, &finding->client_ip, finding->lane);
            if (id == DEVICE_NONE)
                continue;
            struct device *device = devices_at(&engine->devices, id);
            uint32_t last_s = second_of(finding->last_ns);
            if (pass == 0)
                device->fail_rule = 0;
            else if (!kept->is_withdrawn && finding->confidence >= CONFIDENCE_LIKELY &&
                     (detector_list[kept->rule]->recurs ||
                      !device_recovered(device, finding->server_port, last_s)))
                engine_mark_failure(device, kept->rule, finding->last_ns, finding->server_port);
        }
}

static void tell_devices(struct engine *engine, const struct engine_results *results)
{
    uint32_t count;
    uint32_t *ids = devices_sorted(&engine->devices, &count);
    for (uint32_t i = 0; results->device && i < count; i++) {
        struct device *device = devices_at(&engine->devices, ids[i]);
        if (!device_is_worth_a_row(device))
            continue;
        struct device_record record = judge_device(device);
        record.number = device->number = ++engine->devices_told;
        results->device(results->context, &record);
    }
    free(ids);
}

/* Where a device was given up and came again, its two records are one row, and which number that
 * has is the store's affair. */
static uint64_t device_number(const struct engine *engine, const struct finding *finding)
{
    if (engine->devices_early || finding->scope == SCOPE_SITE)
        return 0;
    uint32_t id = devices_find(&engine->devices, &finding->client_ip, finding->lane);
    return id == DEVICE_NONE ? 0 : devices_at(&engine->devices, id)->number;
}

static void tell_findings(struct engine *engine, const struct engine_results *results)
{
    uint32_t count;
    uint32_t *ids = findings_sorted(&engine->findings, &count);
    for (uint32_t i = 0; results->finding && i < count; i++) {
        struct finding finding = findings_at(&engine->findings, ids[i])->finding;
        finding.number = i + 1;
        finding.device_number = device_number(engine, &finding);
        summary_finish(&finding);
        places_judge(&engine->site.places, &finding);
        if (!finding.limits[0] && finding.scope != SCOPE_SITE)
            limits_say(finding.limits, sizeof finding.limits, &engine->quality,
                       &engine->site.sides);
        results->finding(results->context, &finding);
    }
    free(ids);
}

/* Much of what passed is not in the capture, or not as it was: what would speak against a finding
 * may be among it. */
static bool is_full_of_holes(const struct engine *engine)
{
    enum { PART_OF_PACKETS = 20, PART_OF_SESSIONS = 4 };
    const struct capture_quality *quality = &engine->quality;
    uint64_t damaged = quality->skipped[SKIP_DAMAGED];
    uint64_t gapped = engine->site.gapped;
    return damaged * PART_OF_PACKETS > quality->session_packets + damaged ||
           gapped * PART_OF_SESSIONS > engine->site.sides.both;
}

static void lower_certainty(struct engine *engine)
{
    for (uint32_t i = 0; i < findings_count(&engine->findings); i++) {
        struct finding *finding = &findings_at(&engine->findings, i)->finding;
        if (finding->severity > SEVERITY_INFO && finding->confidence == CONFIDENCE_CERTAIN)
            finding->confidence = CONFIDENCE_LIKELY;
    }
}

void engine_finish(struct engine *engine, const struct engine_results *results)
{
    if (is_full_of_holes(engine))
        lower_certainty(engine);
    mark_failures_again(engine);
    tell_devices(engine, results);
    tell_findings(engine, results);
    if (results->requirement)
        requirements_judge(engine, results->context, results->requirement);
}
