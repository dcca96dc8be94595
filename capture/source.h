/* The bytes of one stored file, decompressed and hashed in passing.
 *
 * Lowest layer of capture/: below it file descriptors and compression libraries, above it
 * window.h. A source can be parked (descriptor and decoder given back) and resumed where it was,
 * so that thousands of files can be merged with a few dozen open. Deliberately does not know what
 * a capture looks like. */
#ifndef APNSCOPE_CAPTURE_SOURCE_H
#define APNSCOPE_CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "capture/capture.h"

struct source;

/* `path` "-" is standard input; it must outlive the source. False with a sentence: no such file,
 * no permission, a directory, a device, a socket, a terminal. */
MUST_USE bool source_open(struct source **source, const char *path,
                          const struct capture_options *options, struct fault *fault);
void source_close(struct source *source); /* NULL is fine */

/* At least one byte and at most `size`, or 0: the end, or an error told by source_error. Returns
 * what a pipe has, without waiting for more. */
size_t source_read(struct source *source, uint8_t *bytes, size_t size);

/* Why the bytes ended early ("the gzip data ends in the middle, at byte 99"); NULL: they did not. */
const char *source_error(const struct source *source);

/* The compression's name; NULL: stored as is. */
const char *source_compression(const struct source *source);

/* A pipe, standard input, or a file that still grows: read once, in order. Such a source cannot be
 * parked, and looking ahead in it may wait for long. */
bool source_is_stream(const struct source *source);

/* A file that is followed while it grows: what it ends in is being written, not cut. */
bool source_is_followed(const struct source *source);

/* From source_interrupt to source_go_on, source_read gives 0 instead of waiting for a pipe, soon also
 * where another thread is waiting already. A file that is followed is not interrupted. */
void source_interrupt(struct source *source);
void source_go_on(struct source *source);

/* A plain file: any thread may read any part of it by source_read_at, which gives less than `size`
 * only at the end or after an error, and remembers neither. One thread at a time and in order,
 * source_was_read takes note of (and hashes) what was read so, and source_read_on makes source_read
 * go on behind it. */
bool source_has_parts(const struct source *source);
size_t source_read_at(const struct source *source, uint64_t offset, uint8_t *bytes, size_t size);
void source_was_read(struct source *source, const uint8_t *bytes, size_t size);
void source_read_on(struct source *source);

/* Gives back descriptor, decoder and buffers. */
void source_park(struct source *source);
/* Back to byte `offset` of the decompressed data. False: gone, changed, or unreadable. */
MUST_USE bool source_resume(struct source *source, uint64_t offset);

/* Bytes read so far, and bytes in all as stored (0: not known). */
uint64_t source_stored_read(const struct source *source);
uint64_t source_stored_size(const struct source *source);

/* Reads on to the end where a hash is wanted, and fills in hash or fingerprint and the size. */
void source_finish(struct source *source, struct capture_file *facts);

#endif
