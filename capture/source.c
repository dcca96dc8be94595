/* Stored files as streams of bytes: decompressing, hashing, parking.
 *
 * See source.h. Reads in large blocks straight into the caller's buffer where nothing is
 * compressed. Deliberately never maps a file: page faults cost more than the copy. */
#include "source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoder.h"
#include "digest.h"
#include "stored_file.h"

enum {
    STORED_BLOCK_SIZE = 256 << 10, /* compressed bytes read at once */
    STORED_HEAD_SIZE = 4096,       /* first read: enough to see what the file is */
    STORED_MAGIC_SIZE = 6,
    LOOKS_AT_ROTATED = 50, /* ten seconds: who writes goes on for a while in the file it has open */
    WAIT_MS = 200          /* a delay that nobody notices, and five system calls a second */
};

static const struct decoder *const decoders[] = {&decoder_gzip, &decoder_zstd, &decoder_lz4,
                                                 &decoder_xz};

struct source {
    const char *path;
    int fd;
    bool is_stream;
    bool is_pipe;
    bool is_followed;
    unsigned looks_in_vain;      /* at the end of a followed file whose name is another's */
    bool (*stop)(void *context); /* NULL: never */
    void *stop_context;
    atomic_bool is_interrupted; /* see source_interrupt */
    bool size_known;
    bool ended;     /* no more stored bytes */
    bool exhausted; /* no more decoded bytes */
    bool failed;    /* reading failed: what was hashed is not the file */
    dev_t device;   /* with the inode: the same file when it is opened again */
    ino_t inode;
    uint64_t size;
    uint64_t read_to;   /* stored bytes read since the start of the file */
    uint64_t hashed_to; /* of them, hashed; ahead of read_to after resuming */
    struct digest *digest;

    const struct decoder *decoder; /* NULL: stored as is */
    void *decoder_state;
    enum decode_result decoder_mood;
    uint8_t *stored; /* read, not yet decoded: [stored_begin, stored_end) */
    size_t stored_begin;
    size_t stored_end;
    char error[160];
};

static void count_stored(struct source *source, const uint8_t *bytes, size_t size)
{
    uint64_t begin = source->read_to;
    source->read_to += size;
    if (source->digest && source->read_to > source->hashed_to) {
        size_t known = source->hashed_to > begin ? (size_t)(source->hashed_to - begin) : 0;
        digest_add(source->digest, bytes + known, size - known);
        source->hashed_to = source->read_to;
    }
}

static bool is_asked_to_stop(const struct source *source)
{
    return source->stop && source->stop(source->stop_context);
}

/* A pipe may be silent for hours: so that it can be given up, reading never waits for it. False: it
 * was given up, or waiting was interrupted. */
static bool await_pipe(struct source *source)
{
    struct pollfd pipe = {.fd = source->fd, .events = POLLIN};
    while (!atomic_load(&source->is_interrupted)) {
        int ready = poll(&pipe, 1, WAIT_MS);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return true; /* read() will say what it is */
        if (is_asked_to_stop(source)) {
            source->ended = true;
            break;
        }
    }
    return false;
}

static bool is_cut_short(const struct source *source)
{
    struct stat now;
    return fstat(source->fd, &now) == 0 && (uint64_t)now.st_size < source->read_to;
}

/* Another file has its name (rotation), or none has it, nor ever will again. A file that was only
 * renamed may be written for as long as its writer likes. */
static bool is_given_up(const struct source *source)
{
    struct stat now, named;
    if (stat(source->path, &named) == 0)
        return named.st_dev != source->device || named.st_ino != source->inode;
    return errno == ENOENT && fstat(source->fd, &now) == 0 && now.st_nlink == 0;
}

/* True, with its reason: a followed file will not grow any more. */
static bool has_grown_up(struct source *source)
{
    if (is_cut_short(source)) {
        snprintf(source->error, sizeof source->error,
                 "it was made shorter at byte %llu while it was followed",
                 (unsigned long long)source->read_to);
        return true;
    }
    if (!is_given_up(source) || ++source->looks_in_vain < LOOKS_AT_ROTATED)
        return false;
    snprintf(source->error, sizeof source->error,
             "it was replaced or removed at byte %llu while it was followed",
             (unsigned long long)source->read_to);
    return true;
}

/* At the end of the file as it is now. True: look again. */
static bool await_growth(struct source *source)
{
    if (!source->is_followed || is_asked_to_stop(source) || has_grown_up(source))
        return false;
    (void)poll(NULL, 0, WAIT_MS);
    return true;
}

/* Stored bytes; 0 at the end, after an error, or when interrupted. */
static size_t read_stored(struct source *source, uint8_t *bytes, size_t size)
{
    while (!source->ended) {
        if (source->is_pipe && !await_pipe(source))
            break;
        ssize_t got = read(source->fd, bytes, size);
        if (got > 0) {
            count_stored(source, bytes, (size_t)got);
            source->looks_in_vain = 0;
            return (size_t)got;
        }
        if ((got < 0 && errno == EINTR) || (got == 0 && await_growth(source)))
            continue;
        if (got < 0) {
            source->failed = true;
            snprintf(source->error, sizeof source->error, "reading failed at byte %llu: %s",
                     (unsigned long long)source->read_to, strerror(errno));
        }
        source->ended = true;
    }
    return 0;
}

