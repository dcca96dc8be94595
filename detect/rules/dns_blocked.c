/* dns-blocked: a resolver denies push names, sends them nowhere, or is silent about them.
 *
 * A rule of the fourth stage. Rests on names that certainly exist: NXDOMAIN for another name under
 * push.apple.com may be the truth, and "no data" (NOERROR without addresses) is the right answer
 * for the bare courier name, for AAAA and for type 65, and of a network without IPv4 for A as well.
 * Deliberately tells silence only of a resolver that answers other questions meanwhile: the
 * capture may hold questions alone. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/counter.h"
#include "detect/judge.h"

enum {
    COURIER_NUMBER_MAX = 50, /* couriers are numbered 0 to 50 (wire.md section 1) */
    DENIALS_SURE = 2,
    REFUSALS_NEEDED = 2, /* devices ask the next resolver when one does not serve them */
    FAILURES_NEEDED = 3, /* a resolver may fail once while it looks the name up */
    EMPTY_NEEDED = 2,
    REPEATS_NEEDED = 3 /* of questions that went unanswered */
};
#define OUTAGE_NS  (5 * 60 * NS_PER_S)
#define SILENCE_NS (5 * NS_PER_S)
/* A mirror's copies of a question come within this; whoever waits for an answer waits for longer.
 */
#define COPY_NS (200 * NS_PER_MS)
/* Who has given up and asks again after this much begins anew; the first may have left. */
#define ANEW_NS (5 * 60 * NS_PER_S)

enum block { NOT_BLOCKED, SINKHOLE, DENIED, REFUSED, FAILED, EMPTY, SILENCE, BLOCK_COUNT };

/* Questions for push names since the last answer to one, whichever resolver was asked. */
struct silence {
    int64_t first_ns; /* of the first of them */
    uint64_t first_frame;
    int64_t last_ns; /* of the last question */
    uint16_t last_id;
    uint16_t questions;
    uint16_t repeats; /* the client asked the very same again: it had no answer */
};

struct state {
    int64_t first_ns;
    int64_t last_ns;
    uint16_t seen[BLOCK_COUNT];
    int64_t answered_ns; /* the last answer about a push name, whatever it said */
    uint16_t answered_id;
    uint16_t sinkholes_ipv4; /* of the sinkholes, those of A records */
    uint16_t last_id;
    bool has_good; /* an answer with addresses, of either family */
    struct silence silence;
};

static bool is_numbered_courier(const char *name)
{
    char *rest;
    if (!isdigit((unsigned char)name[0]) || strspn(name, "0123456789") > 2)
        return false;
    if (strtoul(name, &rest, 10) > COURIER_NUMBER_MAX)
        return false;
    return strcmp(rest, "-courier.push.apple.com") == 0 ||
           strcmp(rest, "-courier2.push.apple.com") == 0;
}

/* Names that Apple's own documents and devices use, so that "no such name" is never true. */
static bool exists_for_sure(const char *name)
{
    return strcmp(name, "api.push.apple.com") == 0 || strcmp(name, "init.push.apple.com") == 0 ||
           strcmp(name, "api.sandbox.push.apple.com") == 0 || is_numbered_courier(name);
}

static bool leads_nowhere(const struct dns_message *dns)
{
    for (unsigned i = 0; i < dns->address_count; i++)
        if (address_is_unspecified(&dns->addresses[i]) || address_is_loopback(&dns->addresses[i]))
            return true;
    return false;
}

/* Not even an alias: a name whose alias leads nowhere may be in repair. */
static bool is_empty(const struct dns_message *dns)
{
    return !dns->address_count && !dns->canonical[0] && !dns->is_truncated && !dns->answers_cut;
}

/* Errors count for A only: some resolvers and load balancers answer AAAA and type 65 with errors
 * although the name exists (RFC 4074 section 4), and devices live with that. */
static enum block block_of(const struct dns_message *dns)
{
    bool is_address_type = dns->type == DNS_A || dns->type == DNS_AAAA;
    if (!is_address_type || !is_push_host(dns->name) || strncmp(dns->name, "gateway.", 8) == 0 ||
        strncmp(dns->name, "feedback.", 9) == 0)
        return NOT_BLOCKED;
    if (dns->rcode == DNS_NOERROR && leads_nowhere(dns))
        return SINKHOLE;
    if (dns->type != DNS_A)
        return NOT_BLOCKED;
    switch (dns->rcode) {
    case DNS_NOERROR:
        return is_empty(dns) && exists_for_sure(dns->name) ? EMPTY : NOT_BLOCKED;
    case DNS_NXDOMAIN:
        return exists_for_sure(dns->name) ? DENIED : NOT_BLOCKED;
    case DNS_REFUSED:
        return REFUSED;
    case DNS_SERVFAIL:
        return FAILED;
    default:
        return NOT_BLOCKED;
    }
}

