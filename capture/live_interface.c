/* An interface through libpcap: opening, the thread that empties the ring, counters.
 *
 * See live_interface.h. libpcap maps the kernel's ring (TPACKET_V3 where the kernel has it); the
 * thread sleeps until a block is full or a timer of the kernel's ran out. Deliberately opens all
 * files in live_interface_open, because the process gives up its privileges afterwards. */
#include "live_interface.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "fanout.h"

enum {
    RING_WAITS_MS = 50, /* the kernel hands over a block that is not full after this */
    RETRY_MS = 500,     /* an interface that went down is asked again */
    ANNOUNCED = 256     /* frames; libpcap comes back only when the ring is empty */
};

/* https://www.tcpdump.org/linktypes.html, where the DLT_ value here differs. */
enum { LINKTYPE_RAW = 101, LINKTYPE_PPP_HDLC = 50, LINKTYPE_ATM = 100 };

static uint16_t link_type_of(int dlt)
{
    switch (dlt) {
    case DLT_RAW:
        return LINKTYPE_RAW;
    case DLT_PPP_SERIAL:
        return LINKTYPE_PPP_HDLC;
    case DLT_ATM_RFC1483:
        return LINKTYPE_ATM;
    default:
        return (uint16_t)dlt;
    }
}

/* ---- opening ---- */

static bool cannot_open(const char *name, int status, const char *reason, struct fault *fault)
{
    switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return fault_set(fault, "%s: there is no such interface; see apnscope interfaces", name);
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return fault_set(fault,
                         "%s: no permission to capture; run it as root, or give the program the "
                         "capability with: setcap cap_net_raw+ep apnscope",
                         name);
    case PCAP_ERROR_IFACE_NOT_UP:
        return fault_set(fault, "%s: the interface is down; bring it up with: ip link set %s up",
                         name, name);
    default:
        return fault_set(fault, "%s: cannot capture on it: %s", name,
                         reason && *reason ? reason : pcap_statustostr(status));
    }
}

bool live_time_stamps_known(const char *name)
{
    return pcap_tstamp_type_name_to_val(name) >= 0;
}

/* The host's are always there, and where there are no others libpcap lists none. */
static void list_time_stamps(pcap_t *handle, struct text *text)
{
    int *types;
    int count = pcap_list_tstamp_types(handle, &types);
    if (count <= 0)
        text_add(text, "host");
    for (int i = 0; i < count; i++)
        text_format(text, "%s%s", i ? ", " : "", pcap_tstamp_type_val_to_name(types[i]));
    if (count > 0)
        pcap_free_tstamp_types(types);
}

static bool offers_time_stamps(pcap_t *handle, int wanted)
{
    int *types;
    int count = pcap_list_tstamp_types(handle, &types);
    bool found = count <= 0 && wanted == PCAP_TSTAMP_HOST;
    for (int i = 0; i < count; i++)
        found |= types[i] == wanted;
    if (count > 0)
        pcap_free_tstamp_types(types);
    return found;
}

/* Unless told otherwise: the adapter's own clock where it follows the host's. Times are of the wire
 * then, not of the moment when the kernel got round to the packet. */
static void choose_time_stamps(struct live_interface *interface, const char *asked,
                               bool may_be_adapters)
{
    int wanted = asked ? pcap_tstamp_type_name_to_val(asked) : PCAP_TSTAMP_ADAPTER;
    interface->time_stamps = "host";
    if (may_be_adapters && wanted != PCAP_TSTAMP_HOST &&
        offers_time_stamps(interface->handle, wanted) &&
        pcap_set_tstamp_type(interface->handle, wanted) == 0)
        interface->time_stamps = pcap_tstamp_type_val_to_name(wanted);
}

