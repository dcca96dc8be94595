/* The byte builder. Of tests/support; deliberately knows no protocol. */
#include "bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void *support_reallocate(void *memory, size_t size)
{
    void *larger = realloc(memory, size ? size : 1);
    if (!larger)
        abort();
    return larger;
}

void *support_allocate(size_t size)
{
    void *memory = support_reallocate(NULL, size);
    memset(memory, 0, size);
    return memory;
}

char *support_copy(const char *string)
{
    size_t size = strlen(string) + 1;
    return memcpy(support_allocate(size), string, size);
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct bytes){0};
}

static uint8_t *extend(struct bytes *bytes, size_t size)
{
    if (bytes->room - bytes->size < size || !bytes->at) {
        bytes->room = bytes->size + size + bytes->size / 2 + 64;
        bytes->at = support_reallocate(bytes->at, bytes->room);
    }
    bytes->size += size;
    return bytes->at + bytes->size - size;
}

void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    if (size > 0)
        memcpy(extend(bytes, size), data, size);
}

void bytes_fill(struct bytes *bytes, uint8_t value, size_t size)
{
    memset(extend(bytes, size), value, size);
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014): a counter, well mixed. */
void bytes_random(struct bytes *bytes, size_t size, uint64_t seed)
{
    uint8_t *at = extend(bytes, size);
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++) {
        if (i % 8 == 0) {
            seed += UINT64_C(0x9e3779b97f4a7c15);
            word = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
            word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
            word ^= word >> 31;
        }
        at[i] = (uint8_t)(word >> (i % 8 * 8));
    }
}

static void add_number(struct bytes *bytes, uint32_t value, unsigned width)
{
    uint8_t *at = extend(bytes, width);
    for (unsigned i = 0; i < width; i++)
        at[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

void bytes_u8(struct bytes *bytes, unsigned value)
{
    add_number(bytes, value, 1);
}

void bytes_u16(struct bytes *bytes, unsigned value)
{
    add_number(bytes, value, 2);
}

void bytes_u24(struct bytes *bytes, uint32_t value)
{
    add_number(bytes, value, 3);
}

void bytes_u32(struct bytes *bytes, uint32_t value)
{
    add_number(bytes, value, 4);
}

void bytes_u16_le(struct bytes *bytes, unsigned value)
{
    add_number(bytes, (value & 0xff) << 8 | (value >> 8 & 0xff), 2);
}

void bytes_u32_le(struct bytes *bytes, uint32_t value)
{
    bytes_u16_le(bytes, value & 0xffff);
    bytes_u16_le(bytes, value >> 16);
}

void bytes_set_u16(struct bytes *bytes, size_t offset, unsigned value)
{
    assert(offset + 2 <= bytes->size);
    bytes->at[offset] = (uint8_t)(value >> 8);
    bytes->at[offset + 1] = (uint8_t)value;
}

size_t bytes_open(struct bytes *bytes, unsigned width)
{
    add_number(bytes, 0, width);
    return bytes->size;
}

void bytes_close(struct bytes *bytes, size_t opened, unsigned width)
{
    size_t counted = bytes->size - opened;
    assert(width >= 1 && width <= 3 && counted < (size_t)1 << (8 * width));
    for (unsigned i = 0; i < width; i++)
        bytes->at[opened - width + i] = (uint8_t)(counted >> (8 * (width - 1 - i)));
}
