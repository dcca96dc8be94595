/* dns-redirected: a resolver leads push names to addresses that are not Apple's.
 *
 * A rule of the fourth stage. Rests on the addresses in the answer. Deliberately leaves out
 * configuration hosts (partly on a CDN), the retired binary interface, and addresses that mean
 * "nowhere", which are dns-blocked's. */
#include <string.h>

#include "detect/judge.h"
#include "model/apple.h"

/* A captive portal answers every name with itself until the user has logged in. */
#define PORTAL_NS (5 * 60 * NS_PER_S)

struct state {
    int64_t first_ns;
    int64_t last_ns;
    uint32_t count;
    uint16_t last_id; /* of the answer counted last: the same one seen twice counts once */
};

static bool is_nowhere(const struct address *address)
{
    return address_is_unspecified(address) || address_is_loopback(address);
}

static const struct address *foreign_address(const struct judge *judge,
                                             const struct dns_message *dns, bool *all_foreign)
{
    const struct address *foreign = NULL;
    *all_foreign = true;
    for (unsigned i = 0; i < dns->address_count; i++) {
        const struct address *address = &dns->addresses[i];
        bool is_harmless =
            is_nowhere(address) || judge_is_apple(judge, address) || apple_may_own(address);
        if (is_harmless)
            *all_foreign = false;
        else if (!foreign)
            foreign = address;
    }
    return foreign;
}

static bool is_judged_name(const char *name)
{
    return is_push_host(name) && !is_bag_host(name) && strncmp(name, "gateway.", 8) != 0 &&
           strncmp(name, "feedback.", 9) != 0;
}

static bool was_counted(const struct state *state, const struct event *event)
{
    return state->count && state->last_id == event->dns->id &&
           event->time_ns - state->last_ns < 5 * NS_PER_S;
}

static void describe(const struct event *event, const struct address *foreign,
                     struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], resolver[ADDRESS_TEXT_SIZE], answer[ADDRESS_TEXT_SIZE];
    address_text(&event->client, client);
    address_text(&event->resolver, resolver);
    address_text(foreign, answer);
    finding_say(finding->summary, sizeof finding->summary,
                "The resolver %s told %s that %.100s is at %s, which is %s", resolver, client,
                event->dns->name, answer,
                address_is_private(foreign) ? "a private address" : "not Apple's");
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "Couriers and api.push.apple.com have addresses in 17.0.0.0/8 and Apple's IPv6 "
                "ranges only%s%.80s.",
                event->dns->canonical[0] ? "; the answer leads there by way of " : "",
                event->dns->canonical);
    finding_add_frame(finding, event->frame, event->time_ns, "answer %s", answer);
}

/* Soon over, and good answers or a session straight to Apple since: a captive portal before the
 * login. A session that works where the answer led proves nothing of the kind. */
static void review(struct judge *judge, const struct state *state)
{
    struct finding *kept = judge_kept(judge, 53);
    bool is_well = judge_device_good_answers(judge) ||
                   judge_last_straight_success_s(judge) > state->last_ns / NS_PER_S;
    if (kept && is_well && state->last_ns - state->first_ns < PORTAL_NS)
        judge_withdraw(judge, kept);
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    bool all_foreign;
    if (event->kind == EVENT_CAPTURE_END) {
        review(judge, state);
        return;
    }
    const struct dns_message *dns = event->dns;
    if (dns->rcode != DNS_NOERROR || !dns->address_count || !is_judged_name(dns->name))
        return;
    const struct address *foreign = foreign_address(judge, dns, &all_foreign);
    if (!foreign || was_counted(state, event))
        return;
    if (!state->count++)
        state->first_ns = event->time_ns;
    state->last_ns = event->time_ns;
    state->last_id = dns->id;
    struct finding finding = judge_draft(judge, event);
    finding.confidence = all_foreign ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    describe(event, foreign, &finding);
    judge_raise(judge, &finding);
}

const struct detector detector_dns_redirected = {
    .code = "dns-redirected",
    .title = "DNS leads push names away from Apple",
    .meaning = "Devices that ask this resolver connect to somebody else's address instead of "
               "Apple's. Unless a clean pass-through stands there, notifications do not arrive.",
    .rests_on = "An answer for a courier's or provider's name with an address outside Apple's "
                "ranges and their NAT64 forms. An address of Apple's that the program's table "
                "lacks (--apple-net adds it) would prove it wrong.",
    .looks_like = "dns.flags.response == 1 && dns.qry.name contains \"push.apple.com\" && dns.a && "
                  "!(dns.a == 17.0.0.0/8).",
    .innocent = "init-p01st.push.apple.com on a CDN, NAT64 addresses with 17.x inside, Apple's "
                "wider IPv6 allocations, and a captive portal that answers so for a few minutes "
                "before the login are not reported.",
    .remedy = "On the resolver named remove local zones, response policies (RPZ) and category "
              "filters for push.apple.com, apple.com and akadns.net, so that *.push.apple.com "
              "resolves to 17.0.0.0/8.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_RESOLUTION,
    .place = PLACE_AT_RESOLVER,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R8_DNS),
    .events = ON(EVENT_DNS_ANSWER) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct state),
    .observe = observe,
};
