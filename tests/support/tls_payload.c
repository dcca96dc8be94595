/* TLS messages. Of tests/support: payloads of the scenario language's verbs. */
#include "tls_payload.h"

#include <string.h>

enum {
    /* RFC 8446 section 4 */
    MESSAGE_CLIENT_HELLO = 1,
    MESSAGE_SERVER_HELLO = 2,
    MESSAGE_NEW_SESSION_TICKET = 4,
    MESSAGE_SERVER_KEY_EXCHANGE = 12, /* RFC 5246 section 7.4 */
    MESSAGE_SERVER_HELLO_DONE = 14,
    MESSAGE_CLIENT_KEY_EXCHANGE = 16,
    GREASE_CIPHER = 0x0a0a, /* RFC 8701 section 3.1 */
    GREASE_GROUP = 0x1a1a,
    GREASE_VERSION = 0x2a2a,
    GREASE_FIRST = 0x3a3a,
    GREASE_LAST = 0x4a4a,
    GROUP_SECP256R1 = 0x0017,
    GROUP_X25519 = 0x001d,
    GROUP_X25519_MLKEM768 = 0x11ec, /* draft-ietf-tls-ecdhe-mlkem */
    SECP256R1_SIZE = 65,
    X25519_SIZE = 32,
    X25519_MLKEM768_SIZE = 1216,
    RECORD_PAYLOAD_MAX = 16384
};

/* https://www.iana.org/assignments/tls-extensiontype-values */
enum extension {
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_STATUS_REQUEST = 5,
    EXTENSION_GROUPS = 10,
    EXTENSION_POINT_FORMATS = 11,
    EXTENSION_SIGNATURES = 13,
    EXTENSION_ALPN = 16,
    EXTENSION_SCT = 18,
    EXTENSION_PADDING = 21,
    EXTENSION_EXTENDED_MASTER_SECRET = 23,
    EXTENSION_COMPRESS_CERTIFICATE = 27,
    EXTENSION_SESSION_TICKET = 35,
    EXTENSION_PRE_SHARED_KEY = 41,
    EXTENSION_EARLY_DATA = 42,
    EXTENSION_VERSIONS = 43,
    EXTENSION_PSK_MODES = 45,
    EXTENSION_KEY_SHARE = 51,
    EXTENSION_ENCRYPTED_HELLO = 0xfe0d,
    EXTENSION_RENEGOTIATION = 0xff01
};

bool payload_version_of(const char *text, unsigned *version)
{
    if (strlen(text) != 3 || strncmp(text, "1.", 2) != 0 || text[2] < '0' || text[2] > '3')
        return false;
    *version = 0x0301 + (unsigned)(text[2] - '0');
    return true;
}

void payload_handshake_record(struct bytes *out, unsigned record_version,
                              const struct bytes *message)
{
    for (size_t sent = 0; sent < message->size;) {
        size_t left = message->size - sent;
        size_t piece = left < RECORD_PAYLOAD_MAX ? left : RECORD_PAYLOAD_MAX;
        bytes_u8(out, RECORD_HANDSHAKE);
        bytes_u16(out, record_version);
        bytes_u16(out, (unsigned)piece);
        bytes_add(out, message->at + sent, piece);
        sent += piece;
    }
}

/* The message is freed. */
static void finish_message(struct bytes *out, unsigned record_version, struct bytes *message,
                           size_t opened)
{
    bytes_close(message, opened, 3);
    payload_handshake_record(out, record_version, message);
    bytes_free(message);
}

static size_t open_message(struct bytes *message, unsigned type)
{
    bytes_u8(message, type);
    return bytes_open(message, 3);
}

static size_t open_extension(struct bytes *out, unsigned type)
{
    bytes_u16(out, type);
    return bytes_open(out, 2);
}

static void add_empty_extension(struct bytes *out, unsigned type)
{
    bytes_close(out, open_extension(out, type), 2);
}

static void add_extension(struct bytes *out, unsigned type, const void *body, size_t size)
{
    size_t opened = open_extension(out, type);
    bytes_add(out, body, size);
    bytes_close(out, opened, 2);
}

