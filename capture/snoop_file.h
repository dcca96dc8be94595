/* Solaris snoop captures (RFC 1761): state of one file while it is read.
 *
 * Used through the table in input.c. Solaris and illumos write them, and so does Check Point's
 * `fw monitor`. Deliberately not the Shomiti and Finisar variants of other versions. */
#ifndef APNSCOPE_CAPTURE_SNOOP_FILE_H
#define APNSCOPE_CAPTURE_SNOOP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/frame.h"

struct input;

struct snoop_file {
    uint32_t interface_id;
    uint16_t link_type;
};

bool snoop_file_is(const uint8_t *bytes, size_t size);
bool snoop_file_open(struct input *input);
size_t snoop_file_next(struct input *input, struct frame *frames, size_t max);
void snoop_file_close(struct input *input);

#endif
