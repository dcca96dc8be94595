/* Is it the network? How failed attempts are weighed against everything else that was seen.
 *
 * Rests on comparison: a port that fails for a device while another port reaches Apple is closed
 * by someone; a lone failure of a device that otherwise gets through is chance, or one server of
 * Apple's. Proven wrong by a success on the same way, which therefore silences a lone failure.
 * Deliberately ignores order in time, because failures are known later than the successes that
 * followed them. */
#include "attempts.h"

#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/counter.h"
#include "base/text.h"

/* An attempt that fails for less than this may have met an outage that was already passing. */
#define OUTAGE_NS (60 * NS_PER_S)
/* Failures that all lie within this, and that a working session follows, were an outage that passed
 * or a portal before the login, unless another way worked while this one failed. */
#define PASSING_NS (10 * 60 * NS_PER_S)
/* Another way that failed this soon before or after failed in the same outage: a device tries its
 * ports in turn, 30 s each at most (wire.md section 3). */
#define SAME_OUTAGE_NS (60 * NS_PER_S)
/* Shorter than this, a lone attempt of a device of which nothing else is seen says little: it may
 * have been leaving the network. Apple's own limit for an attempt is 30 s (wire.md section 3). */
#define LONE_ATTEMPT_NS (10 * NS_PER_S)

static const char comparison_mark[] = " Meanwhile, ";

bool is_attempt_at_apple(const struct flow_record *flow)
{
    return flow->server_is_apple && way_of(flow) != WAY_NONE && flow->role != ROLE_PROXY &&
           flow->path != PATH_EXPLICIT_PROXY;
}

static void case_add(struct attempt_case *attempt_case, const struct flow_record *flow)
{
    counter_up(&attempt_case->attempts);
    if (!address_equal(&attempt_case->server, &flow->server_ip))
        attempt_case->several_servers = true;
    if (flow->ip_version != 6)
        attempt_case->only_ipv6 = false;
    if (flow->started_ns < attempt_case->first_ns)
        attempt_case->first_ns = flow->started_ns;
    if (flow->last_ns > attempt_case->last_ns)
        attempt_case->last_ns = flow->last_ns;
}

struct attempt_case *attempts_note(struct attempts *attempts, const struct flow_record *flow)
{
    enum way way = way_of(flow);
    for (int i = 0; i < ATTEMPT_CASES; i++) {
        struct attempt_case *place = &attempts->cases[i];
        if (!place->attempts)
            *place = (struct attempt_case){.server = flow->server_ip,
                                           .first_ns = flow->started_ns,
                                           .last_ns = flow->last_ns,
                                           .port = flow->server_port,
                                           .way = (uint8_t)way,
                                           .only_ipv6 = flow->ip_version == 6};
        if (place->way == way) {
            case_add(place, flow);
            return place;
        }
    }
    return NULL;
}

/* A way that fails as often as it works proves nothing about another: both may have met the same
 * outage. */
static uint32_t credible(struct way_counts counts)
{
    return counts.worked > counts.failed ? counts.worked : 0;
}

/* Sessions that worked by other ways, and one of those ways. */
struct elsewhere {
    uint32_t own;
    uint32_t site;
    enum way own_way;
    enum way site_way;
};

static bool is_brief(const struct attempt_case *attempt_case)
{
    return attempt_case->last_ns - attempt_case->first_ns < PASSING_NS;
}

/* The other way failed at that time as well: that it works at others is no comparison. */
static bool failed_alike(const struct judge *judge, const struct attempt_case *attempt_case,
                         enum way other)
{
    int64_t failed_s = judge_last_failure_s(judge, other);
    return failed_s && failed_s >= (attempt_case->first_ns - SAME_OUTAGE_NS) / NS_PER_S &&
           failed_s <= (attempt_case->last_ns + SAME_OUTAGE_NS) / NS_PER_S;
}

static struct elsewhere look_elsewhere(const struct judge *judge,
                                       const struct attempt_case *attempt_case)
{
    struct elsewhere elsewhere = {0};
    enum way failing = (enum way)attempt_case->way;
    for (enum way way = WAY_COURIER_5223; way < WAY_COUNT; way++) {
        if (way == failing)
            continue;
        uint32_t own = credible(judge_device_way(judge, way));
        if (is_brief(attempt_case) && failed_alike(judge, attempt_case, way))
            own = 0;
        uint32_t site = credible(judge_site_way(judge, way));
        if (own && !elsewhere.own)
            elsewhere.own_way = way;
        if (site && !elsewhere.site)
            elsewhere.site_way = way;
        elsewhere.own += own;
        elsewhere.site += site;
    }
    return elsewhere;
}

