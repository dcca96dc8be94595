/* TLS records and handshake messages of one direction, from any split of the byte stream.
 *
 * Fed by track/ with the in-order bytes of a TCP stream. A message that lies whole in the bytes
 * given is read where it lies; only one that is still incomplete borrows a buffer. Messages of
 * other types than hellos and certificates are counted through, and application data is stepped
 * over record by record. Deliberately decrypts nothing and remembers nothing of a session: what the
 * other direction said is for track/ to know. */
#include "dissect/tls.h"

#include <assert.h>
#include <string.h>

#include "base/reader.h"
#include "tls_buffers.h"
#include "tls_hello.h"

/* RFC 8446 section 5.1; heartbeat: RFC 6520 section 3. */
enum {
    CONTENT_PASSED_OVER = 0, /* ours: the rest of this record holds nothing to read */
    CONTENT_CHANGE_CIPHER_SPEC = 20,
    CONTENT_ALERT = 21,
    CONTENT_HANDSHAKE = 22,
    CONTENT_APPLICATION_DATA = 23,
    CONTENT_HEARTBEAT = 24
};

/* RFC 8446 section 4. */
enum { MESSAGE_CLIENT_HELLO = 1, MESSAGE_SERVER_HELLO = 2, MESSAGE_CERTIFICATE = 11 };

enum {
    RECORD_HEADER_SIZE = 5,
    RECORD_MAX = 16384 + 2048,      /* RFC 5246 section 6.2.3 */
    RECORD_MAX_TLS13 = 16384 + 256, /* RFC 8446 section 5.2 */
    VERSION_TLS13 = 0x0304,
    /* An encrypted alert is 2 bytes and a tag or MAC: at least 18 with eight explicit nonce bytes
     * and the eight-byte tag of CCM_8 (RFC 6655 section 4), as with RC4 and MD5. */
    ENCRYPTED_ALERT_MIN = 18,
    CLEAR_HELLO_PEEK = 6, /* message type, length, legacy_version */
    HELLO_BODY_MIN = 38   /* version, random, session id, cipher, compression: RFC 8446 4.1.3 */
};

/* ---- items -------------------------------------------------------------------------------- */

struct feed {
    struct tls_stream *stream;
    struct tls_buffers *buffers;
    tls_sink sink;
    void *context;
};

static struct tls_item item_of(const struct tls_stream *stream, enum tls_item_kind kind)
{
    return (struct tls_item){.kind = kind,
                             .record_version = load_u16(stream->header + 1),
                             .record_size = stream->record_size};
}

static void give(const struct feed *feed, enum tls_item_kind kind)
{
    struct tls_item item = item_of(feed->stream, kind);
    feed->sink(feed->context, &item);
}

/* ---- handshake messages ------------------------------------------------------------------- */

static void forget_message(struct feed *feed)
{
    struct tls_stream *stream = feed->stream;
    tls_give_back(feed->buffers, stream);
    stream->message_have = 0;
    stream->message_want = 0;
    stream->message_skip = 0;
}

static void give_client_hello(struct feed *feed, struct tls_item *item, struct reader body)
{
    struct tls_client_hello hello;
    item->kind = TLS_ITEM_CLIENT_HELLO;
    item->malformed =
        !tls_read_client_hello(body, tls_buffers_fingerprinter(feed->buffers), &hello);
    item->client_hello = &hello;
    feed->sink(feed->context, item);
}

static void give_server_hello(struct feed *feed, struct tls_item *item, struct reader body)
{
    struct tls_server_hello hello;
    item->kind = TLS_ITEM_SERVER_HELLO;
    item->malformed = !tls_read_server_hello(body, &hello);
    item->server_hello = &hello;
    if (hello.version >= VERSION_TLS13)
        feed->stream->tls13 = true;
    feed->sink(feed->context, item);
}

static void give_certificates(struct feed *feed, struct tls_item *item, struct reader body)
{
    struct tls_certificate_list list;
    item->kind = TLS_ITEM_CERTIFICATE;
    item->malformed = !tls_read_certificates(body, &list);
    item->certificates = &list;
    feed->sink(feed->context, item);
}