/* Calls `add` for each part of a comma-separated list. */
static void for_each_part(const char *list, struct bytes *out,
                          void (*add)(struct bytes *out, const char *part, size_t length))
{
    while (*list) {
        size_t length = strcspn(list, ",");
        add(out, list, length);
        list += length + (list[length] == ',');
    }
}

static void add_protocol(struct bytes *out, const char *part, size_t length)
{
    bytes_u8(out, (unsigned)length);
    bytes_add(out, part, length);
}

static void add_version(struct bytes *out, const char *part, size_t length)
{
    char text[4] = "";
    unsigned version;
    memcpy(text, part, length < 3 ? length : 3);
    if (payload_version_of(text, &version))
        bytes_u16(out, version);
}

/* RFC 6066 section 3 */
static void add_server_name(struct bytes *out, const char *name)
{
    size_t extension = open_extension(out, EXTENSION_SERVER_NAME);
    size_t list = bytes_open(out, 2);
    bytes_u8(out, 0);
    size_t host = bytes_open(out, 2);
    bytes_add(out, name, strlen(name));
    bytes_close(out, host, 2);
    bytes_close(out, list, 2);
    bytes_close(out, extension, 2);
}

/* RFC 7301 section 3.1 */
static void add_alpn(struct bytes *out, const char *protocols)
{
    size_t extension = open_extension(out, EXTENSION_ALPN);
    size_t list = bytes_open(out, 2);
    for_each_part(protocols, out, add_protocol);
    bytes_close(out, list, 2);
    bytes_close(out, extension, 2);
}

static bool offers(const struct client_hello *hello, const char *version)
{
    return strstr(hello->versions, version) != NULL;
}

static void add_ciphers(struct bytes *out, const struct client_hello *hello)
{
    static const uint16_t for_13[] = {0x1301, 0x1302, 0x1303};
    static const uint16_t for_12[] = {0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8, 0xc00a,
                                      0xc009, 0xc014, 0xc013, 0x009d, 0x009c, 0x0035, 0x002f};
    size_t list = bytes_open(out, 2);
    if (!hello->without_grease)
        bytes_u16(out, GREASE_CIPHER);
    for (size_t i = 0; offers(hello, "1.3") && i < sizeof for_13 / sizeof for_13[0]; i++)
        bytes_u16(out, for_13[i]);
    for (size_t i = 0; offers(hello, "1.2") && i < sizeof for_12 / sizeof for_12[0]; i++)
        bytes_u16(out, for_12[i]);
    bytes_close(out, list, 2);
}

static void add_groups(struct bytes *out, const struct client_hello *hello)
{
    static const uint16_t classical[] = {GROUP_X25519, GROUP_SECP256R1, 0x0018, 0x0019};
    size_t extension = open_extension(out, EXTENSION_GROUPS);
    size_t list = bytes_open(out, 2);
    if (!hello->without_grease)
        bytes_u16(out, GREASE_GROUP);
    if (hello->post_quantum)
        bytes_u16(out, GROUP_X25519_MLKEM768);
    for (size_t i = 0; i < sizeof classical / sizeof classical[0]; i++)
        bytes_u16(out, classical[i]);
    bytes_close(out, list, 2);
    bytes_close(out, extension, 2);
}

static void add_share(struct bytes *out, unsigned group, size_t size, uint64_t seed)
{
    bytes_u16(out, group);
    bytes_u16(out, (unsigned)size);
    bytes_random(out, size, seed + group);
}

/* RFC 8446 section 4.2.8 */
static void add_key_shares(struct bytes *out, const struct client_hello *hello)
{
    size_t extension = open_extension(out, EXTENSION_KEY_SHARE);
    size_t list = bytes_open(out, 2);
    if (hello->after_retry) {
        add_share(out, GROUP_SECP256R1, SECP256R1_SIZE, hello->seed);
    } else {
        if (!hello->without_grease)
            add_share(out, GREASE_GROUP, 1, hello->seed);
        if (hello->post_quantum)
            add_share(out, GROUP_X25519_MLKEM768, X25519_MLKEM768_SIZE, hello->seed);
        add_share(out, GROUP_X25519, X25519_SIZE, hello->seed);
    }
    bytes_close(out, list, 2);
    bytes_close(out, extension, 2);
}

