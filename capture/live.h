/* Frames from interfaces, as they pass.
 *
 * The live counterpart of capture.h. One thread for each interface takes frames from the kernel's
 * memory-mapped ring and copies them into a queue, never waiting for anybody; the caller takes them
 * from there, those of several interfaces merged by time. What the kernel, the interface or a full
 * queue dropped is counted apart. Deliberately decides nothing about what is taken: the filter is
 * the caller's. */
#ifndef APNSCOPE_CAPTURE_LIVE_H
#define APNSCOPE_CAPTURE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "capture/capture.h"
#include "model/capture_quality.h"
#include "model/frame.h"

enum {
    LIVE_INTERFACES_MAX = 16,
    LIVE_BUFFER_SIZE = 32 << 20, /* the kernel's ring, an interface */
    LIVE_QUEUE_SIZE = 16 << 20,  /* ours, an interface */
    LIVE_SNAP_AUTO = 262144      /* merged segments (GRO, LRO) are taken whole */
};

/* Frames of another interface may still come so much later: its ring hands over its last block
 * when that is full or has waited. */
#define LIVE_HOLD_NS (120 * INT64_C(1000000))

struct live_options {
    const char *const *interfaces;
    size_t interface_count;
    /* The filter for an interface with link headers to look at (Ethernet), and without. */
    const char *filter_with_link;
    const char *filter_without_link;
    size_t buffer_size; /* 0: LIVE_BUFFER_SIZE */
    size_t queue_size;  /* a power of two; 0: LIVE_QUEUE_SIZE */
    uint32_t snap_size; /* 0: LIVE_SNAP_AUTO */
    bool not_promiscuous;
    int first_cpu; /* the threads stay on this processor and the next ones; -1: anywhere */
    /* For tests with sped-up replays: times are stretched by this factor from `epoch_ns` on. */
    double time_factor; /* 0: 1 */
    int64_t epoch_ns;
};

struct live;

/* Opens every interface, with the filter in the kernel before the first frame is taken. False with
 * a sentence: no such interface, down, no permission, or the filter is not valid. */
MUST_USE bool live_open(struct live **live, const struct live_options *options,
                        struct fault *fault);
/* Starts the threads. They need no privilege. */
MUST_USE bool live_start(struct live *live, struct fault *fault);
/* No more frames are taken; those in the queues are still given. */
void live_stop(struct live *live);
void live_close(struct live *live); /* NULL is fine */

/* The next frames, at most `max` (<= CAPTURE_BATCH_MAX), in the order of their times; 0: none now.
 * They stay valid until the next call. `now_ns` is the wall clock, which says how long to wait for
 * a slower interface; INT64_MAX: not at all. */
size_t live_next(struct live *live, struct frame *frames, size_t max, int64_t now_ns);
/* Sleeps until there are frames, a signal came, or the time is over. */
void live_wait(struct live *live, int timeout_ms);

/* The wall clock as the frames' times have it. */
int64_t live_time(const struct live *live, int64_t wall_ns);

struct live_statistics {
    const char *interface;
    const char *time_stamps; /* libpcap's word: "host", "adapter" */
    uint16_t link_type;
    bool in_kernel;             /* the filter runs there */
    uint64_t received;          /* by the interface, all traffic; 0: not known */
    uint64_t matched;           /* passed the filter */
    uint64_t dropped_kernel;    /* the ring was full */
    uint64_t dropped_interface; /* by the hardware or its driver */
    uint64_t dropped_queue;     /* our queue was full */
    uint64_t queue_waiting;     /* bytes */
    uint64_t queue_highest;
    uint64_t queue_size;
    bool is_down;
    char trouble[128]; /* libpcap's last complaint; "" */
};
size_t live_interface_count(const struct live *live);
void live_statistics_of(struct live *live, size_t index, struct live_statistics *statistics);

/* Adds what the capture knows into *quality, as capture_quality_of does. */
void live_quality_of(struct live *live, struct capture_quality *quality);

#endif
