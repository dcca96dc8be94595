/* Requirements that failed, as rules that a firewall team can enter.
 *
 * Part of the view. What APNs needs is known (Apple, "Use Apple products on enterprise networks");
 * who lacks it is what the capture shows. Deliberately knows no vendor's syntax. */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/count.h"
#include "base/text.h"
#include "gather.h"

#define APPLE_NETWORKS                                                                             \
    "17.0.0.0/8; with IPv6 also 2620:149:a44::/48, 2403:300:a42::/48, 2403:300:a51::/48, "         \
    "2a01:b740:a42::/48"

#define PORTS     "port-blocked-silent port-refused port-unreachable fallback-443 "
#define INSPECTED "tls-intercepted tls-rejected-by-client transparent-proxy reset-injected "
#define FILTERED  "reset-after-client-hello stall-after-client-hello large-hello-blocked "
#define PROXIED   "explicit-proxy proxy-denied off-net-courier "

/* A requirement may fail for reasons that ask for different rules, or for none: opening a port
 * helps where the port is closed, not where TCP opens and something later fails. */
static const struct view_rule rules[] = {
    {R1_PORT_5223, "Allow", APPLE_NETWORKS, "TCP 5223",
     "outbound, stateful; no proxy, no inspection", PORTS, false, true, BLOCK_NONE},
    {R2_FALLBACK_443, "Allow", APPLE_NETWORKS, "TCP 443",
     "outbound, stateful; no proxy, no inspection: the fallback of devices", PORTS, false, true,
     BLOCK_NONE},
    {R1_PORT_5223, "Repair the route", APPLE_NETWORKS, "all",
     "on the router named, and its neighbours; no rule forbids it", "port-unreachable ", false,
     false, BLOCK_ROUTE},
    {R3_WHOLE_RANGE, "Replace the list of addresses by", APPLE_NETWORKS, "TCP 5223, 443, 2197",
     "addresses change without notice; single ones must not be listed", "partial-reachability ",
     false, false, BLOCK_NONE},
    {R4_DIRECT, "Exempt from inspection and proxy", "*.push.apple.com and 17.0.0.0/8",
     "TCP 5223, 443, 2197",
     "no TLS inspection, no name or category filter, no proxy; a root certificate on the devices "
     "does not help",
     INSPECTED FILTERED PROXIED, false, false, BLOCK_NONE},
    {R4_DIRECT, "Route both ways through one firewall", APPLE_NETWORKS, "TCP 5223, 443, 2197",
     "a firewall that does not see the SYN-ACK takes what follows for out of state, and drops it",
     "stall-after-client-hello ", false, false, BLOCK_AFTER_SYN},
    {R4_DIRECT, "Allow", "init.push.apple.com, by name", "TCP 443",
     "outbound, without TLS inspection; its addresses are not only Apple's", "bag-unreachable ",
     false, true, BLOCK_NONE},
    {R5_PERSISTS, "Keep idle sessions", APPLE_NETWORKS, "TCP 5223, 443",
     "idle time-out of firewall and NAT at 60 minutes; 35 minutes is the least", "idle-timeout ",
     false, false, BLOCK_NONE},
    {R5_PERSISTS, "Do not end sessions", APPLE_NETWORKS, "TCP 5223, 443",
     "no longest session life, no re-authentication that cuts them", "session-churn ", false, true,
     BLOCK_NONE},
    {R6_MDM_SERVER, "Allow", APPLE_NETWORKS, "TCP 443 and 2197",
     "outbound, stateful, HTTP/2 untouched; 2195 and 2196 are retired", PORTS, true, false,
     BLOCK_NONE},
    {R7_OUTBOUND_ONLY, "Close", "your own networks", "all",
     "APNs opens every session from inside; public servers of yours are another matter",
     "inbound-from-apple ", false, false, BLOCK_NONE},
    {R8_DNS, "Resolve unfiltered", "push.apple.com, apple.com, akadns.net", "DNS",
     "no block list, no redirection, no category filter for these names",
     "dns-blocked dns-redirected ", false, false, BLOCK_NONE},
    {R9_IPV6, "Allow",
     "2620:149:a44::/48, 2403:300:a42::/48, 2403:300:a51::/48, 2a01:b740:a42::/48", "TCP 5223, 443",
     "as for IPv4; or take IPv6 away from these clients", "ipv6-broken ", false, true, BLOCK_NONE},
};

