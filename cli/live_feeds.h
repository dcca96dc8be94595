/* The outputs of a live run that the command line asks for: feed/'s sinks, opened and added. */
#ifndef APNSCOPE_CLI_LIVE_FEEDS_H
#define APNSCOPE_CLI_LIVE_FEEDS_H

#include "feed/sink.h"
#include "live_run.h"
#include "settings.h"

/* Outlives the run. */
struct live_feeds {
    struct feed_origin origin;
    char host[256];
    void (*quit)(void); /* ends the run; set by the caller */
};

/* After live_run_open, with privileges: files, folders and sockets are opened here. False with a
 * sentence. */
MUST_USE bool live_feeds_add(struct live_feeds *feeds, struct live_run *run,
                             const struct settings *settings, struct fault *fault);

#endif
