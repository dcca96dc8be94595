/* Certificate chains as facts: names, times, links, markers, judgement.
 *
 * track/ hands over the list of a clear Certificate message (TLS <= 1.2) and keeps the pointer that
 * comes back. A distinct chain is read once; afterwards it costs a hash over the ends of its
 * certificates (their signatures) and one comparison with the kept bytes. Deliberately no
 * validator: expiry, purposes and revocation are the client's business, and its alert tells what it
 * thought. */
#include "dissect/certificate.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/table.h"
#include "base/text.h"
#include "certificate_field.h"
#include "certificate_judgement.h"
#include "dissect/push_name.h"

enum {
    CHAINS_MAX = 4096,
    CHAIN_BYTES_MAX = 32 << 20, /* of all chains kept: 4096 of the usual 4 to 8 kB */
    ANCHORS_MAX = 1024,
    PUSH_DOMAINS_MAX = 64,
    NAMES_TEXT_SIZE = 1024,
    HASHED_TAIL_SIZE = 64,
    /* A key of absurd size could cost seconds to verify with; no authority uses a longer one. */
    KEY_BITS_MAX = 8192
};

struct chain_entry {
    struct certificate_facts facts;
    uint8_t count;
    uint32_t sizes[TLS_CERTIFICATES_MAX];
    uint8_t bytes[]; /* the certificates, one after the other */
};

struct certificate_store {
    struct names *names;
    struct table table;
    struct chain_entry *entries[CHAINS_MAX];
    uint32_t count;
    size_t bytes_kept;
    X509 *anchors[ANCHORS_MAX];
    uint32_t anchor_count;
    const char *push_domains[PUSH_DOMAINS_MAX];
    size_t push_domain_count;
    ASN1_OBJECT *leaf_marker;
    ASN1_OBJECT *issuer_marker;
};

/* A chain while it is read: certificates as sent, and the path through them. */
struct chain {
    const struct tls_certificate_list *list;
    X509 *certificates[TLS_CERTIFICATES_MAX];
    uint8_t readable; /* the first so many could be parsed */
    uint8_t path[TLS_CERTIFICATES_MAX];
    struct judged_chain judged;
};

struct certificate_store *certificate_store_new(struct names *names)
{
    /* Reads no configuration file, now or later: the program may run in a sandbox by then. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    struct certificate_store *store = calloc(1, sizeof *store);
    assert(store);
    store->names = names;
    table_init(&store->table, 64);
    /* Apple's marker extensions, wire.md section 2 */
    store->leaf_marker = OBJ_txt2obj("1.2.840.113635.100.6.27.5.2", 1);
    store->issuer_marker = OBJ_txt2obj("1.2.840.113635.100.6.2.12", 1);
    assert(store->leaf_marker && store->issuer_marker);
    return store;
}

void certificate_store_free(struct certificate_store *store)
{
    if (!store)
        return;
    for (uint32_t i = 0; i < store->count; i++)
        free(store->entries[i]);
    for (uint32_t i = 0; i < store->anchor_count; i++)
        X509_free(store->anchors[i]);
    ASN1_OBJECT_free(store->leaf_marker);
    ASN1_OBJECT_free(store->issuer_marker);
    table_free(&store->table);
    free(store);
}

