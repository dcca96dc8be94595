/* The thread of an output.
 *
 * See mailbox.h. Signals are for the program's first thread, so this one blocks them all.
 * Deliberately does not prescribe what an output does when it cannot write. */
#include "mailbox.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/queue.h"
#include "base/text.h"

#define PATIENCE_NS (100 * NS_PER_MS)

enum { TROUBLE_SIZE = 256 };

struct mailbox {
    struct mailbox_reader reader;
    struct queue queue;
    pthread_t thread;
    bool is_running;
    _Atomic uint64_t lost;
    uint64_t lost_told;         /* analysis' thread */
    pthread_mutex_t lock;       /* of all below */
    char trouble[TROUBLE_SIZE]; /* the last one */
    bool is_troubled;
    bool is_news;
    bool is_told; /* that trouble */
};

static void sweep(struct mailbox *mailbox)
{
    const struct mailbox_reader *reader = &mailbox->reader;
    struct queue_walk walk = queue_walk_begin(&mailbox->queue);
    const struct queued *queued;
    while ((queued = queue_walk_next(&walk)) != NULL)
        reader->take(reader->context, queued->kind, queued_row(queued),
                     queued->size - sizeof *queued);
    queue_release(&mailbox->queue, &walk);
    if (reader->rest)
        reader->rest(reader->context);
}

static void *run(void *context)
{
    struct mailbox *mailbox = (struct mailbox *)context;
    bool is_stopping;
    do {
        queue_wait(&mailbox->queue, PATIENCE_NS);
        is_stopping =
            queue_is_stopping(&mailbox->queue); /* asked first: then nothing comes later */
        sweep(mailbox);
    } while (!is_stopping || queue_used(&mailbox->queue));
    return NULL;
}

bool mailbox_open(struct mailbox **opened, const struct mailbox_reader *reader, struct fault *fault)
{
    struct mailbox *mailbox = (struct mailbox *)calloc(1, sizeof *mailbox);
    assert(mailbox);
    mailbox->reader = *reader;
    *opened = NULL;
    if (!queue_init(&mailbox->queue, reader->size)) {
        free(mailbox);
        return fault_set(fault, "%s: no memory for a queue of %zu bytes", reader->name,
                         reader->size);
    }
    pthread_mutex_init(&mailbox->lock, NULL);
    *opened = mailbox;
    return true;
}

bool mailbox_start(struct mailbox *mailbox, struct fault *fault)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&mailbox->thread, NULL, run, mailbox);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    mailbox->is_running = error == 0;
    return mailbox->is_running ||
           fault_set(fault, "%s: no thread: %s", mailbox->reader.name, strerror(error));
}

void mailbox_close(struct mailbox *mailbox, const struct feed_origin *origin)
{
    if (!mailbox)
        return;
    queue_stop(&mailbox->queue);
    if (mailbox->is_running)
        pthread_join(mailbox->thread, NULL);
    mailbox_tell(mailbox, origin);
    queue_free(&mailbox->queue);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

bool mailbox_put(struct mailbox *mailbox, uint32_t kind, const void *record, size_t size)
{
    bool has_room = queue_put(&mailbox->queue, kind, record, size, false);
    if (!has_room)
        mailbox_lose(mailbox, 1);
    return has_room;
}

/* ---- trouble ---- */

static void tell_trouble(struct mailbox *mailbox, const struct feed_origin *origin)
{
    char trouble[TROUBLE_SIZE];
    pthread_mutex_lock(&mailbox->lock);
    bool is_news = mailbox->is_news, is_troubled = mailbox->is_troubled;
    bool is_first = !mailbox->is_told;
    memcpy(trouble, mailbox->trouble, sizeof trouble);
    mailbox->is_news = false;
    mailbox->is_told = is_troubled;
    pthread_mutex_unlock(&mailbox->lock);
    if (!is_news)
        return;
    if (is_troubled)
        speaker_say(&origin->speaker, "%s: %s", mailbox->reader.name, trouble);
    else if (is_first) /* it came and went */
        speaker_say(&origin->speaker, "%s: %s; works again", mailbox->reader.name, trouble);
    else
        speaker_say(&origin->speaker, "%s: works again", mailbox->reader.name);
}

void mailbox_tell(struct mailbox *mailbox, const struct feed_origin *origin)
{
    uint64_t lost = atomic_load(&mailbox->lost);
    tell_trouble(mailbox, origin);
    /* Once for each power of two, so that a lasting trouble is not a flood of lines. */
    if (lost && lost >= 2 * mailbox->lost_told) {
        speaker_say(&origin->speaker, "%s: %s lost so far", mailbox->reader.name,
                    COUNTED(lost, "record"));
        mailbox->lost_told = lost;
    }
}

void mailbox_trouble(struct mailbox *mailbox, const char *cause)
{
    pthread_mutex_lock(&mailbox->lock);
    bool is_same =
        cause ? mailbox->is_troubled && strncmp(mailbox->trouble, cause, TROUBLE_SIZE - 1) == 0
              : !mailbox->is_troubled;
    if (!is_same) {
        if (cause) {
            struct text text = text_over(mailbox->trouble, sizeof mailbox->trouble);
            text_add(&text, cause);
        }
        mailbox->is_troubled = cause != NULL;
        mailbox->is_news = true;
    }
    pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_lose(struct mailbox *mailbox, uint64_t count)
{
    atomic_fetch_add(&mailbox->lost, count);
}

bool mailbox_is_closing(struct mailbox *mailbox)
{
    return queue_is_stopping(&mailbox->queue);
}
