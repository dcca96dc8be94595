/* courier-unreachable: a device tries every port and nothing works.
 *
 * A rule of the fourth stage. Follows a run of failures of one device; any courier session that
 * works, on any way, ends the run and takes back a finding about a short one. Deliberately leaves
 * the why to the rules about each failure. */
#include <stdio.h>
#include <string.h>

#include "base/counter.h"
#include "base/text.h"
#include "detect/judge.h"

/* Without a second port tried, failures must go on for this long. */
#define RUN_NS (60 * NS_PER_S)
/* A run that ended well within this was an outage that passed. */
#define OUTAGE_NS (10 * 60 * NS_PER_S)
/* Ethernet to TCP with options, and "CONNECT 36-courier.push.apple.com:443 HTTP/1.1" (RFC 9110
 * section 9.3.6): with less of each frame, a way through a proxy stays unseen. */
enum { SNAP_SHOWS_PROXY = 256 };

enum { PORT_5223, PORT_443, PORT_PROXY, PORT_COUNT };

struct run {
    int64_t first_ns;
    int64_t last_ns;
    uint64_t flow[PORT_COUNT]; /* first of each */
    uint64_t frame[PORT_COUNT];
    int64_t time_ns[PORT_COUNT];
    uint16_t failed[PORT_COUNT];
    uint8_t outcome[PORT_COUNT]; /* of the last */
    bool left_on_one_port;       /* what stands of a run before rests on one port */
};

static const char *const port_names[PORT_COUNT] = {"5223", "443", "the proxy"};

static int port_of(enum way way)
{
    switch (way) {
    case WAY_COURIER_5223:
        return PORT_5223;
    case WAY_COURIER_443:
        return PORT_443;
    case WAY_COURIER_PROXY:
        return PORT_PROXY;
    default:
        return -1;
    }
}

static uint32_t run_attempts(const struct run *run)
{
    uint32_t attempts = 0;
    for (int port = 0; port < PORT_COUNT; port++)
        attempts += run->failed[port];
    return attempts;
}

static void run_add(struct run *run, int port, const struct flow_record *flow)
{
    bool is_first = run_attempts(run) == 0;
    if (!run->failed[port]) {
        run->flow[port] = flow->number;
        run->frame[port] = flow->first_frame;
        run->time_ns[port] = flow->started_ns;
    }
    counter_up(&run->failed[port]);
    run->outcome[port] = flow->outcome;
    if (is_first || flow->started_ns < run->first_ns)
        run->first_ns = flow->started_ns;
    if (is_first || flow->last_ns > run->last_ns)
        run->last_ns = flow->last_ns;
}

static bool run_tells(const struct run *run)
{
    bool tried_both = run->failed[PORT_5223] && run->failed[PORT_443];
    bool goes_on = run_attempts(run) >= 2 && run->last_ns - run->first_ns >= RUN_NS;
    return tried_both || goes_on;
}

static bool is_on_one_port(const struct run *run)
{
    return !run->failed[PORT_PROXY] && !(run->failed[PORT_5223] && run->failed[PORT_443]);
}

static void list_failures(const struct run *run, char *list, size_t size)
{
    struct text text = text_over(list, size);
    for (int port = 0; port < PORT_COUNT; port++)
        if (run->failed[port])
            text_format(&text, "%s%u on %s (%s)", text.length ? ", " : "", run->failed[port],
                        port_names[port], outcome_name((enum flow_outcome)run->outcome[port]));
}

static void describe(const struct run *run, struct finding *finding)
{
    char client[ADDRESS_TEXT_SIZE], list[160], span[DURATION_TEXT_SIZE];
    uint32_t attempts = run_attempts(run);
    address_text(&finding->client_ip, client);
    list_failures(run, list, sizeof list);
    duration_text(run->last_ns - run->first_ns, span);
    finding_say(finding->summary, sizeof finding->summary,
                "%s cannot reach APNs: %u attempts over %s failed: %s", client, attempts, span,
                list);
    finding_say(finding->reasoning, sizeof finding->reasoning,
                run->failed[PORT_5223] && run->failed[PORT_443]
                    ? "The device tried its own port and the fallback, and none of its sessions "
                      "worked during that time, on any port or through a proxy."
                    : "Every attempt of the device for a minute and longer failed, and none of "
                      "its sessions worked during that time.");
    finding->frame_count = 0;
    for (int port = 0; port < PORT_COUNT; port++)
        finding_add_frame(finding, run->frame[port], run->time_ns[port], "first attempt on %s",
                          port_names[port]);
}

/* Keeps the one finding about the run in step with it. */
static void update(struct judge *judge, const struct run *run, struct finding *finding)
{
    finding->server_ip = (struct address){{0}};
    finding->server_port = 0; /* about all ports */
    finding->first_ns = run->first_ns;
    finding->last_ns = run->last_ns;
    finding->count = run_attempts(run);
    finding->confidence = finding->count >= 4 || run->last_ns - run->first_ns >= RUN_NS
                              ? CONFIDENCE_CERTAIN
                              : CONFIDENCE_LIKELY;
    describe(run, finding);
    (void)judge;
}

