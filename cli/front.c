/* Two threads that turn parts of a capture into packets.
 *
 * See front.h. Each thread has its own few jobs, so that their memory stays in its processor's
 * cache; jobs are numbered as the parts of the capture are, and taken in that order. */
#include "front.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "capture/filter.h"
#include "dissect/checksum.h"
#include "dissect/dissect.h"

enum { THREADS = 2, JOBS_EACH = 4, JOBS = THREADS * JOBS_EACH };

enum worker { MAIN_THREAD, FRONT_THREAD };

enum job_state {
    JOB_FREE,
    JOB_AT_WORK,
    JOB_READY,
    JOB_OVER /* its part is beyond the last one */
};

struct job {
    enum job_state state;
    struct capture_part *part;
    size_t room; /* for packets */
    struct front_batch batch;
};

struct front {
    struct capture *capture;
    const struct tracker *tracker;
    struct filter *filter; /* NULL: none */
    struct job jobs[THREADS][JOBS_EACH];
    bool by_parts;
    struct job single; /* what is not read in parts; and its frames: */
    struct frame frames[CAPTURE_BATCH_MAX];

    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* over what follows, and over the jobs' states */
    pthread_cond_t freed;
    pthread_cond_t done;
    struct job *numbered[JOBS]; /* part n: [n % JOBS] */
    uint64_t begun;             /* parts */
    uint64_t taken;
    bool have_ended; /* the parts have, or no more are wanted */
    bool is_resting; /* the thread is */
    bool is_awaited;
    bool stops;
    bool is_stopped;
};

/* ---- one batch ---- */

/* Frames lie one after the other in a large buffer: their headers are asked for a little ahead. */
static inline void prefetch_frame(const struct frame *frames, size_t index, size_t count)
{
    enum { CACHE_LINE = 64 };
    if (index < count) {
        __builtin_prefetch(frames[index].bytes);
        __builtin_prefetch(frames[index].bytes + CACHE_LINE);
    }
}

static bool matches(struct filter *filter, const uint8_t *ip, const uint8_t *payload,
                    uint32_t payload_captured, uint32_t payload_size)
{
    uint32_t head = (uint32_t)(payload - ip);
    return filter_matches_packet(filter, ip, head + payload_captured, head + payload_size);
}

/* --filter, on the innermost IP packet. An error of ICMP passes with the packet that it quotes: it
 * is about that packet, and without it a refused session would look like a silent one. */
bool front_passes(struct filter *filter, const struct packet *packet)
{
    if (packet->kind == PACKET_FRAGMENT)
        return true; /* asked again of what it is a part of */
    return matches(filter, packet->ip, packet->payload, packet->payload_captured,
                   packet->payload_size) ||
           (packet->kind == PACKET_ICMP_ERROR &&
            matches(filter, packet->payload, packet->payload, packet->payload_captured,
                    packet->payload_size));
}

static void free_packets(struct front_batch *batch)
{
    free(batch->packets);
    free(batch->keys);
    free(batch->wanted);
}

static void make_room(struct job *job, size_t count)
{
    struct front_batch *batch = &job->batch;
    if (count <= job->room)
        return;
    job->room = (2 * count + 63) & ~(size_t)63;
    free_packets(batch);
    batch->packets = malloc(job->room * sizeof *batch->packets);
    batch->keys = malloc(job->room * sizeof *batch->keys);
    batch->wanted = malloc(job->room / 64 * sizeof *batch->wanted);
    assert(batch->packets && batch->keys && batch->wanted);
}

/* A wanted packet's bytes are in this processor's cache: its checksum is asked here. */
static bool screen(const struct front *front, struct packet *packet, uint64_t *key)
{
    bool is_wanted = tracker_screen(front->tracker, packet, key);
    if (is_wanted && packet->checksum == CHECKSUM_UNASKED)
        packet->checksum = (uint8_t)dissect_checksum(packet);
    return is_wanted;
}