/* The device does get through by this way at other times or to other servers. */
static bool weigh_against_own_success(const struct attempt_case *attempt_case,
                                      enum confidence *confidence)
{
    int64_t span_ns = attempt_case->last_ns - attempt_case->first_ns;
    *confidence = CONFIDENCE_POSSIBLE;
    if (attempt_case->only_ipv6 || attempt_case->attempts < 3 || span_ns < OUTAGE_NS)
        return false; /* one family, one server, one moment: other rules' matter, or chance */
    if (attempt_case->several_servers || attempt_case->is_near)
        *confidence = CONFIDENCE_LIKELY;
    return true;
}

/* Some way worked after the last failure, as far as the capture lets know. */
static bool recovered(const struct judge *judge, const struct attempt_case *attempt_case)
{
    uint32_t success_s =
        judge_last_possible_success_s(judge, way_is_provider((enum way)attempt_case->way));
    return success_s > attempt_case->last_ns / NS_PER_S;
}

/* A single attempt that met nothing for a few seconds: what a device leaves behind that goes. */
static bool is_lone_and_short(const struct attempt_case *attempt_case)
{
    return attempt_case->attempts == 1 &&
           attempt_case->last_ns - attempt_case->first_ns < LONE_ATTEMPT_NS;
}

/* Others get through by this way where this device does not. */
static bool weigh_against_others(const struct attempt_case *attempt_case,
                                 const struct elsewhere *elsewhere, enum confidence *confidence)
{
    bool is_repeated = attempt_case->attempts > 1;
    *confidence = is_repeated && (elsewhere->own || attempt_case->is_near) ? CONFIDENCE_CERTAIN
                  : is_repeated || attempt_case->is_near                   ? CONFIDENCE_LIKELY
                                                                           : CONFIDENCE_POSSIBLE;
    if (attempt_case->is_far && !attempt_case->several_servers)
        return false; /* one server of Apple's that answered for itself */
    return attempt_case->is_near || elsewhere->own || !is_lone_and_short(attempt_case);
}

bool attempts_weigh(const struct judge *judge, const struct attempt_case *attempt_case,
                    enum confidence *confidence)
{
    enum way way = (enum way)attempt_case->way;
    bool is_repeated = attempt_case->attempts > 1;
    if (attempt_case->only_ipv6 && judge_only_ipv4_works(judge, attempt_case->port))
        return false; /* ipv6-broken says it */
    bool is_open = !attempt_case->connects && judge_device_reached(judge, way);
    if (judge_device_way(judge, way).worked || is_open)
        return weigh_against_own_success(attempt_case, confidence);
    struct elsewhere elsewhere = look_elsewhere(judge, attempt_case);
    bool has_recovered = !elsewhere.own && recovered(judge, attempt_case);
    if (has_recovered && is_brief(attempt_case))
        return false;
    if (judge_site_way(judge, way).worked)
        return weigh_against_others(attempt_case, &elsewhere, confidence);
    if (has_recovered) {
        *confidence = CONFIDENCE_POSSIBLE; /* an outage that passed, as far as can be told */
        return is_repeated;
    }
    if (attempt_case->is_far && !attempt_case->several_servers)
        *confidence = CONFIDENCE_POSSIBLE;
    else if (!attempt_case->is_near && is_lone_and_short(attempt_case))
        *confidence = elsewhere.own || elsewhere.site ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    else if (elsewhere.own || elsewhere.site || (attempt_case->is_near && is_repeated))
        *confidence = CONFIDENCE_CERTAIN;
    else
        *confidence = CONFIDENCE_LIKELY;
    return true;
}

static const char *way_phrase(enum way way)
{
    static const char *const phrases[WAY_COUNT] = {
        [WAY_COURIER_5223] = "courier session on 5223|courier sessions on 5223",
        [WAY_COURIER_443] = "courier session on 443|courier sessions on 443",
        [WAY_COURIER_PROXY] = "courier session through a proxy|courier sessions through a proxy",
        [WAY_PROVIDER_443] = "provider session on 443|provider sessions on 443",
        [WAY_PROVIDER_2197] = "provider session on 2197|provider sessions on 2197",
        [WAY_PROVIDER_PROXY] = "provider session through a proxy|provider sessions through a proxy",
    };
    return phrases[way];
}

