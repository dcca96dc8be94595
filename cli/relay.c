/* Blocks of copies, in a ring, between two threads.
 *
 * The lock is held only to give a block on or back. What an item points to lies behind it in the
 * same block; names and certificates, which are kept for the run, are pointed to as they are.
 * Deliberately lets its thread rest until several blocks are full: waking it is dear. */
#include "relay.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { RELAY_BLOCKS = 8, WORTH_WAKING = 2, RELAY_BLOCK_SIZE = 64 << 10, ALIGNMENT = 16 };

enum item_kind { ITEM_EVENT, ITEM_FLOW, ITEM_STEPS, ITEM_ATTEMPTS };

struct item {
    _Alignas(ALIGNMENT) enum item_kind kind;
    uint32_t size; /* with all that lies behind it */
    struct event event;
    const struct flow_record *flow;
    const struct flow_steps *steps;
    const struct attempt_sum *sum;
};

/* The largest item, and what alignment adds. */
enum {
    ITEM_MAX = sizeof(struct item) + sizeof(struct flow_record) + sizeof(struct flow_evidence) +
               sizeof(struct idle_evidence) + sizeof(struct flow_steps) +
               sizeof(struct dns_message) + sizeof(struct capture_quality) +
               sizeof(struct attempt_sum) + 8 * ALIGNMENT
};
_Static_assert((int)ITEM_MAX <= RELAY_BLOCK_SIZE, "a block holds any item");

struct block {
    size_t used;
    const struct flow_record *newest; /* copied into it, for those who speak of it again */
    _Alignas(ALIGNMENT) uint8_t bytes[RELAY_BLOCK_SIZE];
};

struct relay {
    struct relay_sinks sinks;
    struct block *blocks;  /* NULL: not shared */
    struct block *filling; /* the tracker's thread's */
    pthread_t thread;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t filled;
    pthread_cond_t emptied;
    uint64_t given; /* blocks, ever */
    uint64_t told;
    bool is_resting; /* the thread is */
    bool is_awaited; /* the tracker's thread waits for a block */
    bool stops;
    bool drops;
};

/* ---- telling ---- */

static void tell(const struct relay_sinks *sinks, const struct item *item)
{
    switch (item->kind) {
    case ITEM_EVENT:
        sinks->event(sinks->context, &item->event);
        break;
    case ITEM_FLOW:
        sinks->flow_done(sinks->context, item->flow);
        break;
    case ITEM_STEPS:
        sinks->steps_done(sinks->context, item->flow, item->steps);
        break;
    case ITEM_ATTEMPTS:
        sinks->attempts_done(sinks->context, item->sum);
        break;
    }
}

static void tell_block(const struct relay_sinks *sinks, const struct block *block)
{
    for (size_t at = 0; at < block->used;) {
        const struct item *item = (const struct item *)(const void *)&block->bytes[at];
        tell(sinks, item);
        at += item->size;
    }
}

static void *tell_all(void *context)
{
    struct relay *relay = (struct relay *)context;
    pthread_mutex_lock(&relay->lock);
    while (!relay->drops) {
        if (relay->told < relay->given) {
            const struct block *block = &relay->blocks[relay->told % RELAY_BLOCKS];
            pthread_mutex_unlock(&relay->lock);
            tell_block(&relay->sinks, block);
            pthread_mutex_lock(&relay->lock);
            relay->told++;
            if (relay->is_awaited)
                pthread_cond_signal(&relay->emptied);
        } else if (relay->stops) {
            break;
        } else {
            relay->is_resting = true;
            pthread_cond_wait(&relay->filled, &relay->lock);
            relay->is_resting = false;
        }
    }
    pthread_mutex_unlock(&relay->lock);
    return NULL;
}

/* ---- blocks ---- */

/* The block goes on, and the next one is free. */
static void give_block(struct relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    relay->given++;
    while (relay->given - relay->told >= RELAY_BLOCKS) {
        relay->is_awaited = true;
        pthread_cond_signal(&relay->filled);
        pthread_cond_wait(&relay->emptied, &relay->lock);
        relay->is_awaited = false;
    }
    if (relay->is_resting && relay->given - relay->told >= WORTH_WAKING)
        pthread_cond_signal(&relay->filled);
    relay->filling = &relay->blocks[relay->given % RELAY_BLOCKS];
    pthread_mutex_unlock(&relay->lock);
    relay->filling->used = 0;
    relay->filling->newest = NULL;
}

