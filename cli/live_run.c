/* The loop of a live run.
 *
 * Capture threads fill queues; this thread alone analyses, and never waits for the disk: rows that
 * do not fit are counted. Between packets it looks after what goes by the clock: silences, what is
 * new, interim rows, old rows. Deliberately lags behind the wall clock by LAG_NS when it tells the
 * tracker the time, so that no packet comes from a past that was already judged. */
#include "live_run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/now.h"
#include "base/text.h"
#include "glimpses.h"
#include "live_words.h"
#include "self_check.h"
#include "stages.h"
#include "standing.h"

/* The kernel's ring hands over after 50 ms, the merge of interfaces waits for LIVE_HOLD_NS. */
#define LAG_NS    (400 * NS_PER_MS)
#define JUDGE_NS  (250 * NS_PER_MS)
#define SECOND_NS NS_PER_S
/* What is newer than this, and the writer's patience with a batch, may be lost with the process. */
#define INTERIM_NS    (400 * NS_PER_MS)
#define RETAIN_NS     (10 * NS_PER_S)
#define SELF_CHECK_NS (6 * NS_PER_S)
/* Nothing is decided later than this after a packet, but by the length of a silence. */
#define NEWS_NS  (7 * NS_PER_S)
#define QUIET_NS (10 * NS_PER_S)

enum {
    WAIT_MS = 100,
    INTERIM_ROWS_MAX = 5000, /* sessions, at a time */
    UPDATES_MAX = 250,       /* findings and devices that were told already, a judgement */
    JUDGE_SHARE = 10,        /* judging takes at most a tenth of the time */
};

struct live_run {
    const struct settings *settings;
    struct live_run_hooks hooks;
    struct stages stages;
    struct live *live;
    struct front *front;
    struct standing *standing;
    struct scope_filter scope;
    struct feed_sink sinks[LIVE_SINKS_MAX];
    size_t sink_count;
    struct self_check check;
    bool is_checked;
    int64_t began_ns; /* wall clock */
    /* monotonic, for the wall clock may be set */
    int64_t started_ns;
    int64_t next_second_ns, next_interim_ns, next_judge_ns, next_retain_ns, next_interval_ns;
    int64_t judged_ns;
    int64_t changed_ns;    /* when there was a packet or an event last */
    uint64_t changes;      /* of both, so far */
    unsigned updates_left; /* of what was told, until the next judgement */
    bool is_ending;
    bool is_over; /* an interface was replaced by one that this run cannot take up */
    int64_t lag_ns;
    uint64_t ended[OUTCOME_COUNT];
    struct glimpses glimpses;
    struct live_words words;
    struct speaker speaker; /* to every sink */
    char source[1024];
    char notes[512];
};

/* ---- telling ---- */

#define FOR_SINKS(run, function, ...)                                                              \
    for (size_t i_ = 0; i_ < (run)->sink_count; i_++)                                              \
        if ((run)->sinks[i_].function)                                                             \
    (run)->sinks[i_].function((run)->sinks[i_].context, __VA_ARGS__)

static void tell_line(void *context, const char *line)
{
    struct live_run *run = (struct live_run *)context;
    FOR_SINKS(run, notice, line);
}

/* The next judgement tells updates again that there was no time or room for: a fault of thousands
 * of devices must not keep the database from what is new. */
static bool may_update(struct live_run *run)
{
    if (run->is_ending)
        return true;
    if (!run->updates_left || !store_keeps_up(run->stages.store))
        return false;
    run->updates_left--;
    return true;
}

static bool on_finding(void *context, const struct finding *finding, bool is_new)
{
    struct live_run *run = (struct live_run *)context;
    if (!is_new && !may_update(run))
        return false;
    store_finding(run->stages.store, finding);
    FOR_SINKS(run, finding, finding, is_new);
    return true;
}

