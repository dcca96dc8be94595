/* JA3 and JA4 of a ClientHello, through libcrypto's digests.
 *
 * Called by tls_hello.c once per hello. The lists are first gathered, without GREASE, into one flat
 * key; equal keys have equal fingerprints, so a hello seen lately costs a look-up instead of three
 * digests. Deliberately computes no server fingerprint and keeps no list of known ones.
 *
 * JA3: salesforce/ja3 README. JA4: FoxIO-LLC/ja4, technical_details/JA4.md. */
#include "tls_fingerprint.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"

/* The key: a head, then the five lists one after another. */
enum {
    HEAD_LEGACY_VERSION,
    HEAD_HIGHEST_VERSION,
    HEAD_SERVER_NAME,
    HEAD_ALPN, /* the two characters of JA4 */
    HEAD_COUNTS
};

enum list { CIPHERS, EXTENSIONS, GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS, LIST_COUNT };

enum {
    HEAD_SIZE = HEAD_COUNTS + LIST_COUNT,
    /* Every value but a point format takes two bytes or more of one message, and there are at most
     * 255 of those: so any hello fits. */
    KEY_MAX = HEAD_SIZE + TLS_MESSAGE_MAX / 2 + 255,
    CACHED_KEY_MAX = 256, /* values; the largest browsers' hellos have about 100 */
    CACHE_SLOTS = 64,
    EXTENSION_SERVER_NAME = 0, /* RFC 6066 section 3 */
    EXTENSION_ALPN = 16        /* RFC 7301 section 3.1 */
};

struct remembered {
    uint32_t count; /* values in the key; 0 = empty */
    uint16_t key[CACHED_KEY_MAX];
    char ja3[33];
    char ja4[37];
};

struct tls_fingerprinter {
    EVP_MD *md5; /* NULL: not offered */
    EVP_MD *sha256;
    EVP_MD_CTX *digest;
    struct remembered cache[CACHE_SLOTS];
    uint32_t count;
    uint16_t key[KEY_MAX];
};

struct tls_fingerprinter *tls_fingerprinter_new(void)
{
    struct tls_fingerprinter *fingerprinter = calloc(1, sizeof *fingerprinter);
    assert(fingerprinter);
    fingerprinter->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    fingerprinter->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    fingerprinter->digest = EVP_MD_CTX_new();
    assert(fingerprinter->sha256 && fingerprinter->digest);
    return fingerprinter;
}

void tls_fingerprinter_free(struct tls_fingerprinter *fingerprinter)
{
    if (!fingerprinter)
        return;
    EVP_MD_CTX_free(fingerprinter->digest);
    EVP_MD_free(fingerprinter->sha256);
    EVP_MD_free(fingerprinter->md5);
    free(fingerprinter);
}

/* ---- the key ---------------------------------------------------------------------------- */

static void put(struct tls_fingerprinter *fingerprinter, enum list list, uint16_t value)
{
    if (tls_is_grease(value)) /* never true of a one-byte value */
        return;
    assert(fingerprinter->count < KEY_MAX);
    fingerprinter->key[fingerprinter->count++] = value;
    fingerprinter->key[HEAD_COUNTS + list]++;
}

static void put_values(struct tls_fingerprinter *fingerprinter, enum list list,
                       struct reader values)
{
    while (reader_left(&values) >= 2)
        put(fingerprinter, list, reader_u16(&values));
}

static void put_extension_types(struct tls_fingerprinter *fingerprinter, struct reader extensions)
{
    while (reader_left(&extensions) > 0) {
        uint16_t type = reader_u16(&extensions);
        reader_skip(&extensions, reader_u16(&extensions));
        if (!extensions.failed)
            put(fingerprinter, EXTENSIONS, type);
    }
}

