/* transparent-proxy: a box on the way answers in Apple's name.
 *
 * A rule of the fourth stage. Rests on two measures that agree: the handshake is answered from a
 * few hops and in no time, and either the hello's answer takes the real way's time or the same
 * network of Apple's, or Apple elsewhere, is known to be farther; or on a server too old for the
 * only version offered, or on one that answers a ClientHello with text. Distance or time alone are
 * never enough (a firewall may rewrite TTLs, a near server may be slow). Deliberately gives way
 * where the certificate, or the device's refusal of it, already says that TLS is opened. */
#include <stdio.h>

#include "base/counter.h"
#include "base/text.h"
#include "hello.h"
#include "resets.h"

/* Nearer and faster than this the rule looks closer. */
enum { NEAR_HOPS = 4, NEAR_US = 3000 };
/* The hello's answer comes from behind the one who answered the SYN. */
enum { SLOW_HELLO_US = 8000, SLOW_HELLO_TIMES = 6 };
/* Another session's round trip is longer by so much that it ends elsewhere. */
enum { FARTHER_TIMES = 3, FARTHER_US = 3000 };
/* Without Apple's distance to compare: so many sessions of the site. */
enum { UNCOMPARED_NEEDED = 3 };

struct port_case {
    uint16_t port; /* 0: this place is free */
    uint16_t near;
    uint16_t slow; /* of them with the hello answered from farther away */
    uint16_t downgraded;
    uint16_t texts;  /* answers that are text, as a portal's page is */
    uint32_t text_s; /* when the last one came, in seconds */
    uint16_t worked;
    uint16_t failed;
    uint8_t hops; /* of the first near one */
    int32_t rtt_us;
    int32_t hello_us;
};

enum { PORT_CASES = 3 };

struct state {
    struct port_case cases[PORT_CASES];
};

static bool is_near(const struct flow_record *flow)
{
    return flow_is_answered_within(flow, NEAR_HOPS, NEAR_US);
}

static bool is_slow(const struct flow_record *flow)
{
    return flow->tls_hello_us >= SLOW_HELLO_US &&
           flow->tls_hello_us / SLOW_HELLO_TIMES >= flow->rtt_server_us;
}

static bool answers_text(const struct flow_record *flow)
{
    return flow->evidence && flow->evidence->answer.text[0] != '\0';
}

static struct port_case *case_of(struct state *state, uint16_t port)
{
    for (int i = 0; i < PORT_CASES; i++) {
        struct port_case *place = &state->cases[i];
        if (!place->port)
            place->port = port;
        if (place->port == port)
            return place;
    }
    return NULL;
}

static void count(uint16_t *counter, bool really)
{
    if (really)
        counter_up(counter);
}

static void note(struct port_case *place, const struct flow_record *flow)
{
    bool near = is_near(flow), slow = near && is_slow(flow);
    if (near && (!place->near || (slow && !place->slow))) {
        place->hops = (uint8_t)flow->hops_server;
        place->rtt_us = flow->rtt_server_us;
        place->hello_us = flow->tls_hello_us;
    }
    count(&place->near, near);
    count(&place->slow, slow);
    count(&place->downgraded, flow_is_downgraded(flow));
    count(&place->texts, answers_text(flow));
    if (answers_text(flow))
        place->text_s = (uint32_t)(flow->last_ns / NS_PER_S);
    count(&place->worked, flow_works(flow));
    count(&place->failed, !flow_works(flow));
}

/* ---- weighing, at the end ---- */

struct reference {
    int16_t hops; /* -1: none */
    int32_t rtt_us;
    bool is_same_network;
};

static struct reference find_reference(const struct judge *judge, const struct port_case *place,
                                       const struct address *server)
{
    struct reference reference = {.hops = -1, .rtt_us = -1};
    int16_t hops = place->hops;
    if (judge_network_distance(judge, server, &reference.hops, &reference.rtt_us) &&
        hops_are_nearer(hops, reference.hops) && reference.rtt_us >= place->rtt_us + FARTHER_US &&
        reference.rtt_us / FARTHER_TIMES >= place->rtt_us) {
        reference.is_same_network = true;
        return reference;
    }
    int16_t apple_hops = judge_apple_hops(judge);
    reference.hops =
        place->slow && apple_hops >= 0 && hops_are_nearer(hops, apple_hops) ? apple_hops : -1;
    return reference;
}

enum { TEXTS_NEEDED = 2, TEXTS_SURE = 3 };

/* On all ports: a device turns from one to the other. A portal that lets the device through after a
 * while (a login) is no fault of the network. */