bool certificate_store_trust(struct certificate_store *store, const char *path, struct fault *fault)
{
    assert(store->count == 0); /* chains already judged would stay as they are */
    BIO *file = BIO_new_file(path, "r");
    if (!file) {
        int cause = errno;
        ERR_clear_error();
        return fault_set(fault, "Cannot open the trust file %s: %s. Check the name after --trust.",
                         path, strerror(cause));
    }
    uint32_t before = store->anchor_count;
    X509 *anchor;
    while (store->anchor_count < ANCHORS_MAX &&
           (anchor = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL)
        store->anchors[store->anchor_count++] = anchor;
    unsigned long error = ERR_peek_last_error();
    bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    BIO_free(file);
    if (store->anchor_count == ANCHORS_MAX)
        return fault_set(fault,
                         "The trust file %s holds %d certificates or more. Leave only those that "
                         "sign for push hosts.",
                         path, ANCHORS_MAX);
    if (store->anchor_count == before)
        return fault_set(fault,
                         "%s holds no certificate in PEM form. Give a file with one or more "
                         "\"BEGIN CERTIFICATE\" blocks after --trust.",
                         path);
    if (!at_end)
        return fault_set(fault,
                         "Certificate %u in the trust file %s is damaged. Remove or replace it.",
                         store->anchor_count - before + 1, path);
    return true;
}

void certificate_store_add_push_domain(struct certificate_store *store, const char *domain)
{
    const char *kept = names_keep(store->names, domain);
    if (kept && store->push_domain_count < PUSH_DOMAINS_MAX)
        store->push_domains[store->push_domain_count++] = kept;
}

/* -- the leaf ----------------------------------------------------------------------------- */

static const char *keep(const struct certificate_store *store, const char *text)
{
    const char *kept = names_keep(store->names, text);
    return kept ? kept : "";
}

static const char *keep_name(const struct certificate_store *store, const X509_NAME *name)
{
    char text[CERTIFICATE_NAME_SIZE];
    certificate_name_text(name, text);
    return keep(store, text);
}

static bool is_push_name(const struct certificate_store *store, const char *name)
{
    return push_name_role(name, store->push_domains, store->push_domain_count) != ROLE_UNKNOWN;
}

/* The leaf's DNS names (RFC 5280 section 4.2.1.6) as a list; true where one is a push host's. */
static bool alternative_names(const struct certificate_store *store, const X509 *leaf,
                              struct text *list)
{
    bool has_push_name = false;
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        char text[TLS_NAME_SIZE];
        const ASN1_STRING *ia5 = name->d.dNSName;
        size_t length = text_printable(text, sizeof text, ASN1_STRING_get0_data(ia5),
                                       (size_t)ASN1_STRING_length(ia5));
        /* A comma would make one name look like two; no host name holds one. */
        if (length == 0 || length == sizeof text - 1 || strchr(text, ','))
            continue;
        has_push_name |= is_push_name(store, text);
        if (list->length + length + 2 < list->size)
            text_format(list, "%s%s", list->length ? "," : "", text);
    }
    GENERAL_NAMES_free(names);
    return has_push_name;
}

/* Every CN counts: clients before RFC 2818 looked there, and boxes still write there. */
static bool common_name_is_push(const struct certificate_store *store, const X509_NAME *subject)
{
    char text[TLS_NAME_SIZE];
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) {
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
        if (certificate_string(value, text, sizeof text) < sizeof text - 1 &&
            is_push_name(store, text))
            return true;
    }
    return false;
}

static void sha256_text(const uint8_t *bytes, size_t size, char out[65])
{
    uint8_t digest[32] = {0};
    EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL);
    struct text text = text_over(out, 65);
    text_hex(&text, digest, sizeof digest);
}

/* -- the chain ------------------------------------------------------------------------------ */

static enum link_state verify_link(X509 *certificate, const X509 *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    if (!key || EVP_PKEY_get_bits(key) > KEY_BITS_MAX)
        return LINK_UNKNOWN;
    int verified = X509_verify(certificate, key);
    ERR_clear_error();
    if (verified == 1)
        return LINK_VERIFIES;
    return verified == 0 ? LINK_BROKEN : LINK_UNKNOWN;
}

static bool is_issued_by(const X509 *certificate, const X509 *issuer)
{
    return X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) == 0;
}

static bool is_self_issued(const X509 *certificate)
{
    return is_issued_by(certificate, certificate);
}

/* The sent certificate that issued this one: one whose key fits, else one whose name does. TLS 1.2
 * wants them in order (RFC 5246 section 7.4.2), servers do not always oblige. */
