/* Frames from capture files: pcap, pcapng, snoop and ERF read by our own readers, in large blocks.
 *
 * First stage of the pipeline. One file or several merged by time come out as batches of frames.
 * libpcap is not used for files (it stops at pcapng files with mixed link types); it serves filter
 * expressions, and live devices later. Does not interpret a single byte of a frame. */
#ifndef APNSCOPE_CAPTURE_CAPTURE_H
#define APNSCOPE_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/names.h"
#include "model/capture_quality.h"
#include "model/frame.h"

enum { CAPTURE_BATCH_MAX = 64 };

enum capture_hash { CAPTURE_HASH_AUTO, CAPTURE_HASH_ALWAYS, CAPTURE_HASH_NEVER };

struct capture_options {
    struct names *names;    /* keeps process and interface names; required */
    enum capture_hash hash; /* AUTO: files up to CAPTURE_HASH_AUTO_MAX; larger: fingerprint */
    int64_t since_ns;       /* frames before are SKIP_FILTERED; TIME_UNKNOWN: no limit */
    int64_t until_ns;
    bool follow; /* the file still grows: where it ends, wait for more */
    /* Asked while waiting for bytes (of a pipe, or of a followed file): true ends the input there.
     * May be called by another thread. NULL: never. */
    bool (*stop)(void *context);
    void *stop_context;
};

#define CAPTURE_HASH_AUTO_MAX (UINT64_C(512) << 20)

/* What is known of one input file; final once capture_next has returned 0. */
struct capture_file {
    const char *path;     /* as given; "-" is standard input */
    const char *format;   /* "pcap", "pcap (nanoseconds)", "pcapng", "pcapng, zstd", "snoop" ... */
    uint64_t stored_size; /* bytes of the file as stored; of a pipe: bytes read */
    uint64_t frames;
    char sha256[65]; /* "" where not computed */
    char fingerprint[65];
    bool truncated;
    char damage[CAPTURE_DAMAGE_SIZE];
    char notes[512]; /* hardware, OS, application and comments of pcapng; "" */
};

struct capture;

/* Opens capture files. A path that is a directory stands for the captures in it, by name. Several
 * files are one capture, merged in time order; memory does not grow with their number. False with
 * a sentence: no such file, no permission, a directory without captures, a device, empty, not a
 * capture (names what it looks like), a capture without packets is found out while reading. */
MUST_USE bool capture_open(struct capture **capture, const char *const *paths, size_t path_count,
                           const struct capture_options *options, struct fault *fault);
void capture_close(struct capture *capture);

/* The next frames, at most `max` (<= CAPTURE_BATCH_MAX), in order; 0 at the end. They stay valid
 * until the next call. Damage ends a file early: it is told by capture_quality_of, never here.
 * Frames outside the time range are counted, numbered, and not given. */
size_t capture_next(struct capture *capture, struct frame *frames, size_t max);

/* A part of a capture, for threads that share the reading; the memory belongs to the part. */
struct capture_part;

/* One plain file of some size can be read in parts, instead of by capture_next. */
bool capture_has_parts(const struct capture *capture);
struct capture_part *capture_part_new(void);
void capture_part_free(struct capture_part *part); /* NULL is fine */

/* Reads part `number`, each from 0 on once, by any thread: waits for the parts before it to have
 * their frames. Those of this one, in *frames and *count, stay valid until the part is used again.
 * False: there are no more parts. What is left, which may be a part's worth of frames, damage, or
 * the whole rest of the file, comes by capture_next once no thread is reading a part. */
bool capture_read_part(struct capture *capture, uint64_t number, struct capture_part *part,
                       const struct frame **frames, size_t *count);

/* Frames, bytes, drops, times, cuts, damage so far: the part of the quality that reading knows.
 * Adds into *quality. */
void capture_quality_of(const struct capture *capture, struct capture_quality *quality);

size_t capture_file_count(const struct capture *capture);
const struct capture_file *capture_file_at(const struct capture *capture, size_t index);

/* What identifies the input as a whole: of one file its hash; of several the SHA-256 of their
 * hashes in order; "" where a hash is missing. Final once capture_next has returned 0. */
void capture_identity(const struct capture *capture, char sha256[65], char fingerprint[65]);

/* For a progress bar, also while parts are read: bytes read of bytes in all (total 0: not known, as
 * for a pipe). */
void capture_progress(const struct capture *capture, uint64_t *done, uint64_t *total);

#endif
