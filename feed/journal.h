/* Findings in the system's log. */
#ifndef APNSCOPE_FEED_JOURNAL_H
#define APNSCOPE_FEED_JOURNAL_H

#include "feed/sink.h"

/* journald's own protocol: every fact is a field of the entry. Fails where no
 * journal runs. */
MUST_USE bool journal_open(struct feed_sink *sink, const struct feed_origin *origin,
                           struct fault *fault);
/* syslog(3): the message, with the facts as RFC 5424 structured data before it. */
MUST_USE bool syslog_open(struct feed_sink *sink, const struct feed_origin *origin,
                          struct fault *fault);

#endif
