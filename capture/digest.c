/* SHA-256 through libcrypto, the only file of capture/ that sees it.
 *
 * Used by source.c on stored bytes. Deliberately does not read captures on its own, except for the
 * samples of a fingerprint. */
#include "digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum {
    FINGERPRINT_END_SIZE = 1 << 20,
    FINGERPRINT_SAMPLE_SIZE = 4096,
    FINGERPRINT_SAMPLES = 64,
    FINGERPRINT_READ_SIZE = 64 << 10
};

struct digest {
    EVP_MD_CTX *context;
};

struct digest *digest_new(void)
{
    struct digest *digest = malloc(sizeof *digest);
    assert(digest);
    digest->context = EVP_MD_CTX_new();
    assert(digest->context);
    int started = EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL);
    assert(started == 1);
    (void)started;
    return digest;
}

void digest_free(struct digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

void digest_add(struct digest *digest, const void *bytes, size_t size)
{
    int added = EVP_DigestUpdate(digest->context, bytes, size);
    assert(added == 1);
    (void)added;
}

void digest_text(struct digest *digest, char text[DIGEST_TEXT_SIZE])
{
    uint8_t value[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    int finished = EVP_DigestFinal_ex(digest->context, value, &size);
    assert(finished == 1 && size == 32);
    (void)finished;
    struct text out = text_over(text, DIGEST_TEXT_SIZE);
    text_hex(&out, value, size);
}

/* Adds bytes [offset, offset + size) of the file, as far as they are there. */
static bool add_range(struct digest *digest, int fd, uint64_t offset, uint64_t size)
{
    static const size_t piece_max = FINGERPRINT_READ_SIZE;
    uint8_t *piece = malloc(piece_max);
    assert(piece);
    bool read_all = true;
    while (size) {
        size_t wanted = size < piece_max ? (size_t)size : piece_max;
        ssize_t got = pread(fd, piece, wanted, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        read_all = got >= 0;
        if (got <= 0)
            break;
        digest_add(digest, piece, (size_t)got);
        offset += (uint64_t)got;
        size -= (uint64_t)got;
    }
    free(piece);
    return read_all;
}

bool digest_fingerprint(int fd, uint64_t size, char text[DIGEST_TEXT_SIZE])
{
    struct digest *digest = digest_new();
    char decimal[24];
    int length = snprintf(decimal, sizeof decimal, "%llu", (unsigned long long)size);
    digest_add(digest, decimal, (size_t)length);

    uint64_t end_size = size < FINGERPRINT_END_SIZE ? size : FINGERPRINT_END_SIZE;
    bool complete =
        add_range(digest, fd, 0, end_size) && add_range(digest, fd, size - end_size, end_size);
    for (uint64_t i = 0; complete && i < FINGERPRINT_SAMPLES; i++)
        complete = add_range(digest, fd, i * (size / FINGERPRINT_SAMPLES), FINGERPRINT_SAMPLE_SIZE);
    text[0] = '\0';
    if (complete)
        digest_text(digest, text);
    digest_free(digest);
    return complete;
}
