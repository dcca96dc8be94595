/* explicit-proxy: a device reaches APNs through a proxy that it asked with CONNECT.
 *
 * A rule of the fourth stage. Deliberately only a warning: Apple allows a proxy on 443 that passes
 * traffic without decrypting it. */
#include "detect/judge.h"

static void observe(struct judge *judge, void *state, const struct event *event)
{
    (void)state;
    const struct flow_record *flow = event->flow;
    char client[ADDRESS_TEXT_SIZE], proxy[ENDPOINT_TEXT_SIZE];
    const char *host = flow->connect_host ? flow->connect_host : "a push host";
    if (flow->proxy_status < 200 || flow->proxy_status > 299) /* RFC 9110 section 9.3.6 */
        return;
    if (judge_only_counts(judge, event, CONFIDENCE_CERTAIN))
        return;
    struct finding finding = judge_draft(judge, event);
    finding.confidence = CONFIDENCE_CERTAIN;
    finding.blocker_ip = flow->server_ip;
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, proxy);
    finding_say(finding.summary, sizeof finding.summary,
                "%s goes to %.120s through the proxy %s, not directly", client, host, proxy);
    finding_say(finding.reasoning, sizeof finding.reasoning,
                "The client sent CONNECT %.120s in clear text and the proxy answered %u.", host,
                flow->proxy_status);
    finding_add_frame(&finding, flow->proxy_frame, event->time_ns, "proxy answers %u",
                      flow->proxy_status);
    judge_raise(judge, &finding);
}

const struct detector detector_explicit_proxy = {
    .code = "explicit-proxy",
    .title = "APNs goes through an explicit proxy",
    .meaning = "Notifications depend on the proxy: on its rules, its certificate store if it "
               "inspects, its idle timers and its capacity for many long-lived connections. "
               "Devices try a direct connection first.",
    .rests_on = "A CONNECT to a push host in clear text and a 2xx answer.",
    .looks_like = "http.request.method == \"CONNECT\" && http.request.uri contains "
                  "\"push.apple.com\", answered by http.response.code == 200.",
    .innocent = "A proxy that passes traffic without decrypting it is a supported way for port "
                "443; this is a warning about what notifications depend on, not a fault. CONNECTs "
                "to other hosts of Apple's are not reported.",
    .remedy = "Prefer a direct way: allow TCP 5223 and 443 to 17.0.0.0/8 past the proxy and list "
              "*.push.apple.com as DIRECT in the PAC file. Where the proxy must stay: no TLS "
              "inspection for these names, and idle timers of an hour or more.",
    .severity = SEVERITY_WARN,
    .kind = BLOCK_PROXY,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R4_DIRECT),
    .events = ON(EVENT_PROXY_ANSWER),
    .observe = observe,
};
