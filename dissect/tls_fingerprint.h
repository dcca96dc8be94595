/* What JA3 and JA4 are made of, and the engine that makes them; private to dissect/.
 *
 * tls_hello.c hands over the raw lists of a ClientHello; the engine keeps what it computed for the
 * hellos that it saw lately, because the devices of a site send very few different ones.
 * Deliberately knows nothing of records or of how an extension is laid out inside. */
#ifndef APNSCOPE_DISSECT_TLS_FINGERPRINT_H
#define APNSCOPE_DISSECT_TLS_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"
#include "dissect/tls.h"

/* Lists as they stand in the message, GREASE included; empty where the hello has none. */
struct tls_fingerprint_source {
    uint16_t legacy_version;
    uint16_t highest_version;           /* of supported_versions, else legacy_version */
    bool has_server_name;               /* the extension is there, whatever is in it */
    struct reader first_alpn;           /* the bytes of the first protocol name */
    struct reader ciphers;              /* of two bytes each */
    struct reader extensions;           /* type, length, body */
    struct reader groups;               /* of two bytes each */
    struct reader point_formats;        /* of one byte each */
    struct reader signature_algorithms; /* of two bytes each */
};

struct tls_fingerprinter;
struct tls_fingerprinter *tls_fingerprinter_new(void);
void tls_fingerprinter_free(struct tls_fingerprinter *fingerprinter);

/* Writes both; ja3 is "" where libcrypto does not offer MD5 (a FIPS configuration). */
void tls_fingerprint(struct tls_fingerprinter *fingerprinter,
                     const struct tls_fingerprint_source *source, char ja3[33], char ja4[37]);

/* RFC 8701 section 2: both bytes equal and 0x?A. Holds for ciphers, groups, extensions, versions,
 * signature algorithms, and for a protocol name of two such bytes. */
static inline bool tls_is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

#endif
