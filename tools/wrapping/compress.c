/* Bytes, compressed by the libraries that others use. See form.h.
 *
 * A failure here is a failure of the machine (memory), and ends the program. */
#include <assert.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "form.h"

/* Room for `size` more bytes; what of it was used is said afterwards. */
static uint8_t *room_for(struct bytes *out, size_t size)
{
    bytes_fill(out, 0, size);
    return out->at + out->size - size;
}

void compress_gzip(const uint8_t *bytes, size_t size, struct bytes *out)
{
    enum { WINDOW_GZIP = 15 + 16, MEMORY = 8 };
    z_stream stream = {0};
    int begun = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_GZIP, MEMORY,
                             Z_DEFAULT_STRATEGY);
    assert(begun == Z_OK);
    uLong room = deflateBound(&stream, (uLong)size);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)size;
    stream.next_out = room_for(out, room);
    stream.avail_out = (uInt)room;
    int done = deflate(&stream, Z_FINISH);
    assert(done == Z_STREAM_END);
    out->size -= stream.avail_out;
    deflateEnd(&stream);
}

void compress_zstd(const uint8_t *bytes, size_t size, struct bytes *out)
{
    size_t room = ZSTD_compressBound(size);
    size_t used = ZSTD_compress(room_for(out, room), room, bytes, size, 3);
    assert(!ZSTD_isError(used));
    out->size -= room - used;
}

void compress_lz4(const uint8_t *bytes, size_t size, struct bytes *out)
{
    size_t room = LZ4F_compressFrameBound(size, NULL);
    size_t used = LZ4F_compressFrame(room_for(out, room), room, bytes, size, NULL);
    assert(!LZ4F_isError(used));
    out->size -= room - used;
}

void compress_xz(const uint8_t *bytes, size_t size, struct bytes *out)
{
    size_t room = lzma_stream_buffer_bound(size);
    size_t used = 0;
    lzma_ret done = lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, bytes, size,
                                            room_for(out, room), &used, room);
    assert(done == LZMA_OK);
    out->size -= room - used;
}
