/* Endace ERF captures: state of one file while it is read.
 *
 * Used through the table in input.c. A file is a row of records without a header or a magic number,
 * so that it is known by its first records making sense. Deliberately only packets: ATM cells and
 * Infiniband are counted as a link type that is not read. */
#ifndef APNSCOPE_CAPTURE_ERF_FILE_H
#define APNSCOPE_CAPTURE_ERF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/frame.h"

struct input;
struct window;

struct erf_file {
    uint32_t first_interface; /* of four; a record says which */
    uint64_t noticed_records; /* loss counters up to here were added: not again */
};

/* Looks at the first two records. */
bool erf_file_is(struct window *window);
bool erf_file_open(struct input *input);
size_t erf_file_next(struct input *input, struct frame *frames, size_t max);
void erf_file_close(struct input *input);

#endif
