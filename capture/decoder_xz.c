/* xz (The .xz File Format 1.1.0) for source.c, through liblzma.
 *
 * Deliberately bounds the decoder's memory: `xz -9` needs 65 MiB, and a header that asks for
 * gigabytes is damage or an attack. */
#include "decoder.h"

#include <assert.h>
#include <lzma.h>
#include <stdlib.h>

#define XZ_MEMORY_MAX (UINT64_C(256) << 20)

static void *xz_open(void)
{
    lzma_stream *stream = malloc(sizeof *stream);
    assert(stream);
    *stream = (lzma_stream)LZMA_STREAM_INIT;
    lzma_ret started = lzma_stream_decoder(stream, XZ_MEMORY_MAX, LZMA_CONCATENATED);
    assert(started == LZMA_OK);
    (void)started;
    return stream;
}

static void xz_close(void *state)
{
    lzma_end(state);
    free(state);
}

static const char *xz_reason(lzma_ret status)
{
    switch (status) {
    case LZMA_MEMLIMIT_ERROR:
        return "it needs more than 256 MiB of memory";
    case LZMA_FORMAT_ERROR:
        return "what follows is not xz";
    case LZMA_OPTIONS_ERROR:
        return "it uses options that liblzma does not know";
    default:
        return "corrupt data";
    }
}

static enum decode_result xz_decode(void *state, struct decode_span *span, const char **why)
{
    lzma_stream *stream = state;
    stream->next_in = span->in;
    stream->avail_in = span->in_size;
    stream->next_out = span->out;
    stream->avail_out = span->out_size;
    lzma_ret status = lzma_code(stream, span->in_ended ? LZMA_FINISH : LZMA_RUN);
    span->in = stream->next_in;
    span->in_size = stream->avail_in;
    span->out = stream->next_out;
    span->out_size = stream->avail_out;
    if (status == LZMA_STREAM_END)
        return DECODE_RESTS;
    if (status == LZMA_OK || status == LZMA_BUF_ERROR)
        return DECODE_GOES_ON;
    *why = xz_reason(status);
    return DECODE_DAMAGED;
}

const struct decoder decoder_xz = {.name = "xz",
                                   .magic = {0xfd, '7', 'z', 'X', 'Z', 0x00}, /* section 2.1.1.1 */
                                   .magic_size = 6,
                                   .open = xz_open,
                                   .decode = xz_decode,
                                   .close = xz_close};
