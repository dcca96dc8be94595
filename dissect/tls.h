/* TLS records and handshake messages of one direction, read as bytes arrive (RFC 8446, RFC 5246).
 *
 * Fed with the in-order bytes of a TCP stream by track/stream; gives items to a sink. Handles
 * several messages in a record, one message over several records, and any split of either. Only
 * handshake messages are buffered, and only while incomplete; application data is skipped by its
 * length. Deliberately decrypts nothing and keeps no payload. */
#ifndef APNSCOPE_DISSECT_TLS_H
#define APNSCOPE_DISSECT_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TLS_NAME_SIZE = 256,
    TLS_LIST_SIZE = 256,
    TLS_CERTIFICATES_MAX = 10,
    TLS_MESSAGE_MAX = 65536 /* a longer handshake message is passed over: TLS_ITEM_TOO_LONG */
};

enum tls_item_kind {
    TLS_ITEM_CLIENT_HELLO,
    TLS_ITEM_SERVER_HELLO,       /* HelloRetryRequest too: server_hello.is_retry */
    TLS_ITEM_CERTIFICATE,        /* clear only: TLS <= 1.2 */
    TLS_ITEM_HANDSHAKE,          /* another clear handshake message, by message_type */
    TLS_ITEM_ALERT,              /* clear: level and description are known */
    TLS_ITEM_CHANGE_CIPHER_SPEC,
    TLS_ITEM_ENCRYPTED_HANDSHAKE, /* a handshake record after ChangeCipherSpec (Finished) */
    TLS_ITEM_ENCRYPTED_ALERT,     /* an alert record after ChangeCipherSpec */
    TLS_ITEM_APPLICATION_DATA,    /* a record's header was read: record_size is known */
    TLS_ITEM_TOO_LONG,            /* a handshake message beyond TLS_MESSAGE_MAX, or for which no
                                     buffer was free (counted): passed over */
    TLS_ITEM_NOT_TLS              /* the stream is not, or no longer, TLS: given once, then silent */
};

struct tls_client_hello {
    uint16_t legacy_version;
    uint16_t highest_version; /* of supported_versions without GREASE, else legacy_version */
    bool only_tls13;          /* supported_versions offers nothing below 0x0304 */
    bool has_sni;
    bool sni_had_trailing_dot;
    bool has_psk;             /* pre_shared_key or a non-empty session ticket */
    bool has_early_data;
    bool has_encrypted_hello; /* ECH: the name seen is the outer one */
    uint8_t random[32];
    uint32_t size;            /* message bytes, header included */
    char sni[TLS_NAME_SIZE];  /* printable (text_printable), lower case, without trailing dot */
    char alpn[TLS_LIST_SIZE]; /* comma separated, in order; "" without */
    char groups[TLS_LIST_SIZE]; /* supported_groups without GREASE, comma separated decimals */
    char ja3[33];             /* MD5, lower-case hex */
    char ja4[37];             /* t13d1516h2_8daaf6152771_b0da82dd1658 */
};

struct tls_server_hello {
    uint16_t version;         /* negotiated: supported_versions, else legacy_version */
    uint16_t cipher;
    bool is_retry;            /* RFC 8446 section 4.1.3: the special random */
    bool selects_psk;
    uint8_t random[32];
    uint8_t session_id_size;
    char alpn[TLS_LIST_SIZE]; /* chosen, where in clear text */
};

struct tls_certificate_list {
    uint8_t count;            /* at most TLS_CERTIFICATES_MAX; more were sent: `more` */
    bool more;
    struct {
        const uint8_t *der;   /* valid during the sink's call */
        uint32_t size;
    } certificates[TLS_CERTIFICATES_MAX];
};

struct tls_item {
    enum tls_item_kind kind;
    uint16_t record_version;
    uint32_t record_size;     /* payload of the record, without its 5-byte header */
    uint8_t message_type;     /* handshake messages */
    uint8_t alert_level;      /* TLS_ITEM_ALERT */
    uint8_t alert_description;
    bool malformed;           /* the message could only be read in part */
    const struct tls_client_hello *client_hello;
    const struct tls_server_hello *server_hello;
    const struct tls_certificate_list *certificates;
};

typedef void (*tls_sink)(void *context, const struct tls_item *item);

/* Buffers for incomplete messages, shared by all streams of a tracker and recycled. */
struct tls_buffers;
struct tls_buffers *tls_buffers_new(size_t cap_bytes);
void tls_buffers_free(struct tls_buffers *buffers);
uint64_t tls_buffers_refused(const struct tls_buffers *buffers); /* messages not read for want of room */

/* One direction. Zero-initialised is a fresh stream. Small: a flow holds two. */
struct tls_stream {
    uint8_t *message;         /* borrowed from the buffers while a message is incomplete */
    uint32_t message_room;
    uint32_t message_have;
    uint32_t message_want;    /* 0: its 4-byte header is not complete */
    uint32_t record_left;     /* payload bytes of the current record still to come */
    uint8_t header[5];
    uint8_t header_have;
    uint8_t record_type;
    bool ciphered : 1;        /* ChangeCipherSpec (TLS <= 1.2) or application data was seen in this
                                 direction; taken back when a hello in the clear follows */
    bool tls13 : 1;           /* set by the caller once 1.3 is negotiated */
    bool not_tls : 1;
    bool started : 1;         /* a record header was read */
    uint8_t alert_have;
    uint8_t alert[2];
    uint8_t message_head[6];  /* of the message, before it has a buffer */
    uint16_t record_size;     /* payload bytes of the current record */
    uint32_t message_skip;    /* bytes still to come of a message that is not read */
};

/* Reads the next `size` bytes of the stream. The sink is called in order, within the call. */
void tls_feed(struct tls_stream *stream, struct tls_buffers *buffers, const uint8_t *bytes,
              size_t size, tls_sink sink, void *context);

/* Gives the borrowed buffer back. The stream must not be fed again. */
void tls_close(struct tls_stream *stream, struct tls_buffers *buffers);

/* True when the bytes can begin a ClientHello record (content type 22, version 3.x, plausible
 * length, handshake type 1 where that byte is there): the cheap test for foreign packets. */
static inline bool tls_may_be_client_hello(const uint8_t *bytes, size_t size)
{
    return size >= 6 && bytes[0] == 22 && bytes[1] == 3 && bytes[2] <= 4 && bytes[5] == 1;
}

/* The same of fewer bytes: a handshake record, which a client begins with nothing else. */
static inline bool tls_may_begin_client_hello(const uint8_t *bytes, size_t size)
{
    return size >= 3 && size < 6 && bytes[0] == 22 && bytes[1] == 3 && bytes[2] <= 4;
}

/* Names as in RFC 8446 section 6 ("handshake_failure"), or "alert 123" in the caller's buffer. */
const char *tls_alert_name(uint8_t description, char text[16]);
/* "TLS 1.2", "TLS 1.3", or "0x1234". */
const char *tls_version_name(uint16_t version, char text[16]);

#endif
