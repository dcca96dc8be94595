/* provider-untrusting: the MDM server does not trust Apple's certificate.
 *
 * A rule of the fourth stage. Rests on the server's own alert to a certificate that is seen to be
 * genuine, or to one of an unknown authority that nothing shows to be foreign; repeated, without a
 * session that works between. Deliberately leaves a foreign certificate to tls-intercepted, and the
 * devices' refusals to tls-rejected-by-client. */
#include <stdio.h>
#include <string.h>

#include "base/counter.h"
#include "resets.h"

/* An encrypted alert has the size of other short records, so it takes one more. */
enum { ALERTS_NEEDED = 2, HIDDEN_NEEDED = 3 };

/* RFC 8446 section 6.2: what libraries say of a chain they cannot build. OpenSSL says unknown_ca,
 * Java certificate_unknown, Go bad_certificate; an expired old root is certificate_expired. */
enum { ALERT_BAD_CERTIFICATE = 42, ALERT_EXPIRED = 45, ALERT_UNKNOWN = 46, ALERT_UNKNOWN_CA = 48 };

struct state {
    int64_t first_ns;
    struct proof first; /* the first alert */
    uint16_t genuine;   /* to a certificate that is seen to be Apple's */
    uint16_t unknown;   /* unknown_ca to one that cannot be judged */
    uint16_t hidden;    /* encrypted alerts, TLS 1.3 */
};

enum refusal { NOT_REFUSED, OF_GENUINE, OF_UNKNOWN, OF_HIDDEN };

static bool is_about_trust(int16_t alert)
{
    return alert == ALERT_BAD_CERTIFICATE || alert == ALERT_EXPIRED || alert == ALERT_UNKNOWN ||
           alert == ALERT_UNKNOWN_CA;
}

static enum refusal refusal_of(const struct judge *judge, const struct flow_record *flow)
{
    bool is_foreign = flow->certificate && !certificate_is_genuine(flow->certificate) &&
                      flow->certificate->judgement != CHAIN_CANNOT_TELL;
    if (!way_is_provider(way_of(flow)) || !(flow->saw & SAW_SYN) ||
        !(flow->saw & SAW_SERVER_HELLO) || !(flow->saw & SAW_FATAL_ALERT_UP) || flow_works(flow) ||
        is_foreign || flow_hides_certificate(flow))
        return NOT_REFUSED;
    if (flow->saw & SAW_ALERT_ENCRYPTED)
        return is_answered_from_near(judge, flow) ? NOT_REFUSED : OF_HIDDEN;
    if (certificate_is_genuine(flow->certificate) && is_about_trust(flow->alert_up))
        return OF_GENUINE;
    return flow->alert_up == ALERT_UNKNOWN_CA ? OF_UNKNOWN : NOT_REFUSED;
}

static void note(struct state *state, const struct flow_record *flow, enum refusal refusal)
{
    uint16_t *counter = refusal == OF_GENUINE   ? &state->genuine
                        : refusal == OF_UNKNOWN ? &state->unknown
                                                : &state->hidden;
    if (!state->first.frame) {
        state->first = (struct proof){.frame = flow->alert_frame, .time_ns = flow->last_ns};
        state->first_ns = flow->started_ns;
    }
    counter_up(counter);
}

static uint32_t refusals(const struct state *state)
{
    return (uint32_t)state->genuine + state->unknown + state->hidden;
}

static void explain(const struct state *state, struct finding *finding)
{
    const char *why =
        state->genuine ? "The certificate is Apple's own, under the authority that Apple uses: the "
                         "server's store of trusted authorities is too old or incomplete, or its "
                         "clock is wrong."
        : state->unknown
            ? "Nothing shows that the certificate is not Apple's: the server's store of trusted "
              "authorities is probably too old."
            : "TLS 1.3 hides the certificate and the alert. The handshake was answered from "
              "Apple's side and not from a box near by; an old store of trusted authorities is "
              "the usual cause, TLS inspection farther away would look the same.";
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "Each time the server refused the certificate, and no session to Apple worked in "
                "between. %s",
                why);
}