/* RFC 8446 section 4.2.1 */
static void add_versions(struct bytes *out, const struct client_hello *hello)
{
    size_t extension = open_extension(out, EXTENSION_VERSIONS);
    size_t list = bytes_open(out, 1);
    if (!hello->without_grease)
        bytes_u16(out, GREASE_VERSION);
    for_each_part(hello->versions, out, add_version);
    bytes_close(out, list, 1);
    bytes_close(out, extension, 2);
}

/* draft-ietf-tls-esni section 5, as a client without a configuration sends it (section 6.2) */
static void add_encrypted_hello(struct bytes *out, uint64_t seed)
{
    size_t extension = open_extension(out, EXTENSION_ENCRYPTED_HELLO);
    bytes_u8(out, 0);           /* outer */
    bytes_u32(out, 0x00010001); /* HKDF-SHA256, AES-128-GCM */
    bytes_random(out, 1, seed); /* configuration id */
    bytes_u16(out, X25519_SIZE);
    bytes_random(out, X25519_SIZE, seed + 1);
    bytes_u16(out, 144);
    bytes_random(out, 144, seed + 2);
    bytes_close(out, extension, 2);
}

/* RFC 8446 section 4.2.11: the last extension. */
static void add_pre_shared_key(struct bytes *out, uint64_t seed)
{
    size_t extension = open_extension(out, EXTENSION_PRE_SHARED_KEY);
    size_t identities = bytes_open(out, 2);
    bytes_u16(out, 160);
    bytes_random(out, 160, seed + 3);
    bytes_u32(out, 0x1234abcd); /* obfuscated ticket age */
    bytes_close(out, identities, 2);
    size_t binders = bytes_open(out, 2);
    bytes_u8(out, 32);
    bytes_random(out, 32, seed + 4);
    bytes_close(out, binders, 2);
    bytes_close(out, extension, 2);
}

static void add_extensions_of_12(struct bytes *out, const struct client_hello *hello)
{
    static const uint8_t point_formats[] = {1, 0};
    add_empty_extension(out, EXTENSION_EXTENDED_MASTER_SECRET);
    add_extension(out, EXTENSION_RENEGOTIATION, "\0", 1);
    add_groups(out, hello);
    add_extension(out, EXTENSION_POINT_FORMATS, point_formats, sizeof point_formats);
    if (hello->resumes && !offers(hello, "1.3")) {
        size_t ticket = open_extension(out, EXTENSION_SESSION_TICKET);
        bytes_random(out, 160, hello->seed + 5);
        bytes_close(out, ticket, 2);
    }
}

static void add_extensions_of_13(struct bytes *out, const struct client_hello *hello)
{
    static const uint8_t psk_modes[] = {1, 1};
    static const uint8_t compression[] = {2, 0, 1};
    add_key_shares(out, hello);
    add_extension(out, EXTENSION_PSK_MODES, psk_modes, sizeof psk_modes);
    if (hello->early_data)
        add_empty_extension(out, EXTENSION_EARLY_DATA);
    add_versions(out, hello);
    add_extension(out, EXTENSION_COMPRESS_CERTIFICATE, compression, sizeof compression);
}

/* RFC 7685: as many zeroes as bring the message to the wanted size. */
static void add_padding(struct bytes *out, size_t message_size, size_t wanted)
{
    if (message_size + 4 >= wanted)
        return;
    size_t padding = open_extension(out, EXTENSION_PADDING);
    bytes_fill(out, 0, wanted - message_size - 4);
    bytes_close(out, padding, 2);
}

