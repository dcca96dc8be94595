/* Several rings as one stream of frames in the order of their times.
 *
 * See live.h. Each ring delivers in its own rhythm, so a frame waits until every other ring has
 * shown a later one, or LIVE_HOLD_NS have passed. Deliberately reads no clock. */
#include "capture/live.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "live_interface.h"

/* What is further ahead of the wall clock was stamped before that was set back, or by another
 * clock: it waits for nobody. */
#define AHEAD_NS NS_PER_S

struct live {
    struct live_interface rings[LIVE_RINGS_MAX]; /* those of an interface side by side */
    size_t count;
    unsigned workers; /* rings of an interface */
    int wake;
    atomic_bool sleeps;
    double time_factor;
    int64_t epoch_ns;
    uint64_t last_number;
    int64_t last_time_ns;
    uint32_t snap_size;
    struct capture_quality quality;
};

int64_t live_time(const struct live *live, int64_t wall_ns)
{
    if (live->time_factor == 1 || wall_ns == INT64_MAX)
        return wall_ns;
    return live->epoch_ns + (int64_t)((double)(wall_ns - live->epoch_ns) * live->time_factor);
}

static bool open_ring(struct live *live, const struct live_options *options, size_t interface,
                      struct fault *fault)
{
    struct live_interface *ring = &live->rings[live->count];
    const struct live_interface *leader =
        live->count % live->workers ? &live->rings[interface * live->workers] : NULL;
    ring->id = (uint32_t)interface;
    ring->wake = live->wake;
    ring->consumer_sleeps = &live->sleeps;
    ring->cpu = options->first_cpu < 0 ? -1 : options->first_cpu + (int)live->count;
    live->count++;
    return live_interface_open(ring, options->interfaces[interface], options, leader, fault);
}

/* Frames that came while some ring was not yet there came to each that was. */
static void begin_together(struct live_interface *rings, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++)
        rings[i].joined_ns = rings[count - 1].joined_ns;
}

static bool open_interfaces(struct live *live, const struct live_options *options,
                            struct fault *fault)
{
    if (options->interface_count > LIVE_INTERFACES_MAX ||
        options->interface_count * live->workers > LIVE_RINGS_MAX)
        return fault_set(fault,
                         "more than %d interfaces, or %d with their workers; run a second "
                         "apnscope",
                         LIVE_INTERFACES_MAX, LIVE_RINGS_MAX);
    for (size_t i = 0; i < options->interface_count; i++) {
        for (unsigned worker = 0; worker < live->workers; worker++)
            if (!open_ring(live, options, i, fault))
                return false;
        begin_together(&live->rings[i * live->workers], live->workers);
    }
    return true;
}

static struct live_options with_defaults(const struct live_options *asked)
{
    struct live_options options = *asked;
    if (!options.workers)
        options.workers = 1;
    if (!options.buffer_size)
        options.buffer_size = LIVE_BUFFER_SIZE;
    if (!options.queue_size)
        options.queue_size = LIVE_QUEUE_SIZE;
    if (!options.snap_size)
        options.snap_size = LIVE_SNAP_AUTO;
    if (options.time_factor == 0)
        options.time_factor = 1;
    return options;
}

bool live_open(struct live **opened, const struct live_options *asked, struct fault *fault)
{
    const struct live_options options = with_defaults(asked);
    struct live *live = calloc(1, sizeof *live);
    assert(live && options.interface_count > 0);
    *opened = NULL;
    live->time_factor = options.time_factor;
    live->epoch_ns = options.epoch_ns;
    live->workers = options.workers;
    live->last_time_ns = TIME_UNKNOWN;
    live->snap_size = options.snap_size;
    live->quality.first_ns = live->quality.last_ns = TIME_UNKNOWN;
    live->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert(live->wake >= 0);
    if (!open_interfaces(live, &options, fault)) {
        live_close(live);
        return false;
    }
    *opened = live;
    return true;
}

bool live_start(struct live *live, struct fault *fault)
{
    for (size_t i = 0; i < live->count; i++) {
        int result = live_interface_start(&live->rings[i]);
        if (result != 0)
            return fault_set(fault, "%s: no thread to capture with: %s", live->rings[i].name,
                             strerror(result));
    }
    return true;
}

void live_stop(struct live *live)
{
    for (size_t i = 0; i < live->count; i++)
        live_interface_stop(&live->rings[i]);
}

void live_close(struct live *live)
{
    if (!live)
        return;
    for (size_t i = 0; i < live->count; i++)
        live_interface_close(&live->rings[i]);
    close(live->wake);
    free(live);
}

/* ---- frames ---- */

