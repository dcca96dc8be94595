/* bench_stages [--runs N] [--database FILE] CAPTURE: what each stage adds.
 *
 * Runs the pipeline inside this process up to each stage in turn (capture; + dissect; + track;
 * + nDPI; + detect; + store), round after round, and prints nanoseconds a packet: the median of
 * each step and its difference to the step before. A step includes what it makes earlier stages
 * pay (cache lines, page faults), which is what one wants to know. Steps that differ by less than
 * the spread of their runs say nothing. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/names.h"
#include "capture/capture.h"
#include "detect/detect.h"
#include "dissect/dissect.h"
#include "measure.h"
#include "store/store.h"
#include "track/track.h"

enum step {
    STEP_LIBPCAP, /* the floor, for the ratio */
    STEP_CAPTURE,
    STEP_DISSECT,
    STEP_TRACK,
    STEP_NDPI,
    STEP_DETECT,
    STEP_STORE,
    STEP_COUNT
};

static const char *const step_names[STEP_COUNT] = {
    "libpcap loop", "capture", "+ dissect", "+ track", "+ nDPI", "+ detect", "+ store"};

enum { NAMES_CAP_BYTES = 64 << 20, PATH_SIZE = 1024 };

/* What one run needs; stages beyond its step stay NULL. */
struct bench {
    enum step step;
    struct names *names;
    struct capture *capture;
    struct tracker *tracker;
    struct engine *engine;
    struct store *store;
    struct capture_quality quality;
    uint64_t frames;
    uint64_t payload_bytes; /* touched, so that the compiler keeps the work */
};

static const char *capture_path;
static const char *database_path = "bench_stages.db";

static void check(bool good, const struct fault *fault)
{
    if (good)
        return;
    fprintf(stderr, "bench_stages: %s\n", fault->sentence);
    exit(3);
}

/* ---- sinks ---- */

static void on_event(void *context, const struct event *event)
{
    struct bench *bench = context;
    if (bench->engine)
        engine_observe(bench->engine, event);
    if (bench->store && event->kind == EVENT_DNS_ANSWER)
        store_dns(bench->store, event);
}

static void on_flow(void *context, const struct flow_record *flow)
{
    struct bench *bench = context;
    if (bench->store)
        store_flow(bench->store, flow);
}

static void on_attempts(void *context, const struct attempt_sum *sum)
{
    struct bench *bench = context;
    if (bench->store)
        store_attempts(bench->store, sum);
}

static void on_finding(void *context, const struct finding *finding)
{
    struct bench *bench = context;
    if (bench->store)
        store_finding(bench->store, finding);
}

static void on_device(void *context, const struct device_record *device)
{
    struct bench *bench = context;
    if (bench->store)
        store_device(bench->store, device);
}

static void on_requirement(void *context, const struct requirement_record *requirement)
{
    struct bench *bench = context;
    if (bench->store)
        store_requirement(bench->store, requirement);
}

/* ---- a run ---- */

static void remove_database(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(path, sizeof path, "%s%s", database_path, ends[i]);
        unlink(path);
    }
}

static void open_bench(struct bench *bench)
{
    struct fault fault = {{0}};
    struct run_record run = {.source = capture_path,
                             .tool_version = "bench",
                             .libraries = "",
                             .options = "",
                             .state = RUN_RUNNING};
    bench->names = names_new(NAMES_CAP_BYTES);
    struct capture_options from = {.names = bench->names,
                                   .hash = CAPTURE_HASH_NEVER,
                                   .since_ns = TIME_UNKNOWN,
                                   .until_ns = TIME_UNKNOWN};
    check(capture_open(&bench->capture, &capture_path, 1, &from, &fault), &fault);
    struct track_options options = {.names = bench->names,
                                    .without_ndpi = bench->step < STEP_NDPI,
                                    .event = on_event,
                                    .event_context = bench,
                                    .flow_done = on_flow,
                                    .attempts_done = on_attempts,
                                    .done_context = bench};
    if (bench->step >= STEP_TRACK)
        check(tracker_new(&bench->tracker, &options, &fault), &fault);
    if (bench->step >= STEP_DETECT)
        bench->engine = engine_new();
    if (bench->step >= STEP_STORE) {
        check(store_open(&bench->store, database_path, STORE_WAIT, &fault), &fault);
        check(store_begin(bench->store, &run, &fault), &fault);
    }
}

static void take_frames(struct bench *bench, const struct frame *frames, size_t count)
{
    struct packet packets[CAPTURE_BATCH_MAX];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        enum skip_reason reason = dissect_frame(&frames[i], &packets[kept]);
        if (reason == SKIP_NONE)
            bench->payload_bytes += packets[kept++].payload_size;
        else
            bench->quality.skipped[reason]++;
    }
    if (bench->tracker)
        tracker_take(bench->tracker, packets, kept);
}

