/* What rules ask and tell: facts read from the engine, findings drafted and raised.
 *
 * The only door between a rule and the engine. Deliberately gives rules no event, flow or device
 * but the one at hand. */
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "engine.h"
#include "model/apple.h"
#include "networks.h"
#include "sentences.h"

enum way way_of(const struct flow_record *flow)
{
    bool is_proxied = flow->role == ROLE_PROXY || flow->path == PATH_EXPLICIT_PROXY;
    switch (flow->role) {
    case ROLE_COURIER:
        if (is_proxied)
            return WAY_COURIER_PROXY;
        if (flow->server_port == 443)
            return WAY_COURIER_443;
        return flow->server_port == 5223 ? WAY_COURIER_5223 : WAY_NONE;
    case ROLE_PROVIDER:
        if (is_proxied)
            return WAY_PROVIDER_PROXY;
        if (flow->server_port == 2197)
            return WAY_PROVIDER_2197;
        return flow->server_port == 443 ? WAY_PROVIDER_443 : WAY_NONE;
    case ROLE_PROXY:
        if (flow->connect_host && is_bag_host(flow->connect_host))
            return WAY_NONE;
        return flow->connect_host && is_provider_host(flow->connect_host) ? WAY_PROVIDER_PROXY
                                                                          : WAY_COURIER_PROXY;
    default:
        return WAY_NONE;
    }
}

bool offers_other_protocols(const struct flow_record *flow)
{
    return flow->alpn && !strstr(flow->alpn, "apns"); /* apns-security-v3 and the like */
}

static bool is_of_a_courier(const struct flow_record *flow)
{
    enum way way = way_of(flow);
    return way != WAY_NONE && !way_is_provider(way);
}

/* The two ends met, and one declined: no network does that. A server that the device had accepted
 * refuses it (a certificate of the device's or of the MDM server's that expired), or a device does
 * not like a certificate that is Apple's as far as it shows (its clock is wrong), or may be. */
static bool an_end_declined(const struct flow_record *flow)
{
    const uint32_t server_did = SAW_FINISHED_UP | SAW_FATAL_ALERT_DOWN;
    bool may_be_genuine = certificate_is_genuine(flow->certificate) || flow_hides_certificate(flow);
    bool device_did = is_of_a_courier(flow) && flow->alert_up >= 0 && may_be_genuine;
    return (flow->saw & server_did) == server_did || device_did;
}

bool flow_fails(const struct flow_record *flow)
{
    switch (flow->outcome) {
    case OUTCOME_NO_ANSWER:
    case OUTCOME_REFUSED:
    case OUTCOME_UNREACHABLE:
    case OUTCOME_TLS_NO_ANSWER:
    case OUTCOME_TLS_RESET:
    case OUTCOME_PROXY_DENIED:
        return true;
    case OUTCOME_TLS_FAILED: /* what is missing may have said that an end declined */
        return !(flow->saw & (SAW_GAP_UP | SAW_GAP_DOWN)) &&
               !(is_of_a_courier(flow) && offers_other_protocols(flow)) && !an_end_declined(flow);
    default:
        return false;
    }
}

bool flow_may_have_worked(const struct flow_record *flow)
{
    const uint32_t hidden = SAW_GAP_UP | SAW_GAP_DOWN | SAW_CUT_PAYLOAD;
    return flow->outcome == OUTCOME_ONE_SIDED ||
           (flow->outcome == OUTCOME_UNFINISHED && flow->saw & hidden);
}

/* The name without a CONNECT's port and a trailing dot. */
static const char *bare_host(const char *name, char host[DNS_NAME_SIZE])
{
    size_t length = strcspn(name, ":");
    struct text text = text_over(host, DNS_NAME_SIZE);
    if (length && name[length - 1] == '.')
        length--;
    text_add_bytes(&text, name, length);
    return host;
}

bool is_push_host(const char *name)
{
    char host[DNS_NAME_SIZE];
    if (!name)
        return false;
    bare_host(name, host);
    return text_ends_with_nocase(host, ".push.apple.com") ||
           text_ends_with_nocase(host, "push-apple.com.akadns.net");
}

static bool starts_with(const char *string, const char *start)
{
    char head[16];
    struct text text = text_over(head, sizeof head);
    text_add_bytes(&text, string, strnlen(string, strlen(start)));
    return text_equal_nocase(head, start);
}

