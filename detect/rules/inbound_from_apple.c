/* inbound-from-apple: a connection opened from Apple's ranges towards the inside.
 *
 * A rule of the fourth stage. APNs never needs one. Deliberately silent about services that any
 * network offers to the world: Apple's crawler and Apple's mail servers live in 17.0.0.0/8 too. */
#include "detect/judge.h"

static bool is_public_service(uint16_t port)
{
    /* SMTP, DNS, HTTP, HTTPS, submissions, submission, IMAPS: who offers these expects strangers */
    static const uint16_t ports[] = {25, 53, 80, 443, 465, 587, 993};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        if (ports[i] == port)
            return true;
    return false;
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    (void)state;
    const struct flow_record *flow = event->flow;
    char apple[ENDPOINT_TEXT_SIZE], inside[ENDPOINT_TEXT_SIZE], time[CLOCK_TEXT_SIZE];
    if (flow->role != ROLE_INBOUND || !(flow->saw & SAW_SYN) ||
        is_public_service(flow->server_port))
        return;
    struct finding finding = judge_draft(judge, event);
    endpoint_text(&flow->client_ip, flow->client_port, apple);
    endpoint_text(&flow->server_ip, flow->server_port, inside);
    finding_say(finding.summary, sizeof finding.summary,
                "%s, an address of Apple's, opened a connection to %s inside%s, at %s", apple,
                inside, flow->saw & SAW_SYN_ACK ? ", which accepted it" : "",
                clock_text(flow->started_ns, time));
    finding_say(finding.reasoning, sizeof finding.reasoning,
                "The SYN came from Apple's range towards the inside. APNs is always opened from "
                "inside; such a SYN is a forged sender, a scan, or another service.");
    finding_add_frame(&finding, flow->syn_frame, flow->started_ns, "SYN from outside");
    judge_raise(judge, &finding);
}

const struct detector detector_inbound_from_apple = {
    .code = "inbound-from-apple",
    .title = "Connection from Apple's range to the inside",
    .meaning = "APNs needs no inbound connection. A rule that lets these in is not needed for it, "
               "and the sender may be forged.",
    .rests_on = "A SYN from an Apple address to an inside one. A session seen from its middle is "
                "not enough, because its opener is then a guess.",
    .looks_like = "tcp.flags.syn == 1 && tcp.flags.ack == 0 && ip.src == 17.0.0.0/8.",
    .innocent = "Apple's crawler and mail servers connect to public web and mail servers: ports "
                "25, 53, 80, 443, 465, 587 and 993 are not reported. Sessions that began before "
                "the capture are not reported.",
    .remedy = "Remove inbound rules from 17.0.0.0/8 that were made for APNs: a stateful rule for "
              "outbound TCP 5223, 443 and 2197 is all it needs.",
    .severity = SEVERITY_WARN,
    .scope = SCOPE_SITE,
    .requirements = AGAINST(R7_OUTBOUND_ONLY),
    .events = ON(EVENT_FLOW_CLOSED),
    .observe = observe,
};
