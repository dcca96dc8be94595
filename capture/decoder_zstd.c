/* Zstandard (RFC 8878) for source.c, through libzstd.
 *
 * Deliberately keeps libzstd's bound on the window (128 MiB): a frame that asks for more is told
 * as damage in the library's words. */
#include "decoder.h"

#include <assert.h>
#include <zstd.h>

static void *zstd_open(void)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    assert(stream);
    return stream;
}

static void zstd_close(void *state)
{
    ZSTD_freeDStream(state);
}

static enum decode_result zstd_decode(void *state, struct decode_span *span, const char **why)
{
    ZSTD_inBuffer in = {span->in, span->in_size, 0};
    ZSTD_outBuffer out = {span->out, span->out_size, 0};
    size_t status = ZSTD_decompressStream(state, &out, &in);
    span->in += in.pos;
    span->in_size -= in.pos;
    span->out += out.pos;
    span->out_size -= out.pos;
    if (ZSTD_isError(status)) {
        *why = ZSTD_getErrorName(status);
        return DECODE_DAMAGED;
    }
    return status == 0 ? DECODE_RESTS : DECODE_GOES_ON;
}

const struct decoder decoder_zstd = {.name = "zstd",
                                     .magic = {0x28, 0xb5, 0x2f, 0xfd}, /* RFC 8878 section 3.1.1 */
                                     .magic_size = 4,
                                     .open = zstd_open,
                                     .decode = zstd_decode,
                                     .close = zstd_close};