static void prepare(struct live_interface *interface, const struct live_options *options,
                    bool may_set_clock)
{
    pcap_t *handle = interface->handle;
    size_t buffer_size = options->buffer_size / interface->rings;
    pcap_set_snaplen(handle, (int)options->snap_size);
    pcap_set_promisc(handle, !options->not_promiscuous);
    pcap_set_timeout(handle, RING_WAITS_MS);
    pcap_set_immediate_mode(handle, 0);
    pcap_set_buffer_size(handle, buffer_size > INT32_MAX ? INT32_MAX : (int)buffer_size);
    pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
    choose_time_stamps(interface, options->time_stamps, may_set_clock);
}

/* libpcap's status; the handle is there unless that is PCAP_ERROR with a reason. */
static int activate(struct live_interface *interface, const struct live_options *options,
                    bool may_set_clock, char *reason)
{
    interface->handle = pcap_create(interface->name, reason);
    if (!interface->handle)
        return PCAP_ERROR;
    prepare(interface, options, may_set_clock);
    int status = pcap_activate(interface->handle);
    if (status == PCAP_WARNING_TSTAMP_TYPE_NOTSUP) /* listed, but the driver would not */
        interface->time_stamps = "host";
    return status;
}

/* Switching an adapter's clock on takes CAP_NET_ADMIN; who has CAP_NET_RAW only gets the host's. */
static int activate_as_allowed(struct live_interface *interface, const struct live_options *options,
                               char *reason)
{
    int status = activate(interface, options, true, reason);
    if (status != PCAP_ERROR_PERM_DENIED || strcmp(interface->time_stamps, "host") == 0)
        return status;
    pcap_close(interface->handle);
    return activate(interface, options, false, reason);
}

/* What was asked for is had, or the run does not begin. */
static bool has_time_stamps(const struct live_interface *interface, const char *asked,
                            struct fault *fault)
{
    char offered[120];
    struct text text = text_over(offered, sizeof offered);
    if (!asked || strcmp(interface->time_stamps, asked) == 0)
        return true;
    if (offers_time_stamps(interface->handle, pcap_tstamp_type_name_to_val(asked)))
        return fault_set(fault,
                         "%s: time stamps \"%s\" cannot be switched on: that takes CAP_NET_ADMIN "
                         "and a driver that can; leave --time-stamps out",
                         interface->name, asked);
    list_time_stamps(interface->handle, &text);
    return fault_set(fault, "%s: time stamps \"%s\" are not offered; it has: %s", interface->name,
                     asked, offered);
}

/* From now on nobody can take the filter off, not even who has taken over this process
 * (SO_LOCK_FILTER, socket(7)). */
static void lock_filter(struct live_interface *interface)
{
    int one = 1;
    (void)setsockopt(pcap_fileno(interface->handle), SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof one);
}

