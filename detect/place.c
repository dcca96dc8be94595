/* Inside or beyond: what addresses, distances and MAC addresses prove of a block's author.
 *
 * Between the rules, which name address and distance of whoever blocks, and the reader, who must
 * know whose firewall team to call. Rests on what the user says (--home-net, --home-hops), and
 * else on what cannot be otherwise: a box no farther away than a router of the user's own is the
 * user's, for packets pass the one before they reach the other. Deliberately knows no third
 * answer between the two but "cannot tell"; a guess would send the reader to the wrong people. */
#include "place.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/text.h"
#include "detect/judge.h"
#include "model/apple.h"

void places_init(struct places *places)
{
    memset(places, 0, sizeof *places);
    places->home_hops = -1;
}

void places_add_home_net(struct places *places, const struct prefix *prefix)
{
    if (places->home_net_count < PLACE_HOME_NETS_MAX)
        places->home_nets[places->home_net_count++] = *prefix;
}

static bool in_home_nets(const struct places *places, const struct address *ip)
{
    for (uint32_t i = 0; i < places->home_net_count; i++)
        if (prefix_contains(&places->home_nets[i], ip))
            return true;
    return false;
}

/* RFC 6598 section 7: between a provider and its customers. */
static bool is_shared_space(const struct address *ip)
{
    static const struct prefix shared = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 100, 64}},
                                         96 + 10};
    return prefix_contains(&shared, ip);
}

static bool is_home(const struct places *places, const struct address *ip)
{
    if (places->home_net_count)
        return in_home_nets(places, ip);
    return address_is_private(ip) && !is_shared_space(ip);
}

/* Certainly another's: where the user says which addresses are the network's own. Providers number
 * routers privately too, and users theirs publicly, so that an address alone does not tell. */
static bool is_abroad(const struct places *places, const struct address *ip)
{
    return apple_owns(ip) || is_shared_space(ip) ||
           (places->home_net_count && !in_home_nets(places, ip) && !address_is_private(ip));
}

/* ---- learning ---- */

/* lane_count: none of that number. */
static uint32_t find_place(const struct places *places, uint32_t lane)
{
    uint32_t i = 0;
    while (i < places->lane_count && places->lanes[i].lane != lane)
        i++;
    return i;
}

static const struct place_lane *find_lane(const struct places *places, uint32_t lane)
{
    uint32_t at = find_place(places, lane);
    return at < places->lane_count ? &places->lanes[at] : NULL;
}

/* NULL when there are too many: nothing is learned of the others. */
static struct place_lane *take_lane(struct places *places, uint32_t lane)
{
    uint32_t at = find_place(places, lane);
    if (at == PLACE_LANES_MAX)
        return NULL;
    if (at == places->lane_count)
        places->lanes[places->lane_count++] = (struct place_lane){
            .lane = lane, .inside_hops = -1, .beyond_hops = -1, .farthest_client = -1};
    return &places->lanes[at];
}

static bool has_mac(const struct place_lane *lane, const uint8_t mac[6])
{
    for (uint8_t i = 0; i < lane->mac_count; i++)
        if (memcmp(lane->mac[i], mac, sizeof lane->mac[i]) == 0)
            return true;
    return false;
}

static void learn_mac(struct place_lane *lane, const struct flow_record *flow)
{
    if (!flow->has_server_mac || !flow->server_is_apple || !flow_works(flow) ||
        has_mac(lane, flow->server_mac))
        return;
    if (lane->mac_count == PLACE_MACS_MAX)
        lane->has_more_macs = true;
    else
        memcpy(lane->mac[lane->mac_count++], flow->server_mac, sizeof flow->server_mac);
}

static void learn_router(const struct places *places, struct place_lane *lane,
                         const struct flow_record *flow)
{
    if (!flow->icmp_frame || flow->icmp_ttl < 0)
        return;
    int16_t hops = ttl_hops(flow->icmp_ttl);
    if (is_home(places, &flow->icmp_source) && hops > lane->inside_hops) {
        lane->inside_hops = hops;
        lane->inside_ip = flow->icmp_source;
    } else if (is_abroad(places, &flow->icmp_source) &&
               (lane->beyond_hops < 0 || hops < lane->beyond_hops)) {
        lane->beyond_hops = hops;
        lane->beyond_ip = flow->icmp_source;
    }
}

static void learn_passing(struct place_lane *lane, const struct flow_record *flow)
{
    if (!flow_works(flow) || !(flow->saw & SAW_SYN) || !flow->server_is_apple)
        return;
    if (flow->was_passed_on)
        lane->passes_on = true;
    else
        lane->passes_unseen = true;
}

static void learn_client(struct place_lane *lane, const struct flow_record *flow)
{
    int16_t hops = hops_of_ttl(flow->ttl_client);
    if (flow->role != ROLE_INBOUND && hops > lane->farthest_client)
        lane->farthest_client = hops;
}

void places_learn(struct places *places, const struct flow_record *flow)
{
    struct place_lane *lane = take_lane(places, flow->lane);
    if (!lane)
        return;
    learn_mac(lane, flow);
    learn_router(places, lane, flow);
    learn_client(lane, flow);
    learn_passing(lane, flow);
}

bool places_mac_is_foreign(const struct places *places, uint32_t lane, const uint8_t mac[6])
{
    const struct place_lane *known = find_lane(places, lane);
    return known && known->mac_count && !known->has_more_macs && !has_mac(known, mac);
}

/* ---- judging ---- */

