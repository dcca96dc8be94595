/* gzip (RFC 1952) for source.c, through zlib.
 *
 * Deliberately reads no bare deflate or zlib streams: no capture is stored as one. */
#include "decoder.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

struct gzip {
    z_stream stream;
    bool between_members;
};

/* zlib's window bits, plus 16 for "a gzip header is expected" (zlib.h, inflateInit2). */
enum { GZIP_WINDOW_BITS = 15 + 16, SPAN_MAX = 1 << 30 };

static void *gzip_open(void)
{
    struct gzip *gzip = calloc(1, sizeof *gzip);
    assert(gzip);
    int started = inflateInit2(&gzip->stream, GZIP_WINDOW_BITS);
    assert(started == Z_OK);
    (void)started;
    return gzip;
}

static void gzip_close(void *state)
{
    struct gzip *gzip = state;
    inflateEnd(&gzip->stream);
    free(gzip);
}

static uInt limited(size_t size)
{
    return (uInt)(size < SPAN_MAX ? size : SPAN_MAX);
}

static int inflate_span(z_stream *stream, struct decode_span *span)
{
    uInt in_size = limited(span->in_size);
    uInt out_size = limited(span->out_size);
    stream->next_in = (z_const Bytef *)(uintptr_t)span->in;
    stream->avail_in = in_size;
    stream->next_out = span->out;
    stream->avail_out = out_size;
    int status = inflate(stream, Z_NO_FLUSH);
    span->in += in_size - stream->avail_in;
    span->in_size -= in_size - stream->avail_in;
    span->out += out_size - stream->avail_out;
    span->out_size -= out_size - stream->avail_out;
    return status;
}

/* After a member comes another one, or zeros that fill up a tape block or disk sector. */
static enum decode_result gzip_decode(void *state, struct decode_span *span, const char **why)
{
    struct gzip *gzip = state;
    if (gzip->between_members) {
        if (!span->in_size)
            return DECODE_RESTS;
        if (span->in[0] == 0)
            return DECODE_FINISHED;
        inflateReset(&gzip->stream);
        gzip->between_members = false;
    }
    int status = inflate_span(&gzip->stream, span);
    if (status == Z_STREAM_END) {
        gzip->between_members = true;
        return DECODE_RESTS;
    }
    if (status == Z_OK || status == Z_BUF_ERROR)
        return DECODE_GOES_ON;
    *why = gzip->stream.msg ? gzip->stream.msg : zError(status);
    return DECODE_DAMAGED;
}

const struct decoder decoder_gzip = {.name = "gzip",
                                     .magic = {0x1f, 0x8b, 0x08}, /* RFC 1952 section 2.3.1 */
                                     .magic_size = 3,
                                     .open = gzip_open,
                                     .decode = gzip_decode,
                                     .close = gzip_close};
