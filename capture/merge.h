/* Several inputs as one stream in time order.
 *
 * Between input.h and capture.c. At most MERGE_OPEN_MAX files are open at once, fewer where the
 * process may have fewer descriptors: the others are parked until the time of their next frame has
 * come, so that memory does not grow with their number. Each file's frames stay in file order; at
 * equal times the earlier argument comes first. Deliberately does not number frames or count
 * anything. */
#ifndef APNSCOPE_CAPTURE_MERGE_H
#define APNSCOPE_CAPTURE_MERGE_H

#include <stddef.h>

#include "input.h"

enum { MERGE_OPEN_MAX = 64 };

struct input_heap {
    struct input **items;
    size_t count;
};

struct merge {
    struct input_heap open;   /* each with a frame ready, but for the one that ended a batch */
    struct input_heap parked; /* by the time of their next frame */
    size_t open_max;
    size_t window_size;
};

void merge_init(struct merge *merge, size_t input_count, size_t window_size);
void merge_free(struct merge *merge); /* not the inputs */

/* Takes an opened input: finds out when its first frame is, and parks it unless it is a pipe. */
void merge_add(struct merge *merge, struct input *input);

/* As capture_next, unnumbered. */
size_t merge_next(struct merge *merge, struct frame *frames, size_t max);

#endif