static uint32_t lasting_texts(const struct judge *judge, const struct state *state)
{
    uint32_t texts = 0, last_s = 0;
    for (int i = 0; i < PORT_CASES; i++) {
        texts += state->cases[i].texts;
        if (state->cases[i].text_s > last_s)
            last_s = state->cases[i].text_s;
    }
    return judge_last_straight_success_s(judge) < last_s ? texts : 0;
}

static bool weigh_texts(const struct judge *judge, const struct state *state,
                        enum confidence *confidence)
{
    uint32_t texts = lasting_texts(judge, state);
    *confidence = texts >= TEXTS_SURE ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    return texts >= TEXTS_NEEDED;
}

static bool weigh(const struct judge *judge, const struct port_case *place,
                  const struct reference *reference, enum confidence *confidence)
{
    uint16_t sure = reference->is_same_network ? place->near : place->slow;
    *confidence = place->downgraded > 1 || (reference->hops >= 0 && sure > 1) ? CONFIDENCE_CERTAIN
                                                                              : CONFIDENCE_LIKELY;
    if (place->downgraded || reference->is_same_network)
        return true;
    uint32_t alike = judge_sessions_answered_on_the_way(judge);
    if (reference->hops >= 0)
        return place->slow > 1 || alike > 1; /* one slow answer is a server's own */
    return place->slow && place->hops <= 2 && alike >= UNCOMPARED_NEEDED;
}

static bool stands(const struct judge *judge, const struct state *state,
                   const struct port_case *place, const struct reference *reference,
                   enum confidence *confidence)
{
    return (place->texts && weigh_texts(judge, state, confidence)) ||
           weigh(judge, place, reference, confidence);
}

static void explain(const struct port_case *place, const struct reference *reference,
                    struct finding *finding)
{
    struct text text = text_over(finding->reasoning, sizeof finding->reasoning);
    char rtt[DURATION_TEXT_SIZE], hello[DURATION_TEXT_SIZE], way[DURATION_TEXT_SIZE];
    if (place->texts)
        text_format(&text,
                    "%u ClientHello%s answered with text, which no server of Apple's does: a "
                    "captive portal, a block page or a filter speaks in Apple's name",
                    place->texts, place->texts == 1 ? " was" : "s were");
    if (place->near)
        text_format(&text, "%sThe SYN-ACK came from %d hop%s away within %s",
                    place->texts ? ". " : "", place->hops, place->hops == 1 ? "" : "s",
                    duration_text(place->rtt_us * NS_PER_US, rtt));
    if (place->slow)
        text_format(&text,
                    ", the answer to the ClientHello took %s: whoever accepted the "
                    "connection had to ask somebody farther away",
                    duration_text(place->hello_us * NS_PER_US, hello));
    if (reference->is_same_network)
        text_format(&text,
                    "; other sessions with the same network of Apple's end %d hops and %s "
                    "away",
                    reference->hops, duration_text(reference->rtt_us * NS_PER_US, way));
    else if (reference->hops >= 0)
        text_format(&text, "; Apple's servers are %d hops away in other sessions", reference->hops);
    if (place->downgraded)
        text_format(&text,
                    "%s%u ClientHello%s that offered TLS 1.3 only got an answer of an older "
                    "version, or the alert that it is not known, which no server of Apple's gives",
                    place->near || place->texts ? ". Besides, " : "", place->downgraded,
                    place->downgraded == 1 ? "" : "s");
    text_add(&text, ".");
    if (place->worked && !place->failed)
        text_add(&text, " APNs works through it, as TLS is passed on unopened: the connection is "
                        "direct no more, and lives as long as the box lets it.");
}

static void review(struct judge *judge, const struct state *state, const struct port_case *place)
{
    struct finding *kept = judge_kept(judge, place->port);
    if (!kept)
        return;
    struct reference reference = find_reference(judge, place, &kept->server_ip);
    if (judge_has_finding(judge, "tls-intercepted", place->port) ||
        judge_has_finding(judge, "tls-rejected-by-client", place->port) ||
        !stands(judge, state, place, &reference, &kept->confidence)) {
        judge_withdraw(judge, kept);
        return;
    }
    explain(place, &reference, kept);
}

/* ---- as sessions close ---- */

static void describe_text(const struct flow_record *flow, struct finding *finding)
{
    const struct answer_evidence *answer = &flow->evidence->answer;
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE];
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    finding_say(finding->summary, sizeof finding->summary,
                "%s sent a ClientHello to %s and was answered with text, not TLS: \"%s\"", client,
                server, answer->text);
    finding_add_frame(finding, flow->syn_ack_frame, syn_ack_ns(flow), "SYN-ACK, TTL %d",
                      flow->ttl_server);
    finding_add_frame(finding, answer->proof.frame, answer->proof.time_ns, "the answer: \"%s\"",
                      answer->text);
    finding->blocker_hops = flow->hops_server;
}