static void add_client_extensions(struct bytes *out, const struct client_hello *hello)
{
    static const uint8_t status[] = {1, 0, 0, 0, 0};
    static const uint8_t signatures[] = {0,    20,   0x04, 0x03, 0x08, 0x04, 0x04, 0x01,
                                         0x05, 0x03, 0x08, 0x05, 0x08, 0x05, 0x05, 0x01,
                                         0x08, 0x06, 0x06, 0x01, 0x02, 0x01};
    if (!hello->without_grease)
        add_empty_extension(out, GREASE_FIRST);
    if (hello->sni)
        add_server_name(out, hello->sni);
    add_extensions_of_12(out, hello);
    if (hello->alpn)
        add_alpn(out, hello->alpn);
    add_extension(out, EXTENSION_STATUS_REQUEST, status, sizeof status);
    add_extension(out, EXTENSION_SIGNATURES, signatures, sizeof signatures);
    add_empty_extension(out, EXTENSION_SCT);
    if (offers(hello, "1.3"))
        add_extensions_of_13(out, hello);
    if (hello->encrypted_hello)
        add_encrypted_hello(out, hello->seed + 7);
    if (!hello->without_grease)
        add_extension(out, GREASE_LAST, "\0", 1);
    bool psk = hello->resumes && offers(hello, "1.3");
    add_padding(out, out->size + (psk ? 207 : 0), hello->at_least);
    if (psk)
        add_pre_shared_key(out, hello->seed);
}

void payload_client_hello(struct bytes *out, const struct client_hello *hello)
{
    struct bytes message = {0};
    size_t opened = open_message(&message, MESSAGE_CLIENT_HELLO);
    bytes_u16(&message, VERSION_TLS12);
    bytes_random(&message, 32, hello->seed);
    bytes_u8(&message, hello->session_id_size);
    bytes_add(&message, hello->session_id, hello->session_id_size);
    add_ciphers(&message, hello);
    bytes_u16(&message, 0x0100); /* no compression */
    size_t extensions = bytes_open(&message, 2);
    add_client_extensions(&message, hello);
    bytes_close(&message, extensions, 2);
    finish_message(out, 0x0301, &message, opened);
}