bool is_bag_host(const char *name)
{
    return is_push_host(name) && starts_with(name, "init");
}

bool is_provider_host(const char *name)
{
    return is_push_host(name) && starts_with(name, "api.");
}

int16_t hops_of_ttl(int16_t ttl)
{
    return ttl < 0 ? -1 : ttl_hops(ttl);
}

/* Until when a flow shows what is found: to its end, or to the event that shows it. */
static int64_t draft_end(const struct event *event)
{
    bool is_whole = event->kind == EVENT_FLOW_CLOSED || event->time_ns < event->flow->started_ns;
    return is_whole ? event->flow->last_ns : event->time_ns;
}

static void draft_from_flow(struct finding *finding, const struct event *event)
{
    const struct flow_record *flow = event->flow;
    finding->flow_number = flow->number;
    finding->client_ip = flow->client_ip;
    finding->server_ip = flow->server_ip;
    finding->server_port = flow->server_port;
    finding->lane = flow->lane;
    finding->was_not_passed_on =
        flow->saw & SAW_SYN && flow->server_is_apple && !flow->was_passed_on;
    finding->first_ns = flow->started_ns;
    finding->last_ns = draft_end(event);
    filter_of_flow(finding, flow);
}

static void draft_from_dns(struct finding *finding, const struct event *event)
{
    finding->client_ip = event->client;
    finding->server_ip = event->resolver;
    finding->server_port = 53; /* RFC 1035 section 4.2 */
    finding->lane = event->lane;
    finding->first_ns = finding->last_ns = event->time_ns;
    filter_of_dns(finding, event->dns);
}

struct finding judge_draft(const struct judge *judge, const struct event *event)
{
    struct finding finding;
    memset(&finding, 0, sizeof finding);
    finding.code = judge->rule->code;
    finding.severity = judge->rule->severity;
    finding.scope = judge->rule->scope;
    finding.kind = judge->rule->kind;
    finding.confidence = CONFIDENCE_LIKELY;
    finding.blocker_hops = -1;
    finding.count = 1;
    finding.first_ns = finding.last_ns = event->time_ns;
    if (event->flow)
        draft_from_flow(&finding, event);
    else if (event->dns)
        draft_from_dns(&finding, event);
    return finding;
}

struct finding judge_draft_of_capture(const struct judge *judge, const struct event *event)
{
    struct finding finding = judge_draft(judge, event);
    finding.confidence = CONFIDENCE_CERTAIN;
    finding.first_ns = event->quality->first_ns;
    finding.last_ns = event->quality->last_ns;
    return finding;
}

void judge_name_device(const struct judge *judge, struct finding *finding)
{
    finding->client_ip = judge->client;
    finding->lane = judge->lane;
}

void finding_name_mac(struct finding *finding, const struct flow_record *flow)
{
    finding->has_blocker_mac = flow->has_reset_mac;
    finding->blocker_mac_differs = flow->reset_mac_differs;
    memcpy(finding->blocker_mac, flow->reset_mac, sizeof finding->blocker_mac);
}

static void mark_device(struct judge *judge, enum confidence confidence, int64_t last_ns,
                        uint16_t port)
{
    if (judge->rule->severity != SEVERITY_FAIL || confidence < CONFIDENCE_LIKELY)
        return;
    struct device *device = devices_at(&judge->engine->devices, engine_need_device(judge));
    engine_mark_failure(device, judge->rule_place, last_ns, port);
}

void judge_raise(struct judge *judge, const struct finding *finding)
{
    struct engine *engine = judge->engine;
    findings_raise(&engine->findings, finding, judge->rule_place);
    if (finding->scope != SCOPE_SITE && judge->has_client)
        mark_device(judge, finding->confidence, finding->last_ns, finding->server_port);
}

static struct kept_finding *find_kept(const struct judge *judge, uint16_t rule, uint16_t port)
{
    struct finding_key key = {
        .client = judge->client, .lane = judge->lane, .port = port, .rule = rule};
    struct kept_finding *kept = findings_find(&judge->engine->findings, &key);
    return kept && !kept->is_withdrawn ? kept : NULL;
}

