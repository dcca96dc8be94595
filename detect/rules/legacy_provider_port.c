/* legacy-provider-port: attempts on 2195 or 2196, retired on 2021-03-31.
 *
 * A rule of the fourth stage. Says who still tries; deliberately says nothing of whether the
 * network lets it pass, because nobody answers there any more. */
#include "detect/judge.h"

static void observe(struct judge *judge, void *state, const struct event *event)
{
    (void)state;
    const struct flow_record *flow = event->flow;
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE];
    bool is_retired_port = flow->server_port == 2195 || flow->server_port == 2196;
    if (flow->role != ROLE_LEGACY_PROVIDER || !is_retired_port || !(flow->saw & SAW_SYN))
        return;
    if (judge_only_counts(judge, event, CONFIDENCE_CERTAIN))
        return;
    struct finding finding = judge_draft(judge, event);
    finding.confidence = CONFIDENCE_CERTAIN;
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    finding_say(finding.summary, sizeof finding.summary,
                "%s tried %s, the binary %s interface that Apple retired on 2021-03-31", client,
                server, flow->server_port == 2195 ? "provider" : "feedback");
    finding_say(finding.reasoning, sizeof finding.reasoning,
                "Nothing of Apple's listens on this port any more, so neither a block nor a pass "
                "is concluded; a server that still depends on it cannot send notifications.");
    finding_add_frame(&finding, flow->syn_frame, flow->started_ns, "SYN to the retired port");
    judge_raise(judge, &finding);
}

const struct detector detector_legacy_provider_port = {
    .code = "legacy-provider-port",
    .title = "Retired provider port in use",
    .meaning = "An MDM server or a port-test script still uses the binary interface on 2195 or "
               "2196. A server that depends on it sends nothing.",
    .rests_on = "A SYN to TCP 2195 or 2196 at Apple's.",
    .looks_like = "tcp.flags.syn == 1 && (tcp.dstport == 2195 || tcp.dstport == 2196) && ip.dst == "
                  "17.0.0.0/8.",
    .innocent = "Old firewall check lists still name these ports, so a script that tests them is "
                "the usual cause and does no harm. Other services on 2195 or 2196 outside Apple's "
                "addresses are not looked at.",
    .remedy = "Update the MDM server to the HTTP/2 interface (api.push.apple.com, TCP 443 or 2197) "
              "and drop 2195 and 2196 from port tests; the firewall rules for them can be removed.",
    .severity = SEVERITY_WARN,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R6_MDM_SERVER),
    .events = ON(EVENT_FLOW_CLOSED),
    .observe = observe,
};
