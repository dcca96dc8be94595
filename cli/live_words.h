/* What a live run says of itself, in sentences: its state, and troubles as they come and go.
 *
 * Written from the report of each second, for every output that takes notices. Deliberately not
 * about the network: findings are that. */
#ifndef APNSCOPE_CLI_LIVE_WORDS_H
#define APNSCOPE_CLI_LIVE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/speaker.h"
#include "feed/sink.h"

struct live_words {
    struct speaker speaker;
    /* as told last */
    bool is_down[LIVE_INTERFACES_MAX];
    unsigned successors[LIVE_INTERFACES_MAX];
    bool refusal_told[LIVE_INTERFACES_MAX];
    char store_trouble[256];
    bool drops_told; /* of rows */
    bool clock_told;
};

/* What has changed since the last report. */
void live_words_changes(struct live_words *words, const struct feed_report *report);
/* SIGUSR1: everything. */
void live_words_state(const struct live_words *words, const struct feed_report *report);

#endif