/* What tells the attempts that fail from those that work. */
static enum block_kind kind_of(const struct judge *judge, const struct attempt_case *attempt_case,
                               const struct elsewhere *elsewhere)
{
    bool works_here = judge_device_way(judge, (enum way)attempt_case->way).worked;
    bool server_works = judge_server(judge, &attempt_case->server, attempt_case->port).worked;
    if (attempt_case->is_far)
        return BLOCK_LISTENER;
    if (works_here)
        return server_works ? BLOCK_UNCLEAR : BLOCK_ADDRESS;
    /* others use this port, but not to the one server tried: a list of addresses looks the same */
    if (judge_site_way(judge, (enum way)attempt_case->way).worked && !server_works &&
        !attempt_case->several_servers)
        return BLOCK_UNCLEAR;
    return elsewhere->own || elsewhere->site ? BLOCK_PORT : BLOCK_UNCLEAR;
}

void attempts_compare(const struct judge *judge, const struct attempt_case *attempt_case,
                      struct finding *finding)
{
    enum way way = (enum way)attempt_case->way;
    struct elsewhere elsewhere = look_elsewhere(judge, attempt_case);
    bool is_open = attempt_case->connects && !attempt_case->says_no_name;
    if (!is_open && finding->kind != BLOCK_ROUTE)
        finding->kind = kind_of(judge, attempt_case, &elsewhere);
    uint32_t own = judge_device_way(judge, way).worked;
    uint32_t others = judge_site_way(judge, way).worked - own;
    const char *barred = others ? "it is not the whole way to Apple that is barred"
                                : "it is this port that is barred, not the way to Apple";
    char *old = strstr(finding->reasoning, comparison_mark);
    if (old)
        *old = '\0';
    struct text text = text_after(finding->reasoning, sizeof finding->reasoning);
    text_add(&text, comparison_mark);
    if (own)
        text_format(&text,
                    "%s of the same device worked, so the port is not closed to it "
                    "always or everywhere.",
                    COUNTED(own, way_phrase(way)));
    else if (elsewhere.own)
        text_format(&text, "%s of the same device worked: %s.",
                    COUNTED(elsewhere.own, way_phrase(elsewhere.own_way)), barred);
    else if (elsewhere.site)
        text_format(&text, "%s of this network worked: %s.",
                    COUNTED(elsewhere.site, way_phrase(elsewhere.site_way)), barred);
    else if (finding->is_before_capture)
        text_add(&text, "nothing shows that an answer reaches this device by another port.");
    else if (attempt_case->connects)
        text_add(&text, "nothing shows that this device gets through by another port: what "
                        "stops it may well cover them all.");
    else
        text_add(&text, "nothing shows that this device reaches Apple by another port, so an "
                        "outage of the whole uplink would look the same.");
    if (!own && others)
        text_format(&text,
                    " Others reach Apple on this port (%s): it concerns this "
                    "device, its network or these servers.",
                    COUNTED(others, "session"));
}

bool attempts_draft(struct judge *judge, const struct attempt_case *attempt_case,
                    const struct event *event, struct finding *finding)
{
    enum confidence confidence = CONFIDENCE_LIKELY;
    if (attempt_case && !attempts_weigh(judge, attempt_case, &confidence))
        return false;
    if (judge_only_counts(judge, event, confidence))
        return false;
    *finding = judge_draft(judge, event);
    finding->confidence = confidence;
    if (attempt_case && !judge_kept(judge, finding->server_port)) {
        finding->count = attempt_case->attempts; /* earlier ones were held back */
        finding->first_ns = attempt_case->first_ns;
    }
    return true;
}

void attempts_raise(struct judge *judge, const struct attempt_case *attempt_case,
                    struct finding *finding)
{
    if (attempt_case)
        attempts_compare(judge, attempt_case, finding);
    judge_raise(judge, finding);
}

void attempts_review(struct judge *judge, const struct attempts *attempts)
{
    attempts_review_unless(judge, attempts, NULL);
}

void attempts_review_unless(struct judge *judge, const struct attempts *attempts,
                            const char *better_code)
{
    for (int i = 0; i < ATTEMPT_CASES && attempts->cases[i].attempts; i++) {
        const struct attempt_case *attempt_case = &attempts->cases[i];
        struct finding *kept = judge_kept(judge, attempt_case->port);
        if (!kept)
            continue;
        bool has_better = better_code && judge_has_finding(judge, better_code, attempt_case->port);
        if (has_better || !attempts_weigh(judge, attempt_case, &kept->confidence)) {
            judge_withdraw(judge, kept);
            continue;
        }
        attempts_compare(judge, attempt_case, kept);
    }
}
