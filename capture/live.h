/* Frames from interfaces, as they pass.
 *
 * The live counterpart of capture.h. For each interface one thread or several (workers) take frames
 * from memory-mapped rings of the kernel and copy them into queues, never waiting for anybody; the
 * caller takes them from there, merged by time. What can be noted of a frame by itself (a digest)
 * is made by those threads as well. What the kernel, the interface or a full queue dropped is
 * counted apart. Deliberately decides nothing about what is taken: filter and digest are the
 * caller's. */
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
    LIVE_WORKERS_MAX = 16,
    LIVE_RINGS_MAX = 64,         /* interfaces times workers */
    LIVE_BUFFER_SIZE = 32 << 20, /* the kernel's rings, an interface */
    LIVE_QUEUE_SIZE = 64 << 20,  /* ours, a worker; a quarter is used while that suffices */
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
    /* Threads for each interface; 0: 1. The kernel shares frames among them by the device's
     * address, so that all of a device's come to one in order; those of mirrors that wrap frames
     * (`is_wrapped`) by its own hash of the outer headers. */
    unsigned workers;
    int64_t (*wall_ns)(void); /* with several workers: the clock of the kernel's time stamps */
    bool is_wrapped;
    /* Called by the threads, with room for `digest_size` bytes; NULL: none. */
    void (*digest)(void *context, const struct frame *frame, void *digest);
    void *digest_context;
    size_t digest_size;
    size_t buffer_size; /* 0: LIVE_BUFFER_SIZE */
    size_t queue_size;  /* a power of two; 0: LIVE_QUEUE_SIZE */
    uint32_t snap_size; /* 0: LIVE_SNAP_AUTO */
    bool not_promiscuous;
    const char *time_stamps; /* libpcap's word; NULL: the adapter's, where they follow the host's */
    int first_cpu; /* the threads stay on this processor and the next ones; -1: anywhere */
    /* For tests with sped-up replays: times are stretched by this factor from `epoch_ns` on. */
    double time_factor; /* 0: 1 */
    int64_t epoch_ns;
};

/* Whether libpcap has that word: "host", "host_hiprec", "adapter", "adapter_unsynced" ... */
bool live_time_stamps_known(const char *name);

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

/* The next frames and their digests, at most `max` (<= CAPTURE_BATCH_MAX), in the order of their
 * times; 0: none now. A frame has its number and its stretched time only here. They stay valid
 * until the next call. `now_ns` is the wall clock, which says how long to wait for a slower
 * interface; INT64_MAX: not at all. */
size_t live_next(struct live *live, struct frame *frames, const void **digests, size_t max,
                 int64_t now_ns);
/* Sleeps until there are frames, a signal came, or the time is over. */
void live_wait(struct live *live, int timeout_ms);

/* The wall clock as the frames' times have it. */
int64_t live_time(const struct live *live, int64_t wall_ns);

struct live_statistics {
    const char *interface;
    const char *time_stamps; /* libpcap's word: "host", "adapter" ... */
    uint16_t link_type;
    bool in_kernel;             /* the filter runs there */
    uint64_t received;          /* by the interface, all traffic; 0: not known */
    uint64_t matched;           /* passed the filter */
    uint64_t dropped_kernel;    /* the ring was full */
    uint64_t dropped_interface; /* by the hardware or its driver */
    uint64_t dropped_queue;     /* our queue was full */
    unsigned workers;
    uint64_t busiest;       /* of `matched`, the busiest worker's */
    uint64_t queue_waiting; /* bytes, of all workers */
    uint64_t queue_highest;
    uint64_t queue_size;
    bool is_down;           /* nothing can come from it now */
    bool is_gone;           /* there is no such interface any more */
    unsigned successors;    /* times that another interface of that name was taken up */
    bool refuses_successor; /* there is another one, but it cannot be taken up */
    char trouble[128];      /* why; where it is not down, libpcap's last complaint; "" */
};
/* Takes up interfaces that were deleted and made anew; about once a second. */
void live_tend(struct live *live);
size_t live_interface_count(const struct live *live);
void live_statistics_of(struct live *live, size_t index, struct live_statistics *statistics);

/* Adds what the capture knows into *quality, as capture_quality_of does. */
void live_quality_of(struct live *live, struct capture_quality *quality);

#endif