static void dissect(const struct front *front, struct job *job, const struct frame *frames,
                    size_t count)
{
    enum { AHEAD = 6 };
    struct front_batch *batch = &job->batch;
    size_t kept = 0;
    uint64_t wanted = 0;
    make_room(job, count);
    memset(batch->skipped, 0, sizeof batch->skipped);
    for (size_t i = 0; i < count; i++) {
        struct packet *packet = &batch->packets[kept];
        prefetch_frame(frames, i + AHEAD, count);
        enum skip_reason reason = dissect_frame(&frames[i], packet);
        if (reason == SKIP_NONE && front->filter && !front_passes(front->filter, packet))
            reason = SKIP_FILTERED;
        if (reason != SKIP_NONE) {
            batch->skipped[reason]++;
            continue;
        }
        wanted |= (uint64_t)screen(front, packet, &batch->keys[kept]) << kept % 64;
        batch->wanted[kept / 64] = wanted;
        if (++kept % 64 == 0)
            wanted = 0;
    }
    batch->frame_count = count;
    batch->packet_count = kept;
}

/* ---- in parts ---- */

static struct job *free_job(struct front *front, enum worker worker)
{
    for (size_t i = 0; i < JOBS_EACH; i++)
        if (front->jobs[worker][i].state == JOB_FREE)
            return &front->jobs[worker][i];
    return NULL;
}

/* The lock is held, but not while at work. False: no job is free, or there are no more parts. */
static bool work(struct front *front, enum worker worker)
{
    struct job *job = front->have_ended ? NULL : free_job(front, worker);
    const struct frame *frames;
    size_t count;
    if (!job)
        return false;
    uint64_t number = front->begun++;
    job->state = JOB_AT_WORK;
    front->numbered[number % JOBS] = job;
    pthread_mutex_unlock(&front->lock);
    bool is_there = capture_read_part(front->capture, number, job->part, &frames, &count);
    if (is_there)
        dissect(front, job, frames, count);
    pthread_mutex_lock(&front->lock);
    job->state = is_there ? JOB_READY : JOB_OVER;
    front->have_ended |= !is_there;
    if (front->is_awaited)
        pthread_cond_signal(&front->done);
    return true;
}

static void *work_along(void *context)
{
    struct front *front = (struct front *)context;
    pthread_mutex_lock(&front->lock);
    while (!front->stops) {
        if (work(front, FRONT_THREAD))
            continue;
        front->is_resting = true;
        pthread_cond_wait(&front->freed, &front->lock);
        front->is_resting = false;
    }
    pthread_mutex_unlock(&front->lock);
    return NULL;
}

static void await_job(struct front *front)
{
    front->is_awaited = true;
    pthread_cond_wait(&front->done, &front->lock);
    front->is_awaited = false;
}

/* Waking the thread is dear: it is let rest until most of its jobs are free. */
static void wake_if_worthwhile(struct front *front)
{
    size_t free_count = 0;
    for (size_t i = 0; i < JOBS_EACH; i++)
        free_count += front->jobs[FRONT_THREAD][i].state == JOB_FREE;
    if (front->is_resting && free_count > JOBS_EACH / 2)
        pthread_cond_signal(&front->freed);
}

/* The batch that was taken last is done with. */
static void give_back(struct front *front)
{
    if (!front->taken)
        return;
    front->numbered[(front->taken - 1) % JOBS]->state = JOB_FREE;
    wake_if_worthwhile(front);
}

/* The lock is held. NULL: the parts are over, and nobody is at work any more: the parts that were
 * begun in vain are in order behind the last one. */
static struct job *next_job(struct front *front)
{
    for (;;) {
        struct job *job = front->taken < front->begun ? front->numbered[front->taken % JOBS] : NULL;
        if (job && job->state == JOB_READY)
            return job;
        if (job && job->state == JOB_OVER)
            front->taken++;
        else if (!job && front->have_ended)
            return NULL;
        else if (!work(front, MAIN_THREAD))
            await_job(front);
    }
}

static const struct front_batch *next_by_parts(struct front *front)
{
    pthread_mutex_lock(&front->lock);
    give_back(front);
    struct job *job = next_job(front);
    front->taken += job != NULL;
    pthread_mutex_unlock(&front->lock);
    front->by_parts = job != NULL;
    return job ? &job->batch : NULL;
}

