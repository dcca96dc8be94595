/* A capture file judged without a database: the stages up to detect/, into text that compares. */
#include "judgement.h"

#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "capture/capture.h"
#include "detect/detect.h"
#include "dissect/dissect.h"
#include "track/track.h"

struct bench {
    struct judgement *judgement;
    struct engine *engine;
    struct text findings;
    struct text flows;
    struct text details;
    struct text macs;
    struct text counts;
    struct text verdicts;
};

static void on_event(void *context, const struct event *event)
{
    engine_observe(((struct bench *)context)->engine, event);
}

static const char *or_dash(const char *name)
{
    return name ? name : "-";
}

static void tell_counts(struct text *text, const struct flow_record *flow)
{
    text_format(text, "  syn %u, up %llu bytes, down %llu bytes\n", flow->syn_count,
                (unsigned long long)flow->bytes_up, (unsigned long long)flow->bytes_down);
    text_format(text, "  times %lld %lld %lld, rtt %d %d hello %d, ttl %d %d hops %d reset %d\n",
                (long long)flow->started_ns, (long long)flow->established_ns,
                (long long)flow->last_ns, flow->rtt_server_us, flow->rtt_client_us,
                flow->tls_hello_us, flow->ttl_client, flow->ttl_server, flow->hops_server,
                flow->reset_ttl);
}

static void tell_names(struct text *text, const struct flow_record *flow)
{
    const struct certificate_facts *certificate = flow->certificate;
    char icmp[ADDRESS_TEXT_SIZE];
    text_format(text, "  tls %04x sni %s alpn %s chosen %s %s %s\n", flow->tls_version,
                or_dash(flow->sni), or_dash(flow->alpn), or_dash(flow->alpn_chosen),
                or_dash(flow->ja3), or_dash(flow->ja4));
    text_format(text, "  alerts %d %d, hello %u, proxy %s %u, icmp %s %u.%u, issuer %s\n",
                flow->alert_up, flow->alert_down, flow->hello_size, or_dash(flow->connect_host),
                flow->proxy_status, address_text(&flow->icmp_source, icmp), flow->icmp_type,
                flow->icmp_code, certificate ? certificate->issuer : "-");
}

static void tell_flow(struct text *text, const struct flow_record *flow)
{
    char client[ADDRESS_TEXT_SIZE], server[ADDRESS_TEXT_SIZE];
    text_format(text, "flow %llu %s %s %s %s by %d, %s:%u %s:%u\n",
                (unsigned long long)flow->number, or_dash(role_name((enum flow_role)flow->role)),
                or_dash(path_name((enum flow_path)flow->path)),
                or_dash(outcome_name((enum flow_outcome)flow->outcome)),
                or_dash(ending_name((enum flow_ending)flow->ended_by)), flow->reason,
                address_text(&flow->client_ip, client), flow->client_port,
                address_text(&flow->server_ip, server), flow->server_port);
    tell_counts(text, flow);
    tell_names(text, flow);
}

static void on_flow(void *context, const struct flow_record *flow)
{
    struct bench *bench = (struct bench *)context;
    char client[ADDRESS_TEXT_SIZE], server[ADDRESS_TEXT_SIZE];
    const char *role = role_name((enum flow_role)flow->role);
    text_format(&bench->flows, "%s %s %s:%u %s:%u\n", role ? role : "-",
                outcome_name((enum flow_outcome)flow->outcome),
                address_text(&flow->client_ip, client), flow->client_port,
                address_text(&flow->server_ip, server), flow->server_port);
    tell_flow(&bench->details, flow);
    for (size_t i = 0; i < sizeof flow->client_mac; i++)
        text_format(&bench->macs, "%02x", flow->has_client_mac ? flow->client_mac[i] : 0);
    text_add(&bench->macs, "\n");
    text_format(&bench->counts,
                "flow %llu: %llu packets up, %u again, %llu down, %u again, %u late, %u with the "
                "hello\n",
                (unsigned long long)flow->number, (unsigned long long)flow->packets_up,
                flow->retransmissions_up, (unsigned long long)flow->packets_down,
                flow->retransmissions_down, flow->out_of_order, flow->hello_segments);
}

