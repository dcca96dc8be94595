/* The screen of a live run: devices, sessions and findings as they change. */
#ifndef APNSCOPE_FEED_TOP_H
#define APNSCOPE_FEED_TOP_H

#include "feed/sink.h"

struct top_options {
    bool has_colour;
    bool has_unicode;
    void (*quit)(
        void); /* somebody pressed q, or the terminal is gone; called on the screen's thread */
};

/* Needs a terminal on standard input and output, which is the screen's until the sink is closed. */
MUST_USE bool top_open(struct feed_sink *sink, const struct top_options *options,
                       const struct feed_origin *origin, struct fault *fault);

#endif
