/* tls-rejected-by-client: the device refuses what the server shows, again and again.
 *
 * A rule of the fourth stage, and the sign of interception where TLS 1.3 hides the certificate.
 * Rests on repetition without a single success between: devices also close a fresh session because
 * they sleep, roam or find a better path. Deliberately leaves to tls-intercepted what that already
 * explains, and to provider-untrusting the MDM server with an old store of authorities. */
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/counter.h"
#include "base/text.h"
#include "resets.h"
#include "sentences.h"

enum { ALERTS_NEEDED = 2, CLOSES_NEEDED = 3 };
/* A device that refuses the server does so at once; one that closes later had other reasons. */
#define AT_ONCE_NS (10 * NS_PER_S)
/* Refusals that ended well within this, and were followed by a session that works, passed. */
#define PASSING_NS (10 * 60 * NS_PER_S)

/* RFC 8446 section 6 */
enum { ALERT_CLOSE_NOTIFY = 0, ALERT_UNKNOWN_CA = 48, ALERT_USER_CANCELED = 90 };

struct rejected {
    uint64_t frame;
    int64_t time_ns;
};

struct state {
    int64_t first_ns;
    int64_t last_ns;
    uint16_t alerts;
    uint16_t closes;
    struct rejected seen[CLOSES_NEEDED]; /* the first ones */
    struct {                             /* a finding is about one way of them */
        int64_t first_ns;
        uint32_t count;
    } by_way[WAY_COUNT];
};

enum rejection { NOT_REJECTED, BY_ALERT, BY_CLOSE };

static bool is_device_hello(const struct flow_record *flow)
{
    return flow->alpn && strstr(flow->alpn, "apns");
}

/* A clear alert after the server's flight. Programs other than Apple's (a browser, a port test)
 * offer other protocols in ALPN, and refusing Apple's authority is normal for them. */
static bool is_clear_alert(const struct flow_record *flow)
{
    if (!(flow->saw & SAW_FATAL_ALERT_UP) || flow->saw & SAW_ALERT_ENCRYPTED ||
        flow->alert_up == ALERT_CLOSE_NOTIFY || flow->alert_up == ALERT_USER_CANCELED)
        return false;
    if (flow->role == ROLE_PROVIDER)
        return flow->alert_up != ALERT_UNKNOWN_CA;
    return is_device_hello(flow) || !flow->alpn;
}

/* An encrypted alert has the size of a close_notify, so it counts as a refusal only together with
 * a device's hello and without the Connect message that a healthy session begins with. */
static bool is_early_close(const struct flow_record *flow)
{
    bool client_ended = flow->ended_by == ENDED_CLIENT_FIN || flow->ended_by == ENDED_CLIENT_RESET;
    bool at_once =
        flow->established_ns != TIME_UNKNOWN && flow->last_ns - flow->established_ns <= AT_ONCE_NS;
    return client_ended && at_once && flow->role != ROLE_PROVIDER && is_device_hello(flow) &&
           !(flow->saw & (SAW_CONNECT_MESSAGE | SAW_GAP_UP | SAW_CUT_PAYLOAD));
}

static enum rejection rejection_of(const struct judge *judge, const struct flow_record *flow)
{
    enum way way = way_of(flow);
    bool saw_flight = (flow->saw & SAW_SYN) && (flow->saw & SAW_SERVER_HELLO);
    if (way == WAY_NONE || !saw_flight || certificate_is_genuine(flow->certificate) ||
        flow_hides_certificate(flow) || flow_works(flow))
        return NOT_REJECTED;
    if (flow_is_downgraded(flow) || judge_has_finding(judge, "tls-intercepted", flow->server_port))
        return NOT_REJECTED; /* one cause, one finding: transparent-proxy's, tls-intercepted's */
    if (is_clear_alert(flow))
        return BY_ALERT;
    if (!is_early_close(flow))
        return NOT_REJECTED;
    return flow->saw & SAW_ALERT_ENCRYPTED ? BY_ALERT : BY_CLOSE;
}

static void note(struct state *state, const struct flow_record *flow, enum rejection rejection)
{
    uint32_t seen = (uint32_t)state->alerts + state->closes;
    if (seen < CLOSES_NEEDED)
        state->seen[seen] =
            (struct rejected){.frame = flow->alert_frame ? flow->alert_frame : flow->last_frame,
                              .time_ns = flow->last_ns};
    enum way way = way_of(flow);
    if (!seen)
        state->first_ns = flow->started_ns;
    if (!state->by_way[way].count++)
        state->by_way[way].first_ns = flow->started_ns;
    state->last_ns = flow->last_ns;
    uint16_t *counter = rejection == BY_ALERT ? &state->alerts : &state->closes;
    counter_up(counter);
}

static void name_alert(const struct flow_record *flow, char *text, size_t size)
{
    char name[ALERT_TEXT_SIZE];
    snprintf(text, size, "alert %s", alert_text(flow->alert_up, name));
    if (flow->saw & SAW_ALERT_ENCRYPTED)
        snprintf(text, size, "an encrypted alert");
    else if (!(flow->saw & SAW_FATAL_ALERT_UP))
        snprintf(text, size, "closing at once");
}

/* Where the one sits who answers, when the handshake shows it. */
static void add_place(const struct judge *judge, const struct flow_record *flow,
                      struct finding *finding)
{
    if (!is_answered_from_near(judge, flow))
        return;
    struct text text = text_after(finding->reasoning, sizeof finding->reasoning);
    text_format(&text, " It was answered from %s away within %d us: by a box on the way.",
                COUNTED(flow->hops_server, "hop"), flow->rtt_server_us);
    finding->blocker_hops = flow->hops_server;
}