/* Reads the first bytes, and finds out by them whether and how the file is compressed. */
static void read_head(struct source *source)
{
    source->stored = malloc(STORED_HEAD_SIZE);
    assert(source->stored);
    while (source->stored_end < STORED_MAGIC_SIZE) {
        size_t got = read_stored(source, source->stored + source->stored_end,
                                 STORED_HEAD_SIZE - source->stored_end);
        if (!got)
            break;
        source->stored_end += got;
    }
    for (size_t i = 0; i < sizeof decoders / sizeof *decoders; i++)
        if (source->stored_end >= decoders[i]->magic_size &&
            memcmp(source->stored, decoders[i]->magic, decoders[i]->magic_size) == 0)
            source->decoder = decoders[i];
    if (!source->decoder)
        return;
    source->decoder_state = source->decoder->open();
    source->decoder_mood = DECODE_GOES_ON;
    source->stored = realloc(source->stored, STORED_BLOCK_SIZE);
    assert(source->stored);
}

static bool wants_hash(const struct source *source, enum capture_hash hash)
{
    if (hash == CAPTURE_HASH_AUTO)
        return !source->size_known || source->size <= CAPTURE_HASH_AUTO_MAX;
    return hash == CAPTURE_HASH_ALWAYS;
}

/* What follows a file does so to the end of the run, and its size now says nothing. */
static void set_kind(struct source *source, const struct stat *status,
                     const struct capture_options *options)
{
    bool is_file = S_ISREG(status->st_mode) && !stored_file_is_standard_input(source->path);
    source->is_followed = is_file && options->follow;
    source->stop = options->stop;
    source->stop_context = options->stop_context;
    source->is_pipe = !S_ISREG(status->st_mode);
    source->is_stream = !is_file || source->is_followed;
    source->size_known = S_ISREG(status->st_mode) && !source->is_followed;
    source->size = source->size_known ? (uint64_t)status->st_size : 0;
}

bool source_open(struct source **opened, const char *path, const struct capture_options *options,
                 struct fault *fault)
{
    struct stat status = {0};
    int fd;
    *opened = NULL;
    if (!stored_file_open(path, &fd, &status, fault))
        return false;
    struct source *source = calloc(1, sizeof *source);
    assert(source);
    source->path = path;
    source->fd = fd;
    source->device = status.st_dev;
    source->inode = status.st_ino;
    set_kind(source, &status, options);
    if (wants_hash(source, options->hash))
        source->digest = digest_new();
    if (source->size_known)
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    read_head(source);
    *opened = source;
    return true;
}

void source_park(struct source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
    if (source->decoder_state)
        source->decoder->close(source->decoder_state);
    source->decoder_state = NULL;
    free(source->stored);
    source->stored = NULL;
    source->stored_begin = source->stored_end = 0;
}

void source_close(struct source *source)
{
    if (!source)
        return;
    source_park(source);
    digest_free(source->digest);
    free(source);
}

static size_t read_plain(struct source *source, uint8_t *bytes, size_t size)
{
    size_t waiting = source->stored_end - source->stored_begin;
    if (!waiting)
        return read_stored(source, bytes, size);
    size_t given = waiting < size ? waiting : size;
    memcpy(bytes, source->stored + source->stored_begin, given);
    source->stored_begin += given;
    return given;
}

static void set_decode_error(struct source *source, const char *why)
{
    if (source->error[0])
        return; /* a read error is the better reason */
    if (why)
        snprintf(source->error, sizeof source->error, "the %s data is damaged near byte %llu: %s",
                 source->decoder->name,
                 (unsigned long long)source->read_to - source->stored_end + source->stored_begin,
                 why);
    else
        snprintf(source->error, sizeof source->error,
                 "the %s data ends in the middle, at byte %llu", source->decoder->name,
                 (unsigned long long)source->read_to);
}

/* One step of the decoder; the bytes it gave. */
static size_t decode_step(struct source *source, uint8_t *bytes, size_t size, const char **why)
{
    if (source->stored_begin == source->stored_end) {
        source->stored_begin = 0;
        source->stored_end = read_stored(source, source->stored, STORED_BLOCK_SIZE);
    }
    struct decode_span span = {.in = source->stored + source->stored_begin,
                               .in_size = source->stored_end - source->stored_begin,
                               .out = bytes,
                               .out_size = size,
                               .in_ended = source->ended};
    bool had_input = span.in_size != 0;
    enum decode_result result = source->decoder->decode(source->decoder_state, &span, why);
    size_t given = size - span.out_size;
    bool moved = given || source->stored_end - source->stored_begin != span.in_size;
    source->stored_begin = source->stored_end - span.in_size;
    if (result == DECODE_GOES_ON && !moved && had_input) {
        result = DECODE_DAMAGED;
        *why = "no progress";
    }
    /* Between members nothing moves and nothing changes: an empty step keeps the mood. */
    if (result != DECODE_GOES_ON || moved)
        source->decoder_mood = result;
    source->exhausted = result == DECODE_DAMAGED || result == DECODE_FINISHED ||
                        (!had_input && !given && source->ended);
    return given;
}

