/* TLS records and handshake messages as Apple's devices and servers send them.
 *
 * Of tests/support. The messages are complete and well-formed; what cannot be (key material,
 * ciphertext) is pseudo-random with a seed. Deliberately encrypts nothing. */
#ifndef APNSCOPE_TESTS_SUPPORT_TLS_PAYLOAD_H
#define APNSCOPE_TESTS_SUPPORT_TLS_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

enum {
    RECORD_CHANGE_CIPHER_SPEC = 20, /* RFC 8446 section 5.1 */
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_APPLICATION_DATA = 23,
    VERSION_TLS12 = 0x0303,
    VERSION_TLS13 = 0x0304,
    ENCRYPTED_ALERT_SIZE = 24 /* TLS 1.3: header 5, alert 2, content type 1, tag 16 */
};

struct client_hello {
    const char *sni;      /* NULL: no server_name */
    const char *alpn;     /* comma separated; NULL: none */
    const char *versions; /* comma separated: "1.3", "1.3,1.2", "1.2" */
    size_t at_least;      /* message bytes, by the padding extension; 0: as it comes */
    bool post_quantum;    /* an X25519MLKEM768 key share: more than one segment */
    bool resumes;         /* pre_shared_key (1.3) or a session ticket (1.2) */
    bool early_data;
    bool encrypted_hello; /* an encrypted_client_hello extension, as GREASE */
    bool without_grease;
    bool after_retry; /* one key share: the group that the retry asked for */
    uint64_t seed;
    const uint8_t *session_id;
    uint8_t session_id_size;
};

struct server_hello {
    unsigned version; /* VERSION_ */
    bool is_retry;    /* HelloRetryRequest */
    bool selects_psk;
    bool after_retry; /* answers with the group that the retry asked for */
    const char *alpn; /* TLS 1.2; NULL: none */
    unsigned cipher;  /* 0: the usual one of the version */
    uint64_t seed;
    const uint8_t *session_id;
    uint8_t session_id_size;
};

/* Complete records are added to `out`. */
void payload_client_hello(struct bytes *out, const struct client_hello *hello);
void payload_server_hello(struct bytes *out, const struct server_hello *hello);
void payload_server_key_exchange(struct bytes *out, uint64_t seed);
void payload_server_hello_done(struct bytes *out);
void payload_client_key_exchange(struct bytes *out, uint64_t seed);
void payload_session_ticket(struct bytes *out, uint64_t seed);
void payload_change_cipher_spec(struct bytes *out);
void payload_finished(struct bytes *out, uint64_t seed); /* TLS 1.2: encrypted handshake record */
void payload_alert(struct bytes *out, unsigned level, unsigned description);
void payload_encrypted_alert(struct bytes *out, uint64_t seed); /* TLS 1.2: an alert record */
/* `size` bytes on the wire, headers included, in records of at most 16 KiB of payload. */
void payload_application_data(struct bytes *out, size_t size, uint64_t seed);

/* A handshake message's bytes, cut into records. */
void payload_handshake_record(struct bytes *out, unsigned record_version,
                              const struct bytes *message);

bool payload_version_of(const char *text, unsigned *version); /* "1.0" to "1.3" */

#endif
