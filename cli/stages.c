/* The analysis without its input: dissect's packets to tracker, engine, store.
 *
 * See stages.h. Owns the run's provenance as far as options decide it. Deliberately does not know
 * where packets come from. */
#include "stages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli_version.h"
#include "dissect/protocol.h"

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
static void describe_options(struct stages *stages)
{
    const struct settings *settings = stages->settings;
    struct text text = text_over(stages->options, sizeof stages->options);
    describe_prefixes(&text, "home-net", &settings->home_nets);
    if (settings->has_home_hops)
        text_format(&text, "--home-hops %d ", settings->home_hops);
    describe_prefixes(&text, "apple-net", &settings->apple_nets);
    for (size_t i = 0; i < settings->push_domain_count; i++)
        text_format(&text, "--push-domain %s ", settings->push_domains[i]);
    if (settings->trust_path)
        text_format(&text, "--trust %s ", settings->trust_path);
    if (settings->keepalive_ns)
        text_format(&text, "--keepalive %" PRId64 "s ", settings->keepalive_ns / NS_PER_S);
    if (settings->idle_limit_ns)
        text_format(&text, "--idle-limit %" PRId64 "s ", settings->idle_limit_ns / NS_PER_S);
    if (settings->all_apple)
        text_add(&text, "--all-apple ");
    if (settings->without_ndpi)
        text_add(&text, "--without-ndpi ");
    if (settings->site)
        text_format(&text, "--site %s ", settings->site);
    if (settings->sensor)
        text_format(&text, "--sensor %s ", settings->sensor);
    if (settings->decap)
        text_add(&text, "--decap ");
    if (settings->wide)
        text_add(&text, "--wide ");
    if (settings->also)
        text_format(&text, "--also '%s' ", settings->also);
    if (settings->filter)
        text_format(&text, "--filter '%s' ", settings->filter);
    describe_time(&text, "since", settings->since_ns);
    describe_time(&text, "until", settings->until_ns);
    if (text.length)
        stages->options[text.length - 1] = '\0';
}

struct run_record stages_run(struct stages *stages, int64_t analyzed_ns)
{
    const struct settings *settings = stages->settings;
    const struct capture_quality *quality = &stages->quality;
    struct run_record run = {.site = settings->site,
                             .sensor = settings->sensor,
                             .tool_version = APNSCOPE_VERSION,
                             .options = stages->options,
                             .analyzed_ns = analyzed_ns,
                             .stored_ns = TIME_UNKNOWN,
                             .first_ns = quality->first_ns,
                             .last_ns = quality->last_ns,
                             .packets = quality->frames,
                             .bytes = quality->bytes,
                             .packets_dropped = capture_quality_drops(quality),
                             .drops_known = quality->drops_known,
                             .state = RUN_COMPLETE};
    if (quality->truncated)
        run.state = RUN_TRUNCATED;
    if (stages->interrupted)
        run.state = RUN_INTERRUPTED;
    run.damage = quality->damage[0] ? quality->damage : NULL;
    run.libraries = stages->libraries;
    return run;
}

/* ---- what goes where ---- */

static void on_event(void *context, const struct event *event)
{
    struct stages *stages = (struct stages *)context;
    stages->events++;
    engine_observe(stages->engine, event);
    if (event->kind == EVENT_DNS_ANSWER)
        store_dns(stages->store, event);
}

static void on_flow(void *context, const struct flow_record *flow)
{
    struct stages *stages = (struct stages *)context;
    store_flow(stages->store, flow);
    if (stages->flow_done)
        stages->flow_done(stages->context, flow);
}

static void on_steps(void *context, const struct flow_record *flow, const struct flow_steps *steps)
{
    struct stages *stages = (struct stages *)context;
    bool is_evidence = engine_flow_is_evidence(stages->engine, flow->number);
    if (ladder_choice_takes(&stages->ladders, flow, steps, is_evidence))
        store_steps(stages->store, flow, steps);
}

static void on_attempts(void *context, const struct attempt_sum *sum)
{
    store_attempts(((struct stages *)context)->store, sum);
}

static void on_finding(void *context, const struct finding *finding)
{
    store_finding(((struct stages *)context)->store, finding);
}

static void on_device(void *context, const struct device_record *device)
{
    store_device(((struct stages *)context)->store, device);
}

static void on_requirement(void *context, const struct requirement_record *requirement)
{
    store_requirement(((struct stages *)context)->store, requirement);
}