static void raise(struct judge *judge, const struct run *run, const struct event *event)
{
    struct finding *kept = judge_kept(judge, 0);
    if (kept) {
        update(judge, run, kept);
        return;
    }
    struct finding finding = judge_draft(judge, event);
    finding_show_couriers(&finding);
    update(judge, run, &finding);
    judge_raise(judge, &finding);
}

/* A working session ends the run. One that was open during it shows that the device was not cut
 * off; one soon after shows an outage that passed. Either takes the finding back. */
static void recover(struct judge *judge, struct run *run, const struct flow_record *flow,
                    bool is_closed)
{
    int64_t from = flow->established_ns == TIME_UNKNOWN ? flow->started_ns : flow->established_ns;
    bool ended_in_between = is_closed && from < run->first_ns && flow->last_ns < run->last_ns;
    if (!run_attempts(run) || ended_in_between)
        return; /* the end of that session may be why the run began */
    struct finding *kept = judge_kept(judge, 0);
    bool overlaps = from < run->last_ns;
    bool is_taken_back = kept && (overlaps || run->last_ns - run->first_ns < OUTAGE_NS);
    bool left_on_one_port = kept && !is_taken_back && is_on_one_port(run);
    if (is_taken_back)
        judge_withdraw(judge, kept);
    memset(run, 0, sizeof *run);
    run->left_on_one_port = left_on_one_port;
}

/* Frames too short to show a CONNECT: a device may well have got through by a proxy. An address
 * that reaches nothing may be a machine's that does by its other IP version. */
static void review(struct judge *judge, const struct run *run,
                   const struct capture_quality *quality)
{
    struct finding *kept = judge_kept(judge, 0);
    bool may_hide_proxy = quality->smallest_snap && quality->smallest_snap < SNAP_SHOWS_PROXY;
    bool on_one_port = run_attempts(run) ? is_on_one_port(run) : run->left_on_one_port;
    if (!kept)
        return;
    if (judge_only_ipv4_works(judge, 5223) || judge_only_ipv4_works(judge, 443) ||
        judge_machine_works_by_other_family(judge))
        judge_withdraw(judge, kept); /* the machine works: other findings say what does not */
    else if (!may_hide_proxy)
        return;
    else if (on_one_port)
        judge_withdraw(judge, kept);
    else if (kept->confidence > CONFIDENCE_LIKELY)
        kept->confidence = CONFIDENCE_LIKELY;
}

static void observe(struct judge *judge, void *state, const struct event *event)
{
    struct run *run = state;
    if (event->kind == EVENT_CAPTURE_END) {
        review(judge, run, event->quality);
        return;
    }
    const struct flow_record *flow = event->flow;
    bool is_closed = event->kind == EVENT_FLOW_CLOSED;
    int port = port_of(way_of(flow));
    if (port < 0)
        return;
    if (!is_closed || flow_works(flow) || flow_may_have_worked(flow)) {
        recover(judge, run, flow, is_closed);
        return;
    }
    if (!flow_fails(flow) || judge_session_is_open(judge))
        return;
    /* an attempt that is judged late, after its successor already worked */
    if (flow->started_ns / NS_PER_S <= judge_last_possible_success_s(judge, false))
        return;
    run_add(run, port, flow);
    if (run_tells(run))
        raise(judge, run, event);
}

const struct detector detector_courier_unreachable = {
    .code = "courier-unreachable",
    .title = "APNs cannot be reached at all",
    .meaning = "The device tried 5223 and 443, or kept trying for a minute, and nothing worked. It "
               "gets no notifications and no MDM commands on this network.",
    .rests_on = "Failed attempts of one device on both ports, or on one port for at least 60 "
                "seconds, and no working courier session during or after them. A working session "
                "of the device, direct or through a proxy, within ten minutes proves an outage "
                "that passed.",
    .looks_like = "ip.addr of the device && (tcp.port == 5223 || tcp.port == 443): pairs of "
                  "attempts, first one port, then the other, then a pause, none with data from "
                  "the server after its handshake.",
    .innocent =
        "Attempts that the capture's end cut short, sessions of which it holds too little to "
        "tell, a short outage, a second session that "
        "fails while a first one works, an address of a machine that works by its other IP "
        "version, silence (a phone may keep APNs on its cellular "
        "connection), browsers and port tests (other ALPN) that do not trust Apple's own "
        "root, and failures on one port in a capture whose snap length would hide a proxy "
        "are not reported.",
    .remedy = "Allow outbound TCP 5223 and TCP 443 from this device to 17.0.0.0/8 and Apple's IPv6 "
              "ranges, without a proxy and without TLS inspection. The other findings of this "
              "device, if there are any, say what stops each port and where.",
    .severity = SEVERITY_FAIL,
    .kind = BLOCK_EVERYTHING,
    .place = PLACE_IN_OTHERS,
    .scope = SCOPE_DEVICE,
    .requirements = AGAINST(R1_PORT_5223) | AGAINST(R2_FALLBACK_443),
    .events = ON(EVENT_FLOW_CLOSED) | ON(EVENT_FLOW_WORKS) | ON(EVENT_CAPTURE_END),
    .state_size = sizeof(struct run),
    .observe = observe,
};