/* Messages that are read; the others are only counted through. */
static const struct {
    uint8_t type;
    void (*give)(struct feed *feed, struct tls_item *item, struct reader body);
} readable[] = {{MESSAGE_CLIENT_HELLO, give_client_hello},
                {MESSAGE_SERVER_HELLO, give_server_hello},
                {MESSAGE_CERTIFICATE, give_certificates}};

enum { READABLE_COUNT = sizeof readable / sizeof *readable };

static bool is_readable(uint8_t type)
{
    for (size_t i = 0; i < READABLE_COUNT; i++)
        if (readable[i].type == type)
            return true;
    return false;
}

/* The message is complete; `body` is NULL for one that is not read. */
static void end_message(struct feed *feed, const uint8_t *body)
{
    struct tls_stream *stream = feed->stream;
    struct tls_item item = item_of(stream, TLS_ITEM_HANDSHAKE);
    size_t size = stream->message_want - TLS_HANDSHAKE_HEADER_SIZE;
    item.message_type = stream->message_head[0];
    stream->message_have = 0;
    stream->message_want = 0;
    for (size_t i = 0; body && i < READABLE_COUNT; i++) {
        if (readable[i].type != item.message_type)
            continue;
        readable[i].give(feed, &item, reader_over(body, size));
        tls_give_back(feed->buffers, stream);
        return;
    }
    feed->sink(feed->context, &item);
}

/* Gives the message up: it is too long, or no buffer is free. `size` bytes of it are to come. */
static void pass_over_message(struct feed *feed, uint32_t size)
{
    struct tls_stream *stream = feed->stream;
    struct tls_item item = item_of(stream, TLS_ITEM_TOO_LONG);
    item.message_type = stream->message_head[0];
    stream->message_have = 0;
    stream->message_want = 0;
    stream->message_skip = size;
    feed->sink(feed->context, &item);
}

static void begin_message(struct feed *feed)
{
    struct tls_stream *stream = feed->stream;
    uint32_t size = load_u24(stream->message_head + 1);
    if (size > TLS_MESSAGE_MAX) {
        pass_over_message(feed, size);
        return;
    }
    stream->message_want = TLS_HANDSHAKE_HEADER_SIZE + size;
    if (size == 0)
        end_message(feed, is_readable(stream->message_head[0]) ? stream->message_head : NULL);
    else if (!is_readable(stream->message_head[0]))
        stream->message_skip = size;
}

static void read_message_head(struct feed *feed, struct reader *in)
{
    struct tls_stream *stream = feed->stream;
    while (stream->message_have < TLS_HANDSHAKE_HEADER_SIZE && reader_left(in) > 0)
        stream->message_head[stream->message_have++] = reader_u8(in);
    if (stream->message_have == TLS_HANDSHAKE_HEADER_SIZE)
        begin_message(feed);
}

static void read_message_body(struct feed *feed, struct reader *in)
{
    struct tls_stream *stream = feed->stream;
    uint32_t body_size = stream->message_want - TLS_HANDSHAKE_HEADER_SIZE;
    if (!stream->message && reader_left(in) >= body_size) {
        end_message(feed, reader_bytes(in, body_size));
        return;
    }
    if (!stream->message && !tls_borrow(feed->buffers, stream, body_size)) {
        pass_over_message(feed, body_size);
        return;
    }
    uint32_t missing = stream->message_want - stream->message_have;
    uint32_t size = reader_left(in) < missing ? (uint32_t)reader_left(in) : missing;
    assert(stream->message_have - TLS_HANDSHAKE_HEADER_SIZE + size <= stream->message_room);
    memcpy(stream->message + stream->message_have - TLS_HANDSHAKE_HEADER_SIZE,
           reader_bytes(in, size), size);
    stream->message_have += size;
    if (stream->message_have == stream->message_want)
        end_message(feed, stream->message);
}

static void skip_message(struct feed *feed, struct reader *in)
{
    struct tls_stream *stream = feed->stream;
    uint32_t left = stream->message_skip;
    uint32_t size = reader_left(in) < left ? (uint32_t)reader_left(in) : left;
    reader_skip(in, size);
    stream->message_skip -= size;
    if (stream->message_skip == 0 && stream->message_want > 0)
        end_message(feed, NULL);
}

