/* DNS messages about push names: see name_watch.c. */
#ifndef APNSCOPE_TRACK_NAME_WATCH_H
#define APNSCOPE_TRACK_NAME_WATCH_H

#include <stdint.h>

#include "model/packet.h"

struct tracker;

enum { NAME_WATCH_SLOTS = 512 };

struct watched_message {
    uint64_t hash;
    int64_t time_ns;
    uint32_t lane;
};

/* The last questions and messages, each in the slot that its hash says. */
struct name_watch {
    struct watched_message questions[NAME_WATCH_SLOTS];
    struct watched_message messages[NAME_WATCH_SLOTS];
};

/* Takes a DNS message, over UDP or as a TCP payload. */
void name_watch_take(struct tracker *tracker, const struct packet *packet);

#endif