static uint32_t seen_in_all(const struct state *state)
{
    uint32_t seen = 0;
    for (int block = SINKHOLE; block < BLOCK_COUNT; block++)
        seen += state->seen[block];
    return seen;
}

static bool is_good(const struct dns_message *dns)
{
    return is_push_host(dns->name) && dns->rcode == DNS_NOERROR && dns->address_count &&
           !leads_nowhere(dns);
}

/* The same answer seen twice (two mirror ports) counts once. */
static bool was_counted(const struct state *state, const struct event *event)
{
    return seen_in_all(state) && state->last_id == event->dns->id &&
           event->time_ns - state->last_ns < 5 * NS_PER_S;
}

static void note(struct state *state, const struct event *event, enum block block)
{
    if (!seen_in_all(state))
        state->first_ns = event->time_ns;
    state->last_ns = event->time_ns;
    state->last_id = event->dns->id;
    counter_up(&state->seen[block]);
    if (block == SINKHOLE && event->dns->type == DNS_A)
        counter_up(&state->sinkholes_ipv4);
}

static bool is_enough(const struct state *state, enum block block, enum confidence *confidence)
{
    *confidence = CONFIDENCE_LIKELY;
    switch (block) {
    case SINKHOLE:
        *confidence = state->sinkholes_ipv4 ? CONFIDENCE_CERTAIN : CONFIDENCE_POSSIBLE;
        return true;
    case DENIED:
        if (state->seen[DENIED] >= DENIALS_SURE)
            *confidence = CONFIDENCE_CERTAIN;
        return true;
    case REFUSED:
        return state->seen[REFUSED] >= REFUSALS_NEEDED;
    case FAILED:
        return state->seen[FAILED] >= FAILURES_NEEDED;
    case EMPTY:
        return state->seen[EMPTY] >= EMPTY_NEEDED && !state->has_good;
    default:
        return false;
    }
}

static const char *answer_text(enum block block)
{
    static const char *const texts[BLOCK_COUNT] = {
        [SINKHOLE] = "an address that leads nowhere",
        [DENIED] = "NXDOMAIN (no such name)",
        [REFUSED] = "REFUSED",
        [FAILED] = "SERVFAIL",
        [EMPTY] = "without an address",
    };
    return texts[block];
}

static void describe(const struct event *event, enum block block, struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], resolver[ADDRESS_TEXT_SIZE];
    address_text(&event->client, client);
    address_text(&event->resolver, resolver);
    finding_say(finding->summary, sizeof finding->summary,
                "The resolver %s answered %s to %s for %.100s", resolver, answer_text(block),
                client, event->dns->name);
    finding_say(finding->reasoning, sizeof finding->reasoning,
                block == FAILED
                    ? "The resolver failed again and again on a name that exists; devices that ask "
                      "it find no courier."
                    : "The name exists and has addresses of Apple's, so the answer is the "
                      "resolver's own decision; devices that ask it find no courier.");
    finding_add_frame(finding, event->frame, event->time_ns, "answer: %s", answer_text(block));
}

/* A device that got good answers too, or whose sessions work, was not cut off by a short spell, nor
 * by a resolver that merely hides IPv6, or IPv4 where a network has none. Only good answers take
 * back an IPv4 address that leads nowhere: no disturbance makes one up, and sessions may live on a
 * remembered address. */
static void review(struct judge *judge, const struct state *state)
{
    struct finding *kept = judge_kept(judge, 53);
    bool has_good = judge_device_good_answers(judge);
    bool is_well = has_good || judge_last_possible_success_s(judge, false);
    bool is_short = state->last_ns - state->first_ns < OUTAGE_NS;
    bool hides_ipv6 = state->seen[SINKHOLE] && !state->sinkholes_ipv4 &&
                      seen_in_all(state) == state->seen[SINKHOLE];
    bool hides_ipv4 = state->seen[EMPTY] && seen_in_all(state) == state->seen[EMPTY];
    if (state->sinkholes_ipv4)
        is_well = has_good;
    if (hides_ipv4)
        is_well |= state->has_good;
    if (kept && is_well && (is_short || hides_ipv6 || hides_ipv4))
        judge_withdraw(judge, kept);
}

/* ---- silence ---- */

static void note_question(struct silence *silence, const struct event *event)
{
    const struct dns_message *dns = event->dns;
    int64_t since_ns = event->time_ns - silence->last_ns;
    bool is_first = silence->questions == 0 || since_ns > ANEW_NS;
    if (!is_first && silence->last_id == dns->id && since_ns < COPY_NS)
        return;
    if (is_first)
        *silence = (struct silence){.first_ns = event->time_ns, .first_frame = event->frame};
    if (is_first || silence->last_id != dns->id)
        counter_up(&silence->questions);
    else
        counter_up(&silence->repeats);
    silence->last_id = dns->id;
    silence->last_ns = event->time_ns;
}