static size_t read_decoded(struct source *source, uint8_t *bytes, size_t size)
{
    size_t given = 0;
    const char *why = NULL;
    while (!given && !source->exhausted && !atomic_load(&source->is_interrupted))
        given = decode_step(source, bytes, size, &why);
    if (source->exhausted && source->decoder_mood == DECODE_DAMAGED)
        set_decode_error(source, why ? why : "corrupt data");
    else if (source->exhausted && source->decoder_mood == DECODE_GOES_ON &&
             !source_is_followed(source))
        set_decode_error(source, NULL);
    return given;
}

size_t source_read(struct source *source, uint8_t *bytes, size_t size)
{
    assert(size > 0 && source->stored);
    return source->decoder ? read_decoded(source, bytes, size) : read_plain(source, bytes, size);
}

void source_interrupt(struct source *source)
{
    atomic_store(&source->is_interrupted, true);
}

void source_go_on(struct source *source)
{
    atomic_store(&source->is_interrupted, false);
}

bool source_has_parts(const struct source *source)
{
    return source->size_known && !source->is_stream && !source->decoder;
}

size_t source_read_at(const struct source *source, uint64_t offset, uint8_t *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(source->fd, bytes + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

void source_was_read(struct source *source, const uint8_t *bytes, size_t size)
{
    count_stored(source, bytes, size);
}

void source_read_on(struct source *source)
{
    off_t moved = lseek(source->fd, (off_t)source->read_to, SEEK_SET);
    assert(moved == (off_t)source->read_to);
    (void)moved;
}

const char *source_error(const struct source *source)
{
    return source->error[0] ? source->error : NULL;
}

const char *source_compression(const struct source *source)
{
    return source->decoder ? source->decoder->name : NULL;
}

bool source_is_stream(const struct source *source)
{
    return source->is_stream;
}

bool source_is_followed(const struct source *source)
{
    return source->is_followed;
}

uint64_t source_stored_read(const struct source *source)
{
    return source->read_to > source->hashed_to ? source->read_to : source->hashed_to;
}

uint64_t source_stored_size(const struct source *source)
{
    return source->size_known ? source->size : 0;
}

static bool skip_decoded(struct source *source, uint64_t offset)
{
    enum { SKIP_SIZE = 64 << 10 };
    uint8_t *bytes = malloc(SKIP_SIZE);
    assert(bytes);
    while (offset) {
        size_t got = source_read(source, bytes, offset < SKIP_SIZE ? (size_t)offset : SKIP_SIZE);
        if (!got)
            break;
        offset -= got;
    }
    free(bytes);
    return offset == 0;
}

/* False: what comes from now on is not the file that was begun. */
static bool resume_failed(struct source *source, const char *why)
{
    source->failed = true;
    snprintf(source->error, sizeof source->error, "it could not be opened again: %s", why);
    return false;
}

/* Plain files seek, compressed ones are decompressed again from the start: slow, but only where
 * more files overlap in time than may be open, and the memory stays bounded. */
bool source_resume(struct source *source, uint64_t offset)
{
    assert(source->fd < 0 && !source->is_stream);
    struct stat status;
    source->fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (source->fd < 0 || fstat(source->fd, &status) < 0)
        return resume_failed(source, strerror(errno));
    if (status.st_dev != source->device || status.st_ino != source->inode)
        return resume_failed(source, "it is another file now");
    source->ended = source->exhausted = false;
    source->read_to = 0;
    if (!source->decoder && lseek(source->fd, (off_t)offset, SEEK_SET) == (off_t)offset) {
        source->stored = malloc(1); /* nothing waits in it */
        assert(source->stored);
        source->read_to = offset;
        return true;
    }
    const struct decoder *was = source->decoder;
    source->decoder = NULL;
    read_head(source);
    if (source->decoder == was && skip_decoded(source, offset))
        return true;
    return resume_failed(source, "it was changed while it was read");
}

void source_finish(struct source *source, struct capture_file *facts)
{
    source->is_followed = false; /* what comes later is not part of this run */
    if (source->digest && source->fd >= 0) {
        uint8_t *bytes = malloc(STORED_BLOCK_SIZE);
        assert(bytes);
        while (read_stored(source, bytes, STORED_BLOCK_SIZE))
            continue;
        free(bytes);
        if (!source->failed)
            digest_text(source->digest, facts->sha256);
        digest_free(source->digest);
        source->digest = NULL;
    } else if (source->size_known && source->fd >= 0) {
        (void)digest_fingerprint(source->fd, source->size, facts->fingerprint);
    }
    uint64_t seen = source_stored_read(source);
    facts->stored_size = source->size > seen ? source->size : seen;
}
