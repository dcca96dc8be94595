/* The front of the pipeline: frames dissected and screened, in order, by two threads.
 *
 * Between capture/ and dissect/ on one side and the tracker on the other, which takes what comes
 * out on the main thread. Most frames of a mirror port are of no interest; with a plain file the
 * front's own thread and the main thread, whenever it has nothing else to do, read, dissect and
 * screen one part each at a time, and only what is of interest goes from one processor to the
 * other. Every other kind of input is dissected on the main thread, while capture/ reads ahead.
 * Deliberately keeps no state between packets: the order of threads can change nothing that is
 * found. */
#ifndef APNSCOPE_CLI_FRONT_H
#define APNSCOPE_CLI_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture.h"
#include "capture/filter.h"
#include "model/packet.h"
#include "model/vocabulary.h"
#include "track/track.h"

struct front;

/* What one batch of frames came to. */
struct front_batch {
    struct packet *packets;
    uint64_t *keys; /* of the packets, and bits for those that are wanted: see tracker_screen */
    uint64_t *wanted;
    size_t packet_count;
    size_t frame_count;
    uint64_t skipped[SKIP_COUNT]; /* frames that are no packets of interest, by reason */
};

/* The capture is the front's to read until front_free. `filter`: packets that do not match are
 * skipped; NULL: none. */
struct front *front_new(struct capture *capture, const struct tracker *tracker,
                        struct filter *filter);
void front_free(struct front *front); /* NULL is fine */

/* Whether a packet matches, or what it quotes; a fragment does, until it is put together. */
bool front_passes(struct filter *filter, const struct packet *packet);

/* Lets the front's own thread work as well. Before, only front_next does. */
void front_share(struct front *front);

/* The next batch, valid until the next call; NULL: the end. A batch may hold no packets. */
const struct front_batch *front_next(struct front *front);

/* For a front without a capture (NULL): what a frame shows by itself, made by any thread; its bytes
 * stay where they are. */
struct front_digest {
    struct packet packet; /* without the frame's number and time */
    uint64_t key;
    enum skip_reason reason;
    bool is_wanted;
};
void front_digest(const struct front *front, const struct frame *frame,
                  struct front_digest *digest);
/* The batch of frames with their digests. Valid until the next call. */
struct front_batch *front_gather(struct front *front, const struct frame *frames,
                                 const struct front_digest *const *digests, size_t count);

/* Reads no more. Batches whose frames the capture has counted are still given. */
void front_stop(struct front *front);

#endif
