/* port-refused: a reset answers the SYN.
 *
 * A rule of the fourth stage. Says who refused by distance: the reset's TTL against the distance
 * of Apple's servers. Deliberately never takes a distance for proof where it rests on an initial
 * TTL of 255, which home routers write into genuine resets too (wire.md section 5). */
#include <stdio.h>

#include "attempts.h"
#include "base/count.h"
#include "resets.h"

static void explain(const struct sender *sender, int ttl, struct finding *finding)
{
    char *to = finding->reasoning;
    size_t size = sizeof finding->reasoning;
    if (sender->hops < 0)
        finding_say(to, size, "A reset in answer to a SYN means that something refused it.");
    else if (sender->is_doubtful)
        finding_say(to, size,
                    "The reset's TTL of %d would fit a box %s away, but routers also write "
                    "such values into resets that pass, so it does not tell who sent it.",
                    ttl, COUNTED(sender->hops, "hop"));
    else if (sender->is_near)
        finding_say(to, size,
                    "The reset's TTL of %d puts its sender %s from the capture point, Apple's "
                    "servers are %d away: it was not sent by Apple.",
                    ttl, COUNTED(sender->hops, "hop"), sender->apple_hops);
    else if (sender->is_far)
        finding_say(to, size, "The reset's TTL of %d fits a sender as far away as Apple's servers.",
                    ttl);
    else if (sender->apple_hops < 0)
        finding_say(to, size,
                    "The reset's TTL of %d puts its sender %s from the capture point; no "
                    "session of Apple's was seen to compare it with.",
                    ttl, COUNTED(sender->hops, "hop"));
    else
        finding_say(to, size,
                    "The reset's TTL of %d fits a sender %s from the capture point, farther than "
                    "Apple's servers (%d): it does not tell who sent it.",
                    ttl, COUNTED(sender->hops, "hop"), sender->apple_hops);
}

static void describe(const struct flow_record *flow, const struct sender *sender,
                     struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], by[96];
    char delay[DURATION_TEXT_SIZE + 8] = "";
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    sender_name(sender, by, sizeof by);
    if (flow->reset_ns != TIME_UNKNOWN && flow->last_syn_ns != TIME_UNKNOWN &&
        flow->reset_ns >= flow->last_syn_ns) {
        char text[DURATION_TEXT_SIZE];
        snprintf(delay, sizeof delay, " after %s",
                 duration_text(flow->reset_ns - flow->last_syn_ns, text));
    }
    finding_say(finding->summary, sizeof finding->summary,
                "%s was refused at %s: a reset answered its SYN%s, sent %s", client, server, delay,
                by);
    explain(sender, flow->reset_ttl, finding);
    finding_add_frame(finding, flow->syn_frame, flow->started_ns, "SYN");
    finding_add_frame(finding, flow->reset_frame, flow->reset_ns, "RST, TTL %d", flow->reset_ttl);
    if (sender->is_near || (sender->apple_hops < 0 && !sender->is_doubtful))
        finding->blocker_hops = sender->hops;
    finding->blocker_is_far = sender->is_far;
    finding_name_mac(finding, flow);
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    struct attempts *attempts = state;
    if (event->kind == EVENT_CAPTURE_END) {
        attempts_review(judge, attempts);
        return;
    }
    const struct flow_record *flow = event->flow;
    if (flow->outcome != OUTCOME_REFUSED || !is_attempt_at_apple(flow))
        return;
    struct sender sender = sender_of_refusal(judge, flow);
    struct attempt_case *attempt_case = attempts_note(attempts, flow);
    if (attempt_case) {
        attempt_case->is_near |= sender.is_near;
        attempt_case->is_far = !attempt_case->is_near && sender.is_far;
    }
    struct finding finding;
    if (!attempts_draft(judge, attempt_case, event, &finding))
        return;
    describe(flow, &sender, &finding);
    attempts_raise(judge, attempt_case, &finding);
}

const struct detector detector_port_refused = {
    .code = "port-refused",
    .title = "Connection refused",
    .meaning = "Something answers in Apple's name that nobody listens on this port. Devices turn "
               "to another port at once, and are cut off when none is left.",
    .rests_on = "A reset in answer to the SYN. Who sent it follows from its TTL: initial values "
                "are 32, 64, 128 or 255, the difference is the distance, and Apple's distance is "
                "known from sessions that work. A working session of the same device on this port "
                "would prove a lone refusal to be one server's own.",
    .looks_like =
        "SYN, then RST with ACK: tcp.flags.reset == 1 && tcp.seq == 1 && tcp.ack == 1 && "
        "tcp.port == 5223. Compare ip.ttl of the RST with ip.ttl of a SYN-ACK of Apple's.",
    .innocent = "One server of Apple's may refuse while it restarts: a lone refusal from Apple's "
                "own distance is not reported when others get through on the port. A reset after "
                "the connection was accepted is a different matter. A TTL of 255 and a little "
                "less is not taken as a distance, because home routers rewrite it.",
    .remedy = "Find the firewall at the distance named (a traceroute from the client counts the "
              "same hops, less those before the capture point) whose rule rejects instead of "
              "drops. Where the reset comes from as far away as Apple is, no rule near you sends "
              "it: ask the provider. In each, allow outbound TCP 5223 and 443 (devices), 443 or "
              "2197 (MDM servers) to "
              "17.0.0.0/8 and Apple's IPv6 ranges, stateful, without a proxy.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_UNCLEAR,
    .scope = SCOPE_DEVICE,
    .is_of_its_port = true,
    .requirements = AGAINST(R1_PORT_5223) | AGAINST(R2_FALLBACK_443) | AGAINST(R6_MDM_SERVER),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct attempts),
    .observe = observe,
};
