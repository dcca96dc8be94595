/* Bodies of the handshake messages that are read: hellos and the certificate list; private to
 * dissect/.
 *
 * Each function takes a whole message body (without its 4-byte header), fills its result with what
 * could be read and returns false where that is not all: malformed. None keeps a byte of it. */
#ifndef APNSCOPE_DISSECT_TLS_HELLO_H
#define APNSCOPE_DISSECT_TLS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"
#include "dissect/tls.h"
#include "tls_fingerprint.h"

/* RFC 8446 section 4: a message is its type, a 24-bit length, and that many bytes. */
enum { TLS_HANDSHAKE_HEADER_SIZE = 4 };

/* RFC 8446 section 4.1.2. */
bool tls_read_client_hello(struct reader body, struct tls_fingerprinter *fingerprinter,
                           struct tls_client_hello *hello);
/* RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3. */
bool tls_read_server_hello(struct reader body, struct tls_server_hello *hello);
/* RFC 5246 section 7.4.2. The list points into `body`. */
bool tls_read_certificates(struct reader body, struct tls_certificate_list *list);

#endif
