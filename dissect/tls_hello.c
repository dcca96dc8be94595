/* Hellos and certificate lists: message bodies to facts.
 *
 * Called by tls.c with a whole message. Extensions are read through one table for each hello; of
 * an extension that stands twice the first counts (a second one is an error of the sender, RFC
 * 8446 section 4.2). Deliberately judges nothing: whether a name or an ALPN is Apple's is for
 * dissect/push_name.c and track/. */
#include "tls_hello.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

enum {
    NAME_TYPE_HOST_NAME = 0,          /* RFC 6066 section 3 */
    VERSION_TLS13 = 0x0304,           /* RFC 8446 section 4.2.1 */
    PRINTABLE_NAME_SIZE = 4 * 255 + 1 /* a protocol name with every byte escaped */
};

/* What is being filled while extensions are read. */
struct client_hello_reading {
    struct tls_client_hello *hello;
    struct tls_fingerprint_source source;
};

static bool all_read(const struct reader *reader)
{
    return !reader->failed && reader_left(reader) == 0;
}

/* A list of two-byte values behind its own length, `length_size` 1 or 2, filling `body`. */
static struct reader take_values(struct reader *body, int length_size)
{
    struct reader values = reader_take(body, length_size == 1 ? reader_u8(body) : reader_u16(body));
    if (reader_left(&values) % 2 != 0)
        body->failed = true;
    return values;
}

/* ---- protocol names (RFC 7301 section 3.1) ----------------------------------------------- */

/* Printable, and a comma of the name as \x2c, because commas part the names. */
static void add_protocol(struct text *list, struct reader name)
{
    char buffer[PRINTABLE_NAME_SIZE];
    char piece[PRINTABLE_NAME_SIZE];
    struct text printable = text_over(buffer, sizeof buffer);
    while (reader_left(&name) > 0) {
        const uint8_t *comma = memchr(name.at, ',', reader_left(&name));
        size_t size = comma ? (size_t)(comma - name.at) : reader_left(&name);
        text_add_bytes(&printable, piece, text_printable(piece, sizeof piece, name.at, size));
        if (comma)
            text_add(&printable, "\\x2c");
        reader_skip(&name, size + (comma != NULL));
    }
    /* Whole names only: half a name is another name. */
    size_t separator = list->length > 0 ? 1 : 0;
    if (list->length + separator + printable.length >= list->size) {
        list->cut = true;
        return;
    }
    text_add(list, separator ? "," : "");
    text_add(list, printable.at);
}

/* `first` (may be NULL) becomes the first name. GREASE names (RFC 8701 section 2) are left out. */
static void read_protocols(struct reader *body, char out[TLS_LIST_SIZE], struct reader *first)
{
    struct text list = text_over(out, TLS_LIST_SIZE);
    struct reader names = reader_take(body, reader_u16(body));
    bool is_first = true;
    while (reader_left(&names) > 0) {
        struct reader name = reader_take(&names, reader_u8(&names));
        if (reader_left(&name) == 2 && tls_is_grease(load_u16(name.at)))
            continue;
        if (is_first && first)
            *first = name;
        is_first = false;
        if (reader_left(&name) > 0)
            add_protocol(&list, name);
    }
    body->failed |= names.failed;
}

/* ---- extensions of the ClientHello -------------------------------------------------------- */

static void keep_host_name(struct tls_client_hello *hello, struct reader name)
{
    size_t size = reader_left(&name);
    hello->has_sni = true;
    hello->sni_had_trailing_dot = name.at[size - 1] == '.';
    (void)text_printable(hello->sni, sizeof hello->sni, name.at,
                         size - hello->sni_had_trailing_dot);
    for (char *c = hello->sni; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + ('a' - 'A'));
}

/* RFC 6066 section 3. */
static void read_server_name(struct reader *body, struct client_hello_reading *reading)
{
    reading->source.has_server_name = true;
    struct reader list = reader_take(body, reader_u16(body));
    while (reader_left(&list) > 0) {
        uint8_t type = reader_u8(&list);
        struct reader name = reader_take(&list, reader_u16(&list));
        if (type == NAME_TYPE_HOST_NAME && reader_left(&name) > 0 && !reading->hello->has_sni)
            keep_host_name(reading->hello, name);
    }
    body->failed |= list.failed;
}