static bool set_filter(struct live_interface *interface, const char *expression,
                       struct fault *fault)
{
    struct bpf_program program;
    if (pcap_compile(interface->handle, &program, expression, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return fault_set(fault, "%s: the filter is not valid: %s; see pcap-filter(7)",
                         interface->name, pcap_geterr(interface->handle));
    int status = pcap_setfilter(interface->handle, &program);
    /* libpcap falls back to running a program itself that the kernel does not take */
    interface->in_kernel = program.bf_len <= 4096; /* BPF_MAXINSNS of linux/bpf_common.h */
    pcap_freecode(&program);
    if (status != 0)
        return fault_set(fault, "%s: the filter cannot be set: %s", interface->name,
                         pcap_geterr(interface->handle));
    lock_filter(interface);
    return true;
}

/* All that the interface received; dropped for want of a buffer in the hardware or its driver. */
static const char *const counter_names[LIVE_COUNTERS] = {"rx_packets", "rx_missed_errors",
                                                         "rx_fifo_errors"};

static uint64_t read_counter(int file)
{
    char text[32];
    ssize_t size = file < 0 ? -1 : pread(file, text, sizeof text - 1, 0);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    return strtoull(text, NULL, 10);
}

static int open_fact(const struct live_interface *interface, const char *folder, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "/sys/class/net/%.64s/%s%s", interface->name, folder, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void open_facts(struct live_interface *interface)
{
    for (size_t i = 0; i < LIVE_COUNTERS; i++) {
        interface->counters[i] = open_fact(interface, "statistics/", counter_names[i]);
        interface->counted[i] = read_counter(interface->counters[i]);
    }
    interface->carrier = open_fact(interface, "", "carrier");
}

static void close_facts(struct live_interface *interface)
{
    for (size_t i = 0; i < LIVE_COUNTERS; i++)
        if (interface->counters[i] >= 0)
            close(interface->counters[i]);
    if (interface->carrier >= 0)
        close(interface->carrier);
}

/* Documentation/ABI/testing/sysfs-class-net: 1 or 0; reading fails while the interface is down. */
static void look_at_link(const struct live_interface *interface, struct live_statistics *statistics)
{
    char carrier;
    const char *trouble = NULL;
    if (interface->carrier < 0)
        return;
    errno = 0;
    if (pread(interface->carrier, &carrier, 1, 0) == 1)
        trouble = carrier == '0' ? "no link: the cable, or the far end" : NULL;
    else if (errno == ENODEV)
        trouble = "there is no such interface any more";
    else if (errno == EINVAL)
        trouble = "it was taken down";
    /* libpcap says that it went down, but waits in silence when it is back */
    statistics->is_down = trouble != NULL;
    if (!trouble)
        return;
    statistics->is_gone = errno == ENODEV;
    snprintf(statistics->trouble, sizeof statistics->trouble, "%s", trouble);
}

static bool open_queue(struct live_interface *interface, const struct live_options *options,
                       struct fault *fault)
{
    enum { MASK = FRAME_QUEUE_ALIGNMENT - 1 };
    size_t size = options->queue_size;
    size_t digest_size = options->digest ? (options->digest_size + MASK) & ~(size_t)MASK : 0;
    interface->digest = options->digest;
    interface->digest_context = options->digest_context;
    return frame_queue_init(&interface->queue, size, digest_size) ||
           fault_set(fault, "%s: no memory for a queue of %zu bytes", interface->name, size);
}

/* Until a ring has joined the others it gets every frame: those are left to the last one's time. */
static bool share(struct live_interface *interface, const struct live_options *options,
                  const struct live_interface *leader, struct fault *fault)
{
    if (interface->rings == 1)
        return true;
    const char *trouble =
        fanout_join(pcap_fileno(interface->handle), leader ? pcap_fileno(leader->handle) : -1,
                    options->is_wrapped);
    interface->joined_ns = options->wall_ns();
    return !trouble || fault_set(fault,
                                 "%s: cannot be shared among %u workers: %s; leave --workers "
                                 "out",
                                 interface->name, interface->rings, trouble);
}

bool live_interface_open(struct live_interface *interface, const char *name,
                         const struct live_options *options, const struct live_interface *leader,
                         struct fault *fault)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    interface->name = name;
    interface->rings = options->workers;
    pthread_mutex_init(&interface->lock, NULL);
    for (size_t i = 0; i < LIVE_COUNTERS; i++)
        interface->counters[i] = -1;
    interface->carrier = -1;
    int status = activate_as_allowed(interface, options, reason);
    if (!interface->handle)
        return cannot_open(name, PCAP_ERROR, reason, fault);
    if (status < 0)
        return cannot_open(name, status, pcap_geterr(interface->handle), fault);
    if (!has_time_stamps(interface, options->time_stamps, fault))
        return false;
    int dlt = pcap_datalink(interface->handle);
    interface->link_type = link_type_of(dlt);
    interface->nanoseconds =
        pcap_get_tstamp_precision(interface->handle) == PCAP_TSTAMP_PRECISION_NANO;
    const char *filter =
        dlt == DLT_EN10MB ? options->filter_with_link : options->filter_without_link;
    /* before the filter, which is locked together with what shares the frames */
    if (!share(interface, options, leader, fault))
        return false;
    if (filter && !set_filter(interface, filter, fault))
        return false;
    interface->is_promiscuous = !options->not_promiscuous;
    interface->identity = interface_identity_of(name);
    open_facts(interface);
    return open_queue(interface, options, fault);
}

/* ---- the thread ---- */

static void wake_consumer(struct live_interface *interface)
{
    uint64_t one = 1;
    interface->unannounced = 0;
    if (atomic_exchange(interface->consumer_sleeps, false) &&
        write(interface->wake, &one, sizeof one) < 0)
        return; /* the counter is full: it is awake */
}

static void take_frame(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct live_interface *interface = (struct live_interface *)(void *)context;
    int64_t fraction_ns =
        interface->nanoseconds ? header->ts.tv_usec : header->ts.tv_usec * NS_PER_US;
    int64_t time_ns = header->ts.tv_sec * NS_PER_S + fraction_ns;
    if (time_ns < interface->joined_ns)
        return;
    interface->joined_ns = 0; /* the clock may be set back later */
    struct queued_frame *queued = frame_queue_room(&interface->queue, header->caplen);
    if (!queued)
        return;
    uint8_t *copy = queued_frame_bytes(&interface->queue, queued);
    queued->time_ns = time_ns;
    queued->original_size = header->len;
    memcpy(copy, bytes, header->caplen);
    if (interface->digest) {
        struct frame frame = {.time_ns = time_ns,
                              .captured_size = header->caplen,
                              .original_size = header->len,
                              .interface_id = interface->id,
                              .link_type = interface->link_type,
                              .bytes = copy,
                              .process = {.id = -1}};
        interface->digest(interface->digest_context, &frame, queued_frame_digest(queued));
    }
    frame_queue_put(&interface->queue, queued);
    if (++interface->unannounced >= ANNOUNCED)
        wake_consumer(interface);
}

static void note_counts(struct live_interface *interface)
{
    struct pcap_stat counts;
    if (pcap_stats(interface->handle, &counts) != 0)
        return;
    /* libpcap counts in 32 bits; differences to the last look cannot be more than that. */
    uint32_t matched = counts.ps_recv - (uint32_t)atomic_load(&interface->matched);
    uint32_t dropped = counts.ps_drop - (uint32_t)atomic_load(&interface->dropped_kernel);
    atomic_fetch_add(&interface->matched, matched);
    atomic_fetch_add(&interface->dropped_kernel, dropped);
}

static void note_trouble(struct live_interface *interface)
{
    pthread_mutex_lock(&interface->lock);
    snprintf(interface->trouble, sizeof interface->trouble, "%.120s",
             pcap_geterr(interface->handle));
    pthread_mutex_unlock(&interface->lock);
    atomic_store(&interface->is_down, true);
}

static void stay_on_processor(int cpu)
{
    cpu_set_t set;
    if (cpu < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu % CPU_SETSIZE, &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof set, &set); /* a wish */
}

/* What the kernel still holds: also in a block that is not full, which it hands over when that has
 * waited long enough. A timer finds that out at its second look at the latest. */
static void take_what_is_left(struct live_interface *interface)
{
    enum { LOOKS = 13, BETWEEN_LOOKS_MS = 2 * RING_WAITS_MS / 10 };
    struct timespec pause = {.tv_nsec = BETWEEN_LOOKS_MS * NS_PER_MS};
    char reason[PCAP_ERRBUF_SIZE];
    if (pcap_setnonblock(interface->handle, 1, reason) != 0)
        return;
    for (int look = 0; look < LOOKS; look++) {
        (void)pcap_dispatch(interface->handle, -1, take_frame, (u_char *)(void *)interface);
        nanosleep(&pause, NULL);
    }
}

/* An interface that goes down is waited for: it may come back tonight. */
static void *capture_frames(void *context)
{
    struct live_interface *interface = context;
    struct timespec retry = {.tv_nsec = RETRY_MS * NS_PER_MS};
    stay_on_processor(interface->cpu);
    while (!atomic_load(&interface->stops)) {
        int count = pcap_dispatch(interface->handle, -1, take_frame, (u_char *)(void *)interface);
        if (count == PCAP_ERROR) {
            note_trouble(interface);
            wake_consumer(interface);
            nanosleep(&retry, NULL);
            continue;
        }
        note_counts(interface);
        atomic_store(&interface->is_down, false);
        if (count > 0)
            wake_consumer(interface);
    }
    take_what_is_left(interface);
    note_counts(interface);
    return NULL;
}

int live_interface_start(struct live_interface *interface)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&interface->thread, NULL, capture_frames, interface);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    interface->thread_runs = result == 0;
    return result;
}

