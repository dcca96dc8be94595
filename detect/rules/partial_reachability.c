/* partial-reachability: some of Apple's networks answer, others never do.
 *
 * A rule of the fourth stage, at the end of the capture: a firewall's list that knows only a part
 * of Apple's addresses. Rests on comparison by network, across devices. Deliberately counts only
 * attempts that TCP itself got no session from; what happens inside one is other rules' matter. */
#include <stdio.h>

#include "base/count.h"
#include "base/text.h"
#include "detect/judge.h"

/* An outage of one network of Apple's ends within this; a list does not. */
enum { OUTAGE_S = 600, FAILURES_NEEDED = 3 };

struct tally {
    uint32_t open;   /* networks */
    uint32_t closed; /* networks to which several devices, again and again, found no way */
    uint32_t attempts;
    uint32_t first_s, last_s; /* of the attempts at the closed ones */
    uint32_t gave_up_s;       /* when the first of them was over */
};

static bool is_open(const struct network *network)
{
    return network->worked && network->worked > network->failed;
}

static bool is_closed(const struct network *network)
{
    return !network->worked && network->unreached >= 2 && network->several_clients;
}

static struct tally count(const struct network *networks, uint32_t count)
{
    struct tally tally = {0};
    for (uint32_t i = 0; i < count; i++) {
        const struct network *network = &networks[i];
        tally.open += is_open(network);
        if (!is_closed(network))
            continue;
        if (!tally.closed || network->fail_first_s < tally.first_s)
            tally.first_s = network->fail_first_s;
        if (!tally.closed || network->gave_up_s < tally.gave_up_s)
            tally.gave_up_s = network->gave_up_s;
        if (network->fail_last_s > tally.last_s)
            tally.last_s = network->fail_last_s;
        tally.closed++;
        tally.attempts += network->unreached;
    }
    return tally;
}

/* The open networks were reached after some attempt at a closed one had failed and before another
 * began: no outage of the whole uplink. */
static bool is_interleaved(const struct judge *judge, const struct tally *tally, uint16_t port)
{
    enum way way = port == 5223 ? WAY_COURIER_5223 : WAY_COURIER_443;
    return judge_worked_between(judge, way, tally->gave_up_s, tally->last_s);
}

static bool weigh(const struct judge *judge, const struct tally *tally, uint16_t port,
                  enum confidence *confidence)
{
    bool lasts = tally->last_s - tally->first_s >= OUTAGE_S;
    if (!tally->open || !tally->closed || tally->attempts < FAILURES_NEEDED ||
        !is_interleaved(judge, tally, port))
        return false;
    *confidence = lasts && tally->closed > 1 ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    return lasts || tally->closed > 1;
}

static void list(struct text *text, const struct network *networks, uint32_t count,
                 bool (*belongs)(const struct network *))
{
    enum { LISTED = 6 };
    uint32_t all = 0;
    char prefix[PREFIX_TEXT_SIZE];
    for (uint32_t i = 0; i < count; i++)
        if (belongs(&networks[i]) && all++ < LISTED)
            text_format(text, "%s%s", all > 1 ? ", " : "",
                        prefix_text(&networks[i].prefix, prefix));
    if (all > LISTED)
        text_format(text, " and %u more", all - LISTED);
}

static void describe(const struct network *networks, uint32_t count, const struct tally *tally,
                     uint16_t port, struct finding *finding)
{
    struct text summary = text_over(finding->summary, sizeof finding->summary);
    text_format(&summary, "On port %u some of Apple's networks answer (", port);
    list(&summary, networks, count, is_open);
    text_add(&summary, ") and others never do (");
    list(&summary, networks, count, is_closed);
    text_add(&summary, ")");
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "%s of several devices to the second group got no session, in the same time in "
                "which the first group worked: a list of addresses, not the port, decides.",
                COUNTED(tally->attempts, "attempt"));
}

/* As many of each group as there is room for. */
static void show(const struct network *networks, uint32_t count, struct finding *finding)
{
    enum { SHOWN = FINDING_FRAMES_MAX / 2 };
    char prefix[PREFIX_TEXT_SIZE];
    uint32_t closed = 0, open = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct network *network = &networks[i];
        const char *name = prefix_text(&network->prefix, prefix);
        if (is_closed(network) && closed++ < SHOWN)
            finding_add_frame(finding, network->fail.frame, network->fail.time_ns,
                              "SYN to %s, in vain", name);
        else if (is_open(network) && network->success.frame && open++ < SHOWN)
            finding_add_frame(finding, network->success.frame, network->success.time_ns,
                              "SYN to %s, of a session that works", name);
    }
}

static void judge_port(struct judge *judge, const struct event *event, uint16_t port)
{
    struct network networks[NETWORKS_MAX];
    uint32_t found = judge_networks(judge, port, networks);
    struct tally tally = count(networks, found);
    struct finding finding = judge_draft(judge, event);
    if (!weigh(judge, &tally, port, &finding.confidence))
        return;
    finding.server_port = port;
    finding.first_ns = tally.first_s * NS_PER_S;
    finding.last_ns = tally.last_s * NS_PER_S;
    finding.count = tally.attempts;
    describe(networks, found, &tally, port, &finding);
    show(networks, found, &finding);
    finding_say(finding.display_filter, sizeof finding.display_filter,
                "tcp.port == %u && tcp.flags.syn == 1", port);
    judge_raise(judge, &finding);
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    (void)state;
    judge_port(judge, event, 5223);
    judge_port(judge, event, 443);
}

const struct detector detector_partial_reachability = {
    .code = "partial-reachability",
    .title = "Only a part of Apple's addresses is open",
    .meaning = "The firewall allows a fixed list of Apple's addresses. Apple moves couriers within "
               "its ranges, so devices connect or fail by chance, and more fail every month.",
    .rests_on = "By network (/16, or /48 of IPv6): several devices found no way to some, again and "
                "again, while others worked on the same port. One session to a network of the "
                "second group would prove it wrong for that network.",
    .looks_like = "tcp.flags.syn == 1 && tcp.port == 5223, grouped by ip.dst (Statistics, "
                  "Endpoints): some networks have SYN-ACKs, others none.",
    .innocent =
        "A single courier that is down, an outage of one network for some minutes or of the "
        "whole uplink, and the "
        "failures of a single device are not reported.",
    .remedy = "Allow all of 17.0.0.0/8, or at least 17.249.0.0/16, 17.252.0.0/16, 17.57.144.0/22, "
              "17.188.128.0/18, 17.188.20.0/23, 2620:149:a44::/48, 2403:300:a42::/48, "
              "2403:300:a51::/48 and 2a01:b740:a42::/48, on TCP 5223 and 443 outbound; not "
              "addresses that were resolved once.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_ADDRESS,
    .place = PLACE_ON_THE_WAY,
    .scope = SCOPE_SITE,
    .requirements = AGAINST(R3_WHOLE_RANGE),
    .events = ON(EVENT_CAPTURE_END),
    .observe = observe,
};
