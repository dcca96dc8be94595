/* What a file is that is not a capture, for the sentence that says so.
 *
 * Used by input.c when opening. Deliberately only a help for people: nothing depends on it. */
#ifndef APNSCOPE_CAPTURE_LOOKALIKE_H
#define APNSCOPE_CAPTURE_LOOKALIKE_H

#include <stddef.h>
#include <stdint.h>

struct lookalike {
    const char *what;   /* "a PDF document" */
    const char *advice; /* "convert it with ..." */
};

/* `bytes` are the first of the file, decompressed; at least one. */
struct lookalike lookalike_of(const char *path, const uint8_t *bytes, size_t size);

#endif