void live_interface_stop(struct live_interface *interface)
{
    if (!interface->thread_runs)
        return;
    atomic_store(&interface->stops, true);
    pcap_breakloop(interface->handle);
    pthread_join(interface->thread, NULL);
    interface->thread_runs = false;
}

void live_interface_close(struct live_interface *interface)
{
    live_interface_stop(interface);
    if (interface->handle)
        pcap_close(interface->handle);
    close_facts(interface);
    frame_queue_free(&interface->queue);
    pthread_mutex_destroy(&interface->lock);
}

/* Files of an interface that is gone cannot be read any more. */
static uint64_t counter_grown(struct live_interface *interface, size_t index)
{
    uint64_t now = read_counter(interface->counters[index]);
    if (now > interface->counted[index])
        interface->grown[index] = interface->before[index] + now - interface->counted[index];
    return interface->grown[index];
}

void live_interface_tend(struct live_interface *interface)
{
    char carrier;
    if (interface->carrier < 0 || pread(interface->carrier, &carrier, 1, 0) == 1 || errno != ENODEV)
        return;
    enum succession succession = successor_take(interface->name, pcap_fileno(interface->handle),
                                                interface->is_promiscuous, &interface->identity);
    interface->refuses_successor = succession == SUCCESSOR_REFUSED;
    if (succession != SUCCESSOR_TAKEN)
        return;
    memcpy(interface->before, interface->grown, sizeof interface->before);
    close_facts(interface);
    open_facts(interface);
    interface->successors++;
}

