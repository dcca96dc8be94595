/* The journal and syslog.
 *
 * See journal.h. Two outputs rather than one that guesses: where a journal runs, its own protocol
 * keeps every fact as a field that journalctl can select by (`journalctl APNSCOPE_CODE=...`), which
 * syslog(3) could not; elsewhere syslog(3) is what every syslog daemon understands. Both libraries
 * open their sockets here, before privileges are given up. Deliberately no network protocol: that
 * is what syslog daemons are for. */
#define SD_JOURNAL_SUPPRESS_LOCATION /* which line of this file it is says nothing */
#include "journal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/text.h"
#include "structured.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET  "/dev/log" /* syslog(3) */

/* 128-bit ids, made at random once and for good: journalctl MESSAGE_ID=... finds all of a kind. */
static const char *const message_ids[RECORD_KIND_COUNT] = {
    [RECORD_FINDING] = "a5474479fec54e379b82528731e316b5",
    [RECORD_WITHDRAWN] = "9e92d88fb7fa4961903624270b2b1e7d",
    [RECORD_DEVICE] = "d592ff1dceca452fa2de3960bf43a8f7",
    [RECORD_NOTICE] = "92d9aabffbec434591bca82493ba7393",
};

enum {
    QUEUE_SIZE = 1 << 20,
    EXTRA_FIELDS = 5,
    FIELDS_MAX = STRUCTURED_FIELDS_MAX + EXTRA_FIELDS,
    ENTRY_SIZE = 2 * STRUCTURED_TEXT_SIZE,
    LINE_SIZE = 6000 /* a datagram that every syslog daemon takes whole has 8 KiB */
};

struct journal {
    struct mailbox *mailbox;
    const struct feed_origin *origin;
    struct structured structured;
    struct iovec parts[FIELDS_MAX];
    size_t part_count;
    struct text text;
    char buffer[ENTRY_SIZE];
};

/* ---- journald ---- */

static void add_part(struct journal *journal, const char *prefix, const char *name,
                     const char *value)
{
    struct text *text = &journal->text;
    size_t from = text->length;
    text_add(text, prefix);
    for (const char *at = name; *at; at++) {
        char letter = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
        text_add_bytes(text, &letter, 1);
    }
    text_format(text, "=%s", value);
    if (!text->cut)
        journal->parts[journal->part_count++] =
            (struct iovec){.iov_base = text->at + from, .iov_len = text->length - from};
}

static void send_entry(struct journal *journal, enum record_kind kind)
{
    const struct structured *structured = &journal->structured;
    char priority[4];
    snprintf(priority, sizeof priority, "%d", structured->priority);
    journal->part_count = 0;
    journal->text = text_over(journal->buffer, sizeof journal->buffer);
    add_part(journal, "", "message", structured->message);
    add_part(journal, "", "priority", priority);
    add_part(journal, "", "message_id", message_ids[kind]);
    add_part(journal, "", "syslog_identifier", "apnscope");
    for (size_t i = 0; i < structured->count; i++)
        add_part(journal, "APNSCOPE_", structured->fields[i].name, structured->fields[i].value);
    int result = sd_journal_sendv(journal->parts, (int)journal->part_count);
    if (result < 0) {
        mailbox_lose(journal->mailbox, 1);
        mailbox_trouble(journal->mailbox, strerror(-result));
    } else {
        mailbox_trouble(journal->mailbox, NULL);
    }
}

static void take_for_journal(void *context, uint32_t kind, const void *record, size_t size)
{
    struct journal *journal = (struct journal *)context;
    (void)size;
    if (structured_fill(&journal->structured, journal->origin, (enum record_kind)kind, record))
        send_entry(journal, (enum record_kind)kind);
}

/* ---- syslog ---- */

static void take_for_syslog(void *context, uint32_t kind, const void *record, size_t size)
{
    struct journal *journal = (struct journal *)context;
    char line[LINE_SIZE];
    struct text text = text_over(line, sizeof line);
    (void)size;
    if (!structured_fill(&journal->structured, journal->origin, (enum record_kind)kind, record))
        return;
    if (journal->structured.count) {
        structured_write(&journal->structured, &text);
        text_add(&text, " ");
    }
    text_add(&text, journal->structured.message);
    syslog(journal->structured.priority, "%s", line);
}

/* ---- opening ---- */

static void close_journal(void *context)
{
    free(context);
}

static void close_syslog(void *context)
{
    closelog();
    free(context);
}

static bool open_log(struct feed_sink *sink, struct records_output *output,
                     const struct feed_origin *origin, struct fault *fault)
{
    struct journal *journal = (struct journal *)calloc(1, sizeof *journal);
    assert(journal);
    journal->origin = origin;
    output->queue_size = QUEUE_SIZE;
    output->wanted =
        1u << RECORD_FINDING | 1u << RECORD_WITHDRAWN | 1u << RECORD_DEVICE | 1u << RECORD_NOTICE;
    output->context = journal;
    return records_open(sink, output, origin, &journal->mailbox, fault);
}

bool journal_open(struct feed_sink *sink, const struct feed_origin *origin, struct fault *fault)
{
    struct records_output output = {
        .name = "journal", .take = take_for_journal, .close = close_journal};
    char message[256];
    if (access(JOURNAL_SOCKET, W_OK) != 0)
        return fault_set(fault, "no journal is running here (%s is not there); use --syslog",
                         JOURNAL_SOCKET);
    /* Opens the library's socket while that is still allowed. */
    snprintf(message, sizeof message, "MESSAGE=watching %s", origin->interfaces);
    const struct iovec parts[] = {
        {.iov_base = message, .iov_len = strlen(message)},
        {.iov_base = (char[]){"PRIORITY=6"}, .iov_len = strlen("PRIORITY=6")},
        {.iov_base = (char[]){"SYSLOG_IDENTIFIER=apnscope"},
         .iov_len = strlen("SYSLOG_IDENTIFIER=apnscope")}};
    int result = sd_journal_sendv(parts, sizeof parts / sizeof *parts);
    if (result < 0)
        return fault_set(fault, "the journal takes no entry: %s; use --syslog", strerror(-result));
    return open_log(sink, &output, origin, fault);
}

bool syslog_open(struct feed_sink *sink, const struct feed_origin *origin, struct fault *fault)
{
    struct records_output output = {
        .name = "syslog", .take = take_for_syslog, .close = close_syslog};
    if (access(SYSLOG_SOCKET, W_OK) != 0)
        return fault_set(fault, "no syslog daemon is running here (%s is not there)",
                         SYSLOG_SOCKET);
    openlog("apnscope", LOG_PID | LOG_NDELAY, LOG_DAEMON);
    return open_log(sink, &output, origin, fault);
}