static void read_messages(struct feed *feed, struct reader in)
{
    struct tls_stream *stream = feed->stream;
    while (reader_left(&in) > 0) {
        if (stream->message_skip > 0)
            skip_message(feed, &in);
        else if (stream->message_have < TLS_HANDSHAKE_HEADER_SIZE)
            read_message_head(feed, &in);
        else
            read_message_body(feed, &in);
    }
}

/* ---- handshake records after the keys changed ------------------------------------------------
 *
 * After ChangeCipherSpec a handshake record is encrypted, except in TLS 1.3, where that record
 * means nothing and a hello may follow it in the clear: the client's second one after a
 * HelloRetryRequest (RFC 8446 appendix D.4), and the server's answer. Where only this direction is
 * known, the first bytes tell: type 1 or 2, a length that such a message can have, and 0x0303, the
 * only legacy_version that a 1.3 hello may carry. Random bytes look so less than once in 2^31
 * records. What would prove it wrong: a TLS 1.2 nonce or IV that is made of exactly such bytes. */

static bool is_clear_hello(const uint8_t head[CLEAR_HELLO_PEEK])
{
    uint32_t size = load_u24(head + 1);
    return (head[0] == MESSAGE_CLIENT_HELLO || head[0] == MESSAGE_SERVER_HELLO) &&
           size >= HELLO_BODY_MIN && size <= TLS_MESSAGE_MAX && head[4] == 3 && head[5] == 3;
}

static void pass_over_encrypted(struct feed *feed, enum tls_item_kind kind)
{
    feed->stream->record_type = CONTENT_PASSED_OVER;
    give(feed, kind);
}

/* Reads the first bytes of such a record until they tell. */
static void peek_ciphered(struct feed *feed, struct reader *in)
{
    struct tls_stream *stream = feed->stream;
    while (stream->message_have < CLEAR_HELLO_PEEK && reader_left(in) > 0)
        stream->message_head[stream->message_have++] = reader_u8(in);
    if (stream->message_have < CLEAR_HELLO_PEEK)
        return;
    uint8_t head[CLEAR_HELLO_PEEK];
    memcpy(head, stream->message_head, sizeof head);
    stream->message_have = 0;
    if (!is_clear_hello(head)) {
        pass_over_encrypted(feed, TLS_ITEM_ENCRYPTED_HANDSHAKE);
        return;
    }
    stream->ciphered = false;
    read_messages(feed, reader_over(head, sizeof head));
}

/* From here on this direction is encrypted, as far as it can be known. No message goes on across
 * that: it would change keys in its middle (RFC 8446 section 5.1). */
static void begin_ciphered(struct feed *feed)
{
    struct tls_stream *stream = feed->stream;
    if (stream->message_have | stream->message_skip)
        forget_message(feed);
    stream->ciphered = true;
}

/* ---- records ------------------------------------------------------------------------------ */

static void read_alerts(struct feed *feed, struct reader in)
{
    struct tls_stream *stream = feed->stream;
    while (reader_left(&in) > 0) {
        stream->alert[stream->alert_have++] = reader_u8(&in);
        if (stream->alert_have < sizeof stream->alert)
            continue;
        struct tls_item item = item_of(stream, TLS_ITEM_ALERT);
        item.alert_level = stream->alert[0];
        item.alert_description = stream->alert[1];
        item.malformed = item.alert_level < 1 || item.alert_level > 2; /* RFC 5246 section 7.2 */
        stream->alert_have = 0;
        feed->sink(feed->context, &item);
    }
}

/* RFC 5246 section 7.1: one byte, 1. Anything else changes nothing and is given as malformed. */
static void read_change_cipher_spec(struct feed *feed, struct reader in)
{
    struct tls_stream *stream = feed->stream;
    if (stream->record_left > 0)
        return;
    struct tls_item item = item_of(stream, TLS_ITEM_CHANGE_CIPHER_SPEC);
    item.malformed = item.record_size != 1 || reader_u8(&in) != 1;
    if (!item.malformed && !stream->tls13)
        begin_ciphered(feed);
    feed->sink(feed->context, &item);
}