/* RFC 8422 section 5.1.1, RFC 8446 section 4.2.7. */
static void read_groups(struct reader *body, struct client_hello_reading *reading)
{
    struct reader groups = reading->source.groups = take_values(body, 2);
    struct text list = text_over(reading->hello->groups, sizeof reading->hello->groups);
    while (reader_left(&groups) >= 2) {
        uint16_t group = reader_u16(&groups);
        char digits[8];
        size_t at = sizeof digits;
        if (tls_is_grease(group))
            continue;
        do
            digits[--at] = (char)('0' + group % 10);
        while ((group = group / 10) > 0);
        if (list.length > 0)
            digits[--at] = ',';
        if (list.length + (sizeof digits - at) >= list.size)
            break;
        text_add_bytes(&list, digits + at, sizeof digits - at);
    }
}

/* RFC 8422 section 5.1.2. */
static void read_point_formats(struct reader *body, struct client_hello_reading *reading)
{
    reading->source.point_formats = reader_take(body, reader_u8(body));
}

/* RFC 8446 section 4.2.3. */
static void read_signature_algorithms(struct reader *body, struct client_hello_reading *reading)
{
    reading->source.signature_algorithms = take_values(body, 2);
}

static void read_client_protocols(struct reader *body, struct client_hello_reading *reading)
{
    read_protocols(body, reading->hello->alpn, &reading->source.first_alpn);
}

/* RFC 5077 section 3.2: empty where the client only says that it takes tickets. */
static void read_session_ticket(struct reader *body, struct client_hello_reading *reading)
{
    reading->hello->has_psk |= reader_left(body) > 0;
    reader_skip(body, reader_left(body));
}

/* RFC 8446 section 4.2.11. */
static void read_pre_shared_key(struct reader *body, struct client_hello_reading *reading)
{
    reading->hello->has_psk = true;
    reader_skip(body, reader_left(body));
}

/* RFC 8446 section 4.2.10. */
static void read_early_data(struct reader *body, struct client_hello_reading *reading)
{
    reading->hello->has_early_data = true;
    reader_skip(body, reader_left(body));
}

/* RFC 8446 section 4.2.1. */
static void read_supported_versions(struct reader *body, struct client_hello_reading *reading)
{
    struct reader versions = take_values(body, 1);
    uint16_t highest = 0;
    uint16_t lowest = UINT16_MAX;
    while (reader_left(&versions) >= 2) {
        uint16_t version = reader_u16(&versions);
        if (tls_is_grease(version))
            continue;
        highest = version > highest ? version : highest;
        lowest = version < lowest ? version : lowest;
    }
    if (highest == 0)
        return;
    reading->hello->highest_version = highest;
    reading->hello->only_tls13 = lowest >= VERSION_TLS13;
}

/* TLS Encrypted Client Hello, section 5. Clients send a meaningless one too (section 6.2), which
 * cannot be told from a real one. */
static void read_encrypted_hello(struct reader *body, struct client_hello_reading *reading)
{
    reading->hello->has_encrypted_hello = true;
    reader_skip(body, reader_left(body));
}

static const struct {
    uint16_t type; /* IANA "TLS ExtensionType Values" */
    void (*read)(struct reader *body, struct client_hello_reading *reading);
} client_extensions[] = {
    {0, read_server_name},           {10, read_groups},           {11, read_point_formats},
    {13, read_signature_algorithms}, {16, read_client_protocols}, {35, read_session_ticket},
    {41, read_pre_shared_key},       {42, read_early_data},       {43, read_supported_versions},
    {0xfe0d, read_encrypted_hello},
};

enum { CLIENT_EXTENSION_COUNT = sizeof client_extensions / sizeof *client_extensions };

/* Reads what the table knows. False where the inside of an extension is not as it should be;
 * `block->failed` where the block itself is cut. */
static bool read_client_extensions(struct reader *block, struct client_hello_reading *reading)
{
    bool seen[CLIENT_EXTENSION_COUNT] = {false};
    bool well_formed = true;
    while (reader_left(block) > 0) {
        uint16_t type = reader_u16(block);
        struct reader body = reader_take(block, reader_u16(block));
        for (size_t i = 0; i < CLIENT_EXTENSION_COUNT && !body.failed; i++) {
            if (client_extensions[i].type != type || seen[i])
                continue;
            seen[i] = true;
            client_extensions[i].read(&body, reading);
            well_formed &= all_read(&body);
            break;
        }
    }
    return well_formed;
}

/* ---- messages ----------------------------------------------------------------------------- */