/* ---- the whole ---- */

struct front *front_new(struct capture *capture, const struct tracker *tracker,
                        struct filter *filter)
{
    struct front *front = (struct front *)calloc(1, sizeof *front);
    assert(front);
    front->capture = capture;
    front->tracker = tracker;
    front->filter = filter;
    front->by_parts = capture && capture_has_parts(capture);
    for (size_t i = 0; front->by_parts && i < JOBS; i++)
        front->jobs[i / JOBS_EACH][i % JOBS_EACH].part = capture_part_new();
    pthread_mutex_init(&front->lock, NULL);
    pthread_cond_init(&front->freed, NULL);
    pthread_cond_init(&front->done, NULL);
    return front;
}

/* Signals are the main thread's to handle. Where no thread can be had, and with a filter, which
 * libpcap runs for one thread at a time, the main thread does it all. */
void front_share(struct front *front)
{
    sigset_t all, before;
    if (!front->by_parts || front->filter)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    front->has_thread = pthread_create(&front->thread, NULL, work_along, front) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void end_thread(struct front *front)
{
    if (!front->has_thread)
        return;
    pthread_mutex_lock(&front->lock);
    front->stops = true;
    pthread_cond_signal(&front->freed);
    pthread_mutex_unlock(&front->lock);
    pthread_join(front->thread, NULL);
    front->has_thread = false;
}

static void free_job_memory(struct job *job)
{
    capture_part_free(job->part);
    free_packets(&job->batch);
}

void front_free(struct front *front)
{
    if (!front)
        return;
    end_thread(front);
    for (size_t i = 0; i < JOBS; i++)
        free_job_memory(&front->jobs[i / JOBS_EACH][i % JOBS_EACH]);
    free_job_memory(&front->single);
    pthread_cond_destroy(&front->freed);
    pthread_cond_destroy(&front->done);
    pthread_mutex_destroy(&front->lock);
    free(front);
}

void front_stop(struct front *front)
{
    end_thread(front);
    front->have_ended = true;
    front->is_stopped = true;
}

static const struct front_batch *next_on_main_thread(struct front *front)
{
    end_thread(front);
    size_t count = capture_next(front->capture, front->frames, CAPTURE_BATCH_MAX);
    dissect(front, &front->single, front->frames, count);
    return count ? &front->single.batch : NULL;
}

const struct front_batch *front_next(struct front *front)
{
    const struct front_batch *batch = front->by_parts ? next_by_parts(front) : NULL;
    return batch || front->is_stopped ? batch : next_on_main_thread(front);
}

/* ---- frames from elsewhere ---- */

void front_digest(const struct front *front, const struct frame *frame, struct front_digest *digest)
{
    digest->reason = dissect_frame(frame, &digest->packet);
    digest->is_wanted = digest->reason == SKIP_NONE && screen(front, &digest->packet, &digest->key);
}

struct front_batch *front_gather(struct front *front, const struct frame *frames,
                                 const struct front_digest *const *digests, size_t count)
{
    struct front_batch *batch = &front->single.batch;
    size_t kept = 0;
    uint64_t wanted = 0;
    assert(count <= 64);
    make_room(&front->single, count);
    memset(batch->skipped, 0, sizeof batch->skipped);
    for (size_t i = 0; i < count; i++) {
        struct packet *packet = &batch->packets[kept];
        enum skip_reason reason = digests[i]->reason;
        if (reason == SKIP_NONE) {
            *packet = digests[i]->packet;
            packet->frame = frames[i].number;
            packet->time_ns = frames[i].time_ns;
            if (front->filter && !front_passes(front->filter, packet))
                reason = SKIP_FILTERED;
        }
        if (reason != SKIP_NONE) {
            batch->skipped[reason]++;
            continue;
        }
        batch->keys[kept] = digests[i]->key;
        wanted |= (uint64_t)digests[i]->is_wanted << kept++;
    }
    batch->wanted[0] = wanted;
    batch->frame_count = count;
    batch->packet_count = kept;
    return batch;
}
