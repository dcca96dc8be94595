/* Blocks of a source, read and decompressed ahead by a second thread.
 *
 * Between source.h and window.h, for what one thread must read in order: compressed files, pipes,
 * files that are merged. One fetcher (the thread) serves all files of a capture; each of them has a
 * ring of blocks. A taker who finds the ring empty while
 * the fetcher is busy elsewhere reads the next block itself. Plain single files have something
 * better: parts.c. Deliberately knows no errors: where the ring ends, the taker goes on with
 * source_read, which meets the end of the file, or what went wrong, by itself. */
#ifndef APNSCOPE_CAPTURE_READ_AHEAD_H
#define APNSCOPE_CAPTURE_READ_AHEAD_H

#include <stddef.h>
#include <stdint.h>

#include "source.h"

struct fetcher;
struct read_ahead;

/* NULL where no thread can be had: then all is read as it is asked for. */
struct fetcher *fetcher_new(void);
void fetcher_free(struct fetcher *fetcher); /* after the last read_ahead_end; NULL is fine */

/* Measured with zstd: in a smaller ring the threads wait for one another, and write to lines that
 * the other's cache still holds. */
enum { READ_AHEAD_SIZE = 4 << 20 };

/* Goes on from where the source stands, at most about `size` bytes ahead. Until read_ahead_end the
 * source is not the caller's to use, but for what never changes in it. */
struct read_ahead *read_ahead_begin(struct fetcher *fetcher, struct source *source, size_t size);
/* Takes the source back. The blocks go, also those that nobody has taken. */
void read_ahead_end(struct read_ahead *ahead);

/* The next block; 0: the ring has ended. The block before stays until the call after this one. In
 * front of a block read_ahead_room bytes are free, for what is left of the one before. */
size_t read_ahead_next(struct read_ahead *ahead, uint8_t **bytes);
size_t read_ahead_room(const struct read_ahead *ahead);

/* Stored bytes read for the blocks taken so far. */
uint64_t read_ahead_stored(const struct read_ahead *ahead);

#endif