static void add_trouble(struct live_interface *interface, struct live_statistics *statistics)
{
    statistics->is_down |= atomic_load(&interface->is_down);
    pthread_mutex_lock(&interface->lock);
    if (interface->trouble[0])
        memcpy(statistics->trouble, interface->trouble, sizeof statistics->trouble);
    pthread_mutex_unlock(&interface->lock);
}

void live_interface_statistics(struct live_interface *interface, struct live_statistics *statistics)
{
    uint64_t matched = atomic_load(&interface->matched);
    uint64_t highest = atomic_load(&interface->queue.highest);
    statistics->interface = interface->name;
    statistics->time_stamps = interface->time_stamps;
    statistics->link_type = interface->link_type;
    statistics->in_kernel = interface->in_kernel;
    statistics->received = counter_grown(interface, 0);
    statistics->dropped_interface = counter_grown(interface, 1) + counter_grown(interface, 2);
    statistics->workers++;
    statistics->matched += matched;
    if (matched > statistics->busiest)
        statistics->busiest = matched;
    statistics->dropped_kernel += atomic_load(&interface->dropped_kernel);
    statistics->dropped_queue += atomic_load(&interface->queue.dropped);
    statistics->queue_waiting += frame_queue_waiting(&interface->queue);
    if (highest > statistics->queue_highest)
        statistics->queue_highest = highest;
    statistics->queue_size += interface->queue.size;
    statistics->successors = interface->successors;
    statistics->refuses_successor = interface->refuses_successor;
    add_trouble(interface, statistics);
    look_at_link(interface, statistics);
}