/* Of its sentences only the reason is told. */
static struct finding what_was_told(const struct standing_finding *told)
{
    struct finding finding = {.number = told->number,
                              .code = told->code,
                              .severity = told->severity,
                              .scope = told->scope,
                              .client_ip = told->client_ip,
                              .server_ip = told->server_ip,
                              .lane = told->lane,
                              .server_port = told->server_port,
                              .first_ns = TIME_UNKNOWN,
                              .last_ns = told->absent_ns,
                              .blocker_hops = -1};
    char why[WITHDRAWAL_TEXT_SIZE];
    snprintf(finding.summary, sizeof finding.summary, "%s", withdrawal_text(told, why));
    return finding;
}

static void on_withdrawn(void *context, const struct standing_finding *told)
{
    struct live_run *run = (struct live_run *)context;
    struct finding finding = what_was_told(told);
    store_withdraw(run->stages.store, finding.number);
    FOR_SINKS(run, withdrawn, &finding);
}

static bool on_device(void *context, const struct device_record *device, enum device_verdict before)
{
    struct live_run *run = (struct live_run *)context;
    if (before == device->verdict && !may_update(run))
        return false;
    store_device(run->stages.store, device);
    FOR_SINKS(run, device, device, before);
    return true;
}

static void on_requirement(void *context, const struct requirement_record *requirement)
{
    store_requirement(((struct live_run *)context)->stages.store, requirement);
}

static void on_flow(void *context, const struct flow_record *flow)
{
    struct live_run *run = (struct live_run *)context;
    run->ended[flow->outcome]++;
    FOR_SINKS(run, flow, flow);
}

/* ---- opening ---- */

static struct run_record describe_run(struct live_run *run)
{
    struct run_record record = stages_run(&run->stages, run->began_ns);
    record.is_live = true;
    record.stored_ns = now_wall_ns();
    record.source = run->source;
    record.capture_notes = run->notes;
    return record;
}

static void describe_source(struct live_run *run)
{
    struct text source = text_over(run->source, sizeof run->source);
    struct text notes = text_over(run->notes, sizeof run->notes);
    for (size_t i = 0; i < live_interface_count(run->live); i++) {
        struct live_statistics statistics;
        live_statistics_of(run->live, i, &statistics);
        text_format(&source, "%s%s", i ? "; " : "", statistics.interface);
        text_format(&notes, "%s%s: link type %u, time stamps of the %s", i ? "; " : "",
                    statistics.interface, statistics.link_type, statistics.time_stamps);
    }
}

/* On the capture threads. */
static void make_digest(void *context, const struct frame *frame, void *digest)
{
    front_digest((const struct front *)context, frame, (struct front_digest *)digest);
}

static bool open_live(struct live_run *run, struct fault *fault)
{
    const struct settings *settings = run->settings;
    char *buffer = malloc(2 * SCOPE_FILTER_SIZE);
    assert(buffer);
    struct text with = text_over(buffer, SCOPE_FILTER_SIZE);
    struct text without = text_over(buffer + SCOPE_FILTER_SIZE, SCOPE_FILTER_SIZE);
    scope_filter_write(&run->scope, true, &with);
    scope_filter_write(&run->scope, false, &without);
    struct live_options options = {.interfaces = settings->interfaces,
                                   .interface_count = settings->interface_count,
                                   .filter_with_link = buffer,
                                   .filter_without_link = buffer + SCOPE_FILTER_SIZE,
                                   .workers = settings->workers,
                                   .wall_ns = now_wall_ns,
                                   .is_wrapped = settings->decap,
                                   .digest = make_digest,
                                   .digest_context = run->front,
                                   .digest_size = sizeof(struct front_digest),
                                   .buffer_size = settings->buffer_size,
                                   .snap_size = settings->snap_size,
                                   .not_promiscuous = settings->no_promiscuous,
                                   .time_stamps = settings->time_stamps,
                                   .first_cpu = settings->cpu,
                                   .time_factor = settings->replay_speed,
                                   .epoch_ns = run->began_ns};
    bool opened = with.cut ? fault_set(fault,
                                       "the filter would be longer than %d characters; "
                                       "join prefixes",
                                       SCOPE_FILTER_SIZE)
                           : live_open(&run->live, &options, fault);
    free(buffer);
    return opened;
}

