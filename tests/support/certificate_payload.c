/* X.509 chains by libcrypto. Of tests/support. Deliberately makes no key that is not fixed. */
#include "certificate_payload.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/table.h"
#include "tls_payload.h"

enum { MESSAGE_CERTIFICATE = 11, NAME_PARTS_MAX = 12, NAME_PART_SIZE = 200 };

/* wire.md section 2: the extensions by which Apple's devices know Apple's certificates. */
static const char leaf_marker[] = "1.2.840.113635.100.6.27.5.2";
static const char authority_marker[] = "1.2.840.113635.100.6.2.12";

/* A key of its own for each name: whoever is called so, signs so. */
static EVP_PKEY *key_of(const char *name, uint64_t variant)
{
    struct bytes seed = {0};
    bytes_random(&seed, 32, hash_bytes(name, strlen(name), variant));
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.at, seed.size);
    assert(key);
    bytes_free(&seed);
    return key;
}

/* One "TYPE=value" of RFC 4514 text; a backslash takes the next character as it is. */
static const char *take_name_part(const char *at, char part[NAME_PART_SIZE])
{
    size_t length = 0;
    while (*at && *at != ',') {
        if (*at == '\\' && at[1])
            at++;
        if (length < NAME_PART_SIZE - 1)
            part[length++] = *at;
        at++;
    }
    part[length] = '\0';
    return *at == ',' ? at + 1 : at;
}

static bool add_name_entry(X509_NAME *name, char *part)
{
    char *value = strchr(part, '=');
    if (!value)
        return false;
    *value++ = '\0';
    return X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                      -1, 0) == 1;
}

/* The text begins with the most specific part, the certificate with the least (RFC 4514 2.1). */
static X509_NAME *name_of(const char *text)
{
    char parts[NAME_PARTS_MAX][NAME_PART_SIZE];
    size_t count = 0;
    while (*text && count < NAME_PARTS_MAX)
        text = take_name_part(text, parts[count++]);
    X509_NAME *name = X509_NAME_new();
    assert(name);
    while (count > 0)
        if (!add_name_entry(name, parts[--count])) {
            X509_NAME_free(name);
            return NULL;
        }
    return name;
}

static void add_extension(X509 *certificate, int nid, bool critical, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert(extension);
    X509_EXTENSION_set_critical(extension, critical);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* An extension given by its number, with the bytes of its value. */
static void add_raw_extension(X509 *certificate, const char *oid, const uint8_t *value, size_t size)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
    assert(object && string);
    ASN1_OCTET_STRING_set(string, value, (int)size);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, string);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(string);
    ASN1_OBJECT_free(object);
}

static void add_marker(X509 *certificate, const char *oid)
{
    static const uint8_t null[] = {0x05, 0x00};
    add_raw_extension(certificate, oid, null, sizeof null);
}

static void add_dns_names(X509 *certificate, const char *names)
{
    char value[1024] = "";
    while (*names) {
        size_t length = strcspn(names, ",");
        size_t used = strlen(value);
        assert(used + length + 6 < sizeof value);
        memcpy(value + used, used ? ",DNS:" : "DNS:", used ? 6 : 5);
        strncat(value, names, length);
        names += length + (names[length] == ',');
    }
    if (value[0])
        add_extension(certificate, NID_subject_alt_name, false, value);
}

static void add_comment(X509 *certificate, size_t size)
{
    struct bytes comment = {0};
    bytes_fill(&comment, '.', size);
    bytes_u8(&comment, 0);
    add_extension(certificate, NID_netscape_comment, false, (const char *)comment.at);
    bytes_free(&comment);
}

/* Without extensions and signature; NULL: a name cannot be read. */
static X509 *draft(const char *subject, const char *issuer, const struct certificate_chain *chain)
{
    X509_NAME *subject_name = name_of(subject);
    X509_NAME *issuer_name = name_of(issuer);
    X509 *certificate = NULL;
    if (subject_name && issuer_name) {
        certificate = X509_new();
        EVP_PKEY *key = key_of(subject, 0);
        assert(certificate);
        X509_set_version(certificate, 2);
        uint64_t serial = hash_bytes(subject, strlen(subject), 7) >> 1;
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial);
        X509_set_subject_name(certificate, subject_name);
        X509_set_issuer_name(certificate, issuer_name);
        ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)chain->not_before_s);
        ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)chain->not_after_s);
        X509_set_pubkey(certificate, key);
        EVP_PKEY_free(key);
    }
    X509_NAME_free(subject_name);
    X509_NAME_free(issuer_name);
    return certificate;
}

/* The certificate is signed, added as a TLS list entry, and freed. */
static void sign_and_add(struct bytes *out, X509 *certificate, const char *signer, uint64_t variant)
{
    EVP_PKEY *key = key_of(signer, variant);
    unsigned char *der = NULL;
    int signed_size = X509_sign(certificate, key, NULL);
    int size = i2d_X509(certificate, &der);
    assert(signed_size > 0 && size > 0);
    bytes_u24(out, (uint32_t)size);
    bytes_add(out, der, (size_t)size);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    X509_free(certificate);
}

static bool add_leaf(struct bytes *out, const struct certificate_chain *chain)
{
    X509 *leaf = draft(chain->subject, chain->issuer, chain);
    if (!leaf)
        return false;
    add_extension(leaf, NID_basic_constraints, true, "CA:FALSE");
    add_extension(leaf, NID_key_usage, true, "digitalSignature");
    add_extension(leaf, NID_ext_key_usage, false, "serverAuth");
    add_dns_names(leaf, chain->dns_names ? chain->dns_names : "");
    if (chain->has_markers)
        add_marker(leaf, leaf_marker);
    if (chain->padding)
        add_comment(leaf, chain->padding);
    sign_and_add(out, leaf, chain->issuer, chain->has_broken_link ? 1 : 0);
    return true;
}

static bool add_authority(struct bytes *out, const struct certificate_chain *chain,
                          const char *subject, const char *issuer, bool marked)
{
    X509 *authority = draft(subject, issuer, chain);
    if (!authority)
        return false;
    add_extension(authority, NID_basic_constraints, true, "CA:TRUE");
    add_extension(authority, NID_key_usage, true, "keyCertSign,cRLSign");
    if (marked)
        add_marker(authority, authority_marker);
    sign_and_add(out, authority, issuer, 0);
    return true;
}

bool payload_certificate(struct bytes *out, const struct certificate_chain *chain)
{
    struct bytes message = {0};
    bool self_signed = strcmp(chain->subject, chain->issuer) == 0;
    bytes_u8(&message, MESSAGE_CERTIFICATE);
    size_t opened = bytes_open(&message, 3);
    size_t list = bytes_open(&message, 3);
    bool good = add_leaf(&message, chain);
    if (good && !self_signed && !chain->leaf_only)
        good = add_authority(&message, chain, chain->issuer, chain->root, chain->has_markers);
    if (good && !self_signed && chain->sends_root)
        good = add_authority(&message, chain, chain->root, chain->root, false);
    bytes_close(&message, list, 3);
    bytes_close(&message, opened, 3);
    if (good)
        payload_handshake_record(out, VERSION_TLS12, &message);
    bytes_free(&message);
    return good;
}
