/* A finding's facts as name and value, for logs that keep them apart from the sentence.
 *
 * Private to feed/. */
#ifndef APNSCOPE_FEED_STRUCTURED_H
#define APNSCOPE_FEED_STRUCTURED_H

#include <stddef.h>

#include "base/text.h"
#include "feed/sink.h"
#include "records.h"

enum { STRUCTURED_FIELDS_MAX = 24, STRUCTURED_TEXT_SIZE = 4096 };

struct structured_field {
    const char *name; /* "code", "client_ip" ... */
    const char *value;
};

struct structured {
    struct structured_field fields[STRUCTURED_FIELDS_MAX];
    size_t count;
    const char *message;
    int priority;     /* of syslog(3) */
    struct text text; /* where values are */
    char buffer[STRUCTURED_TEXT_SIZE];
};

/* False: nothing to log; always so but for RECORD_FINDING, _WITHDRAWN, _DEVICE and _NOTICE. */
bool structured_fill(struct structured *structured, const struct feed_origin *origin,
                     enum record_kind kind, const void *record);

/* "[apnscope@32473 code=\"...\" ...]": RFC 5424 section 6.3, with its escapes. */
void structured_write(const struct structured *structured, struct text *out);

#endif