static bool is_alphanumeric(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

/* JA4.md, "ALPN Extension Value": first and last byte where both are alphanumeric, else the first
 * and last digit of the name in hexadecimal; "00" without a name. */
static uint16_t alpn_characters(struct reader name)
{
    static const char hex[] = "0123456789abcdef";
    if (reader_left(&name) == 0)
        return '0' << 8 | '0';
    uint8_t first = name.at[0];
    uint8_t last = name.end[-1];
    if (is_alphanumeric(first) && is_alphanumeric(last))
        return (uint16_t)(first << 8 | last);
    return (uint16_t)(hex[first >> 4] << 8 | hex[last & 15]);
}

static void gather_key(struct tls_fingerprinter *fingerprinter,
                       const struct tls_fingerprint_source *source)
{
    memset(fingerprinter->key, 0, HEAD_SIZE * sizeof *fingerprinter->key);
    fingerprinter->key[HEAD_LEGACY_VERSION] = source->legacy_version;
    fingerprinter->key[HEAD_HIGHEST_VERSION] = source->highest_version;
    fingerprinter->key[HEAD_SERVER_NAME] = source->has_server_name;
    fingerprinter->key[HEAD_ALPN] = alpn_characters(source->first_alpn);
    fingerprinter->count = HEAD_SIZE;
    put_values(fingerprinter, CIPHERS, source->ciphers);
    put_extension_types(fingerprinter, source->extensions);
    put_values(fingerprinter, GROUPS, source->groups);
    struct reader formats = source->point_formats;
    while (reader_left(&formats) > 0)
        put(fingerprinter, POINT_FORMATS, reader_u8(&formats));
    put_values(fingerprinter, SIGNATURE_ALGORITHMS, source->signature_algorithms);
}

static uint16_t *list_of(struct tls_fingerprinter *fingerprinter, enum list list, size_t *count)
{
    uint16_t *values = fingerprinter->key + HEAD_SIZE;
    for (int before = 0; before < (int)list; before++)
        values += fingerprinter->key[HEAD_COUNTS + before];
    *count = fingerprinter->key[HEAD_COUNTS + list];
    return values;
}

/* ---- text into a digest ----------------------------------------------------------------- */

struct digest_text {
    EVP_MD_CTX *digest;
    size_t length;
    bool failed;
    char text[512];
};

static struct digest_text digest_begin(struct tls_fingerprinter *fingerprinter,
                                       const EVP_MD *algorithm)
{
    struct digest_text text;
    text.digest = fingerprinter->digest;
    text.length = 0;
    text.failed = !algorithm || EVP_DigestInit_ex2(text.digest, algorithm, NULL) != 1;
    return text;
}

static void digest_flush(struct digest_text *text)
{
    if (!text->failed)
        text->failed = EVP_DigestUpdate(text->digest, text->text, text->length) != 1;
    text->length = 0;
}

static void digest_char(struct digest_text *text, char character)
{
    if (text->length == sizeof text->text)
        digest_flush(text);
    text->text[text->length++] = character;
}

static void digest_decimal(struct digest_text *text, uint16_t value)
{
    char digits[5];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while ((value = value / 10) > 0);
    while (count > 0)
        digest_char(text, digits[--count]);
}

static void digest_hex(struct digest_text *text, uint16_t value)
{
    for (int shift = 12; shift >= 0; shift -= 4)
        digest_char(text, "0123456789abcdef"[value >> shift & 15]);
}

static void digest_list(struct digest_text *text, const uint16_t *values, size_t count,
                        void (*add)(struct digest_text *, uint16_t), char separator)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            digest_char(text, separator);
        add(text, values[i]);
    }
}

/* The first `size` bytes of the digest in lower-case hexadecimal; "" where it failed. */
static void digest_end(struct digest_text *text, size_t size, char *out)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    digest_flush(text);
    if (text->failed || EVP_DigestFinal_ex(text->digest, sum, NULL) != 1)
        size = 0;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = "0123456789abcdef"[sum[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[sum[i] & 15];
    }
    out[2 * size] = '\0';
}

/* ---- JA3: version,ciphers,extensions,groups,formats; decimals joined by '-' --------------- */

static void make_ja3(struct tls_fingerprinter *fingerprinter, char ja3[33])
{
    struct digest_text text = digest_begin(fingerprinter, fingerprinter->md5);
    digest_decimal(&text, fingerprinter->key[HEAD_LEGACY_VERSION]);
    for (int list = CIPHERS; list <= POINT_FORMATS; list++) {
        size_t count;
        const uint16_t *values = list_of(fingerprinter, (enum list)list, &count);
        digest_char(&text, ',');
        digest_list(&text, values, count, digest_decimal, '-');
    }
    digest_end(&text, 16, ja3);
}

