/* Choosing and writing the packets behind a finding.
 *
 * Private to feed/. */
#ifndef APNSCOPE_FEED_EXCERPT_H
#define APNSCOPE_FEED_EXCERPT_H

#include <stddef.h>
#include <stdio.h>

#include "feed/sink.h"
#include "ring.h"

struct excerpt_plan {
    struct ring_place *places; /* by frame */
    size_t count, room;
    size_t proofs; /* of the finding's own frames, those that are here */
};

/* What the ring has of it: the sessions of the finding's frames and, where it is about a client,
 * all of the client's sessions at the time; of a finding about the site those with its port. At
 * most EXCERPT_SIZE_MAX bytes. */
void excerpt_choose(struct excerpt_plan *plan, const struct ring *ring,
                    const struct finding *finding);
void excerpt_free(struct excerpt_plan *plan);

/* pcapng, with a comment on each frame that proves something. */
void excerpt_write(FILE *file, const struct excerpt_plan *plan, const struct ring *ring,
                   const struct feed_origin *origin, const struct finding *finding);

#endif