static void describe(const struct state *state, const struct flow_record *flow,
                     struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], alert[48];
    const char *issuer = flow->certificate ? flow->certificate->issuer_common_name : NULL;
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    if (flow->saw & SAW_ALERT_ENCRYPTED)
        snprintf(alert, sizeof alert, "an encrypted alert");
    else
        snprintf(alert, sizeof alert, "alert %d%s", flow->alert_up,
                 flow->alert_up == ALERT_UNKNOWN_CA ? " (unknown_ca)" : "");
    finding_say(finding->summary, sizeof finding->summary,
                "The MDM server %s does not trust the certificate of %s%s%.80s: it ends the "
                "handshake by %s",
                client, server, issuer ? ", issued by " : "", issuer ? issuer : "", alert);
    explain(state, finding);
    finding_add_frame(finding, state->first.frame, state->first.time_ns, "the first refusal");
    if (flow->hello_ns != TIME_UNKNOWN &&
        flow->tls_hello_us >= 0) /* it travels with the ServerHello */
        finding_add_frame(finding, flow->certificate_frame,
                          flow->hello_ns + flow->tls_hello_us * NS_PER_US,
                          "the certificate refused");
    finding_add_frame(finding, flow->alert_frame, flow->last_ns, "%s", alert);
}

static void raise(struct judge *judge, const struct state *state, const struct event *event)
{
    struct finding finding = judge_draft(judge, event);
    finding.confidence = state->genuine >= ALERTS_NEEDED ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    if (judge_only_counts(judge, event, finding.confidence))
        return;
    if (!judge_kept(judge, finding.server_port)) {
        finding.count = refusals(state);
        finding.first_ns = state->first_ns;
    }
    describe(state, event->flow, &finding);
    judge_raise(judge, &finding);
}

static void recover(struct judge *judge, struct state *state)
{
    judge_withdraw_doubtful(judge);
    memset(state, 0, sizeof *state);
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    const struct flow_record *flow = event->flow;
    if (event->kind == EVENT_FLOW_WORKS || flow_works(flow)) {
        if (way_is_provider(way_of(flow)))
            recover(judge, state);
        return;
    }
    enum refusal refusal = refusal_of(judge, flow);
    if (refusal == NOT_REFUSED)
        return;
    note(state, flow, refusal);
    if (state->genuine + state->unknown >= ALERTS_NEEDED || refusals(state) >= HIDDEN_NEEDED)
        raise(judge, state, event);
}

const struct detector detector_provider_untrusting = {
    .code = "provider-untrusting",
    .title = "The MDM server does not trust Apple",
    .meaning = "The MDM server reaches api.push.apple.com, but refuses its certificate. It can "
               "send no notification to any device, although the network lets it.",
    .rests_on =
        "At least two sessions (three where TLS 1.3 hides the alert) in which the MDM server ends "
        "the TLS handshake with an alert "
        "about the certificate (unknown_ca and the like), to a certificate that is Apple's "
        "or not seen to be another's, and no session of the server that works in between. "
        "A foreign certificate would prove it wrong: that is tls-intercepted.",
    .looks_like = "After the server's Certificate an alert of the client's: "
                  "tls.alert_message.desc == 48 && ip.dst == 17.0.0.0/8; with TLS 1.3 one client "
                  "record of 24 bytes right after the server's flight.",
    .innocent = "One refusal (an administrator's test with the wrong store), refusals before or "
                "after sessions that work, and devices that refuse a courier are not reported.",
    .remedy = "On the MDM server, update the store of trusted authorities (operating system, Java "
              "or container image): api.push.apple.com needs USERTrust RSA Certification "
              "Authority, since 2025, and before that AAA Certificate Services. Check the "
              "server's clock. To see the chain: openssl s_client -connect "
              "api.push.apple.com:443 -showcerts.",
    .severity = SEVERITY_FAIL,
    .place = PLACE_AT_SERVER,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R6_MDM_SERVER),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_FLOW_WORKS),
    .state_size = sizeof(struct state),
    .observe = observe,
};
