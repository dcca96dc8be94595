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
};

static void on_event(void *context, const struct event *event)
{
    engine_observe(((struct bench *)context)->engine, event);
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
}

static void on_finding(void *context, const struct finding *finding)
{
    struct bench *bench = (struct bench *)context;
    char client[ADDRESS_TEXT_SIZE];
    if (strncmp(finding->code, "capture-", 8) != 0)
        text_format(&bench->findings, "%s %s %u\n", finding->code,
                    address_text(&finding->client_ip, client), finding->server_port);
}

static void on_device(void *context, const struct device_record *device)
{
    (void)context;
    (void)device;
}

static void on_requirement(void *context, const struct requirement_record *requirement)
{
    (void)context;
    (void)requirement;
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
    tracker_finish(tracker, &bench->judgement->quality);
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
    struct capture_options options = {
        .names = names, .hash = CAPTURE_HASH_NEVER, .since_ns = TIME_UNKNOWN,
        .until_ns = TIME_UNKNOWN};
    struct bench bench = {
        .judgement = judgement,
        .findings = text_over(judgement->findings, sizeof judgement->findings),
        .flows = text_over(judgement->flows, sizeof judgement->flows)};
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