static bool find_issuer(const struct chain *chain, uint32_t used, uint8_t of, uint8_t *issuer,
                        enum link_state *link)
{
    bool found = false;
    for (uint8_t i = 1; i < chain->readable; i++) {
        if (used >> i & 1 || !is_issued_by(chain->certificates[of], chain->certificates[i]))
            continue;
        enum link_state state = verify_link(chain->certificates[of], chain->certificates[i]);
        if (found && state != LINK_VERIFIES)
            continue;
        found = true;
        *issuer = i;
        *link = state;
        if (state == LINK_VERIFIES)
            break;
    }
    return found;
}

static void judge_one(const struct certificate_store *store, const struct chain *chain, uint8_t at,
                      struct judged_certificate *judged)
{
    const X509 *certificate = chain->certificates[at];
    const ASN1_OBJECT *marker = at == 0 ? store->leaf_marker : store->issuer_marker;
    judged->subject = certificate_judged_name(X509_get_subject_name(certificate));
    judged->issuer = certificate_judged_name(X509_get_issuer_name(certificate));
    judged->is_self_issued = is_self_issued(certificate);
    judged->has_marker = X509_get_ext_by_OBJ(certificate, marker, -1) >= 0;
    judged->link = LINK_NONE;
    sha256_text(chain->list->certificates[at].der, chain->list->certificates[at].size,
                judged->sha256);
}

static void walk_path(const struct certificate_store *store, struct chain *chain)
{
    struct judged_chain *judged = &chain->judged;
    uint32_t used = 1;
    uint8_t at = 0;
    for (;;) {
        struct judged_certificate *here = &judged->certificates[judged->count];
        judge_one(store, chain, at, here);
        chain->path[judged->count++] = at;
        if (here->is_self_issued || !find_issuer(chain, used, at, &at, &here->link))
            return;
        used |= 1u << at;
    }
}

static bool links_verify(const struct judged_chain *judged)
{
    for (uint8_t i = 0; i + 1 < judged->count; i++)
        if (judged->certificates[i].link != LINK_VERIFIES)
            return false;
    return true;
}

/* An anchor is in the path, or its key signed a certificate of it, and all below verifies. */
static bool is_under_anchor(const struct certificate_store *store, const struct chain *chain)
{
    for (uint8_t i = 0; i < chain->judged.count; i++) {
        X509 *certificate = chain->certificates[chain->path[i]];
        for (uint32_t a = 0; a < store->anchor_count; a++) {
            const X509 *anchor = store->anchors[a];
            if (X509_cmp(certificate, anchor) == 0)
                return true;
            if (is_issued_by(certificate, anchor) &&
                verify_link(certificate, anchor) == LINK_VERIFIES)
                return true;
        }
        if (chain->judged.certificates[i].link != LINK_VERIFIES)
            return false;
    }
    return false;
}

static void parse_list(struct chain *chain)
{
    for (uint8_t i = 0; i < chain->list->count; i++) {
        const unsigned char *der = chain->list->certificates[i].der;
        X509 *certificate = d2i_X509(NULL, &der, (long)chain->list->certificates[i].size);
        if (!certificate)
            break;
        chain->certificates[chain->readable++] = certificate;
    }
    ERR_clear_error();
}

static void read_leaf(const struct certificate_store *store, struct chain *chain,
                      struct certificate_facts *facts)
{
    const X509 *leaf = chain->certificates[0];
    const X509 *last = chain->certificates[chain->readable - 1];
    char list[NAMES_TEXT_SIZE];
    struct text names = text_over(list, sizeof list);
    facts->names_push_host = alternative_names(store, leaf, &names);
    facts->names_push_host |= common_name_is_push(store, X509_get_subject_name(leaf));
    facts->names = keep(store, list);
    facts->subject = keep_name(store, X509_get_subject_name(leaf));
    facts->issuer = keep_name(store, X509_get_issuer_name(leaf));
    facts->top_issuer = keep_name(store, X509_get_issuer_name(last));
    facts->not_before_ns = certificate_time_ns(X509_get0_notBefore(leaf));
    facts->not_after_ns = certificate_time_ns(X509_get0_notAfter(leaf));
}

