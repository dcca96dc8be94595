/* Parts of a capture: one plain file, read by several threads in pieces of READ_PART_SIZE.
 *
 * Behind capture.h. A thread reads a part's bytes alone; then, when its turn has come (parts are in
 * the order of the file), it takes the frames that stand whole in them. So it is the same processor
 * that copies a part, finds its frames and looks into them, in bytes that lie in its cache.
 * Deliberately leaves everything odd to the ordinary way: where a part is not full, or its frames
 * cannot be found, the parts end, and input_next goes on from there. */
#ifndef APNSCOPE_CAPTURE_PARTS_H
#define APNSCOPE_CAPTURE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "input.h"

struct parts {
    struct input *input;
    uint64_t offset;       /* of part 0 */
    _Atomic uint64_t turn; /* the part whose frames may be taken */
    bool have_ended;
    pthread_mutex_t lock; /* for sleeping until one's turn comes */
    pthread_cond_t passed;
    _Atomic unsigned sleepers;
    _Atomic uint64_t read; /* bytes, for progress */
};

/* Files below are not worth a second thread. */
enum { PARTS_FILE_SIZE_MIN = 1 << 20 };

bool parts_are_possible(const struct input *input);
void parts_begin(struct parts *parts, struct input *input);
void parts_free(struct parts *parts); /* those that never began are fine */

static inline bool parts_are_read(const struct parts *parts)
{
    return parts->input != NULL;
}

/* Stored bytes, for progress; any thread may ask. */
static inline uint64_t parts_stored_read(const struct parts *parts)
{
    return atomic_load_explicit(&parts->read, memory_order_relaxed);
}

struct capture_part {
    uint8_t *memory; /* what is left of the part before, then the part's own bytes */
    uint8_t *pieced; /* the same where more is left than memory has room for; else NULL */
    struct frame *frames;
    size_t frame_count;
    size_t frame_room;
};

/* Reads part `number` and takes its frames when its turn has come, which parts_pass then gives to
 * the next part. False: there are no more parts; the turn is to be passed nevertheless. */
bool parts_take(struct parts *parts, uint64_t number, struct capture_part *part);
void parts_pass(struct parts *parts);

#endif