static bool open_store(struct live_run *run, struct fault *fault)
{
    struct run_record record = describe_run(run);
    return store_open(&run->stages.store, run->settings->database, STORE_DROP, fault) &&
           store_begin(run->stages.store, &record, fault);
}

static bool open_all(struct live_run *run, struct fault *fault)
{
    const struct settings *settings = run->settings;
    if (!glimpses_open(&run->glimpses, &run->scope, fault))
        return false;
    if (!stages_open(&run->stages, settings, fault))
        return false;
    run->stages.flow_done = on_flow;
    run->stages.context = run;
    run->front = front_new(NULL, run->stages.tracker, run->stages.filter);
    if (!open_live(run, fault))
        return false;
    describe_source(run);
    struct standing_sink sink = {.context = run,
                                 .finding = on_finding,
                                 .withdrawn = on_withdrawn,
                                 .device = on_device,
                                 .requirement = on_requirement};
    run->standing = standing_new(&sink, run->stages.engine);
    return run->hooks.opened(run->hooks.context, run, fault) && open_store(run, fault);
}

bool live_run_open(struct live_run **opened, const struct settings *settings,
                   const struct live_run_hooks *hooks, struct fault *fault)
{
    struct live_run *run = (struct live_run *)calloc(1, sizeof *run);
    assert(run);
    *opened = NULL;
    run->settings = settings;
    run->hooks = *hooks;
    run->speaker = (struct speaker){.context = run, .say = tell_line};
    run->words = (struct live_words){.speaker = run->speaker};
    run->glimpses = (struct glimpses){.speaker = run->speaker};
    run->scope = settings_scope_filter(settings);
    run->began_ns = now_wall_ns();
    run->started_ns = now_monotonic_ns();
    run->next_interval_ns = run->started_ns + settings->statistics_ns;
    if (!open_all(run, fault)) {
        live_run_close(run);
        return false;
    }
    *opened = run;
    return true;
}

void live_run_add_sink(struct live_run *run, const struct feed_sink *sink)
{
    assert(run->sink_count < LIVE_SINKS_MAX);
    run->sinks[run->sink_count++] = *sink;
}

struct speaker live_run_speaker(const struct live_run *run)
{
    return run->speaker;
}

const char *live_run_interfaces(const struct live_run *run)
{
    return run->source;
}

int64_t live_run_began(const struct live_run *run)
{
    return run->began_ns;
}

bool live_run_start(struct live_run *run, struct fault *fault)
{
    for (size_t i = 0; i < run->sink_count; i++)
        if (run->sinks[i].start && !run->sinks[i].start(run->sinks[i].context, fault))
            return false;
    if (!live_start(run->live, fault))
        return false;
    speaker_say(&run->speaker,
                "watching %s; the database is %s; SIGTERM or SIGINT (Ctrl-C) ends the run",
                run->source, run->settings->database);
    return true;
}

void live_run_close(struct live_run *run)
{
    if (!run)
        return;
    while (run->sink_count) { /* one that is closed is told nothing more */
        const struct feed_sink *sink = &run->sinks[--run->sink_count];
        if (sink->close)
            sink->close(sink->context);
    }
    live_close(run->live);
    front_free(run->front);
    standing_free(run->standing);
    stages_close(&run->stages);
    glimpses_close(&run->glimpses);
    free(run);
}

/* ---- packets ---- */

static void take_frames(struct live_run *run, const struct frame *frames,
                        const void *const *digests, size_t count, int64_t now_ns)
{
    struct front_batch *batch =
        front_gather(run->front, frames, (const struct front_digest *const *)digests, count);
    glimpses_leave_out(&run->glimpses, batch);
    for (size_t i = 0; !run->is_checked && i < batch->packet_count; i++)
        self_check_take(&run->check, &batch->packets[i]);
    FOR_SINKS(run, packets, frames, count, batch->packets, batch->packet_count);
    stages_take(&run->stages, batch);
    run->lag_ns = live_time(run->live, now_ns) - frames[count - 1].time_ns;
}