static void examine(const struct certificate_store *store, const struct tls_certificate_list *list,
                    struct certificate_facts *facts)
{
    struct chain chain = {.list = list};
    parse_list(&chain);
    *facts = (struct certificate_facts){.subject = "",
                                        .issuer = "",
                                        .issuer_common_name = "",
                                        .top_issuer = "",
                                        .names = "",
                                        .not_before_ns = TIME_UNKNOWN,
                                        .not_after_ns = TIME_UNKNOWN,
                                        .chain_length = list->count};
    sha256_text(list->certificates[0].der, list->certificates[0].size, facts->sha256);
    if (chain.readable > 0) {
        read_leaf(store, &chain, facts);
        walk_path(store, &chain);
        facts->issuer_common_name = keep(store, chain.judged.certificates[0].issuer.common_name);
        facts->links_verify = links_verify(&chain.judged);
        for (uint8_t i = 0; i < chain.judged.count; i++)
            facts->has_apple_markers |= chain.judged.certificates[i].has_marker;
        chain.judged.names_push_host = facts->names_push_host;
        chain.judged.under_trusted_anchor = is_under_anchor(store, &chain);
    }
    facts->judgement = certificate_judge(&chain.judged);
    for (uint8_t i = 0; i < chain.readable; i++)
        X509_free(chain.certificates[i]);
    ERR_clear_error();
}

/* -- kept chains ---------------------------------------------------------------------------- */

/* Sizes and last bytes tell chains apart: a certificate ends with its signature. */
static uint64_t list_hash(const struct tls_certificate_list *list)
{
    uint64_t hash = list->count;
    for (uint8_t i = 0; i < list->count; i++) {
        uint32_t size = list->certificates[i].size;
        uint32_t tail = size < HASHED_TAIL_SIZE ? size : HASHED_TAIL_SIZE;
        hash = hash_bytes(list->certificates[i].der + size - tail, tail, hash + size);
    }
    return hash;
}

static bool same_list(const void *context, uint32_t item, const void *key)
{
    const struct certificate_store *store = context;
    const struct tls_certificate_list *list = key;
    const struct chain_entry *entry = store->entries[item];
    const uint8_t *kept = entry->bytes;
    if (entry->count != list->count)
        return false;
    for (uint8_t i = 0; i < list->count; i++) {
        if (entry->sizes[i] != list->certificates[i].size ||
            memcmp(kept, list->certificates[i].der, entry->sizes[i]) != 0)
            return false;
        kept += entry->sizes[i];
    }
    return true;
}

static struct chain_entry *entry_new(const struct tls_certificate_list *list, size_t size)
{
    struct chain_entry *entry = malloc(sizeof *entry + size);
    if (!entry)
        return NULL;
    uint8_t *at = entry->bytes;
    entry->count = list->count;
    for (uint8_t i = 0; i < list->count; i++) {
        entry->sizes[i] = list->certificates[i].size;
        memcpy(at, list->certificates[i].der, entry->sizes[i]);
        at += entry->sizes[i];
    }
    return entry;
}

const struct certificate_facts *certificate_examine(struct certificate_store *store,
                                                    const struct tls_certificate_list *list)
{
    assert(list->count <= TLS_CERTIFICATES_MAX);
    if (list->count == 0)
        return NULL;
    uint64_t hash = list_hash(list);
    uint32_t item = table_find(&store->table, hash, same_list, store, list);
    if (item != TABLE_NONE)
        return &store->entries[item]->facts;

    size_t size = 0;
    for (uint8_t i = 0; i < list->count; i++)
        size += list->certificates[i].size;
    if (store->count == CHAINS_MAX || size > CHAIN_BYTES_MAX - store->bytes_kept)
        return NULL;
    struct chain_entry *entry = entry_new(list, size);
    if (!entry)
        return NULL;
    examine(store, list, &entry->facts);
    store->bytes_kept += size;
    store->entries[store->count] = entry;
    table_insert(&store->table, hash, store->count++);
    return &entry->facts;
}