static void *place(struct block *block, size_t size)
{
    void *at = &block->bytes[block->used];
    block->used += (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    return at;
}

static struct item *begin_item(struct relay *relay, enum item_kind kind)
{
    if (relay->filling->used + ITEM_MAX > RELAY_BLOCK_SIZE)
        give_block(relay);
    struct item *item = (struct item *)place(relay->filling, sizeof *item);
    item->kind = kind;
    return item;
}

static void end_item(struct relay *relay, struct item *item)
{
    const uint8_t *end = &relay->filling->bytes[relay->filling->used];
    item->size = (uint32_t)(end - (const uint8_t *)item);
}

/* ---- copies ---- */

static void *copy_of(struct block *block, const void *from, size_t size)
{
    return memcpy(place(block, size), from, size);
}

static const struct flow_record *copy_flow(struct block *block, const struct flow_record *flow)
{
    struct flow_record *copy = (struct flow_record *)copy_of(block, flow, sizeof *flow);
    if (flow->evidence)
        copy->evidence = copy_of(block, flow->evidence, sizeof *flow->evidence);
    if (flow->idle)
        copy->idle = copy_of(block, flow->idle, sizeof *flow->idle);
    block->newest = copy;
    return copy;
}

/* A session that is over is spoken of several times in a row, and does not change any more. */
static const struct flow_record *same_flow(struct block *block, const struct flow_record *flow)
{
    bool is_over = block->newest && block->newest->number == flow->number;
    return is_over ? block->newest : copy_flow(block, flow);
}

static void copy_event(struct block *block, struct event *copy, const struct event *event)
{
    *copy = *event;
    if (event->flow)
        copy->flow = copy_flow(block, event->flow);
    if (event->dns)
        copy->dns = copy_of(block, event->dns, sizeof *event->dns);
    if (event->quality)
        copy->quality = copy_of(block, event->quality, sizeof *event->quality);
}

/* ---- the tracker's sinks ---- */

void relay_event(void *context, const struct event *event)
{
    struct relay *relay = (struct relay *)context;
    if (!(relay->sinks.events >> event->kind & 1))
        return;
    if (!relay->blocks) {
        relay->sinks.event(relay->sinks.context, event);
        return;
    }
    struct item *item = begin_item(relay, ITEM_EVENT);
    copy_event(relay->filling, &item->event, event);
    if (event->kind != EVENT_FLOW_CLOSED)
        relay->filling->newest = NULL; /* it goes on and will change */
    end_item(relay, item);
}

void relay_flow(void *context, const struct flow_record *flow)
{
    struct relay *relay = (struct relay *)context;
    if (!relay->blocks) {
        relay->sinks.flow_done(relay->sinks.context, flow);
        return;
    }
    struct item *item = begin_item(relay, ITEM_FLOW);
    item->flow = same_flow(relay->filling, flow);
    end_item(relay, item);
}

void relay_steps(void *context, const struct flow_record *flow, const struct flow_steps *steps)
{
    struct relay *relay = (struct relay *)context;
    if (!relay->blocks) {
        relay->sinks.steps_done(relay->sinks.context, flow, steps);
        return;
    }
    struct item *item = begin_item(relay, ITEM_STEPS);
    item->flow = same_flow(relay->filling, flow);
    item->steps = copy_of(relay->filling, steps, sizeof *steps);
    end_item(relay, item);
}

void relay_attempts(void *context, const struct attempt_sum *sum)
{
    struct relay *relay = (struct relay *)context;
    if (!relay->blocks) {
        relay->sinks.attempts_done(relay->sinks.context, sum);
        return;
    }
    struct item *item = begin_item(relay, ITEM_ATTEMPTS);
    item->sum = copy_of(relay->filling, sum, sizeof *sum);
    end_item(relay, item);
}

/* ---- the whole ---- */

struct relay *relay_new(const struct relay_sinks *sinks)
{
    struct relay *relay = (struct relay *)calloc(1, sizeof *relay);
    assert(relay);
    relay->sinks = *sinks;
    pthread_mutex_init(&relay->lock, NULL);
    pthread_cond_init(&relay->filled, NULL);
    pthread_cond_init(&relay->emptied, NULL);
    return relay;
}

/* Signals are the main thread's to handle. */
void relay_share(struct relay *relay)
{
    sigset_t all, before;
    struct block *blocks =
        (struct block *)aligned_alloc(_Alignof(struct block), RELAY_BLOCKS * sizeof *blocks);
    assert(blocks && !relay->blocks);
    relay->blocks = relay->filling = blocks;
    relay->given = relay->told = 0;
    relay->filling->used = 0;
    relay->filling->newest = NULL;
    relay->stops = relay->drops = false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&relay->thread, NULL, tell_all, relay) != 0)
        relay->blocks = NULL;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!relay->blocks)
        free(blocks);
}

static void end_thread(struct relay *relay, bool drops)
{
    pthread_mutex_lock(&relay->lock);
    relay->stops = true;
    relay->drops = drops;
    pthread_cond_signal(&relay->filled);
    pthread_mutex_unlock(&relay->lock);
    pthread_join(relay->thread, NULL);
    free(relay->blocks);
    relay->blocks = NULL;
}

void relay_end(struct relay *relay)
{
    if (!relay->blocks)
        return;
    give_block(relay);
    end_thread(relay, false);
}

void relay_free(struct relay *relay)
{
    if (!relay)
        return;
    if (relay->blocks)
        end_thread(relay, true);
    pthread_cond_destroy(&relay->emptied);
    pthread_cond_destroy(&relay->filled);
    pthread_mutex_destroy(&relay->lock);
    free(relay);
}