static void begin_record(struct feed *feed, uint8_t type, uint16_t size)
{
    struct tls_stream *stream = feed->stream;
    stream->started = true;
    stream->record_type = type;
    stream->record_size = size;
    stream->record_left = size;
    switch (stream->record_type) {
    case CONTENT_APPLICATION_DATA:
        begin_ciphered(feed);
        stream->record_type = CONTENT_PASSED_OVER;
        give(feed, TLS_ITEM_APPLICATION_DATA);
        break;
    case CONTENT_HEARTBEAT:
        stream->record_type = CONTENT_PASSED_OVER;
        break;
    case CONTENT_ALERT:
        if (stream->record_left >= ENCRYPTED_ALERT_MIN)
            pass_over_encrypted(feed, TLS_ITEM_ENCRYPTED_ALERT);
        break;
    case CONTENT_HANDSHAKE:
        if (stream->ciphered && stream->record_left < CLEAR_HELLO_PEEK && stream->record_left > 0)
            pass_over_encrypted(feed, TLS_ITEM_ENCRYPTED_HANDSHAKE);
        break;
    default:
        break;
    }
    if (stream->record_left == 0)
        stream->header_have = 0;
}

static void read_record_body(struct feed *feed, struct reader *in)
{
    struct tls_stream *stream = feed->stream;
    uint32_t left = stream->record_left;
    uint32_t size = reader_left(in) < left ? (uint32_t)reader_left(in) : left;
    struct reader part = reader_take(in, size);
    stream->record_left -= size;
    if (stream->record_type == CONTENT_HANDSHAKE && stream->ciphered)
        peek_ciphered(feed, &part);
    if (stream->record_type == CONTENT_HANDSHAKE)
        read_messages(feed, part);
    else if (stream->record_type == CONTENT_ALERT)
        read_alerts(feed, part);
    else if (stream->record_type == CONTENT_CHANGE_CIPHER_SPEC)
        read_change_cipher_spec(feed, part);
    if (stream->record_left == 0)
        stream->header_have = 0;
}

/* The `have` bytes of a header that are there: RFC 8446 section 5.1. The minor version is not
 * looked at, because senders differ in it and it is frozen. */
static bool header_is_possible(const uint8_t *header, size_t have, bool tls13)
{
    unsigned most = tls13 ? RECORD_MAX_TLS13 : RECORD_MAX;
    return header[0] >= CONTENT_CHANGE_CIPHER_SPEC && header[0] <= CONTENT_HEARTBEAT &&
           (have < 2 || header[1] == 3) &&
           (have < RECORD_HEADER_SIZE || load_u16(header + 3) <= most);
}

static void end_of_tls(struct feed *feed)
{
    struct tls_item item = {.kind = TLS_ITEM_NOT_TLS};
    forget_message(feed);
    feed->stream->not_tls = true;
    feed->sink(feed->context, &item);
}

static void read_record_header(struct feed *feed, struct reader *in)
{
    struct tls_stream *stream = feed->stream;
    const uint8_t *header = stream->header;
    if (stream->header_have == 0 && reader_left(in) >= RECORD_HEADER_SIZE) {
        header = reader_bytes(in, RECORD_HEADER_SIZE);
        memcpy(stream->header, header, RECORD_HEADER_SIZE);
        stream->header_have = RECORD_HEADER_SIZE;
    }
    while (stream->header_have < RECORD_HEADER_SIZE && reader_left(in) > 0)
        stream->header[stream->header_have++] = reader_u8(in);
    if (!header_is_possible(header, stream->header_have, stream->tls13))
        end_of_tls(feed);
    else if (stream->header_have == RECORD_HEADER_SIZE)
        begin_record(feed, header[0], load_u16(header + 3));
}

void tls_feed(struct tls_stream *stream, struct tls_buffers *buffers, const uint8_t *bytes,
              size_t size, tls_sink sink, void *context)
{
    struct feed feed = {stream, buffers, sink, context};
    struct reader in = reader_over(bytes, size);
    while (reader_left(&in) > 0 && !stream->not_tls) {
        if (stream->header_have < RECORD_HEADER_SIZE)
            read_record_header(&feed, &in);
        else
            read_record_body(&feed, &in);
    }
}
