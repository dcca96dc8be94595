/* DNS messages about push names: see name_watch.c. */
#ifndef APNSCOPE_TRACK_NAME_WATCH_H
#define APNSCOPE_TRACK_NAME_WATCH_H

#include <stdint.h>

#include "base/address.h"
#include "model/packet.h"

struct tracker;

enum { NAME_WATCH_SLOTS = 512, NAME_WATCH_RESOLVERS = 64 };

struct watched_message {
    uint64_t hash;
    int64_t time_ns;
    uint32_t lane;
};

struct watched_resolver {
    struct address address;
    int64_t spoke_ns;
};

/* The last questions and messages, and resolvers, each in the slot that its hash says. */
struct name_watch {
    struct watched_message questions[NAME_WATCH_SLOTS];
    struct watched_message messages[NAME_WATCH_SLOTS];
    struct watched_resolver resolvers[NAME_WATCH_RESOLVERS];
};

/* Takes a DNS message, over UDP or as a TCP payload. */
void name_watch_take(struct tracker *tracker, const struct packet *packet);

#endif
