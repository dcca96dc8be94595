/* Capture files before the stages: capture -> dissect -> track -> detect -> store.
 *
 * Owns the order in which they are built, fed and ended, and what the run's row says of the files;
 * the rest is said by stages.c. Knows nothing of packets beyond handing them on. */
#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "capture/capture.h"
#include "front.h"
#include "stages.h"

enum { SOURCE_SIZE = 8192, NOTES_SIZE = 2048 };

struct pipeline {
    const struct settings *settings;
    const struct pipeline_hooks *hooks;
    struct names *capture_names; /* kept by whichever thread reads */
    struct capture *capture;
    struct front *front;
    struct stages stages;
    char source[SOURCE_SIZE];
    char notes[NOTES_SIZE];
};

/* ---- provenance ---- */

static void describe_source(struct pipeline *pipeline, struct run_record *run)
{
    struct text source = text_over(pipeline->source, sizeof pipeline->source);
    struct text notes = text_over(pipeline->notes, sizeof pipeline->notes);
    for (size_t i = 0; i < capture_file_count(pipeline->capture); i++) {
        const struct capture_file *file = capture_file_at(pipeline->capture, i);
        text_format(&source, "%s%s", i ? "; " : "", file->path);
        if (file->notes[0])
            text_format(&notes, "%s%s", notes.length ? "; " : "", file->notes);
        run->source_size += file->stored_size;
    }
    capture_identity(pipeline->capture, run->sha256, run->fingerprint);
    run->source = pipeline->source;
    run->capture_notes = notes.length ? pipeline->notes : NULL;
}

static struct run_record describe_run(struct pipeline *pipeline, int64_t analyzed_ns)
{
    struct run_record run = stages_run(&pipeline->stages, analyzed_ns);
    describe_source(pipeline, &run);
    return run;
}

/* ---- building ---- */

static bool open_capture(struct pipeline *pipeline, const char *const *paths, size_t path_count,
                         struct fault *fault)
{
    struct capture_options options = {.names = pipeline->capture_names,
                                      .hash = pipeline->settings->hash,
                                      .since_ns = pipeline->settings->since_ns,
                                      .until_ns = pipeline->settings->until_ns,
                                      .follow = pipeline->settings->follow,
                                      .stop = pipeline->hooks->stop,
                                      .stop_context = pipeline->hooks->context};
    return capture_open(&pipeline->capture, paths, path_count, &options, fault);
}

static bool open_stages(struct pipeline *pipeline, const char *const *paths, size_t path_count,
                        struct fault *fault)
{
    pipeline->capture_names = names_new(NAMES_CAP_BYTES);
    if (!stages_open(&pipeline->stages, pipeline->settings, fault) ||
        !open_capture(pipeline, paths, path_count, fault))
        return false;
    pipeline->front =
        front_new(pipeline->capture, pipeline->stages.tracker, pipeline->stages.filter);
    return true;
}

static void close_stages(struct pipeline *pipeline)
{
    front_free(pipeline->front);
    stages_close(&pipeline->stages);
    capture_close(pipeline->capture);
    names_free(pipeline->capture_names);
}

/* ---- running ---- */

static void show_progress(const struct pipeline *pipeline, uint64_t frames, uint64_t *shown)
{
    enum { EVERY_BYTES = 1 << 20 };
    uint64_t done, total;
    if (!pipeline->hooks->progress)
        return;
    capture_progress(pipeline->capture, &done, &total);
    if (done - *shown < EVERY_BYTES)
        return;
    *shown = done;
    pipeline->hooks->progress(pipeline->hooks->context, done, total, frames);
}

static bool asked_to_stop(const struct pipeline *pipeline)
{
    return pipeline->hooks->stop && pipeline->hooks->stop(pipeline->hooks->context);
}

/* The first batch with anything to look at: before there is one, the database is left alone. */
static const struct front_batch *first_batch(struct pipeline *pipeline)
{
    const struct front_batch *batch = front_next(pipeline->front);
    while (batch && pipeline->stages.filter && !batch->packet_count) {
        stages_count_skipped(&pipeline->stages, batch);
        batch = asked_to_stop(pipeline) ? NULL : front_next(pipeline->front);
    }
    return batch;
}

/* Reads to the end; the first batch is at hand already. */
static void run_frames(struct pipeline *pipeline, const struct front_batch *batch)
{
    uint64_t frames_seen = 0;
    uint64_t shown = 0;
    front_share(pipeline->front);
    stages_share(&pipeline->stages);
    for (; batch; batch = front_next(pipeline->front)) {
        stages_take(&pipeline->stages, batch);
        frames_seen += batch->frame_count;
        show_progress(pipeline, frames_seen, &shown);
        if (asked_to_stop(pipeline))
            front_stop(pipeline->front);
    }
    pipeline->stages.interrupted = !pipeline->settings->follow && asked_to_stop(pipeline);
}

static bool finish(struct pipeline *pipeline, int64_t analyzed_ns, struct pipeline_result *result,
                   struct fault *fault)
{
    struct stages *stages = &pipeline->stages;
    struct engine_results results = stages_results(stages);
    capture_quality_of(pipeline->capture, &stages->quality);
    stages_end(stages);
    engine_finish(stages->engine, &results);
    stages_note_losses(stages);
    struct run_record run = describe_run(pipeline, analyzed_ns);
    result->quality = stages->quality;
    return store_finish(stages->store, &run, &stages->quality, &result->run_id, fault);
}

static bool no_packets(const struct pipeline *pipeline, struct fault *fault)
{
    struct capture_quality quality = {.first_ns = TIME_UNKNOWN, .last_ns = TIME_UNKNOWN};
    capture_quality_of(pipeline->capture, &quality);
    const char *path = capture_file_at(pipeline->capture, 0)->path;
    if (quality.frames > quality.skipped[SKIP_FILTERED])
        return fault_set(fault,
                         "%s: none of its %llu packets passes the filter \"%s\"; nothing can "
                         "be said about the network",
                         path, (unsigned long long)quality.frames, pipeline->settings->filter);
    if (quality.frames)
        return fault_set(fault,
                         "%s: none of its %llu packets lies in the time range; widen "
                         "--since and --until",
                         path, (unsigned long long)quality.frames);
    if (quality.damage[0])
        return fault_set(fault,
                         "%s, and no packet before that can be read; copy or take the capture "
                         "again",
                         quality.damage);
    return fault_set(fault,
                     "%s: holds no packets, so nothing can be said about the network; check "
                     "the capture's interface and filter",
                     path);
}

bool pipeline_run(const struct settings *settings, const char *const *paths, size_t path_count,
                  int64_t analyzed_ns, const struct pipeline_hooks *hooks,
                  struct pipeline_result *result, struct fault *fault)
{
    struct pipeline *pipeline = (struct pipeline *)calloc(1, sizeof *pipeline);
    if (!pipeline)
        return fault_set(fault, "no memory for the analysis; free some and try again");
    pipeline->settings = settings;
    pipeline->hooks = hooks;
    bool done = open_stages(pipeline, paths, path_count, fault);
    if (done) {
        const struct front_batch *first = first_batch(pipeline);
        struct run_record begun = describe_run(pipeline, analyzed_ns);
        done = first ? store_open(&pipeline->stages.store, settings->database, STORE_WAIT, fault) &&
                           store_begin(pipeline->stages.store, &begun, fault)
                     : no_packets(pipeline, fault);
        if (done) {
            run_frames(pipeline, first);
            done = finish(pipeline, analyzed_ns, result, fault);
        }
    }
    close_stages(pipeline);
    free(pipeline);
    return done;
}
