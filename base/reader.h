/* A cursor over bytes that belong to someone else.
 *
 * Reading past the end yields zero and sets `failed`, which stays set: a parser reads a whole
 * structure and asks once, at its end, whether all of it was there. `reader_take` gives a nested
 * reader for a length field, so that an inner structure can never read beyond its own length.
 * Deliberately never allocates, copies or moves the bytes. Network byte order unless named _le. */
#ifndef APNSCOPE_BASE_READER_H
#define APNSCOPE_BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct reader reader_over(const void *bytes, size_t size)
{
    const uint8_t *at = (const uint8_t *)bytes;
    return (struct reader){.at = at, .end = at ? at + size : at, .failed = false};
}

static inline size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* The next `size` bytes, or NULL (and the reader fails and is empty from then on). */
static inline const uint8_t *reader_bytes(struct reader *reader, size_t size)
{
    if (reader_left(reader) < size) {
        reader->failed = true;
        reader->at = reader->end;
        return NULL;
    }
    const uint8_t *bytes = reader->at;
    reader->at += size;
    return bytes;
}

static inline void reader_skip(struct reader *reader, size_t size)
{
    (void)reader_bytes(reader, size);
}

static inline uint8_t load_u8(const uint8_t *b)
{
    return b[0];
}

static inline uint16_t load_u16(const uint8_t *b)
{
    return (uint16_t)((unsigned)b[0] << 8 | b[1]);
}

static inline uint32_t load_u24(const uint8_t *b)
{
    return (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
}

static inline uint32_t load_u32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t load_u64(const uint8_t *b)
{
    return (uint64_t)load_u32(b) << 32 | load_u32(b + 4);
}

static inline uint16_t load_u16_le(const uint8_t *b)
{
    return (uint16_t)((unsigned)b[1] << 8 | b[0]);
}

static inline uint32_t load_u32_le(const uint8_t *b)
{
    return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static inline uint64_t load_u64_le(const uint8_t *b)
{
    return (uint64_t)load_u32_le(b + 4) << 32 | load_u32_le(b);
}

#define READER_LOAD(name, type, size)                                                             \
    static inline type reader_##name(struct reader *reader)                                       \
    {                                                                                              \
        const uint8_t *bytes = reader_bytes(reader, size);                                         \
        return bytes ? load_##name(bytes) : 0;                                                     \
    }
READER_LOAD(u8, uint8_t, 1)
READER_LOAD(u16, uint16_t, 2)
READER_LOAD(u24, uint32_t, 3)
READER_LOAD(u32, uint32_t, 4)
READER_LOAD(u64, uint64_t, 8)
READER_LOAD(u16_le, uint16_t, 2)
READER_LOAD(u32_le, uint32_t, 4)
READER_LOAD(u64_le, uint64_t, 8)
#undef READER_LOAD

/* A reader over the next `size` bytes; the outer one moves past them. Where fewer are there, the
 * outer fails and the inner is failed and empty. */
static inline struct reader reader_take(struct reader *reader, size_t size)
{
    const uint8_t *bytes = reader_bytes(reader, size);
    struct reader inner = reader_over(bytes, bytes ? size : 0);
    inner.failed = bytes == NULL;
    return inner;
}

#endif
