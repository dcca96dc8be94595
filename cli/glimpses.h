/* Sessions that a live run sees one packet of: the kernel's filter lets their first bytes pass,
 * because they may name a push host, and nothing else.
 *
 * Kept from the tracker, which would judge a session that it sees in part; told once for each
 * address, with what makes the run follow it. */
#ifndef APNSCOPE_CLI_GLIMPSES_H
#define APNSCOPE_CLI_GLIMPSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/fault.h"
#include "base/speaker.h"
#include "capture/filter.h"
#include "capture/scope_filter.h"
#include "front.h"

enum { GLIMPSES_TOLD_MAX = 16 };

struct glimpses {
    struct speaker speaker;
    const struct scope_filter *scope;
    struct filter *also; /* --also; NULL: none */
    uint64_t count;      /* that name a push host */
    struct address told[GLIMPSES_TOLD_MAX];
    size_t told_count;
};

/* `speaker` is set already; `scope` is the caller's, for as long as this is open. */
MUST_USE bool glimpses_open(struct glimpses *glimpses, const struct scope_filter *scope,
                            struct fault *fault);
void glimpses_close(struct glimpses *glimpses);

/* Closes the batch up over packets of sessions that are not followed. */
void glimpses_leave_out(struct glimpses *glimpses, struct front_batch *batch);

#endif
