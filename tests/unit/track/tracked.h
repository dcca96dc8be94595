/* A tracker and the sessions that it told of, for tests that give it packets one by one. */
#ifndef APNSCOPE_TESTS_TRACK_TRACKED_H
#define APNSCOPE_TESTS_TRACK_TRACKED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "track/tracker.h"

enum { DONE_MAX = 16 };

static struct tracker *tracker;
static struct names *names;
static struct flow_record done[DONE_MAX];
static size_t done_count;
static struct capture_quality quality;
static uint64_t frame;
static int64_t now_ns;

static void on_event(void *context, const struct event *event)
{
    (void)context;
    (void)event;
}

static void on_flow(void *context, const struct flow_record *flow)
{
    (void)context;
    assert_true(done_count < DONE_MAX);
    done[done_count++] = *flow;
}

static inline int begin(void **state)
{
    struct fault fault = {{0}};
    (void)state;
    names = names_new(1 << 16);
    struct track_options options = {
        .names = names, .without_ndpi = true, .event = on_event, .flow_done = on_flow};
    assert_true(tracker_new(&tracker, &options, &fault));
    memset(&quality, 0, sizeof quality);
    quality.first_ns = quality.last_ns = TIME_UNKNOWN;
    done_count = 0;
    frame = 0;
    now_ns = 1000 * NS_PER_S;
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    tracker_free(tracker);
    names_free(names);
    return 0;
}

/* The next frame, so long after the one before. */
static inline void take_after(struct packet packet, int64_t later_ns)
{
    packet.frame = ++frame;
    packet.checksum = CHECKSUM_LEFT_OUT; /* no bytes to sum up */
    packet.time_ns = now_ns += later_ns;
    tracker_take(tracker, &packet, 1);
}

static inline void finish(void)
{
    tracker_finish(tracker, &quality);
}

#endif
