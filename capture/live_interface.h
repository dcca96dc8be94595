/* One ring of an interface that is captured on: its handle, its thread, its queue.
 *
 * Private to capture/; live.c has several of them. */
#ifndef APNSCOPE_CAPTURE_LIVE_INTERFACE_H
#define APNSCOPE_CAPTURE_LIVE_INTERFACE_H

#include <pcap/pcap.h>
#include <pthread.h>

#include "capture/live.h"
#include "frame_queue.h"
#include "successor.h"

enum { LIVE_COUNTERS = 3 };

struct live_interface {
    const char *name;
    pcap_t *handle;
    uint16_t link_type;
    const char *time_stamps;
    bool in_kernel;
    bool nanoseconds;
    uint32_t id;       /* the interface's number */
    unsigned rings;    /* of this interface */
    int64_t joined_ns; /* wall clock: earlier frames came to each of them; 0: no more are such */
    void (*digest)(void *context, const struct frame *frame, void *digest);
    void *digest_context;
    int cpu;  /* -1: any */
    int wake; /* eventfd of the consumer */
    atomic_bool *consumer_sleeps;
    struct frame_queue queue;
    unsigned unannounced; /* frames since the consumer was woken */
    pthread_t thread;
    bool thread_runs;
    atomic_bool stops;
    _Atomic uint64_t matched;
    _Atomic uint64_t dropped_kernel;
    atomic_bool is_down;
    pthread_mutex_t lock; /* of `trouble` */
    char trouble[128];
    int counters[LIVE_COUNTERS];     /* files of the system's counters; -1: not there */
    uint64_t counted[LIVE_COUNTERS]; /* when the capture of this interface began */
    uint64_t before[LIVE_COUNTERS];  /* of interfaces of that name before it */
    uint64_t grown[LIVE_COUNTERS];   /* since the run began, when they were last to be had */
    int carrier;                     /* file of the link's state; -1: not there */
    bool is_promiscuous;
    struct interface_identity identity;
    unsigned successors;    /* times that another interface of that name was taken up */
    bool refuses_successor; /* there is one, but it cannot be taken up */
};

/* `options`: with every default filled in. `leader`: the ring of the same interface that frames are
 * shared with; NULL: none. */
MUST_USE bool live_interface_open(struct live_interface *interface, const char *name,
                                  const struct live_options *options,
                                  const struct live_interface *leader, struct fault *fault);
/* False where no thread can be had: the errno. */
int live_interface_start(struct live_interface *interface);
void live_interface_stop(struct live_interface *interface);
/* Looks after an interface that is gone: takes up another one of its name. For the thread that asks
 * for the statistics. */
void live_interface_tend(struct live_interface *interface);
void live_interface_close(struct live_interface *interface);
/* Adds to what is there already, of the interface's other rings. */
void live_interface_statistics(struct live_interface *interface,
                               struct live_statistics *statistics);

#endif
