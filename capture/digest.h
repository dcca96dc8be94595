/* SHA-256 of what is read, and the fingerprint of files too large to hash in passing.
 *
 * Serves source.c. Deliberately offers no other algorithm: provenance needs one, forever the
 * same. */
#ifndef APNSCOPE_CAPTURE_DIGEST_H
#define APNSCOPE_CAPTURE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_TEXT_SIZE = 65 };

struct digest;

struct digest *digest_new(void);
void digest_free(struct digest *digest); /* NULL is fine */
/* Takes a copy of what is not hashed before it returns. One thread at a time. */
void digest_add(struct digest *digest, const void *bytes, size_t size);
/* Lower-case hex of all that was added; nothing can be added afterwards. */
void digest_text(struct digest *digest, char text[DIGEST_TEXT_SIZE]);

/* SHA-256 over the size in decimal, the first MiB, the last MiB, and 64 samples of 4 KiB at
 * i * (size / 64): the same file gives the same text, and two captures of one size differ unless
 * made to collide. Does not move the file position. False when reading fails. */
bool digest_fingerprint(int fd, uint64_t size, char text[DIGEST_TEXT_SIZE]);

#endif
