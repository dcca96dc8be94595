/* A byte builder for test traffic: the mirror image of base/reader.h.
 *
 * Network byte order unless named _le. Grows as needed; memory running out ends the test. Never
 * used by the program itself, which only ever reads. */
#ifndef APNSCOPE_TESTS_SUPPORT_BYTES_H
#define APNSCOPE_TESTS_SUPPORT_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *at;
    size_t size;
    size_t room;
};

void bytes_free(struct bytes *bytes);
void bytes_add(struct bytes *bytes, const void *data, size_t size);
void bytes_fill(struct bytes *bytes, uint8_t value, size_t size);
/* The same seed gives the same bytes everywhere; they pass for key material and ciphertext. */
void bytes_random(struct bytes *bytes, size_t size, uint64_t seed);
void bytes_u8(struct bytes *bytes, unsigned value);
void bytes_u16(struct bytes *bytes, unsigned value);
void bytes_u24(struct bytes *bytes, uint32_t value);
void bytes_u32(struct bytes *bytes, uint32_t value);
void bytes_u16_le(struct bytes *bytes, unsigned value);
void bytes_u32_le(struct bytes *bytes, uint32_t value);
void bytes_set_u16(struct bytes *bytes, size_t offset, unsigned value);

/* A length field of 1 to 3 bytes whose value is only known later: open it, add what it counts,
 * close it. */
size_t bytes_open(struct bytes *bytes, unsigned width);
void bytes_close(struct bytes *bytes, size_t opened, unsigned width);

/* malloc and realloc that end the test instead of failing. */
void *support_allocate(size_t size);
void *support_reallocate(void *memory, size_t size);
char *support_copy(const char *string);

#endif
