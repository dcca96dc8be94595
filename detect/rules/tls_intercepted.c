/* tls-intercepted: a certificate for a push host that Apple's rules exclude.
 *
 * A rule of the fourth stage. Rests on dissect/'s judgement of the chain, which checks names and
 * links and not the issuer's name alone. Sees certificates of TLS 1.2 and older only; what an
 * interception of TLS 1.3 looks like is tls-rejected-by-client's matter. */
#include <string.h>

#include "resets.h"

static bool is_judged_role(const struct flow_record *flow)
{
    return flow->role == ROLE_COURIER || flow->role == ROLE_PROVIDER || flow->role == ROLE_BAG ||
           flow->role == ROLE_PROXY;
}

static bool mentions_apple(const struct certificate_facts *certificate)
{
    const char *texts[] = {certificate->subject, certificate->issuer, certificate->top_issuer};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i] && (strstr(texts[i], "O=Apple Inc") || strstr(texts[i], "CN=Apple ")))
            return true;
    return false;
}

/* A certificate for another host: on 443 at Apple's it may be another service of Apple's, and a
 * session known by its timing alone may not be APNs at all. */
static bool other_host_tells(const struct flow_record *flow, enum confidence *confidence)
{
    bool names_push = is_push_host(flow->sni) || is_push_host(flow->connect_host);
    bool is_push_port = flow->server_port == 5223 || flow->server_port == 2197;
    if (mentions_apple(flow->certificate))
        return false;
    *confidence = names_push ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    return names_push || is_push_port || flow->reason == SCOPE_BY_NAME ||
           flow->reason == SCOPE_BY_ALPN;
}

static bool chain_tells(const struct flow_record *flow, enum confidence *confidence)
{
    switch (flow->certificate->judgement) {
    case CHAIN_FOREIGN:
    case CHAIN_SELF_SIGNED:
        *confidence = CONFIDENCE_CERTAIN;
        return true;
    case CHAIN_OTHER_HOST:
        return other_host_tells(flow, confidence);
    default:
        return false;
    }
}

static const char *known(const char *name)
{
    return name && *name ? name : "an unnamed issuer";
}

static const char *why(enum chain_judgement judgement)
{
    switch (judgement) {
    case CHAIN_SELF_SIGNED:
        return "The certificate claims a push host and is its own issuer";
    case CHAIN_OTHER_HOST:
        return "The certificate is for another host and not Apple's";
    default:
        return "The certificate claims a push host, but does not come from an authority that "
               "Apple uses for one";
    }
}

static void describe(const struct judge *judge, const struct event *event, struct finding *finding)
{
    const struct flow_record *flow = event->flow;
    const struct certificate_facts *certificate = flow->certificate;
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE];
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    finding_say(finding->summary, sizeof finding->summary,
                "%s was given a certificate by %s that is not Apple's: subject %.90s, issued by "
                "%.90s",
                client, server, known(certificate->subject), known(certificate->issuer));
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "%s; somebody on the way opens the TLS session. Apple's devices accept only "
                "Apple's own authority here, whatever roots are installed on them.",
                why(certificate->judgement));
    finding_add_frame(finding, flow->hello_frame, flow->started_ns, "ClientHello, SNI %.30s",
                      flow->sni ? flow->sni : "absent");
    finding_add_frame(finding, flow->certificate_frame,
                      event->kind == EVENT_FLOW_CLOSED ? flow->hello_ns : event->time_ns,
                      "Certificate of %.36s", known(certificate->issuer_common_name));
    if (is_answered_from_near(judge, flow))
        finding->blocker_hops = flow->hops_server;
    finding->came_through_proxy = flow->role == ROLE_PROXY;
}

/* What the client said to it: one cause, one finding. */
static void add_answer(struct judge *judge, const struct flow_record *flow)
{
    struct finding *kept = judge_kept(judge, flow->server_port);
    if (kept && kept->flow_number == flow->number && (flow->saw & SAW_FATAL_ALERT_UP))
        finding_add_frame(kept, flow->alert_frame, flow->last_ns, "the client's fatal alert %d",
                          flow->alert_up);
}

/* A signature that does not verify may also be damage in the capture: what became of the session
 * tells. A device that goes on has read it otherwise. */
static bool may_be_damaged(const struct flow_record *flow)
{
    return !flow->certificate->links_verify;
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    (void)state;
    const struct flow_record *flow = event->flow;
    enum confidence confidence;
    if (!flow->certificate || !is_judged_role(flow) || !chain_tells(flow, &confidence))
        return;
    bool is_late = may_be_damaged(flow);
    if (event->kind == EVENT_FLOW_CLOSED && !is_late) {
        add_answer(judge, flow);
        return;
    }
    if (is_late && (event->kind != EVENT_FLOW_CLOSED || flow_works(flow)))
        return;
    if (judge_only_counts(judge, event, confidence))
        return;
    struct finding finding = judge_draft(judge, event);
    finding.confidence = confidence;
    describe(judge, event, &finding);
    judge_raise(judge, &finding);
    if (is_late)
        add_answer(judge, flow);
}

const struct detector detector_tls_intercepted = {
    .code = "tls-intercepted",
    .title = "TLS is intercepted",
    .meaning = "A proxy or firewall decrypts the connection and shows its own certificate. Devices "
               "refuse it, always: Apple pins its own authority, and an enterprise root installed "
               "by profile does not help. No notification arrives by a connection that is "
               "inspected.",
    .rests_on = "The server's certificate in clear text (TLS 1.2 and older): one for a push host "
                "whose chain is not Apple's and not one of the public ones that Apple uses, or one "
                "for a different host in answer to a push name. A chain that ends in Apple Root CA "
                "and verifies would prove it wrong.",
    .looks_like = "tls.handshake.type == 11 && (tcp.port == 5223 || tcp.port == 443): the issuer "
                  "(x509sat) is the company's or the proxy vendor's instead of Apple's; often "
                  "followed by an alert from the client.",
    .innocent = "Apple's own chains, the public chains that Apple's push hosts have used, "
                "authorities given with --trust, other Apple services with their own names, and "
                "certificates that could not be read are not reported.",
    .remedy = "Exempt *.push.apple.com and all of 17.0.0.0/8 (and Apple's IPv6 ranges) from TLS "
              "inspection on ports 5223, 443 and 2197, on the box whose name or vendor stands in "
              "the issuer. Installing its root on the devices does not help.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_INSPECTION,
    .scope = SCOPE_DEVICE,
    .is_of_its_port = true,
    .requirements = AGAINST(R4_DIRECT) | AGAINST(R6_MDM_SERVER),
    .events = ON(EVENT_CERTIFICATE) | ON(EVENT_FLOW_CLOSED),
    .observe = observe,
};