/* RFC 8446 section 4.1.3: SHA-256 of "HelloRetryRequest". */
static const uint8_t retry_random[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

static void add_server_extensions_13(struct bytes *out, const struct server_hello *hello)
{
    static const uint8_t selected[] = {0x03, 0x04};
    static const uint8_t retry_group[] = {0x00, GROUP_SECP256R1};
    static const uint8_t first_key[] = {0, 0};
    add_extension(out, EXTENSION_VERSIONS, selected, sizeof selected);
    if (hello->is_retry) {
        add_extension(out, EXTENSION_KEY_SHARE, retry_group, sizeof retry_group);
        return;
    }
    size_t extension = open_extension(out, EXTENSION_KEY_SHARE);
    if (hello->after_retry)
        add_share(out, GROUP_SECP256R1, SECP256R1_SIZE, hello->seed);
    else
        add_share(out, GROUP_X25519, X25519_SIZE, hello->seed);
    bytes_close(out, extension, 2);
    if (hello->selects_psk)
        add_extension(out, EXTENSION_PRE_SHARED_KEY, first_key, sizeof first_key);
}

static void add_server_extensions_12(struct bytes *out, const struct server_hello *hello)
{
    add_extension(out, EXTENSION_RENEGOTIATION, "\0", 1);
    add_empty_extension(out, EXTENSION_EXTENDED_MASTER_SECRET);
    if (hello->alpn)
        add_alpn(out, hello->alpn);
}

void payload_server_hello(struct bytes *out, const struct server_hello *hello)
{
    struct bytes message = {0};
    bool is_13 = hello->version == VERSION_TLS13;
    unsigned cipher = hello->cipher ? hello->cipher : is_13 ? 0x1302 : 0xc030;
    size_t opened = open_message(&message, MESSAGE_SERVER_HELLO);
    bytes_u16(&message, is_13 ? VERSION_TLS12 : hello->version);
    if (hello->is_retry)
        bytes_add(&message, retry_random, sizeof retry_random);
    else
        bytes_random(&message, 32, hello->seed + 11);
    bytes_u8(&message, hello->session_id_size);
    bytes_add(&message, hello->session_id, hello->session_id_size);
    bytes_u16(&message, cipher);
    bytes_u8(&message, 0);
    size_t extensions = bytes_open(&message, 2);
    if (is_13)
        add_server_extensions_13(&message, hello);
    else
        add_server_extensions_12(&message, hello);
    bytes_close(&message, extensions, 2);
    finish_message(out, is_13 ? VERSION_TLS12 : hello->version, &message, opened);
}

/* RFC 8422 section 5.4: named curve secp256r1, a point, an RSA signature. */
void payload_server_key_exchange(struct bytes *out, uint64_t seed)
{
    struct bytes message = {0};
    size_t opened = open_message(&message, MESSAGE_SERVER_KEY_EXCHANGE);
    bytes_u24(&message, 0x030017);
    bytes_u8(&message, 65);
    bytes_u8(&message, 4);
    bytes_random(&message, 64, seed);
    bytes_u16(&message, 0x0401);
    bytes_u16(&message, 256);
    bytes_random(&message, 256, seed + 1);
    finish_message(out, VERSION_TLS12, &message, opened);
}

void payload_server_hello_done(struct bytes *out)
{
    struct bytes message = {0};
    finish_message(out, VERSION_TLS12, &message, open_message(&message, MESSAGE_SERVER_HELLO_DONE));
}

void payload_client_key_exchange(struct bytes *out, uint64_t seed)
{
    struct bytes message = {0};
    size_t opened = open_message(&message, MESSAGE_CLIENT_KEY_EXCHANGE);
    bytes_u8(&message, 65);
    bytes_u8(&message, 4);
    bytes_random(&message, 64, seed);
    finish_message(out, VERSION_TLS12, &message, opened);
}

/* RFC 5077 section 3.3 */
void payload_session_ticket(struct bytes *out, uint64_t seed)
{
    struct bytes message = {0};
    size_t opened = open_message(&message, MESSAGE_NEW_SESSION_TICKET);
    bytes_u32(&message, 7200);
    bytes_u16(&message, 160);
    bytes_random(&message, 160, seed);
    finish_message(out, VERSION_TLS12, &message, opened);
}

static void add_record(struct bytes *out, unsigned type, size_t size, uint64_t seed)
{
    bytes_u8(out, type);
    bytes_u16(out, VERSION_TLS12);
    bytes_u16(out, (unsigned)size);
    bytes_random(out, size, seed);
}

void payload_change_cipher_spec(struct bytes *out)
{
    static const uint8_t record[] = {RECORD_CHANGE_CIPHER_SPEC, 3, 3, 0, 1, 1};
    bytes_add(out, record, sizeof record);
}

void payload_finished(struct bytes *out, uint64_t seed)
{
    add_record(out, RECORD_HANDSHAKE, 40, seed); /* explicit nonce 8, Finished 16, tag 16 */
}

void payload_alert(struct bytes *out, unsigned level, unsigned description)
{
    const uint8_t record[] = {RECORD_ALERT, 3, 3, 0, 2, (uint8_t)level, (uint8_t)description};
    bytes_add(out, record, sizeof record);
}

void payload_encrypted_alert(struct bytes *out, uint64_t seed)
{
    add_record(out, RECORD_ALERT, 26, seed); /* explicit nonce 8, alert 2, tag 16 */
}

void payload_application_data(struct bytes *out, size_t size, uint64_t seed)
{
    while (size > 5) {
        size_t piece = size - 5 < RECORD_PAYLOAD_MAX ? size - 5 : RECORD_PAYLOAD_MAX;
        size_t left = size - 5 - piece;
        if (left > 0 && left <= 5) /* too little for another record: let this one be shorter */
            piece -= 6;
        add_record(out, RECORD_APPLICATION_DATA, piece, seed++);
        size -= 5 + piece;
    }
}
