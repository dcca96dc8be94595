/* An output's own thread, and the bounded queue in front of it.
 *
 * Private to feed/. The analysis copies a record in and goes on; where there is no room the record
 * is lost and counted. Trouble that the thread meets is a sentence, told once by the analysis'
 * thread, which alone may speak. */
#ifndef APNSCOPE_FEED_MAILBOX_H
#define APNSCOPE_FEED_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feed/sink.h"

struct mailbox;

struct mailbox_reader {
    const char *name; /* of the output, for sentences: "JSON lines" */
    size_t size;      /* of the queue in bytes, a power of two */
    void *context;
    /* On the output's thread. `kind` is the sender's, from 1; the record is aligned for any struct.
     */
    void (*take)(void *context, uint32_t kind, const void *record, size_t size);
    /* After what was there is taken, and about ten times a second. NULL: nothing to do. */
    void (*rest)(void *context);
};

MUST_USE bool mailbox_open(struct mailbox **mailbox, const struct mailbox_reader *reader,
                           struct fault *fault);
MUST_USE bool mailbox_start(struct mailbox *mailbox, struct fault *fault);
/* What is there is taken first. Tells what was lost. NULL is fine. */
void mailbox_close(struct mailbox *mailbox, const struct feed_origin *origin);

/* Analysis' thread. False: no room, counted. A record is at most an eighth of the queue. */
bool mailbox_put(struct mailbox *mailbox, uint32_t kind, const void *record, size_t size);
/* Says what is new of trouble and losses. */
void mailbox_tell(struct mailbox *mailbox, const struct feed_origin *origin);

/* Output's thread. What is wrong now, a sentence's part; NULL: all is well again. */
void mailbox_trouble(struct mailbox *mailbox, const char *cause);
/* One more that could not be put out. */
void mailbox_lose(struct mailbox *mailbox, uint64_t count);
/* The run is over: do not wait for anybody any more. */
bool mailbox_is_closing(struct mailbox *mailbox);

#endif
