/* JSON lines: records to objects to an outlet, on a thread of their own.
 *
 * See json_lines.h. While the outlet cannot take lines, records wait in the queue; what does not
 * fit there is counted. Escapes all that is not ASCII, so that a terminal that shows a line is
 * safe. Deliberately does not rotate files: SIGHUP opens the name anew. */
#include "json_lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "ecs.h"
#include "outlet.h"
#include "records.h"

#define PAUSE_NS (100 * NS_PER_MS)

enum { QUEUE_SIZE = 8 << 20, LINE_SIZE = 32 << 10, PATIENCE_MS = 250, LAST_TRIES = 6 };

struct json_lines {
    struct mailbox *mailbox;
    struct outlet *outlet;
    struct ecs_writer writer;
    int tries_left; /* once the run is over */
    char line[LINE_SIZE];
};

/* False: it was tried, and some is still here. */
static bool flush(struct json_lines *lines)
{
    struct fault fault;
    bool is_done = outlet_flush(lines->outlet, PATIENCE_MS, &fault);
    mailbox_trouble(lines->mailbox, is_done ? NULL : fault.sentence);
    return is_done;
}

/* Nobody waits for a run that is over longer than about two seconds. */
static bool has_given_up(const struct json_lines *lines)
{
    return mailbox_is_closing(lines->mailbox) && lines->tries_left <= 0;
}

/* What cannot be written may be refused at once, again and again. */
static void pause_before_next_try(struct json_lines *lines)
{
    const struct timespec pause = {.tv_nsec = (long)PAUSE_NS};
    lines->tries_left -= mailbox_is_closing(lines->mailbox);
    nanosleep(&pause, NULL);
}

static void rest(void *context)
{
    struct json_lines *lines = (struct json_lines *)context;
    bool is_done = flush(lines);
    if (!mailbox_is_closing(lines->mailbox))
        return;
    while (!is_done && !has_given_up(lines)) {
        pause_before_next_try(lines);
        is_done = flush(lines);
    }
    if (!is_done)
        mailbox_lose(lines->mailbox, outlet_drop(lines->outlet));
}

static void put_line(struct json_lines *lines, size_t size)
{
    while (!outlet_put(lines->outlet, lines->line, size)) {
        if (has_given_up(lines)) {
            mailbox_lose(lines->mailbox, 1);
            return;
        }
        if (!flush(lines))
            pause_before_next_try(lines);
    }
}

static void take(void *context, uint32_t kind, const void *record, size_t size)
{
    struct json_lines *lines = (struct json_lines *)context;
    (void)size;
    if (kind == RECORD_REOPEN) {
        flush(lines);
        outlet_reopen(lines->outlet);
        return;
    }
    json_t *object = ecs_object(&lines->writer, (enum record_kind)kind, record);
    if (!object)
        return;
    size_t length =
        json_dumpb(object, lines->line, LINE_SIZE - 1, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(object);
    if (!length || length >= LINE_SIZE - 1) {
        mailbox_lose(lines->mailbox, 1);
        return;
    }
    lines->line[length] = '\n';
    put_line(lines, length + 1);
}

static void close_lines(void *context)
{
    struct json_lines *lines = (struct json_lines *)context;
    outlet_close(lines->outlet);
    community_id_free(lines->writer.community);
    free(lines);
}

bool json_lines_open(struct feed_sink *sink, const char *where, const struct feed_origin *origin,
                     struct fault *fault)
{
    struct json_lines *lines = (struct json_lines *)calloc(1, sizeof *lines);
    assert(lines);
    struct records_output output = {.name = "JSON lines",
                                    .queue_size = QUEUE_SIZE,
                                    .wanted = 1u << RECORD_FINDING | 1u << RECORD_CHANGED |
                                              1u << RECORD_WITHDRAWN | 1u << RECORD_DEVICE |
                                              1u << RECORD_FLOW | 1u << RECORD_REPORT |
                                              1u << RECORD_NOTICE | 1u << RECORD_REOPEN,
                                    .context = lines,
                                    .take = take,
                                    .rest = rest,
                                    .close = close_lines};
    lines->tries_left = LAST_TRIES;
    lines->writer = (struct ecs_writer){origin, community_id_new()};
    if (!outlet_open(&lines->outlet, where, fault)) {
        close_lines(lines);
        return false;
    }
    return records_open(sink, &output, origin, &lines->mailbox, fault);
}