/* The ring whose next frame is the earliest; `live->count`: none may be given yet. */
static size_t earliest(struct live *live, int64_t now_ns)
{
    size_t best = live->count;
    int64_t best_ns = 0;
    bool one_is_empty = false;
    for (size_t i = 0; i < live->count; i++) {
        const struct queued_frame *queued = frame_queue_peek(&live->rings[i].queue);
        one_is_empty |= !queued;
        if (queued && (best == live->count || queued->time_ns < best_ns)) {
            best = i;
            best_ns = queued->time_ns;
        }
    }
    bool may_be_overtaken = one_is_empty && now_ns != INT64_MAX &&
                            best_ns > now_ns - LIVE_HOLD_NS && best_ns < now_ns + AHEAD_NS;
    return may_be_overtaken ? live->count : best;
}

/* Every time is believed, unlike a file's (span.h): a clock of now stamped it, and after a quiet
 * night one frame alone must not pass for damage. */
static void count_frame(struct live *live, const struct frame *frame)
{
    struct capture_quality *quality = &live->quality;
    int64_t time_ns = frame->time_ns;
    quality->frames++;
    quality->bytes += frame->captured_size;
    quality->frames_cut += frame->captured_size < frame->original_size;
    if (live->last_time_ns != TIME_UNKNOWN && time_ns < live->last_time_ns) {
        int64_t step_ns = live->last_time_ns - time_ns;
        quality->backward_steps++;
        if (step_ns > quality->largest_step_back_ns)
            quality->largest_step_back_ns = step_ns;
    }
    live->last_time_ns = time_ns;
    if (quality->first_ns == TIME_UNKNOWN || time_ns < quality->first_ns)
        quality->first_ns = time_ns;
    if (quality->last_ns == TIME_UNKNOWN || time_ns > quality->last_ns)
        quality->last_ns = time_ns;
}

static struct frame frame_of(struct live *live, size_t index, const struct queued_frame *queued)
{
    return (struct frame){.number = ++live->last_number,
                          .time_ns = live_time(live, queued->time_ns),
                          .captured_size = queued->captured_size,
                          .original_size = queued->original_size,
                          .interface_id = live->rings[index].id,
                          .link_type = live->rings[index].link_type,
                          .bytes = queued_frame_bytes(&live->rings[index].queue, queued),
                          .process = {.id = -1}};
}

size_t live_next(struct live *live, struct frame *frames, const void **digests, size_t max,
                 int64_t now_ns)
{
    size_t count = 0;
    assert(max <= CAPTURE_BATCH_MAX);
    for (size_t i = 0; i < live->count; i++)
        frame_queue_give_back(&live->rings[i].queue);
    while (count < max) {
        size_t index = earliest(live, now_ns);
        if (index == live->count)
            break;
        struct frame_queue *queue = &live->rings[index].queue;
        const struct queued_frame *queued = frame_queue_peek(queue);
        frames[count] = frame_of(live, index, queued);
        digests[count] = queued_frame_digest(queued);
        count_frame(live, &frames[count++]);
        frame_queue_pass(queue);
    }
    return count;
}

static bool has_frames(struct live *live)
{
    for (size_t i = 0; i < live->count; i++)
        if (frame_queue_peek(&live->rings[i].queue))
            return true;
    return false;
}

void live_wait(struct live *live, int timeout_ms)
{
    struct pollfd wake = {.fd = live->wake, .events = POLLIN};
    uint64_t count;
    bool waits_for_another = has_frames(live); /* held back: only time helps */
    atomic_store(&live->sleeps, true);
    if (waits_for_another || !has_frames(live))
        (void)poll(&wake, 1, timeout_ms);
    atomic_store(&live->sleeps, false);
    while (read(live->wake, &count, sizeof count) > 0)
        continue;
}

/* ---- what is known ---- */

void live_tend(struct live *live)
{
    for (size_t i = 0; i < live->count; i++)
        live_interface_tend(&live->rings[i]);
}

size_t live_interface_count(const struct live *live)
{
    return live->count / live->workers;
}

void live_statistics_of(struct live *live, size_t index, struct live_statistics *statistics)
{
    assert(index < live_interface_count(live));
    *statistics = (struct live_statistics){0};
    for (unsigned worker = 0; worker < live->workers; worker++)
        live_interface_statistics(&live->rings[index * live->workers + worker], statistics);
}

void live_quality_of(struct live *live, struct capture_quality *quality)
{
    const struct capture_quality *own = &live->quality;
    quality->frames += own->frames;
    quality->bytes += own->bytes;
    quality->frames_cut += own->frames_cut;
    quality->backward_steps += own->backward_steps;
    quality->largest_step_back_ns = own->largest_step_back_ns;
    quality->first_ns = own->first_ns;
    quality->last_ns = quality->end_ns = own->last_ns;
    quality->smallest_snap = live->snap_size;
    quality->drops_known = true;
    for (size_t i = 0; i < live_interface_count(live); i++) {
        struct live_statistics statistics;
        live_statistics_of(live, i, &statistics);
        quality->dropped_kernel += statistics.dropped_kernel;
        quality->dropped_interface += statistics.dropped_interface;
        quality->dropped_queue += statistics.dropped_queue;
    }
}
