/* Excerpts of a live run.
 *
 * See excerpts.h. Packets, findings and withdrawals go through one mailbox, so that they stay in
 * order; the thread behind it owns the ring of packets and the folder. An excerpt is written a
 * moment after its finding is told, so that what the device did next is in it, and once more when
 * the finding was seen again, as long as the ring has its proofs; one that was withdrawn is
 * removed. Deliberately keeps nothing that no finding asks for. */
#include "excerpts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/now.h"
#include "base/table.h"
#include "dissect/dissect.h"
#include "excerpt.h"
#include "excerpt_name.h"
#include "folder.h"
#include "mailbox.h"

#define SETTLE_NS (3 * NS_PER_S / 2)
#define AGAIN_NS  (30 * NS_PER_S)

enum {
    QUEUE_SIZE = 16 << 20,
    WAITING_MAX = 512, /* findings whose excerpt is still to be written */
    FINDINGS_MAX = 100000,
    WRITTEN_AT_ONCE = 16
};

enum item { ITEM_PACKET = 1, ITEM_FINDING, ITEM_WITHDRAWN };

struct packet_record {
    struct ring_key key;
    struct frame frame; /* its bytes follow the record */
    uint32_t side;
    uint32_t unused;
};

/* Of each finding, by its number. */
struct written {
    int64_t time_ns; /* monotonic; 0: not yet */
    uint32_t proofs;
};

struct waiting {
    struct finding finding;
    int64_t due_ns;
};

struct excerpts {
    struct mailbox *mailbox;
    const struct feed_origin *origin;
    struct folder *folder;
    uint8_t *scratch;  /* analysis' thread */
    struct ring *ring; /* from here on the evidence's thread */
    struct written *written;
    size_t written_count;
    struct waiting *waiting;
    size_t waiting_count;
};

/* ---- the analysis' side ---- */

/* An ICMP error belongs to the session that it quotes. */
static struct ring_key key_of(const struct packet *packet, bool *is_swapped)
{
    struct quoted_packet quoted;
    if (packet->kind == PACKET_ICMP_ERROR && dissect_icmp_quote(packet, &quoted)) {
        struct ring_key key = ring_key_of(&quoted.source, quoted.source_port, &quoted.destination,
                                          quoted.destination_port, is_swapped);
        *is_swapped = !*is_swapped; /* it is an answer */
        return key;
    }
    bool has_ports = packet->kind == PACKET_TCP || packet->kind == PACKET_DNS;
    return ring_key_of(&packet->source, has_ports ? packet->source_port : 0, &packet->destination,
                       has_ports ? packet->destination_port : 0, is_swapped);
}

static void send_packet(struct excerpts *excerpts, const struct frame *frame,
                        const struct packet *packet)
{
    bool is_swapped;
    struct packet_record record = {.frame = *frame};
    record.key = key_of(packet, &is_swapped);
    record.side = is_swapped;
    if (sizeof record + frame->captured_size > QUEUE_SIZE / 16)
        return;
    memcpy(excerpts->scratch, &record, sizeof record);
    memcpy(excerpts->scratch + sizeof record, frame->bytes, frame->captured_size);
    mailbox_put(excerpts->mailbox, ITEM_PACKET, excerpts->scratch,
                sizeof record + frame->captured_size);
}

/* Both are in the order of frames. */
static void on_packets(void *context, const struct frame *frames, size_t frame_count,
                       const struct packet *packets, size_t packet_count)
{
    size_t at = 0;
    for (size_t i = 0; i < packet_count; i++) {
        while (at < frame_count && frames[at].number < packets[i].frame)
            at++;
        if (at < frame_count && frames[at].number == packets[i].frame)
            send_packet((struct excerpts *)context, &frames[at], &packets[i]);
    }
}

static void on_finding(void *context, const struct finding *finding, bool is_new)
{
    (void)is_new;
    mailbox_put(((struct excerpts *)context)->mailbox, ITEM_FINDING, finding, sizeof *finding);
}

static void on_withdrawn(void *context, const struct finding *finding)
{
    mailbox_put(((struct excerpts *)context)->mailbox, ITEM_WITHDRAWN, finding, sizeof *finding);
}

static void on_report(void *context, const struct feed_report *report)
{
    struct excerpts *excerpts = (struct excerpts *)context;
    (void)report;
    mailbox_tell(excerpts->mailbox, excerpts->origin);
}

/* ---- the evidence's side ---- */

static struct written *written_of(struct excerpts *excerpts, uint64_t number)
{
    if (number >= FINDINGS_MAX)
        return NULL;
    if (number >= excerpts->written_count) {
        size_t count = (size_t)number + 256;
        excerpts->written =
            (struct written *)realloc(excerpts->written, count * sizeof *excerpts->written);
        assert(excerpts->written);
        memset(excerpts->written + excerpts->written_count, 0,
               (count - excerpts->written_count) * sizeof *excerpts->written);
        excerpts->written_count = count;
    }
    return &excerpts->written[number];
}

static struct waiting *find_waiting(struct excerpts *excerpts, uint64_t number)
{
    for (size_t i = 0; i < excerpts->waiting_count; i++)
        if (excerpts->waiting[i].finding.number == number)
            return &excerpts->waiting[i];
    return NULL;
}

static void stop_waiting(struct excerpts *excerpts, struct waiting *waiting)
{
    *waiting = excerpts->waiting[--excerpts->waiting_count];
}

