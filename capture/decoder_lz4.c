/* LZ4 frames (lz4_Frame_format.md 1.6) for source.c, through liblz4.
 *
 * Deliberately does not read the legacy format of lz4 0.x, which no capture tool writes. */
#include "decoder.h"

#include <assert.h>
#include <lz4frame.h>

static void *lz4_open(void)
{
    LZ4F_dctx *context = NULL;
    LZ4F_errorCode_t status = LZ4F_createDecompressionContext(&context, LZ4F_VERSION);
    assert(!LZ4F_isError(status) && context);
    (void)status;
    return context;
}

static void lz4_close(void *state)
{
    LZ4F_freeDecompressionContext(state);
}

static enum decode_result lz4_decode(void *state, struct decode_span *span, const char **why)
{
    size_t taken = span->in_size;
    size_t given = span->out_size;
    size_t status = LZ4F_decompress(state, span->out, &given, span->in, &taken, NULL);
    if (LZ4F_isError(status)) {
        *why = LZ4F_getErrorName(status);
        return DECODE_DAMAGED;
    }
    span->in += taken;
    span->in_size -= taken;
    span->out += given;
    span->out_size -= given;
    return status == 0 ? DECODE_RESTS : DECODE_GOES_ON;
}

const struct decoder decoder_lz4 = {.name = "lz4",
                                    .magic = {0x04, 0x22, 0x4d, 0x18},
                                    .magic_size = 4,
                                    .open = lz4_open,
                                    .decode = lz4_decode,
                                    .close = lz4_close};
