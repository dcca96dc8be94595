/* Any bytes as a capture file: capture -> dissect -> track -> detect, rows counted and dropped.
 *
 * What must hold of every input is asserted: frames are numbered without holes, each is analysed
 * or skipped for a reason, records and findings are complete. Writes no database: the store takes
 * values, not bytes, and SQLite would be most of the time. */
#include "whole_program.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/names.h"
#include "capture/capture.h"
#include "detect/detect.h"
#include "dissect/dissect.h"
#include "track/track.h"

enum { NAMES_CAP_BYTES = 1 << 20, TABLE_CAP = 1 << 12 };

struct run {
    struct names *names;
    struct capture *capture;
    struct tracker *tracker;
    struct engine *engine;
    struct capture_quality quality;
    uint64_t last_number; /* of a frame */
    uint64_t frames_read;
    uint64_t frames_analysed;
    uint64_t fragments; /* among them */
};

/* ---- what comes out ---- */

static void on_event(void *context, const struct event *event)
{
    struct run *run = context;
    assert(event->kind < EVENT_COUNT);
    engine_observe(run->engine, event);
}

static void on_flow(void *context, const struct flow_record *flow)
{
    (void)context;
    assert(outcome_name((enum flow_outcome)flow->outcome));
    assert(flow->last_ns >= flow->started_ns);
}

static void on_attempts(void *context, const struct attempt_sum *sum)
{
    (void)context;
    assert(sum->attempts > 0);
}

static void on_finding(void *context, const struct finding *finding)
{
    (void)context;
    assert(detector_by_code(finding->code));
    assert(finding->summary[0] && memchr(finding->summary, '\0', sizeof finding->summary));
    assert(memchr(finding->reasoning, '\0', sizeof finding->reasoning));
    assert(memchr(finding->display_filter, '\0', sizeof finding->display_filter));
    assert(finding->frame_count <= FINDING_FRAMES_MAX && finding->count > 0);
    assert(finding->last_ns >= finding->first_ns);
}

static void on_device(void *context, const struct device_record *device)
{
    (void)context;
    assert(device->last_ns >= device->first_ns);
}

static void on_requirement(void *context, const struct requirement_record *requirement)
{
    (void)context;
    assert(requirement->code < REQUIREMENT_COUNT);
    assert(memchr(requirement->summary, 0, sizeof requirement->summary));
}

/* ---- what goes in ---- */

/* A file that has a path and is not on a disk; the same one for every input. */
static const char *path_of(const uint8_t *bytes, size_t size)
{
    static int memory = -1;
    static char path[64];
    if (memory < 0) {
        memory = memfd_create("fuzz", MFD_CLOEXEC);
        assert(memory >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    }
    assert(ftruncate(memory, 0) == 0);
    assert(pwrite(memory, bytes, size, 0) == (ssize_t)size);
    return path;
}

static void take_frames(struct run *run, const struct frame *frames, size_t count)
{
    struct packet packets[CAPTURE_BATCH_MAX];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        assert(frames[i].number > run->last_number); /* blocks without a packet have numbers too */
        run->last_number = frames[i].number;
        assert(frames[i].original_size >= frames[i].captured_size);
        enum skip_reason reason = dissect_frame(&frames[i], &packets[kept]);
        assert(reason < SKIP_COUNT);
        if (reason != SKIP_NONE)
            run->quality.skipped[reason]++;
        else
            run->fragments += packets[kept++].kind == PACKET_FRAGMENT;
    }
    tracker_take(run->tracker, packets, kept);
    run->frames_read += count;
    run->frames_analysed += kept;
}

/* Fragments may turn out to be skipped, and damaged packets, but nothing else that the tracker was
 * given. */
static void check_counts(const struct run *run)
{
    uint64_t skipped = 0;
    for (int reason = 0; reason < SKIP_COUNT; reason++)
        skipped += run->quality.skipped[reason];
    assert(run->quality.frames == run->frames_read);
    assert(run->quality.frames <= run->frames_analysed + skipped);
    uint64_t late = run->fragments + run->quality.skipped[SKIP_DAMAGED];
    assert(run->quality.frames + late >= run->frames_analysed + skipped);
}

static void judge(struct run *run)
{
    struct frame frames[CAPTURE_BATCH_MAX];
    struct engine_results results = {run, on_finding, on_device, on_requirement};
    size_t count;
    while ((count = capture_next(run->capture, frames, CAPTURE_BATCH_MAX)))
        take_frames(run, frames, count);
    capture_quality_of(run->capture, &run->quality);
    tracker_finish(run->tracker, &run->quality);
    check_counts(run);
    engine_finish(run->engine, &results);
}

void whole_program_run(const uint8_t *bytes, size_t size, bool without_ndpi)
{
    struct fault fault = {{0}};
    struct run run = {.quality = {.first_ns = TIME_UNKNOWN, .last_ns = TIME_UNKNOWN}};
    const char *path = path_of(bytes, size);
    run.names = names_new(NAMES_CAP_BYTES);
    struct capture_options from = {.names = run.names,
                                   .hash = CAPTURE_HASH_NEVER,
                                   .since_ns = TIME_UNKNOWN,
                                   .until_ns = TIME_UNKNOWN};
    if (!capture_open(&run.capture, &path, 1, &from, &fault)) {
        assert(fault.sentence[0]);
        names_free(run.names);
        return;
    }
    struct track_options options = {.names = run.names,
                                    .event = on_event,
                                    .event_context = &run,
                                    .flow_done = on_flow,
                                    .attempts_done = on_attempts,
                                    .done_context = &run,
                                    .without_ndpi = without_ndpi,
                                    .flow_cap = TABLE_CAP,
                                    .half_open_cap = TABLE_CAP};
    run.engine = engine_new();
    bool is_ready = tracker_new(&run.tracker, &options, &fault);
    assert(is_ready);
    judge(&run);
    tracker_free(run.tracker);
    engine_free(run.engine);
    capture_close(run.capture);
    names_free(run.names);
}
