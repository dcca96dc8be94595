/* session-churn: a device's sessions keep ending early, and not by the device.
 *
 * A rule of the fourth stage, for causes that no other rule names. Rests on repetition: one end by
 * the other side is Apple's right. Deliberately silent where the device ends its sessions itself.
 */
#include <stdio.h>

#include "base/count.h"
#include "base/counter.h"
#include "base/text.h"
#include "detect/judge.h"

/* Shorter than any heartbeat interval (wire.md section 3); Apple drains a courier now and then. */
#define EARLY_NS (10 * 60 * NS_PER_S)
enum { ENDS_NEEDED = 5, ENDS_CERTAIN = 10 };

struct state {
    int64_t first_ns;
    int64_t longest_ns;
    uint32_t lasting; /* sessions that were not ended early, since the first that was */
    uint16_t ends;
    uint16_t fins;
    bool several_servers;
    struct address server;
};

static bool is_courier(const struct flow_record *flow)
{
    enum way way = way_of(flow);
    return way != WAY_NONE && !way_is_provider(way);
}

static void note(struct state *state, const struct flow_record *flow, int64_t life_ns)
{
    if (!state->ends) {
        state->first_ns = flow->started_ns;
        state->server = flow->server_ip;
    }
    state->several_servers |= !address_equal(&state->server, &flow->server_ip);
    counter_up(&state->ends);
    state->fins += flow->ended_by == ENDED_SERVER_FIN;
    if (life_ns > state->longest_ns)
        state->longest_ns = life_ns;
}

static void describe(const struct flow_record *flow, const struct state *state,
                     struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], life[DURATION_TEXT_SIZE];
    address_text(&flow->client_ip, client);
    finding_say(finding->summary, sizeof finding->summary,
                "Sessions of %s that worked were ended early, none later than %s after it came up, "
                "and not by the device",
                client, duration_text(state->longest_ns, life));
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "%u ended by a reset from the server's side, %u by its FIN, at %s; a courier "
                "session lasts for hours where nothing cuts it. What ends them does not show.",
                state->ends - state->fins, state->fins,
                state->several_servers ? "several servers" : "one server");
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    const struct flow_record *flow = event->flow;
    if (!is_courier(flow) || flow->outcome != OUTCOME_ESTABLISHED ||
        flow->established_ns == TIME_UNKNOWN)
        return;
    int64_t life_ns = flow->last_ns - flow->established_ns;
    if (!flow_is_ended_by_server(flow) || life_ns > EARLY_NS) {
        state->lasting += state->ends && life_ns > EARLY_NS;
        return;
    }
    note(state, flow, life_ns);
    /* one server that is being drained, or sessions that last as often, are no habit */
    if (state->ends < ENDS_NEEDED || !state->several_servers || state->lasting >= state->ends)
        return;
    if (judge_has_finding(judge, "reset-injected", flow->server_port) ||
        judge_has_finding(judge, "idle-timeout", flow->server_port))
        return; /* the better name for it */
    struct finding finding = judge_draft(judge, event);
    finding.confidence = state->ends >= ENDS_CERTAIN ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    finding.first_ns = state->first_ns;
    finding.count = state->ends;
    describe(flow, state, &finding);
    finding_show_couriers(&finding);
    finding_add_frame(&finding, flow->reset_frame ? flow->reset_frame : flow->last_frame,
                      flow->last_ns, "the end of the last of these sessions");
    judge_renew(judge, &finding);
}

const struct detector detector_session_churn = {
    .code = "session-churn",
    .title = "Sessions keep ending early",
    .meaning = "The device's courier sessions are ended by the other side again and again within "
               "minutes. Each end costs battery and a moment without notifications.",
    .rests_on = "Five or more sessions of one device that worked, to several servers, each ended "
                "by a reset or FIN of the server's side within ten minutes, and not as many that "
                "lasted.",
    .looks_like = "Statistics, Conversations, TCP: many short sessions of one device to port 5223 "
                  "or 443, the first FIN or RST from the server's address.",
    .innocent = "Sessions that the device closes (roaming, sleep, a better path), one courier that "
                "Apple restarts, and sessions of many devices that end once at the same moment are "
                "not reported.",
    .remedy = "Look for a session limit, a forced re-authentication, a failover or a proxy with a "
              "maximum session life between the device and Apple, and exempt TCP 5223 and 443 to "
              "17.0.0.0/8 and Apple's IPv6 ranges.",
    .severity = SEVERITY_WARN,
    .kind = BLOCK_SESSION,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R5_PERSISTS),
    .events = ON(EVENT_FLOW_CLOSED),
    .state_size = sizeof(struct state),
    .observe = observe,
};
