/* The stages joined: capture -> dissect -> track -> detect -> store.
 *
 * Owns the order in which they are built, fed and ended, and the run's provenance. Knows nothing
 * of packets beyond handing them on. */
#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "capture/capture.h"
#include "capture/filter.h"
#include "cli_version.h"
#include "detect/detect.h"
#include "dissect/protocol.h"
#include "front.h"
#include "ladder_choice.h"
#include "store/store.h"
#include "track/track.h"

enum { NAMES_CAP_BYTES = 64 << 20, OPTIONS_SIZE = 4096, SOURCE_SIZE = 8192, NOTES_SIZE = 2048 };

struct pipeline {
    const struct settings *settings;
    const struct pipeline_hooks *hooks;
    struct names *names;
    struct names *capture_names; /* kept by whichever thread reads */
    struct capture *capture;
    struct filter *filter; /* NULL: none */
    struct front *front;
    struct tracker *tracker;
    struct engine *engine;
    struct store *store;
    struct ladder_choice ladders;
    struct capture_quality quality;
    bool interrupted;
    char options[OPTIONS_SIZE];
    char source[SOURCE_SIZE];
    char notes[NOTES_SIZE];
    char libraries[256];
};

/* ---- provenance ---- */

static void describe_prefixes(struct text *text, const char *option, const struct prefix_list *list)
{
    char prefix[PREFIX_TEXT_SIZE];
    for (size_t i = 0; i < list->count; i++)
        text_format(text, "--%s %s ", option, prefix_text(&list->items[i], prefix));
}

static void describe_time(struct text *text, const char *option, int64_t time_ns)
{
    char time[CLOCK_TEXT_SIZE];
    if (time_ns != TIME_UNKNOWN)
        text_format(text, "--%s %s ", option, clock_text(time_ns, time));
}

/* The options that change the judgement, always in this order: the same words mean the same run. */
static void describe_options(struct pipeline *pipeline)
{
    const struct settings *settings = pipeline->settings;
    struct text text = text_over(pipeline->options, sizeof pipeline->options);
    describe_prefixes(&text, "home-net", &settings->home_nets);
    describe_prefixes(&text, "apple-net", &settings->apple_nets);
    for (size_t i = 0; i < settings->push_domain_count; i++)
        text_format(&text, "--push-domain %s ", settings->push_domains[i]);
    if (settings->trust_path)
        text_format(&text, "--trust %s ", settings->trust_path);
    if (settings->all_apple)
        text_add(&text, "--all-apple ");
    if (settings->without_ndpi)
        text_add(&text, "--without-ndpi ");
    if (settings->site)
        text_format(&text, "--site %s ", settings->site);
    if (settings->sensor)
        text_format(&text, "--sensor %s ", settings->sensor);
    if (settings->filter)
        text_format(&text, "--filter '%s' ", settings->filter);
    describe_time(&text, "since", settings->since_ns);
    describe_time(&text, "until", settings->until_ns);
    if (text.length)
        pipeline->options[text.length - 1] = '\0';
}

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
    const struct settings *settings = pipeline->settings;
    struct run_record run = {.site = settings->site,
                             .sensor = settings->sensor,
                             .tool_version = APNSCOPE_VERSION,
                             .options = pipeline->options,
                             .analyzed_ns = analyzed_ns,
                             .first_ns = pipeline->quality.first_ns,
                             .last_ns = pipeline->quality.last_ns,
                             .packets = pipeline->quality.frames,
                             .bytes = pipeline->quality.bytes,
                             .drops_known = pipeline->quality.drops_known,
                             .state = RUN_COMPLETE};
    run.packets_dropped = capture_quality_drops(&pipeline->quality);
    if (pipeline->quality.truncated)
        run.state = RUN_TRUNCATED;
    if (pipeline->interrupted)
        run.state = RUN_INTERRUPTED;
    run.damage = pipeline->quality.damage[0] ? pipeline->quality.damage : NULL;
    snprintf(pipeline->libraries, sizeof pipeline->libraries, "%s; %s",
             protocol_library_version(), store_library_version());
    run.libraries = pipeline->libraries;
    describe_source(pipeline, &run);
    return run;
}

/* ---- what goes where ---- */

static void on_event(void *context, const struct event *event)
{
    struct pipeline *pipeline = (struct pipeline *)context;
    engine_observe(pipeline->engine, event);
    if (event->kind == EVENT_DNS_ANSWER)
        store_dns(pipeline->store, event);
}

static void on_flow(void *context, const struct flow_record *flow)
{
    store_flow(((struct pipeline *)context)->store, flow);
}

static void on_steps(void *context, const struct flow_record *flow, const struct flow_steps *steps)
{
    struct pipeline *pipeline = (struct pipeline *)context;
    bool is_evidence = engine_flow_is_evidence(pipeline->engine, flow->number);
    if (ladder_choice_takes(&pipeline->ladders, flow, steps, is_evidence))
        store_steps(pipeline->store, flow, steps);
}

static void on_attempts(void *context, const struct attempt_sum *sum)
{
    store_attempts(((struct pipeline *)context)->store, sum);
}

static void on_finding(void *context, const struct finding *finding)
{
    store_finding(((struct pipeline *)context)->store, finding);
}

static void on_device(void *context, const struct device_record *device)
{
    store_device(((struct pipeline *)context)->store, device);
}

static void on_requirement(void *context, const struct requirement_record *requirement)
{
    store_requirement(((struct pipeline *)context)->store, requirement);
}

/* ---- building ---- */

static bool passes(void *filter, const struct packet *packet)
{
    return front_passes((struct filter *)filter, packet);
}