static void describe(const struct state *state, const struct flow_record *flow,
                     struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], answer[48];
    uint32_t seen = (uint32_t)state->alerts + state->closes;
    address_text(&flow->client_ip, client);
    endpoint_text(&flow->server_ip, flow->server_port, server);
    name_alert(flow, answer, sizeof answer);
    finding_say(finding->summary, sizeof finding->summary,
                "%s refused what answered TLS in the name of %s, by %s", client, server, answer);
    finding_say(finding->reasoning, sizeof finding->reasoning,
                "In %u sessions on all of its ports the server's flight arrived and the device "
                "ended them at once (%u by alert, %u by closing) without the Connect message that "
                "a healthy session "
                "begins with, and no session worked in between. Devices do that when the "
                "certificate is not Apple's: TLS inspection is the usual cause.",
                seen, state->alerts, state->closes);
    static const char *const ordinals[CLOSES_NEEDED] = {"first", "second", "third"};
    for (uint32_t i = 0; i < seen && i < CLOSES_NEEDED; i++)
        finding_add_frame(finding, state->seen[i].frame, state->seen[i].time_ns,
                          "the client refuses, the %s time", ordinals[i]);
}

/* Its refusals on all of its ports: they were counted together. */
static void show_filter(const struct flow_record *flow, struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE];
    finding_say(finding->display_filter, sizeof finding->display_filter,
                "%s.addr == %s && (tcp.port == 5223 || tcp.port == 443 || tcp.port == 2197)",
                filter_family(&flow->client_ip), address_text(&flow->client_ip, client));
}

static void raise(struct judge *judge, const struct state *state, const struct event *event)
{
    enum way way = way_of(event->flow);
    struct finding finding = judge_draft(judge, event);
    if (!judge_kept(judge, finding.server_port)) {
        finding.count = state->by_way[way].count;
        finding.first_ns = state->by_way[way].first_ns;
    }
    finding.confidence = !is_device_hello(event->flow) ? CONFIDENCE_POSSIBLE
                         : state->alerts >= 3 && !(event->flow->saw & SAW_ALERT_ENCRYPTED)
                             ? CONFIDENCE_CERTAIN
                             : CONFIDENCE_LIKELY;
    describe(state, event->flow, &finding);
    show_filter(event->flow, &finding);
    add_place(judge, event->flow, &finding);
    finding.came_through_proxy = event->flow->role == ROLE_PROXY;
    judge_raise(judge, &finding);
}

/* A session works: what the device refused before was not the network's, or no longer is. A short
 * run of refusals that may have been closes is then taken back. */
static void recover(struct judge *judge, struct state *state)
{
    if (state->last_ns - state->first_ns < PASSING_NS)
        judge_withdraw_doubtful(judge);
    memset(state, 0, sizeof *state);
}

static void observe(struct judge *judge, void *memory, const struct event *event)
{
    struct state *state = memory;
    const struct flow_record *flow = event->flow;
    if (event->kind == EVENT_FLOW_WORKS || flow_works(flow)) {
        if (way_of(flow) != WAY_NONE)
            recover(judge, state);
        return;
    }
    enum rejection rejection = rejection_of(judge, flow);
    if (rejection == NOT_REJECTED)
        return;
    bool may_be_a_close = rejection == BY_CLOSE || flow->saw & SAW_ALERT_ENCRYPTED;
    if (may_be_a_close && judge_session_is_open(judge))
        return; /* it gave up a spare session */
    note(state, flow, rejection);
    if (state->alerts >= ALERTS_NEEDED || state->alerts + state->closes >= CLOSES_NEEDED)
        raise(judge, state, event);
}

const struct detector detector_tls_rejected_by_client = {
    .code = "tls-rejected-by-client",
    .title = "Device refuses the server's TLS",
    .meaning = "The connection reaches something that answers TLS, but the device does not accept "
               "it as Apple's and hangs up every time. Notifications do not arrive.",
    .rests_on = "At least two sessions that the client ends with a fatal alert right after the "
                "server's flight, or at least three that it closes there without a Connect-sized "
                "message, and no working session of that client in between. A visible certificate "
                "of Apple's would prove it wrong.",
    .looks_like = "After the Server Hello, a client alert: tls.alert_message.desc == 48 (unknown "
                  "CA) or 42 (bad certificate); with TLS 1.3 one client record of 24 bytes and "
                  "then FIN: tls.record.length == 19 || tls.record.length == 24.",
    .innocent = "One refusal is never reported: a device that falls asleep, roams or brings up a "
                "VPN also closes a fresh session. Browsers, scanners and port tests (other ALPN), "
                "resumed sessions that work, and sessions with Apple's certificate in clear text "
                "(look at the device's clock) do not count.",
    .remedy =
        "Exempt *.push.apple.com and 17.0.0.0/8 (and Apple's IPv6 ranges) from TLS inspection "
        "on ports 5223, 443 and 2197. To see the certificate that devices are shown, run "
        "from the same network: openssl s_client -connect 1-courier.push.apple.com:5223 "
        "-alpn apns-security-v3 -showcerts.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_INSPECTION,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R4_DIRECT),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_FLOW_WORKS),
    .state_size = sizeof(struct state),
    .observe = observe,
};