bool judge_only_counts(struct judge *judge, const struct event *event, enum confidence confidence)
{
    assert(judge->rule->scope == SCOPE_DEVICE && event->flow);
    struct findings *findings = &judge->engine->findings;
    uint16_t port = event->flow->server_port;
    int64_t last_ns = draft_end(event);
    struct kept_finding *kept = find_kept(judge, judge->rule_place, port);
    if (kept ? confidence > kept->finding.confidence : !findings_are_full(findings))
        return false;
    if (kept)
        finding_widen(&kept->finding, event->flow->started_ns, last_ns, 1, event->flow->number);
    else
        findings->beyond_cap++;
    mark_device(judge, confidence, last_ns, port);
    return true;
}

struct finding *judge_kept(struct judge *judge, uint16_t server_port)
{
    assert(judge->rule->scope == SCOPE_DEVICE);
    struct kept_finding *kept = find_kept(judge, judge->rule_place, server_port);
    return kept ? &kept->finding : NULL;
}

void judge_withdraw(struct judge *judge, struct finding *finding)
{
    struct finding_key key = finding_key_of(finding, judge->rule_place);
    struct kept_finding *kept = findings_find(&judge->engine->findings, &key);
    assert(kept && finding == &kept->finding);
    kept->is_withdrawn = true;
    uint32_t id = engine_device(judge);
    if (id == DEVICE_NONE)
        return;
    struct device *device = devices_at(&judge->engine->devices, id);
    if (device->fail_rule == judge->rule_place + 1)
        device->fail_rule = 0;
}

void judge_withdraw_doubtful(struct judge *judge)
{
    static const uint16_t ports[] = {5223, 443, 2197};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        struct finding *kept = judge_kept(judge, ports[i]);
        if (kept && kept->confidence < CONFIDENCE_CERTAIN)
            judge_withdraw(judge, kept);
    }
}

void judge_renew(struct judge *judge, const struct finding *finding)
{
    struct finding *kept = judge_kept(judge, finding->server_port);
    if (kept)
        *kept = *finding;
    else
        judge_raise(judge, finding);
}

bool judge_has_finding(const struct judge *judge, const char *code, uint16_t server_port)
{
    for (size_t i = 0; i < detector_count; i++)
        if (strcmp(detector_list[i]->code, code) == 0)
            return find_kept(judge, (uint16_t)i, server_port) != NULL;
    return false;
}

static const struct device *device_of(const struct judge *judge)
{
    /* looking up is remembered in the judge, which the rule sees as const */
    uint32_t id = engine_device(&judge->engine->judge);
    return id == DEVICE_NONE ? NULL : devices_at(&judge->engine->devices, id);
}

struct way_counts judge_device_way(const struct judge *judge, enum way way)
{
    const struct device *device = device_of(judge);
    if (!device)
        return (struct way_counts){0};
    struct way_counts counts = {.worked = device->way[way].worked,
                                .failed = device->way[way].failed};
    if (!counts.worked && device->working_ways & 1u << way)
        counts.worked = 1;
    return counts;
}

bool judge_device_reached(const struct judge *judge, enum way way)
{
    const struct device *device = device_of(judge);
    return device && device->reached_ways & 1u << way;
}

struct way_counts judge_site_way(const struct judge *judge, enum way way)
{
    return judge->engine->site.way[way];
}

struct way_counts judge_site_hellos(const struct judge *judge, enum way way, bool is_large)
{
    return judge->engine->site.hellos[way][is_large];
}

int16_t judge_apple_hops(const struct judge *judge)
{
    return site_apple_hops(&judge->engine->site);
}

bool flow_is_unreached(const struct flow_record *flow)
{
    return flow->outcome == OUTCOME_NO_ANSWER || flow->outcome == OUTCOME_REFUSED ||
           flow->outcome == OUTCOME_UNREACHABLE;
}

uint32_t judge_networks(const struct judge *judge, uint16_t port,
                        struct network networks[NETWORKS_MAX])
{
    return networks_gather(&judge->engine->site, port, networks);
}

bool judge_worked_between(const struct judge *judge, enum way way, uint32_t from_s, uint32_t to_s)
{
    return timeline_has(&judge->engine->site.worked[way], from_s, to_s);
}

const struct family_pair *judge_family_pair(const struct judge *judge, uint16_t port)
{
    const struct device *device = device_of(judge);
    return device ? families_find(&judge->engine->families, device->has_mac ? device->mac : NULL,
                                  device->lane, port)
                  : NULL;
}

