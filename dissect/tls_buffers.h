/* Lending buffers to streams whose message is incomplete; private to dissect/.
 *
 * One set serves all streams of a tracker, and carries what else they share: the fingerprint
 * engine. Deliberately lends a stream one buffer at most. */
#ifndef APNSCOPE_DISSECT_TLS_BUFFERS_H
#define APNSCOPE_DISSECT_TLS_BUFFERS_H

#include <stdbool.h>
#include <stdint.h>

#include "dissect/tls.h"
#include "tls_fingerprint.h"

/* Sets message and message_room, at least `size` bytes; false, counted, where none is free. */
bool tls_borrow(struct tls_buffers *buffers, struct tls_stream *stream, uint32_t size);
/* Takes it back; nothing where the stream has none. */
void tls_give_back(struct tls_buffers *buffers, struct tls_stream *stream);

struct tls_fingerprinter *tls_buffers_fingerprinter(const struct tls_buffers *buffers);

#endif