static void keep_random(uint8_t random[32], const uint8_t *bytes)
{
    if (bytes)
        memcpy(random, bytes, 32);
}

/* The block of extensions; without any the message ends before it (RFC 5246 section 7.4.1.2). One
 * that says to be longer than the message is taken as far as it goes, and `body` fails. */
static struct reader take_extensions(struct reader *body)
{
    if (reader_left(body) == 0)
        return *body;
    size_t size = reader_u16(body);
    if (size <= reader_left(body))
        return reader_take(body, size);
    struct reader rest = *body;
    body->failed = true;
    return rest;
}

bool tls_read_client_hello(struct reader body, struct tls_fingerprinter *fingerprinter,
                           struct tls_client_hello *hello)
{
    struct client_hello_reading reading = {.hello = hello};
    memset(hello, 0, sizeof *hello);
    hello->size = (uint32_t)(reader_left(&body) + TLS_HANDSHAKE_HEADER_SIZE);
    hello->legacy_version = reader_u16(&body);
    hello->highest_version = hello->legacy_version;
    keep_random(hello->random, reader_bytes(&body, sizeof hello->random));
    reader_skip(&body, reader_u8(&body)); /* legacy_session_id */
    reading.source.ciphers = take_values(&body, 2);
    reader_skip(&body, reader_u8(&body)); /* legacy_compression_methods */
    if (body.failed)
        return false;

    struct reader block = take_extensions(&body);
    reading.source.extensions = block;
    bool well_formed = read_client_extensions(&block, &reading);
    if (block.failed || body.failed)
        return false; /* lists that are cut would give the fingerprint of nobody */

    reading.source.legacy_version = hello->legacy_version;
    reading.source.highest_version = hello->highest_version;
    tls_fingerprint(fingerprinter, &reading.source, hello->ja3, hello->ja4);
    return well_formed && all_read(&body);
}

/* Extensions in which a server answers in the clear; the same rule for one that stands twice. */
static bool read_server_extensions(struct reader *block, struct tls_server_hello *hello)
{
    bool has_version = false;
    bool has_protocol = false;
    bool well_formed = true;
    while (reader_left(block) > 0) {
        uint16_t type = reader_u16(block);
        struct reader body = reader_take(block, reader_u16(block));
        if (body.failed)
            break;
        if (type == 43 && !has_version) { /* RFC 8446 section 4.2.1: the one selected */
            uint16_t version = reader_u16(&body);
            has_version = true;
            if (!body.failed)
                hello->version = version;
            well_formed &= all_read(&body);
        } else if (type == 16 && !has_protocol) { /* RFC 7301 section 3.1 */
            has_protocol = true;
            read_protocols(&body, hello->alpn, NULL);
            well_formed &= all_read(&body);
        } else if (type == 41) { /* RFC 8446 section 4.2.11 */
            hello->selects_psk = true;
        }
    }
    return well_formed && !block->failed;
}

bool tls_read_server_hello(struct reader body, struct tls_server_hello *hello)
{
    /* RFC 8446 section 4.1.3: SHA-256 of "HelloRetryRequest". */
    static const uint8_t retry_random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                             0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                             0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                             0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

    memset(hello, 0, sizeof *hello);
    hello->version = reader_u16(&body);
    keep_random(hello->random, reader_bytes(&body, sizeof hello->random));
    hello->is_retry = memcmp(hello->random, retry_random, sizeof retry_random) == 0;
    hello->session_id_size = reader_u8(&body);
    reader_skip(&body, hello->session_id_size);
    hello->cipher = reader_u16(&body);
    reader_skip(&body, 1); /* compression method */
    if (body.failed)
        return false;
    struct reader block = take_extensions(&body);
    bool well_formed = read_server_extensions(&block, hello);
    return well_formed && all_read(&body);
}

bool tls_read_certificates(struct reader body, struct tls_certificate_list *list)
{
    memset(list, 0, sizeof *list);
    struct reader chain = reader_take(&body, reader_u24(&body));
    while (reader_left(&chain) > 0) {
        uint32_t size = reader_u24(&chain);
        const uint8_t *der = reader_bytes(&chain, size);
        if (!der)
            break;
        if (list->count == TLS_CERTIFICATES_MAX) {
            list->more = true;
            continue;
        }
        list->certificates[list->count].der = der;
        list->certificates[list->count].size = size;
        list->count++;
    }
    return !chain.failed && all_read(&body);
}
