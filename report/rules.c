/* Requirements that failed, as rules that a firewall team can enter.
 *
 * Part of the view. What APNs needs is known (Apple, "Use Apple products on enterprise networks");
 * who lacks it is what the capture shows. Deliberately knows no vendor's syntax. */
#include "rules.h"

#include "base/address.h"
#include "base/count.h"
#include "base/text.h"

#define APPLE_NETWORKS                                                                             \
    "17.0.0.0/8; with IPv6 also 2620:149:a44::/48, 2403:300:a42::/48, 2403:300:a51::/48, "         \
    "2a01:b740:a42::/48"

static const struct view_rule rules[] = {
    {R1_PORT_5223, "Allow", APPLE_NETWORKS, "TCP 5223",
     "outbound, stateful; no proxy, no inspection", false},
    {R2_FALLBACK_443, "Allow", APPLE_NETWORKS, "TCP 443",
     "outbound, stateful; no proxy, no inspection: the fallback of devices", false},
    {R3_WHOLE_RANGE, "Replace the list of addresses by", APPLE_NETWORKS, "TCP 5223, 443, 2197",
     "addresses change without notice; single ones must not be listed", false},
    {R4_DIRECT, "Exempt from inspection and proxy", "*.push.apple.com and 17.0.0.0/8",
     "TCP 5223, 443, 2197",
     "no TLS inspection, no name or category filter, no proxy; a root certificate on the devices "
     "does not help",
     false},
    {R5_PERSISTS, "Keep idle sessions", APPLE_NETWORKS, "TCP 5223, 443",
     "idle time-out of firewall and NAT at 60 minutes; 35 minutes is the least", false},
    {R6_MDM_SERVER, "Allow", APPLE_NETWORKS, "TCP 443 and 2197",
     "outbound, stateful, HTTP/2 untouched; 2195 and 2196 are retired", true},
    {R7_OUTBOUND_ONLY, "Close", "your own networks, from 17.0.0.0/8", "all",
     "nothing has to come in: every session is opened from inside", false},
    {R8_DNS, "Resolve unfiltered", "push.apple.com, apple.com, akadns.net", "DNS",
     "no block list, no redirection, no category filter for these names", false},
    {R9_IPV6, "Allow",
     "2620:149:a44::/48, 2403:300:a42::/48, 2403:300:a51::/48, 2a01:b740:a42::/48", "TCP 5223, 443",
     "as for IPv4; or take IPv6 away from these clients", false},
};

enum { RULE_COUNT = sizeof rules / sizeof rules[0], NETWORKS_SHOWN = 4 };

/* Opening a port helps where the port is closed, not where TCP opens and something later fails. */
static bool is_about_ports(enum requirement_code requirement)
{
    return requirement == R1_PORT_5223 || requirement == R2_FALLBACK_443 ||
           requirement == R6_MDM_SERVER;
}

static bool is_of_closed_port(const struct view_group *group)
{
    return strncmp(group->code, "port-", 5) == 0 || strcmp(group->code, "fallback-443") == 0;
}

/* Does a finding of that severity call for the rule? */
static bool is_called_for(const struct view *view, const struct view_rule *rule,
                          enum severity severity)
{
    for (size_t i = 0; i < view->group_count; i++) {
        const struct view_group *group = view->groups[i];
        if (group->severity == severity && group->about &&
            group->about->requirements >> rule->requirement & 1 &&
            (!is_about_ports(rule->requirement) || is_of_closed_port(group)))
            return true;
    }
    return false;
}

const struct view_rule *rules_at(const struct view *view, size_t n)
{
    bool has_faults = view->findings[SEVERITY_FAIL] > 0;
    enum requirement_status wanted = has_faults ? STATUS_FAIL : STATUS_WARN;
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (view->requirements[rules[i].requirement].status == wanted &&
            is_called_for(view, &rules[i], has_faults ? SEVERITY_FAIL : SEVERITY_WARN) && n-- == 0)
            return &rules[i];
    return NULL;
}

/* Networks as they are usually cut: /24, /64. */
static bool network_of(const char *ip, char text[PREFIX_TEXT_SIZE])
{
    struct address address;
    if (!ip || !address_parse(ip, &address))
        return false;
    struct prefix prefix = {address, address_is_ipv4(&address) ? 96 + 24 : 64};
    memset(prefix.base.byte + prefix.bits / 8, 0, sizeof prefix.base.byte - prefix.bits / 8);
    prefix_text(&prefix, text);
    return true;
}

void rules_from(const struct view *view, const struct view_rule *rule,
                char text[VIEW_SENTENCE_SIZE])
{
    struct text out = text_over(text, VIEW_SENTENCE_SIZE);
    char networks[NETWORKS_SHOWN][PREFIX_TEXT_SIZE];
    size_t count = 0, more = 0;
    text_add(&out, rule->is_of_servers ? "MDM servers" : "devices");
    /* affected addresses are sorted, so equal networks follow one another */
    for (size_t i = 0; i < view->affected.count; i++) {
        char network[PREFIX_TEXT_SIZE];
        if (!network_of(view->affected.at[i], network) ||
            (count && strcmp(network, networks[count - 1]) == 0))
            continue;
        if (count == NETWORKS_SHOWN)
            more++;
        else
            memcpy(networks[count++], network, sizeof network);
    }
    for (size_t i = 0; i < count; i++)
        text_format(&out, "%s%s", i ? ", " : ", here in ", networks[i]);
    if (more)
        text_format(&out, " and %s", COUNTED(more, "other network"));
}