static void on_finding(void *context, const struct finding *finding)
{
    struct bench *bench = (struct bench *)context;
    char client[ADDRESS_TEXT_SIZE];
    bench->judgement->faults += finding->severity == SEVERITY_FAIL;
    if (strncmp(finding->code, "capture-", 8) != 0)
        text_format(&bench->findings, "%s %s %u\n", finding->code,
                    address_text(&finding->client_ip, client), finding->server_port);
}

static void on_device(void *context, const struct device_record *device)
{
    struct bench *bench = (struct bench *)context;
    char ip[ADDRESS_TEXT_SIZE];
    text_format(&bench->verdicts, "device %s: verdict %d, works on %s, %llu sessions\n",
                address_text(&device->ip, ip), device->verdict, or_dash(device->works_on),
                (unsigned long long)device->sessions);
}

static void on_requirement(void *context, const struct requirement_record *requirement)
{
    struct bench *bench = (struct bench *)context;
    text_format(&bench->verdicts, "requirement %d: status %d\n", requirement->code,
                requirement->status);
}

static void run_frames(struct bench *bench, struct capture *capture, struct tracker *tracker,
                       size_t batch)
{
    struct frame frames[CAPTURE_BATCH_MAX];
    struct packet packets[CAPTURE_BATCH_MAX];
    struct judgement *judgement = bench->judgement;
    size_t count;
    while ((count = capture_next(capture, frames, batch))) {
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            enum skip_reason reason = dissect_frame(&frames[i], &packets[kept]);
            if (reason == SKIP_NONE)
                kept++;
            else
                judgement->quality.skipped[reason]++;
        }
        judgement->frames_read += count;
        judgement->frames_analysed += kept;
        tracker_take(tracker, packets, kept);
    }
}

static uint64_t frames_skipped(const struct capture_quality *quality)
{
    uint64_t skipped = 0;
    for (int reason = 0; reason < SKIP_COUNT; reason++)
        skipped += quality->skipped[reason];
    return skipped;
}

static void judge_capture(struct bench *bench, struct capture *capture, struct names *names,
                          size_t batch)
{
    struct fault fault = {{0}};
    struct tracker *tracker;
    struct track_options options = {.names = names,
                                    .event = on_event,
                                    .event_context = bench,
                                    .flow_done = on_flow,
                                    .done_context = bench,
                                    .without_ndpi = true};
    if (!tracker_new(&tracker, &options, &fault))
        return;
    run_frames(bench, capture, tracker, batch);
    capture_quality_of(capture, &bench->judgement->quality);
    uint64_t skipped = frames_skipped(&bench->judgement->quality);
    tracker_finish(tracker, &bench->judgement->quality);
    /* fragments that waited for others */
    bench->judgement->frames_analysed -= frames_skipped(&bench->judgement->quality) - skipped;
    struct engine_results results = {bench, on_finding, on_device, on_requirement};
    engine_finish(bench->engine, &results);
    tracker_free(tracker);
}

void judgement_of(const char *path, size_t batch, struct judgement *judgement)
{
    struct fault fault = {{0}};
    struct capture *capture;
    memset(judgement, 0, sizeof *judgement);
    judgement->quality.first_ns = judgement->quality.last_ns = TIME_UNKNOWN;
    struct names *names = names_new(1 << 20);
    struct capture_options options = {.names = names,
                                      .hash = CAPTURE_HASH_NEVER,
                                      .since_ns = TIME_UNKNOWN,
                                      .until_ns = TIME_UNKNOWN};
    struct bench bench = {.judgement = judgement,
                          .findings = text_over(judgement->findings, sizeof judgement->findings),
                          .flows = text_over(judgement->flows, sizeof judgement->flows),
                          .details = text_over(judgement->details, sizeof judgement->details),
                          .macs = text_over(judgement->macs, sizeof judgement->macs),
                          .counts = text_over(judgement->counts, sizeof judgement->counts),
                          .verdicts = text_over(judgement->verdicts, sizeof judgement->verdicts)};
    judgement->readable = capture_open(&capture, &path, 1, &options, &fault);
    if (judgement->readable) {
        bench.engine = engine_new();
        judge_capture(&bench, capture, names, batch);
        engine_free(bench.engine);
        capture_close(capture);
    }
    memcpy(judgement->sentence, fault.sentence, sizeof judgement->sentence);
    judgement->findings_length = bench.findings.length;
    judgement->flows_length = bench.flows.length;
    names_free(names);
}
