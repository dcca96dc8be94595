/* What a compression format looks like to source.c: stored bytes in, the capture's bytes out.
 *
 * One file per format, each the only one that sees its library; all of them read concatenated
 * members as one stream. Deliberately knows nothing of files, hashes or captures. */
#ifndef APNSCOPE_CAPTURE_DECODER_H
#define APNSCOPE_CAPTURE_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The decoder moves `in` and `out` forward past what it took and gave. */
struct decode_span {
    const uint8_t *in;
    size_t in_size;
    uint8_t *out;
    size_t out_size;
    bool in_ended; /* after these bytes there are no more */
};

enum decode_result {
    DECODE_GOES_ON,
    DECODE_RESTS,    /* between two members: ending here is a clean end */
    DECODE_FINISHED, /* what follows is padding, not data */
    DECODE_DAMAGED
};

struct decoder {
    const char *name;
    uint8_t magic[6];
    size_t magic_size;
    void *(*open)(void);
    enum decode_result (*decode)(void *state, struct decode_span *span, const char **why);
    void (*close)(void *state);
};

extern const struct decoder decoder_gzip;
extern const struct decoder decoder_zstd;
extern const struct decoder decoder_lz4;
extern const struct decoder decoder_xz;

#endif