/* ---- JA4 -------------------------------------------------------------------------------- */

static const char *ja4_version(uint16_t version)
{
    static const struct {
        uint16_t version;
        char name[3];
    } names[] = {{0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"}, {0x0301, "10"}, {0x0300, "s3"},
                 {0x0002, "s2"}, {0xfeff, "d1"}, {0xfefd, "d2"}, {0xfefc, "d3"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].version == version)
            return names[i].name;
    return "00";
}

static char *add_count(char *out, size_t count)
{
    if (count > 99)
        count = 99;
    *out++ = (char)('0' + count / 10);
    *out++ = (char)('0' + count % 10);
    return out;
}

static int compare_values(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* Server name and ALPN are told in the first part and left out here. Changes the key's list. */
static size_t drop_named_extensions(uint16_t *types, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (types[i] != EXTENSION_SERVER_NAME && types[i] != EXTENSION_ALPN)
            types[kept++] = types[i];
    return kept;
}

/* The digest of a sorted list, and of `more` behind an underscore where there is any. Sorts. */
static void sorted_digest(struct tls_fingerprinter *fingerprinter, uint16_t *values, size_t count,
                          const uint16_t *more, size_t more_count, char out[13])
{
    if (count == 0) {
        memcpy(out, "000000000000", 13);
        return;
    }
    qsort(values, count, sizeof *values, compare_values);
    struct digest_text text = digest_begin(fingerprinter, fingerprinter->sha256);
    digest_list(&text, values, count, digest_hex, ',');
    if (more_count > 0)
        digest_char(&text, '_');
    digest_list(&text, more, more_count, digest_hex, ',');
    digest_end(&text, 6, out);
}

/* Spoils the order of the key's lists, so it comes last. */
static void make_ja4(struct tls_fingerprinter *fingerprinter, char ja4[37])
{
    const uint16_t *key = fingerprinter->key;
    size_t cipher_count, extension_count, algorithm_count;
    uint16_t *ciphers = list_of(fingerprinter, CIPHERS, &cipher_count);
    uint16_t *extensions = list_of(fingerprinter, EXTENSIONS, &extension_count);
    uint16_t *algorithms = list_of(fingerprinter, SIGNATURE_ALGORITHMS, &algorithm_count);

    char *out = ja4;
    *out++ = 't';
    memcpy(out, ja4_version(key[HEAD_HIGHEST_VERSION]), 2);
    out += 2;
    *out++ = key[HEAD_SERVER_NAME] ? 'd' : 'i';
    out = add_count(out, cipher_count);
    out = add_count(out, extension_count);
    *out++ = (char)(key[HEAD_ALPN] >> 8);
    *out++ = (char)(key[HEAD_ALPN] & 0xff);
    *out++ = '_';
    sorted_digest(fingerprinter, ciphers, cipher_count, NULL, 0, out);
    out += 12;
    *out++ = '_';
    extension_count = drop_named_extensions(extensions, extension_count);
    sorted_digest(fingerprinter, extensions, extension_count, algorithms, algorithm_count, out);
}

/* ---- the whole -------------------------------------------------------------------------- */

void tls_fingerprint(struct tls_fingerprinter *fingerprinter,
                     const struct tls_fingerprint_source *source, char ja3[33], char ja4[37])
{
    gather_key(fingerprinter, source);
    uint32_t count = fingerprinter->count;
    size_t size = count * sizeof *fingerprinter->key;
    struct remembered *slot = NULL;
    if (count <= CACHED_KEY_MAX) {
        slot = &fingerprinter->cache[hash_bytes(fingerprinter->key, size, 0) % CACHE_SLOTS];
        if (slot->count == count && memcmp(slot->key, fingerprinter->key, size) == 0) {
            memcpy(ja3, slot->ja3, sizeof slot->ja3);
            memcpy(ja4, slot->ja4, sizeof slot->ja4);
            return;
        }
        slot->count = count;
        memcpy(slot->key, fingerprinter->key, size);
    }
    make_ja3(fingerprinter, ja3);
    make_ja4(fingerprinter, ja4);
    if (slot) {
        memcpy(slot->ja3, ja3, sizeof slot->ja3);
        memcpy(slot->ja4, ja4, sizeof slot->ja4);
    }
}