struct engine_results stages_results(struct stages *stages)
{
    return (struct engine_results){.context = stages,
                                   .finding = on_finding,
                                   .device = on_device,
                                   .requirement = on_requirement};
}

/* ---- building ---- */

static bool passes(void *filter, const struct packet *packet)
{
    return front_passes((struct filter *)filter, packet);
}

static void open_relay(struct stages *stages)
{
    struct relay_sinks sinks = {.context = stages,
                                .events = engine_events() | 1U << EVENT_DNS_ANSWER,
                                .event = on_event,
                                .flow_done = on_flow,
                                .steps_done = on_steps,
                                .attempts_done = on_attempts};
    stages->relay = relay_new(&sinks);
}

static bool open_tracker(struct stages *stages, struct fault *fault)
{
    const struct settings *settings = stages->settings;
    struct track_options options = {.names = stages->names,
                                    .home_nets = settings->home_nets.items,
                                    .home_net_count = settings->home_nets.count,
                                    .apple_nets = settings->apple_nets.items,
                                    .apple_net_count = settings->apple_nets.count,
                                    .push_domains = settings->push_domains,
                                    .push_domain_count = settings->push_domain_count,
                                    .trust_path = settings->trust_path,
                                    .idle_limit_ns = settings->idle_limit_ns,
                                    .keep_all_apple = settings->all_apple,
                                    .without_ndpi = settings->without_ndpi,
                                    .passes = stages->filter ? passes : NULL,
                                    .passes_context = stages->filter,
                                    .event = relay_event,
                                    .event_context = stages->relay,
                                    .flow_done = relay_flow,
                                    .steps_done = relay_steps,
                                    .attempts_done = relay_attempts,
                                    .done_context = stages->relay};
    return tracker_new(&stages->tracker, &options, fault);
}

static bool open_filter(struct stages *stages, struct fault *fault)
{
    const char *expression = stages->settings->filter;
    return !expression || filter_compile_packets(&stages->filter, expression, fault);
}

bool stages_open(struct stages *stages, const struct settings *settings, struct fault *fault)
{
    stages->settings = settings;
    stages->quality.first_ns = stages->quality.last_ns = TIME_UNKNOWN;
    stages->names = names_new(NAMES_CAP_BYTES);
    stages->engine = engine_new();
    for (size_t i = 0; i < settings->apple_nets.count; i++)
        engine_add_apple_net(stages->engine, &settings->apple_nets.items[i]);
    for (size_t i = 0; i < settings->home_nets.count; i++)
        engine_add_home_net(stages->engine, &settings->home_nets.items[i]);
    if (settings->has_home_hops)
        engine_set_home_hops(stages->engine, settings->home_hops);
    if (settings->keepalive_ns)
        engine_set_keepalive(stages->engine, (uint32_t)(settings->keepalive_ns / NS_PER_S));
    engine_on_early_device(stages->engine, stages, on_device);
    describe_options(stages);
    /* once: the store's thread reads it while later records of the run are made */
    snprintf(stages->libraries, sizeof stages->libraries, "nDPI %s, SQLite %s",
             protocol_library_version(), store_library_version());
    open_relay(stages);
    return open_filter(stages, fault) && open_tracker(stages, fault);
}

void stages_close(struct stages *stages)
{
    relay_free(stages->relay);
    store_close(stages->store);
    tracker_free(stages->tracker);
    engine_free(stages->engine);
    filter_free(stages->filter);
    names_free(stages->names);
}

/* ---- running ---- */

void stages_count_skipped(struct stages *stages, const struct front_batch *batch)
{
    for (size_t reason = 0; reason < SKIP_COUNT; reason++)
        stages->quality.skipped[reason] += batch->skipped[reason];
}

void stages_share(struct stages *stages)
{
    relay_share(stages->relay);
}

void stages_take(struct stages *stages, const struct front_batch *batch)
{
    stages_count_skipped(stages, batch);
    tracker_take_screened(stages->tracker, batch->packets, batch->keys, batch->wanted,
                          batch->packet_count);
}

void stages_end(struct stages *stages)
{
    tracker_finish(stages->tracker, &stages->quality);
    relay_end(stages->relay);
}

void stages_note_losses(struct stages *stages)
{
    struct engine_losses losses = engine_losses(stages->engine);
    stages->quality.findings_not_kept = losses.findings;
    stages->quality.devices_early = losses.devices;
    stages->quality.rule_states_lost = losses.states;
}