enum { RULE_COUNT = sizeof rules / sizeof rules[0], NETWORKS_SHOWN = 4 };

static bool calls_for(const struct view_group *group, const struct view_rule *rule)
{
    char word[64];
    if (group->unruly != rule->unruly)
        return false;
    snprintf(word, sizeof word, "%s ", group->code);
    const char *at = strstr(rule->codes, word);
    return at && (at == rule->codes || at[-1] == ' ');
}

static enum severity severity_of_rules(const struct view *view)
{
    return view->findings[SEVERITY_FAIL] ? SEVERITY_FAIL : SEVERITY_WARN;
}

/* A fault or, where there is none, a warning calls for the rule. */
static bool is_called_for(const struct view *view, const struct view_rule *rule)
{
    for (size_t i = 0; i < view->group_count; i++)
        if (view->groups[i]->severity == severity_of_rules(view) &&
            calls_for(view->groups[i], rule))
            return true;
    return false;
}

const struct view_rule *rules_at(const struct view *view, size_t n)
{
    enum requirement_status wanted =
        severity_of_rules(view) == SEVERITY_FAIL ? STATUS_FAIL : STATUS_WARN;
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (view->requirements[rules[i].requirement].status == wanted &&
            is_called_for(view, &rules[i]) && n-- == 0)
            return &rules[i];
    return NULL;
}

/* Networks as they are usually cut: /24, /64. */
static bool network_of(const char *ip, struct prefix *network)
{
    struct address address;
    if (!ip || !address_parse(ip, &address))
        return false;
    *network = (struct prefix){address, address_is_ipv4(&address) ? 96 + 24 : 64};
    memset(network->base.byte + network->bits / 8, 0,
           sizeof network->base.byte - network->bits / 8);
    return true;
}

struct origin { /* of the traffic that a rule is about */
    struct prefix *networks;
    size_t count, room;
    bool has_devices, has_servers;
};

static void add_client(struct origin *origin, const struct view *view, const struct view_rule *rule,
                       const char *ip)
{
    struct prefix network;
    bool is_server = gather_has_name(&view->servers, ip);
    if (is_server ? rule->is_of_devices : rule->is_of_servers)
        return;
    origin->has_servers |= is_server;
    origin->has_devices |= !is_server;
    if (!network_of(ip, &network))
        return;
    if (origin->count == origin->room)
        origin->networks = gather_grow(origin->networks, &origin->room, sizeof network);
    origin->networks[origin->count++] = network;
}

static int by_network(const void *a, const void *b)
{
    const struct prefix *left = a, *right = b;
    return memcmp(left->base.byte, right->base.byte, sizeof left->base.byte);
}

static void add_networks(struct origin *origin, struct text *out)
{
    size_t more = 0, shown = 0;
    if (origin->count)
        qsort(origin->networks, origin->count, sizeof origin->networks[0], by_network);
    for (size_t i = 0; i < origin->count; i++) {
        char network[PREFIX_TEXT_SIZE];
        if (i && by_network(&origin->networks[i - 1], &origin->networks[i]) == 0)
            continue;
        if (shown == NETWORKS_SHOWN) {
            more++;
            continue;
        }
        prefix_text(&origin->networks[i], network);
        text_format(out, "%s%s", shown++ ? ", " : ", here in ", network);
    }
    if (more)
        text_format(out, " and %s", COUNTED(more, "other network"));
}

void rules_from(const struct view *view, const struct view_rule *rule,
                char text[VIEW_SENTENCE_SIZE])
{
    struct text out = text_over(text, VIEW_SENTENCE_SIZE);
    struct origin origin = {0};
    if (rule->requirement == R7_OUTBOUND_ONLY) {
        text_add(&out, "17.0.0.0/8");
        return;
    }
    for (size_t i = 0; i < view->group_count; i++)
        for (size_t k = 0; calls_for(view->groups[i], rule) && k < view->groups[i]->who.count; k++)
            add_client(&origin, view, rule, view->groups[i]->who.at[k]);
    bool is_of_servers = rule->is_of_servers || (origin.has_servers && !origin.has_devices);
    text_add(&out, is_of_servers        ? "MDM servers"
                   : origin.has_servers ? "devices and MDM servers"
                                        : "devices");
    add_networks(&origin, &out);
    free(origin.networks);
}