static bool write_file(struct excerpts *excerpts, const struct excerpt_plan *plan,
                       const struct finding *finding, struct fault *fault)
{
    char name[EXCERPT_NAME_SIZE];
    FILE *file = folder_create(excerpts->folder, fault);
    if (!file)
        return false;
    excerpt_write(file, plan, excerpts->ring, excerpts->origin, finding);
    return folder_keep(excerpts->folder, file,
                       excerpt_name(excerpts->origin->began_ns, finding, name), fault);
}

/* An excerpt with fewer proofs than the one before would be worse than that. */
static void write_excerpt(struct excerpts *excerpts, const struct finding *finding, int64_t now_ns)
{
    struct excerpt_plan plan;
    struct fault fault;
    struct written *written = written_of(excerpts, finding->number);
    excerpt_choose(&plan, excerpts->ring, finding);
    bool is_worth = plan.count && (!written || plan.proofs >= written->proofs);
    if (is_worth) {
        bool is_written = write_file(excerpts, &plan, finding, &fault);
        mailbox_trouble(excerpts->mailbox, is_written ? NULL : fault.sentence);
        if (is_written && written)
            written->proofs = (uint32_t)plan.proofs;
        if (!is_written)
            mailbox_lose(excerpts->mailbox, 1);
    }
    if (written)
        written->time_ns = now_ns;
    excerpt_free(&plan);
}

static void take_finding(struct excerpts *excerpts, const struct finding *finding)
{
    int64_t now_ns = now_monotonic_ns();
    const struct written *written = written_of(excerpts, finding->number);
    struct waiting *waiting = find_waiting(excerpts, finding->number);
    if (waiting) {
        waiting->finding = *finding; /* what is known now; when it is due stays */
        return;
    }
    if (excerpts->waiting_count == WAITING_MAX) {
        mailbox_lose(excerpts->mailbox, 1);
        return;
    }
    waiting = &excerpts->waiting[excerpts->waiting_count++];
    waiting->finding = *finding;
    waiting->due_ns = now_ns + SETTLE_NS;
    if (written && written->time_ns && written->time_ns + AGAIN_NS > waiting->due_ns)
        waiting->due_ns = written->time_ns + AGAIN_NS;
}

static void take_withdrawal(struct excerpts *excerpts, const struct finding *finding)
{
    char name[EXCERPT_NAME_SIZE];
    struct written *written = written_of(excerpts, finding->number);
    struct waiting *waiting = find_waiting(excerpts, finding->number);
    if (waiting)
        stop_waiting(excerpts, waiting);
    if (written && written->time_ns) {
        folder_remove(excerpts->folder, excerpt_name(excerpts->origin->began_ns, finding, name));
        *written = (struct written){0};
    }
}

static void take(void *context, uint32_t kind, const void *record, size_t size)
{
    struct excerpts *excerpts = (struct excerpts *)context;
    (void)size;
    if (kind == ITEM_PACKET) {
        const struct packet_record *packet = (const struct packet_record *)record;
        struct frame frame = packet->frame;
        frame.bytes = (const uint8_t *)(packet + 1);
        ring_take(excerpts->ring, &packet->key, packet->side, &frame);
    } else if (kind == ITEM_FINDING) {
        take_finding(excerpts, (const struct finding *)record);
    } else {
        take_withdrawal(excerpts, (const struct finding *)record);
    }
}

static void rest(void *context)
{
    struct excerpts *excerpts = (struct excerpts *)context;
    int64_t now_ns = now_monotonic_ns();
    bool is_closing = mailbox_is_closing(excerpts->mailbox);
    size_t written = 0;
    for (size_t i = 0; i < excerpts->waiting_count;) {
        struct waiting *waiting = &excerpts->waiting[i];
        if (!is_closing && (waiting->due_ns > now_ns || written == WRITTEN_AT_ONCE)) {
            i++;
            continue;
        }
        write_excerpt(excerpts, &waiting->finding, now_ns);
        stop_waiting(excerpts, waiting);
        written++;
    }
}

/* ---- life ---- */

static bool start(void *context, struct fault *fault)
{
    return mailbox_start(((struct excerpts *)context)->mailbox, fault);
}

static void close_excerpts(void *context)
{
    struct excerpts *excerpts = (struct excerpts *)context;
    mailbox_close(excerpts->mailbox, excerpts->origin);
    folder_close(excerpts->folder);
    ring_free(excerpts->ring);
    free(excerpts->scratch);
    free(excerpts->written);
    free(excerpts->waiting);
    free(excerpts);
}

bool excerpts_open(struct feed_sink *sink, const char *folder, uint64_t size,
                   const struct feed_origin *origin, struct fault *fault)
{
    struct excerpts *excerpts = (struct excerpts *)calloc(1, sizeof *excerpts);
    assert(excerpts);
    struct mailbox_reader reader = {
        .name = "evidence", .size = QUEUE_SIZE, .context = excerpts, .take = take, .rest = rest};
    excerpts->origin = origin;
    excerpts->ring = ring_new(RING_SIZE);
    excerpts->scratch = (uint8_t *)malloc(QUEUE_SIZE / 16);
    excerpts->waiting = (struct waiting *)malloc(WAITING_MAX * sizeof *excerpts->waiting);
    assert(excerpts->scratch && excerpts->waiting);
    if (!folder_open(&excerpts->folder, folder, size, fault) ||
        !mailbox_open(&excerpts->mailbox, &reader, fault)) {
        close_excerpts(excerpts);
        return false;
    }
    *sink = (struct feed_sink){.context = excerpts,
                               .start = start,
                               .finding = on_finding,
                               .withdrawn = on_withdrawn,
                               .packets = on_packets,
                               .report = on_report,
                               .close = close_excerpts};
    return true;
}