static void describe(const struct flow_record *flow, struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], where[64] = "";
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    if (is_near(flow))
        snprintf(where, sizeof where, " %d hop%s away", flow->hops_server,
                 flow->hops_server == 1 ? "" : "s");
    finding_say(finding->summary, sizeof finding->summary,
                "%s speaks with a box%s that answers in the name of %s", client, where, server);
    finding_add_frame(finding, flow->syn_ack_frame, syn_ack_ns(flow), "SYN-ACK, TTL %d",
                      flow->ttl_server);
    if (flow->hello_ns != TIME_UNKNOWN && flow->tls_hello_us >= 0)
        finding_add_frame(finding, flow->server_hello_frame,
                          flow->hello_ns + flow->tls_hello_us * NS_PER_US, "ServerHello, %s",
                          flow->tls_version >= 0x0304 ? "TLS 1.3" : "TLS 1.2 or older");
    else if (flow_is_downgraded(flow))
        finding_add_frame(finding, flow->alert_frame, flow->last_ns,
                          "the server's alert protocol_version (70)");
    finding->blocker_hops = is_near(flow) ? flow->hops_server : -1;
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    const struct flow_record *flow = event->flow;
    if (event->kind == EVENT_CAPTURE_END) {
        for (int i = 0; i < PORT_CASES; i++)
            if (state->cases[i].port)
                review(judge, state, &state->cases[i]);
        return;
    }
    if (!flow->server_is_apple || way_of(flow) == WAY_NONE || flow->path == PATH_EXPLICIT_PROXY ||
        !(flow->saw & SAW_SYN_ACK))
        return;
    if (!flow_is_downgraded(flow) && !answers_text(flow) &&
        !(flow->saw & SAW_SERVER_HELLO && is_near(flow)))
        return;
    struct port_case *place = case_of(state, flow->server_port);
    if (!place)
        return;
    note(place, flow);
    if (judge_only_counts(judge, event, CONFIDENCE_LIKELY))
        return;
    struct finding finding = judge_draft(judge, event);
    if (answers_text(flow))
        describe_text(flow, &finding);
    else
        describe(flow, &finding);
    judge_raise(judge, &finding); /* held until the end, when all there is to compare is known */
}

const struct detector detector_transparent_proxy = {
    .code = "transparent-proxy",
    .title = "A box on the way answers in Apple's name",
    .meaning = "A transparent proxy or filter accepts the connection itself and opens another one "
               "to Apple. APNs needs a direct, persistent connection: such boxes cut idle "
               "sessions, and what they decrypt, devices refuse.",
    .rests_on = "A handshake answered from at most four hops and three milliseconds away, and a "
                "ClientHello whose answer takes many times as long, or sessions to the same "
                "network of Apple's that end much farther away; or a server that answers a hello "
                "for TLS 1.3 only with an older version, or a ClientHello with text, and is not "
                "followed by a session that works. Without anything to compare it takes "
                "three such sessions. Slow servers of Apple's next door would prove it wrong.",
    .looks_like = "SYN and SYN-ACK within microseconds with an ip.ttl of 63 or 64, then a long "
                  "pause between Client Hello and Server Hello: tcp.flags.syn == 1 && "
                  "tcp.flags.ack == 1 && ip.ttl >= 60; compare tcp.time_delta of the Server "
                  "Hello. A portal: tcp.port == 5223 && http.response.",
    .innocent = "A server that is slow or near, a firewall that rewrites TTLs, a SYN proxy that "
                "answers the SYN and lets all that follows pass (Apple's data then comes from "
                "farther away than the SYN-ACK), caches of Apple's content and the configuration "
                "host near by, captures on the device itself, a captive portal that lets the "
                "device through later, and a "
                "server of the old version towards an old client are not reported. Where the "
                "certificate is seen to be foreign, or devices refuse it, that is reported "
                "instead.",
    .remedy = "Take TCP 5223, 443 and 2197 to 17.0.0.0/8 and Apple's IPv6 ranges out of the "
              "transparent proxy, WAN optimiser or web filter at the distance named (bypass "
              "before interception; not only \"do not decrypt\"), so that devices speak with "
              "Apple directly. A captive portal should let these addresses pass before login; a "
              "block page names the product whose policy it is.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_INSPECTION,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R4_DIRECT),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct state),
    .observe = observe,
};
