/* proxy-denied: the proxy refuses CONNECT to a push host.
 *
 * A rule of the fourth stage. Rests on the status that the proxy sends. Deliberately takes a 407
 * for what it mostly is, the first half of authentication, until no success follows. */
#include "base/counter.h"
#include "detect/judge.h"

enum { STATUS_AUTHENTICATE = 407 /* RFC 9110 section 15.5.8 */, AUTHENTICATIONS_NEEDED = 3 };

struct state {
    uint16_t authentications; /* 407 since the last success */
    uint16_t refusals;        /* other 4xx */
    uint16_t failures;        /* 5xx */
    uint16_t successes;
};

/* A success afterwards: the 407 was authentication, a lone 5xx was passing. */
static void allowed(struct judge *judge, struct state *state, const struct event *event)
{
    struct finding *kept = judge_kept(judge, event->flow->server_port);
    counter_up(&state->successes);
    if (kept && !state->refusals && state->failures <= 1)
        judge_withdraw(judge, kept);
    if (!state->refusals && state->failures <= 1)
        state->failures = 0;
    state->authentications = 0;
}

static bool is_worth_saying(struct state *state, uint16_t status)
{
    if (status == STATUS_AUTHENTICATE) {
        counter_up(&state->authentications);
        return !state->successes || state->authentications >= AUTHENTICATIONS_NEEDED;
    }
    counter_up(status < 500 ? &state->refusals : &state->failures);
    return status < 500 || !state->successes || state->failures > 1;
}

static const char *meaning_of(uint16_t status)
{
    switch (status) {
    case 403:
        return "forbidden by a rule";
    case STATUS_AUTHENTICATE:
        return "authentication demanded, and no success followed";
    case 502:
    case 503:
    case 504:
        return "the proxy itself could not reach Apple";
    default:
        return status < 500 ? "refused" : "the proxy failed";
    }
}

static void describe(const struct event *event, struct finding *finding)
{
    const struct flow_record *flow = event->flow;
    char client[ADDRESS_TEXT_SIZE], proxy[ENDPOINT_TEXT_SIZE];
    const char *host = flow->connect_host ? flow->connect_host : "a push host";
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, proxy);
    finding_say(finding->summary, sizeof finding->summary,
                "The proxy %s answered %u to CONNECT %.120s of %s: %s", proxy, flow->proxy_status,
                host, client, meaning_of(flow->proxy_status));
    finding_say(finding->reasoning, sizeof finding->reasoning,
                flow->proxy_status == STATUS_AUTHENTICATE
                    ? "The proxy asks for credentials and no CONNECT of this device to a push "
                      "host was allowed afterwards: the system's push service does not have them."
                    : "The status is the proxy's own answer to this CONNECT.");
    finding_add_frame(finding, flow->proxy_frame, event->time_ns, "proxy answers %u",
                      flow->proxy_status);
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    uint16_t status = event->flow->proxy_status;
    if (status >= 200 && status <= 299) {
        allowed(judge, state, event);
        return;
    }
    if (status < 400 || status > 599 || !is_worth_saying(state, status))
        return;
    struct finding finding = judge_draft(judge, event);
    finding.blocker_ip = event->flow->server_ip;
    if (status < 500 && status != STATUS_AUTHENTICATE)
        finding.confidence = CONFIDENCE_CERTAIN;
    describe(event, &finding);
    judge_raise(judge, &finding);
}

const struct detector detector_proxy_denied = {
    .code = "proxy-denied",
    .title = "Proxy refuses push hosts",
    .meaning = "The device asked a proxy for APNs and was turned away. Where the network gives no "
               "other way out, it gets no notifications.",
    .rests_on = "A 4xx or 5xx answer to a CONNECT for a push host. A later 2xx answer to the same "
                "device shows that a 407 was ordinary authentication, or a lone 5xx passing.",
    .looks_like = "http.request.method == \"CONNECT\" && http.request.uri contains "
                  "\"push.apple.com\", answered by http.response.code >= 400.",
    .innocent = "A 407 that is followed by a 200 is how proxies ask for credentials. A lone 502, "
                "503 or 504 with a success after it is an outage that passed.",
    .remedy = "On the proxy named allow CONNECT to *.push.apple.com:443 (and :5223, :2197 where "
              "used) without authentication and without TLS inspection; for 502 to 504 let the "
              "proxy itself reach 17.0.0.0/8. Or let devices go directly and list "
              "*.push.apple.com as DIRECT in the PAC file.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_PROXY,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R4_DIRECT),
    .events = ON(EVENT_PROXY_ANSWER),
    .state_size = sizeof(struct state),
    .observe = observe,
};