static void say(struct finding *finding, enum blocker_side side, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void say(struct finding *finding, enum blocker_side side, const char *format, ...)
{
    char because[FINDING_PLACE_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(because, sizeof because, format, list);
    va_end(list);
    finding->side = side;
    struct text text = text_over(finding->place, sizeof finding->place);
    text_format(&text, "%s: %s.",
                side == SIDE_INSIDE   ? "Inside your network"
                : side == SIDE_BEYOND ? "Beyond your network"
                                      : "Whether inside your network or beyond it cannot be told",
                because);
}

/* By --home-hops. */
static bool judge_by_edge(const struct places *places, struct finding *finding)
{
    if (places->home_hops < 0 || finding->blocker_hops < 0)
        return false;
    bool is_inside = finding->blocker_hops <= places->home_hops;
    say(finding, is_inside ? SIDE_INSIDE : SIDE_BEYOND,
        "it is %s away, and your network ends %s from the capture point (--home-hops)",
        COUNTED(finding->blocker_hops, "hop"), COUNTED(places->home_hops, "hop"));
    return true;
}

static bool judge_by_address(const struct places *places, struct finding *finding)
{
    const struct address *ip = &finding->blocker_ip;
    char text[ADDRESS_TEXT_SIZE];
    if (address_is_unspecified(ip))
        return false;
    address_text(ip, text);
    if (in_home_nets(places, ip))
        say(finding, SIDE_INSIDE, "%s is in your networks (--home-net)", text);
    else if (apple_owns(ip))
        say(finding, SIDE_BEYOND, "%s is Apple's", text);
    else if (judge_by_edge(places, finding))
        return true;
    else if (is_shared_space(ip))
        say(finding, SIDE_BEYOND,
            "%s is an address of the kind that providers use towards their "
            "customers (RFC 6598)",
            text);
    else if (is_home(places, ip))
        say(finding, SIDE_INSIDE,
            "%s is private, and such addresses count as yours unless "
            "--home-net says otherwise",
            text);
    else if (is_abroad(places, ip))
        say(finding, SIDE_BEYOND, "%s is not in your networks (--home-net)", text);
    else
        return false;
    return true;
}

/* By the routers that gave their addresses, and by the segment that is captured. */
static bool judge_by_distance(const struct places *places, struct finding *finding)
{
    const struct place_lane *lane = find_lane(places, finding->lane);
    int16_t hops = finding->blocker_hops;
    char text[ADDRESS_TEXT_SIZE];
    if (judge_by_edge(places, finding))
        return true;
    if (!lane || hops < 0)
        return false;
    bool may_be_inside = hops <= lane->inside_hops;
    bool may_be_beyond = lane->beyond_hops >= 0 && hops >= lane->beyond_hops;
    if (may_be_inside && !may_be_beyond)
        say(finding, SIDE_INSIDE, "it is no farther away than %s, a router of yours %s away",
            address_text(&lane->inside_ip, text), COUNTED(lane->inside_hops, "hop"));
    else if (may_be_beyond && !may_be_inside)
        say(finding, SIDE_BEYOND, "it is no nearer than %s, which is not yours and %s away",
            address_text(&lane->beyond_ip, text), COUNTED(lane->beyond_hops, "hop"));
    else if (hops == 0 && lane->farthest_client == 0 && !may_be_beyond)
        say(finding, SIDE_INSIDE,
            "no router lies between it and the clients, whose own segment "
            "this is");
    else
        return false;
    return true;
}

/* The capture was taken on the box itself, or on both of its sides. */
static bool judge_by_passing(const struct places *places, struct finding *finding)
{
    const struct place_lane *lane = find_lane(places, finding->lane);
    if (!finding->was_not_passed_on || !lane || !lane->passes_on || lane->passes_unseen)
        return false;
    say(finding, SIDE_INSIDE,
        "the box that was captured on both of its sides, or one between two capture points, took "
        "these SYNs in and did not pass them on, as it did with those of sessions that work");
    return true;
}

static void say_unclear(struct finding *finding)
{
    char text[ADDRESS_TEXT_SIZE];
    if (!address_is_unspecified(&finding->blocker_ip))
        say(finding, SIDE_UNCLEAR,
            "%s may be either; --home-net CIDR says which addresses are "
            "yours",
            address_text(&finding->blocker_ip, text));
    else if (finding->came_through_proxy)
        say(finding, SIDE_UNCLEAR,
            "it came through the proxy %s, which made it, or a box behind that proxy did",
            address_text(&finding->server_ip, text));
    else if (finding->kind == BLOCK_RESOLUTION)
        say(finding, SIDE_UNCLEAR,
            "a resolver may answer by a rule of its own or for another that "
            "it asks");
    else if (finding->blocker_hops >= 0)
        say(finding, SIDE_UNCLEAR,
            "nothing shows how far your network reaches; --home-hops N says "
            "how many hops away your last own box is");
    else
        say(finding, SIDE_UNCLEAR,
            "nothing that was captured gives its sender's address or "
            "distance; a second capture beyond the suspected box does "
            "(apnscope compare)");
}

void places_judge(const struct places *places, struct finding *finding)
{
    if (finding->kind == BLOCK_NONE)
        return;
    if (finding->has_blocker_mac && !finding->blocker_mac_differs)
        finding->has_blocker_mac =
            places_mac_is_foreign(places, finding->lane, finding->blocker_mac);
    if (judge_by_address(places, finding))
        return;
    if (finding->is_before_capture)
        say(finding, SIDE_INSIDE,
            "what the client never got passes the capture point again and again, so that it is "
            "lost between the two");
    else if (finding->blocker_is_far)
        say(finding, SIDE_BEYOND, "it answers from where Apple's servers are");
    else if (!judge_by_passing(places, finding) && !judge_by_distance(places, finding))
        say_unclear(finding);
}