/* It is heard, and devices ask for more than one courier before they give up. */
static bool is_silence(const struct silence *silence, const struct event *event)
{
    return silence->questions > 1 && silence->repeats >= REPEATS_NEEDED &&
           event->time_ns - silence->first_ns >= SILENCE_NS &&
           event->resolver_spoke_ns > silence->first_ns;
}

static void describe_silence(const struct silence *silence, const struct event *event,
                             struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], resolver[ADDRESS_TEXT_SIZE];
    address_text(&event->client, client);
    address_text(&event->resolver, resolver);
    finding_say(
        finding->summary, sizeof finding->summary,
        "The resolver %s does not answer the questions of %s for push names, such as %.100s",
        resolver, client, event->dns->name);
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "The client repeated its questions %u times, so no answer reached it, while the "
                "same resolver answered other questions: it drops those for push names.",
                silence->repeats);
    finding_add_frame(finding, silence->first_frame, silence->first_ns, "question");
    finding_add_frame(finding, event->frame, event->time_ns, "question, repeated in vain");
}

/* The mirror delivers the question after its answer. */
static bool is_late_copy(const struct state *state, const struct event *event)
{
    return state->answered_ns && state->answered_id == event->dns->id &&
           event->time_ns - state->answered_ns < COPY_NS;
}

static void take_question(struct judge *judge, struct state *state, const struct event *event)
{
    struct silence *silence = &state->silence;
    if (event->dns->type != DNS_A || !is_push_host(event->dns->name) || is_late_copy(state, event))
        return;
    note_question(silence, event);
    if (!is_silence(silence, event) || judge_last_success_s(judge, false))
        return;
    if (!state->seen[SILENCE]) {
        struct finding finding = judge_draft(judge, event);
        finding.first_ns = silence->first_ns;
        finding.count = silence->questions;
        describe_silence(silence, event, &finding);
        judge_raise(judge, &finding);
    }
    note(state, event, SILENCE);
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    enum confidence confidence;
    if (event->kind == EVENT_CAPTURE_END) {
        review(judge, state);
        return;
    }
    if (event->kind == EVENT_DNS_QUERY) {
        take_question(judge, state, event);
        return;
    }
    state->silence = (struct silence){0};
    state->answered_ns = event->time_ns;
    state->answered_id = event->dns->id;
    state->has_good |= is_good(event->dns);
    enum block block = block_of(event->dns);
    if (block == NOT_BLOCKED || was_counted(state, event))
        return;
    note(state, event, block);
    if (!is_enough(state, block, &confidence))
        return;
    struct finding finding = judge_draft(judge, event);
    if (!judge_kept(judge, finding.server_port)) {
        finding.count = seen_in_all(state);
        finding.first_ns = state->first_ns;
    }
    finding.confidence = confidence;
    describe(event, block, &finding);
    judge_raise(judge, &finding);
}

const struct detector detector_dns_blocked = {
    .code = "dns-blocked",
    .title = "DNS blocks push names",
    .meaning = "Devices that ask this resolver get no address for Apple's couriers. Those without "
               "a remembered address cannot connect at all.",
    .rests_on = "NXDOMAIN for a name that certainly exists, repeated REFUSED or SERVFAIL, an "
                "unspecified or loopback address in the answer, repeatedly no address at all for "
                "such a name, or silence: questions repeated in vain for 5 seconds while the "
                "resolver answers others. Good answers or working sessions of the same device "
                "soon after would prove a passing disturbance.",
    .looks_like = "dns.flags.response == 1 && dns.qry.name contains \"push.apple.com\" && "
                  "(dns.flags.rcode != 0 || dns.count.answers == 0 || dns.a == 0.0.0.0 || dns.aaaa "
                  "== ::), or dns.flags.response == 0 with the same dns.id again and again; often "
                  "for several numbers N-courier in a row, with no SYN afterwards.",
    .innocent = "NOERROR without an address where that is the right answer (the bare courier name, "
                "AAAA, type 65, and A in a network without IPv4, where AAAA is answered), errors "
                "for AAAA or type 65 only, a single SERVFAIL or REFUSED, NXDOMAIN for names that "
                "may not exist, \"::\" from a resolver that hides IPv6 while IPv4 is answered, and "
                "questions without an answer where nothing else of that resolver's was captured "
                "(the filter of a live run takes only answers about push names) are not reported.",
    .remedy =
        "On the resolver named take push.apple.com, apple.com and akadns.net off block lists, "
        "response policies (RPZ: also their actions NODATA and DROP) and category filters; for "
        "REFUSED let these clients use it, for SERVFAIL repair its way to the akadns.net name "
        "servers.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_RESOLUTION,
    .place = PLACE_AT_RESOLVER,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R8_DNS),
    .events = ON(EVENT_DNS_ANSWER) | ON(EVENT_DNS_QUERY) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct state),
    .observe = observe,
};