/* ---- what goes by the clock ---- */

static struct capture_quality quality_now(struct live_run *run)
{
    struct capture_quality quality = run->stages.quality;
    live_quality_of(run->live, &quality);
    tracker_quality_of(run->stages.tracker, &quality);
    return quality;
}

static bool may_be_news(struct live_run *run, const struct capture_quality *quality, int64_t now_ns)
{
    uint64_t changes = quality->frames + run->stages.events;
    if (changes != run->changes)
        run->changed_ns = now_ns;
    run->changes = changes;
    return quality->frames &&
           (now_ns - run->changed_ns < NEWS_NS || now_ns - run->judged_ns >= QUIET_NS);
}

/* New things are told soon, but judging never takes more than its share of the time. */
static void judge(struct live_run *run, int64_t now_ns)
{
    struct capture_quality quality = quality_now(run);
    int64_t begun_ns = now_monotonic_ns();
    if (!may_be_news(run, &quality, now_ns))
        return;
    run->updates_left = UPDATES_MAX;
    standing_judge(run->standing, run->stages.tracker, &quality,
                   live_time(run->live, now_wall_ns()));
    run->judged_ns = now_ns;
    int64_t took_ns = now_monotonic_ns() - begun_ns;
    run->next_judge_ns =
        now_ns + (took_ns * JUDGE_SHARE > JUDGE_NS ? took_ns * JUDGE_SHARE : JUDGE_NS);
}

static bool store_changed(void *context, const struct flow_record *flow)
{
    struct live_run *run = (struct live_run *)context;
    if (!store_keeps_up(run->stages.store))
        return false;
    store_flow(run->stages.store, flow);
    FOR_SINKS(run, session, flow);
    return true;
}

static void store_interim(struct live_run *run)
{
    struct track_interim interim = {
        .context = run, .changed = store_changed, .changed_max = INTERIM_ROWS_MAX};
    if (!store_keeps_up(run->stages.store))
        return;
    struct capture_quality quality = quality_now(run);
    struct capture_quality before = run->stages.quality;
    tracker_interim(run->stages.tracker, &interim);
    run->stages.quality = quality;
    struct run_record record = describe_run(run);
    run->stages.quality = before;
    store_progress(run->stages.store, &record, &quality);
}

static void fill_report(struct live_run *run, struct feed_report *report)
{
    report->began_ns = run->began_ns;
    report->now_ns = now_wall_ns();
    report->lag_ns = run->lag_ns;
    report->quality = quality_now(run);
    report->interface_count = live_interface_count(run->live);
    for (size_t i = 0; i < report->interface_count; i++)
        live_statistics_of(run->live, i, &report->interfaces[i]);
    store_state_of(run->stages.store, &report->store);
    struct standing_counts standing = standing_counts_of(run->standing);
    memcpy(report->findings, standing.findings, sizeof report->findings);
    memcpy(report->devices, standing.devices, sizeof report->devices);
    report->open_sessions = tracker_open_sessions(run->stages.tracker);
    memcpy(report->ended, run->ended, sizeof report->ended);
    report->glimpses = run->glimpses.count;
}

/* An interface is there again that only a run begun anew can capture on. */
static bool has_to_begin_anew(const struct feed_report *report)
{
    for (size_t i = 0; i < report->interface_count; i++)
        if (report->interfaces[i].refuses_successor)
            return true;
    return false;
}

static void check_mirror(struct live_run *run, const struct feed_report *report, int64_t now_ns)
{
    if (run->is_checked || now_ns - run->started_ns < SELF_CHECK_NS)
        return;
    run->is_checked = true;
    self_check_tell(&run->check, &report->quality, report->interfaces, report->interface_count,
                    run->scope.decapsulate, &run->speaker);
}

