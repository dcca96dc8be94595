/* SHA-256 through libcrypto, the only file of capture/ that sees it.
 *
 * Used by source.c on stored bytes. Hashing costs about as much as decompressing, so of large files
 * a thread of its own hashes copies of the blocks, in order, while the reader goes on; where it
 * falls behind, the reader waits. Deliberately does not read captures on its own, except for the
 * samples of a fingerprint. */
#include "digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum {
    FINGERPRINT_END_SIZE = 1 << 20,
    FINGERPRINT_SAMPLE_SIZE = 4096,
    FINGERPRINT_SAMPLES = 64,
    FINGERPRINT_READ_SIZE = 64 << 10,
    WORTH_SHARING = 1 << 20, /* bytes; less is hashed before a thread has started */
    BLOCK_SIZE = 64 << 10,
    BLOCKS = 16
};

struct block {
    size_t size;
    uint8_t bytes[BLOCK_SIZE];
};

/* What the thread works on. */
struct backlog {
    pthread_t thread;
    pthread_mutex_t lock; /* over what follows, but for the blocks' bytes */
    pthread_cond_t given;
    pthread_cond_t hashed;
    uint64_t given_count; /* blocks */
    uint64_t hashed_count;
    bool is_resting;
    bool is_awaited;
    bool stops;
    struct block blocks[BLOCKS];
};

struct digest {
    EVP_MD_CTX *context;
    uint64_t size;           /* bytes added so far */
    bool stays_alone;        /* no thread could be had */
    struct backlog *backlog; /* NULL: hashed at once */
};

static void hash_now(struct digest *digest, const void *bytes, size_t size)
{
    int added = EVP_DigestUpdate(digest->context, bytes, size);
    assert(added == 1);
    (void)added;
}

/* ---- the thread ---- */

static void *hash_backlog(void *context)
{
    struct digest *digest = context;
    struct backlog *backlog = digest->backlog;
    pthread_mutex_lock(&backlog->lock);
    for (;;) {
        if (backlog->hashed_count < backlog->given_count) {
            const struct block *block = &backlog->blocks[backlog->hashed_count % BLOCKS];
            pthread_mutex_unlock(&backlog->lock);
            hash_now(digest, block->bytes, block->size);
            pthread_mutex_lock(&backlog->lock);
            backlog->hashed_count++;
            if (backlog->is_awaited)
                pthread_cond_signal(&backlog->hashed);
        } else if (backlog->stops) {
            break;
        } else {
            backlog->is_resting = true;
            pthread_cond_wait(&backlog->given, &backlog->lock);
            backlog->is_resting = false;
        }
    }
    pthread_mutex_unlock(&backlog->lock);
    return NULL;
}

static void free_backlog(struct digest *digest)
{
    pthread_cond_destroy(&digest->backlog->hashed);
    pthread_cond_destroy(&digest->backlog->given);
    pthread_mutex_destroy(&digest->backlog->lock);
    free(digest->backlog);
    digest->backlog = NULL;
}

/* Signals are the main thread's to handle. */
static void share(struct digest *digest)
{
    sigset_t all, before;
    digest->backlog = calloc(1, sizeof *digest->backlog);
    assert(digest->backlog);
    pthread_mutex_init(&digest->backlog->lock, NULL);
    pthread_cond_init(&digest->backlog->given, NULL);
    pthread_cond_init(&digest->backlog->hashed, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    digest->stays_alone = pthread_create(&digest->backlog->thread, NULL, hash_backlog, digest) != 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (digest->stays_alone)
        free_backlog(digest);
}

/* All that was added is hashed, and the thread is gone. */
static void catch_up(struct digest *digest)
{
    struct backlog *backlog = digest->backlog;
    if (!backlog)
        return;
    pthread_mutex_lock(&backlog->lock);
    backlog->stops = true;
    pthread_cond_signal(&backlog->given);
    pthread_mutex_unlock(&backlog->lock);
    pthread_join(backlog->thread, NULL);
    free_backlog(digest);
}

/* Waking the thread is dear: it is let rest until half of the blocks are full. */
static void give_block(struct backlog *backlog)
{
    backlog->given_count++;
    if (backlog->is_resting && backlog->given_count - backlog->hashed_count >= BLOCKS / 2)
        pthread_cond_signal(&backlog->given);
}

/* A block that is free; the lock is held. */
static struct block *free_block(struct backlog *backlog)
{
    while (backlog->given_count - backlog->hashed_count == BLOCKS) {
        backlog->is_awaited = true;
        pthread_cond_wait(&backlog->hashed, &backlog->lock);
        backlog->is_awaited = false;
    }
    return &backlog->blocks[backlog->given_count % BLOCKS];
}

static void hash_later(struct backlog *backlog, const uint8_t *bytes, size_t size)
{
    pthread_mutex_lock(&backlog->lock);
    while (size) {
        struct block *block = free_block(backlog);
        size_t part = size < BLOCK_SIZE ? size : BLOCK_SIZE;
        pthread_mutex_unlock(&backlog->lock);
        memcpy(block->bytes, bytes, part);
        block->size = part;
        pthread_mutex_lock(&backlog->lock);
        give_block(backlog);
        bytes += part;
        size -= part;
    }
    pthread_mutex_unlock(&backlog->lock);
}

/* ---- the digest ---- */

struct digest *digest_new(void)
{
    struct digest *digest = calloc(1, sizeof *digest);
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
    catch_up(digest);
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

void digest_add(struct digest *digest, const void *bytes, size_t size)
{
    digest->size += size;
    if (!digest->backlog && !digest->stays_alone && digest->size > WORTH_SHARING)
        share(digest);
    if (digest->backlog)
        hash_later(digest->backlog, bytes, size);
    else
        hash_now(digest, bytes, size);
}

void digest_text(struct digest *digest, char text[DIGEST_TEXT_SIZE])
{
    uint8_t value[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    catch_up(digest);
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