static bool open_tracker(struct pipeline *pipeline, struct fault *fault)
{
    const struct settings *settings = pipeline->settings;
    struct track_options options = {.names = pipeline->names,
                                    .home_nets = settings->home_nets.items,
                                    .home_net_count = settings->home_nets.count,
                                    .apple_nets = settings->apple_nets.items,
                                    .apple_net_count = settings->apple_nets.count,
                                    .push_domains = settings->push_domains,
                                    .push_domain_count = settings->push_domain_count,
                                    .trust_path = settings->trust_path,
                                    .keep_all_apple = settings->all_apple,
                                    .without_ndpi = settings->without_ndpi,
                                    .passes = pipeline->filter ? passes : NULL,
                                    .passes_context = pipeline->filter,
                                    .event = on_event,
                                    .event_context = pipeline,
                                    .flow_done = on_flow,
                                    .steps_done = on_steps,
                                    .attempts_done = on_attempts,
                                    .done_context = pipeline};
    return tracker_new(&pipeline->tracker, &options, fault);
}

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

static bool open_filter(struct pipeline *pipeline, struct fault *fault)
{
    const char *expression = pipeline->settings->filter;
    return !expression || filter_compile_packets(&pipeline->filter, expression, fault);
}

static bool open_stages(struct pipeline *pipeline, const char *const *paths, size_t path_count,
                        struct fault *fault)
{
    pipeline->names = names_new(NAMES_CAP_BYTES);
    pipeline->capture_names = names_new(NAMES_CAP_BYTES);
    pipeline->engine = engine_new();
    for (size_t i = 0; i < pipeline->settings->apple_nets.count; i++)
        engine_add_apple_net(pipeline->engine, &pipeline->settings->apple_nets.items[i]);
    engine_on_early_device(pipeline->engine, pipeline, on_device);
    describe_options(pipeline);
    if (!open_filter(pipeline, fault) || !open_capture(pipeline, paths, path_count, fault) ||
        !open_tracker(pipeline, fault))
        return false;
    pipeline->front = front_new(pipeline->capture, pipeline->tracker, pipeline->filter);
    return true;
}

static void close_stages(struct pipeline *pipeline)
{
    front_free(pipeline->front);
    store_close(pipeline->store);
    tracker_free(pipeline->tracker);
    engine_free(pipeline->engine);
    capture_close(pipeline->capture);
    filter_free(pipeline->filter);
    names_free(pipeline->capture_names);
    names_free(pipeline->names);
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

static void count_skipped(struct pipeline *pipeline, const struct front_batch *batch)
{
    for (size_t reason = 0; reason < SKIP_COUNT; reason++)
        pipeline->quality.skipped[reason] += batch->skipped[reason];
}

/* The first batch with anything to look at: before there is one, the database is left alone. */
static const struct front_batch *first_batch(struct pipeline *pipeline)
{
    const struct front_batch *batch = front_next(pipeline->front);
    while (batch && pipeline->filter && !batch->packet_count) {
        count_skipped(pipeline, batch);
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
    for (; batch; batch = front_next(pipeline->front)) {
        count_skipped(pipeline, batch);
        tracker_take_screened(pipeline->tracker, batch->packets, batch->keys, batch->wanted,
                              batch->packet_count);
        frames_seen += batch->frame_count;
        show_progress(pipeline, frames_seen, &shown);
        if (asked_to_stop(pipeline))
            front_stop(pipeline->front);
    }
    pipeline->interrupted = !pipeline->settings->follow && asked_to_stop(pipeline);
}

static bool finish(struct pipeline *pipeline, int64_t analyzed_ns, struct pipeline_result *result,
                   struct fault *fault)
{
    struct engine_results results = {.context = pipeline,
                                     .finding = on_finding,
                                     .device = on_device,
                                     .requirement = on_requirement};
    capture_quality_of(pipeline->capture, &pipeline->quality);
    tracker_finish(pipeline->tracker, &pipeline->quality);
    engine_finish(pipeline->engine, &results);
    struct engine_losses losses = engine_losses(pipeline->engine);
    pipeline->quality.findings_not_kept = losses.findings;
    pipeline->quality.devices_early = losses.devices;
    pipeline->quality.rule_states_lost = losses.states;
    struct run_record run = describe_run(pipeline, analyzed_ns);
    result->quality = pipeline->quality;
    return store_finish(pipeline->store, &run, &pipeline->quality, &result->run_id, fault);
}

static bool no_packets(const struct pipeline *pipeline, struct fault *fault)
{
    struct capture_quality quality = {.first_ns = TIME_UNKNOWN, .last_ns = TIME_UNKNOWN};
    capture_quality_of(pipeline->capture, &quality);
    const char *path = capture_file_at(pipeline->capture, 0)->path;
    if (quality.frames > quality.skipped[SKIP_FILTERED])
        return fault_set(fault, "%s: none of its %llu packets passes the filter \"%s\"; nothing can "
                         "be said about the network", path, (unsigned long long)quality.frames,
                         pipeline->settings->filter);
    if (quality.frames)
        return fault_set(fault, "%s: none of its %llu packets lies in the time range; widen "
                         "--since and --until", path, (unsigned long long)quality.frames);
    if (quality.damage[0])
        return fault_set(fault, "%s, and no packet before that can be read; copy or take the capture "
                         "again", quality.damage);
    return fault_set(fault, "%s: holds no packets, so nothing can be said about the network; check "
                     "the capture's interface and filter", path);
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
    pipeline->quality.first_ns = pipeline->quality.last_ns = TIME_UNKNOWN;
    bool done = open_stages(pipeline, paths, path_count, fault);
    if (done) {
        const struct front_batch *first = first_batch(pipeline);
        struct run_record begun = describe_run(pipeline, analyzed_ns);
        done = first ? store_open(&pipeline->store, settings->database, STORE_WAIT, fault) &&
                           store_begin(pipeline->store, &begun, fault)
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