static void every_second(struct live_run *run, int64_t now_ns)
{
    const struct settings *settings = run->settings;
    struct feed_report *report = (struct feed_report *)calloc(1, sizeof *report);
    assert(report);
    live_tend(run->live);
    fill_report(run, report);
    report->is_interval = settings->statistics_ns && now_ns >= run->next_interval_ns;
    if (report->is_interval)
        run->next_interval_ns += settings->statistics_ns;
    live_words_changes(&run->words, report);
    run->is_over = has_to_begin_anew(report);
    check_mirror(run, report, now_ns);
    FOR_SINKS(run, report, report);
    if (run->hooks.tell_state(run->hooks.context))
        live_words_state(&run->words, report);
    run->hooks.alive(run->hooks.context);
    free(report);
}

static void retain(struct live_run *run)
{
    const struct settings *settings = run->settings;
    if (!settings->retain_ns && !settings->retain_size)
        return;
    store_retain(run->stages.store,
                 settings->retain_ns ? live_time(run->live, now_wall_ns()) - settings->retain_ns
                                     : INT64_MIN,
                 settings->retain_size);
}

static void go_by_the_clock(struct live_run *run, int64_t wall_ns, bool is_caught_up)
{
    int64_t now_ns = now_monotonic_ns();
    if (is_caught_up)
        tracker_advance(run->stages.tracker, live_time(run->live, wall_ns - LAG_NS));
    if (now_ns >= run->next_judge_ns)
        judge(run, now_ns);
    if (now_ns >= run->next_interim_ns) {
        run->next_interim_ns = now_ns + INTERIM_NS;
        store_interim(run);
    }
    if (now_ns >= run->next_second_ns) {
        run->next_second_ns = now_ns + SECOND_NS;
        every_second(run, now_ns);
    }
    if (now_ns >= run->next_retain_ns) {
        run->next_retain_ns = now_ns + RETAIN_NS;
        retain(run);
    }
    if (run->hooks.reopen(run->hooks.context))
        for (size_t i = 0; i < run->sink_count; i++)
            if (run->sinks[i].reopen)
                run->sinks[i].reopen(run->sinks[i].context);
}

static bool finish(struct live_run *run, struct live_run_result *result, struct fault *fault)
{
    struct stages *stages = &run->stages;
    live_quality_of(run->live, &stages->quality);
    stages_end(stages);
    run->is_ending = true;
    standing_end(run->standing, stages->engine);
    stages_note_losses(stages);
    struct run_record record = describe_run(run);
    result->quality = stages->quality;
    for (size_t i = 0; i < live_interface_count(run->live); i++) {
        struct live_statistics statistics;
        live_statistics_of(run->live, i, &statistics);
        result->received += statistics.received;
    }
    if (!store_finish(stages->store, &record, &stages->quality, &result->run_id, fault))
        return false;
    if (run->is_over)
        return fault_set(fault,
                         "%s: an interface was replaced by another one of its name, so the run "
                         "has ended; start apnscope again",
                         run->source);
    if (stages->quality.frames)
        return true;
    return fault_set(fault,
                     "%s: none of %s was of interest, so nothing can be said about the "
                     "network; check the mirror, and that apnscope filter covers it",
                     run->source, COUNTED(result->received, "packet"));
}

bool live_run_go(struct live_run *run, struct live_run_result *result, struct fault *fault)
{
    struct frame frames[CAPTURE_BATCH_MAX];
    const void *digests[CAPTURE_BATCH_MAX];
    const struct live_run_hooks *hooks = &run->hooks;
    *result = (struct live_run_result){0};
    while (!run->is_over && !hooks->stop(hooks->context)) {
        int64_t now_ns = now_wall_ns();
        size_t count = live_next(run->live, frames, digests, CAPTURE_BATCH_MAX, now_ns);
        if (count)
            take_frames(run, frames, digests, count, now_ns);
        go_by_the_clock(run, now_ns, count == 0);
        if (!count)
            live_wait(run->live, WAIT_MS);
    }
    hooks->ending(hooks->context);
    live_stop(run->live);
    size_t count;
    while ((count = live_next(run->live, frames, digests, CAPTURE_BATCH_MAX, INT64_MAX)) > 0)
        take_frames(run, frames, digests, count, now_wall_ns());
    return finish(run, result, fault);
}