bool judge_only_ipv4_works(const struct judge *judge, uint16_t port)
{
    const struct family_pair *pair = judge_family_pair(judge, port);
    return pair && !address_is_ipv4(&judge->client) && pair->v4_worked > pair->v4_failed &&
           !pair->v6_worked;
}

/* Addresses that are made anew every few hours (RFC 8981) are still one machine's. */
enum { ADDRESSES_OF_A_MACHINE = 4 };

bool judge_machine_works_by_other_family(const struct judge *judge)
{
    static const uint16_t ports[] = {5223, 443};
    const struct device *device = device_of(judge);
    bool works = false;
    if (!device || !device->has_mac)
        return false;
    bool is_v4 = address_is_ipv4(&device->ip);
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        const struct family_pair *pair = judge_family_pair(judge, ports[i]);
        if (!pair)
            continue;
        if (pair->v4_clients > 1 || pair->v6_clients > ADDRESSES_OF_A_MACHINE)
            return false; /* a router's */
        works |= is_v4 ? pair->v6_worked > pair->v6_failed : pair->v4_worked > pair->v4_failed;
    }
    return works;
}

uint32_t judge_device_silence_s(const struct judge *judge, bool only_if_server_broke_it)
{
    const struct device *device = device_of(judge);
    if (!device)
        return 0;
    return only_if_server_broke_it ? device->silence_down_s : device->silence_s;
}

struct losses judge_device_losses(const struct judge *judge)
{
    const struct device *device = device_of(judge);
    return device ? (struct losses){.up = device->up, .down = device->down}
                  : (struct losses){.up = {0}, .down = {0}};
}

uint32_t judge_longest_silence_s(const struct judge *judge, bool only_if_server_broke_it)
{
    const struct site *site = &judge->engine->site;
    return only_if_server_broke_it ? site->silence_down_s : site->silence_s;
}

uint32_t judge_keepalive_s(const struct judge *judge)
{
    return judge->engine->site.keepalive_s;
}

bool judge_network_distance(const struct judge *judge, const struct address *ip, int16_t *hops,
                            int32_t *rtt_us)
{
    return site_network_distance(&judge->engine->site, ip, hops, rtt_us);
}

uint32_t judge_sessions_answered_on_the_way(const struct judge *judge)
{
    return judge->engine->site.answered_on_the_way;
}

struct side_counts judge_sides(const struct judge *judge)
{
    return judge->engine->site.sides;
}

bool judge_is_apple(const struct judge *judge, const struct address *address)
{
    if (apple_owns(address))
        return true;
    for (size_t i = 0; i < judge->engine->apple_net_count; i++)
        if (prefix_contains(&judge->engine->apple_nets[i], address))
            return true;
    return false;
}

bool judge_session_is_open(const struct judge *judge)
{
    const struct device *device = device_of(judge);
    return device && device->open_sessions;
}

uint32_t judge_last_success_s(const struct judge *judge, bool is_provider)
{
    const struct device *device = device_of(judge);
    uint32_t newest = 0;
    for (enum way way = WAY_COURIER_5223; device && way < WAY_COUNT; way++)
        if (way_is_provider(way) == is_provider && device->way[way].worked_s > newest)
            newest = device->way[way].worked_s;
    return newest;
}

uint32_t judge_last_possible_success_s(const struct judge *judge, bool is_provider)
{
    const struct device *device = device_of(judge);
    uint32_t success_s = judge_last_success_s(judge, is_provider);
    return device && device->maybe_s > success_s ? device->maybe_s : success_s;
}

uint32_t judge_last_straight_success_s(const struct judge *judge)
{
    const struct device *device = device_of(judge);
    return device ? device->straight_s : 0;
}

uint32_t judge_last_failure_s(const struct judge *judge, enum way way)
{
    const struct device *device = device_of(judge);
    return device ? device->way[way].failed_s : 0;
}

uint32_t judge_device_good_answers(const struct judge *judge)
{
    const struct device *device = device_of(judge);
    return device ? device->good_answers : 0;
}

struct way_counts judge_server(const struct judge *judge, const struct address *ip, uint16_t port)
{
    return site_server(&judge->engine->site, ip, port);
}