static void finish_bench(struct bench *bench)
{
    struct fault fault = {{0}};
    struct run_record run = {.source = capture_path,
                             .tool_version = "bench",
                             .libraries = "",
                             .options = "",
                             .state = RUN_COMPLETE};
    struct engine_results results = {bench, on_finding, on_device, on_requirement};
    int64_t run_id;
    capture_quality_of(bench->capture, &bench->quality);
    if (bench->tracker)
        tracker_finish(bench->tracker, &bench->quality);
    if (bench->engine)
        engine_finish(bench->engine, &results);
    if (bench->store)
        check(store_finish(bench->store, &run, &bench->quality, &run_id, &fault), &fault);
}

static void close_bench(struct bench *bench)
{
    store_close(bench->store);
    tracker_free(bench->tracker);
    engine_free(bench->engine);
    capture_close(bench->capture);
    names_free(bench->names);
    remove_database();
}

static uint64_t run_pipeline(enum step step)
{
    struct frame frames[CAPTURE_BATCH_MAX];
    struct bench bench = {.step = step,
                          .quality = {.first_ns = TIME_UNKNOWN, .last_ns = TIME_UNKNOWN}};
    size_t count;
    open_bench(&bench);
    while ((count = capture_next(bench.capture, frames, CAPTURE_BATCH_MAX))) {
        bench.frames += count;
        if (step >= STEP_DISSECT)
            take_frames(&bench, frames, count);
    }
    finish_bench(&bench);
    close_bench(&bench);
    return bench.frames;
}

static void count_packet(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
    uint64_t *packets = (uint64_t *)(void *)context;
    (void)header;
    (void)bytes;
    ++*packets;
}

static uint64_t run_libpcap(void)
{
    char error[PCAP_ERRBUF_SIZE];
    uint64_t packets = 0;
    pcap_t *capture = pcap_open_offline(capture_path, error);
    if (!capture) {
        fprintf(stderr, "bench_stages: %s\n", error);
        exit(3);
    }
    pcap_loop(capture, -1, count_packet, (u_char *)(void *)&packets);
    pcap_close(capture);
    return packets;
}

/* ---- the table ---- */

static uint64_t measure_rounds(size_t runs, double ns[STEP_COUNT][RUNS_MAX])
{
    uint64_t frames = run_pipeline(STEP_CAPTURE); /* brings the file into the page cache */
    for (size_t run = 0; run < runs; run++) {
        for (enum step step = STEP_LIBPCAP; step < STEP_COUNT; step++) {
            double begun_s = measure_now_s();
            uint64_t packets = step == STEP_LIBPCAP ? run_libpcap() : run_pipeline(step);
            ns[step][run] = (measure_now_s() - begun_s) * 1e9 / (double)(packets ? packets : 1);
        }
    }
    return frames;
}

static void print_table(uint64_t frames, size_t runs, double ns[STEP_COUNT][RUNS_MAX])
{
    double before = 0;
    double floor_ns = measure_median(ns[STEP_LIBPCAP], runs);
    printf("%s: %" PRIu64 " packets, %zu rounds, nanoseconds a packet\n\n"
           "| up to | all | this step | of the libpcap loop | fastest to slowest |\n"
           "|---|---|---|---|---|\n",
           capture_path, frames, runs);
    for (enum step step = STEP_LIBPCAP; step < STEP_COUNT; step++) {
        double median = measure_median(ns[step], runs);
        printf("| %s | %.1f | %.1f | %.2f | %.1f to %.1f |\n", step_names[step], median,
               median - before, median / floor_ns, ns[step][0], ns[step][runs - 1]);
        before = step == STEP_LIBPCAP ? 0 : median;
    }
}

static bool take_options(int argc, char **argv, size_t *runs)
{
    static const struct option long_options[] = {{"runs", required_argument, NULL, 'r'},
                                                 {"database", required_argument, NULL, 'd'},
                                                 {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'd')
            database_path = optarg;
        else if (option != 'r' || !measure_count(optarg, RUNS_MAX, runs))
            return false;
    }
    return argc - optind == 1;
}

int main(int argc, char **argv)
{
    static double ns[STEP_COUNT][RUNS_MAX];
    size_t runs = 5;
    if (!take_options(argc, argv, &runs)) {
        fputs("usage: bench_stages [--runs N] [--database FILE] CAPTURE\n", stderr);
        return 2;
    }
    capture_path = argv[optind];
    uint64_t frames = measure_rounds(runs, ns);
    print_table(frames, runs, ns);
    return 0;
}
