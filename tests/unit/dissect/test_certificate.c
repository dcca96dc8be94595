/* Tests of dissect/certificate.c: chains made here by libcrypto, and real ones from captures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/reader.h"
#include "dissect/certificate.h"
#include "dissect/dissect.h"

enum { MADE_MAX = 4, FILE_MAX = 2 << 20 };

struct made {
    X509 *certificate;
    EVP_PKEY *key;
};

struct site {
    struct names *names;
    struct certificate_store *store;
    struct made made[MADE_MAX];
    unsigned made_count;
    uint8_t *der[MADE_MAX];
    struct tls_certificate_list list;
};

static void site_open(struct site *site)
{
    *site = (struct site){.names = names_new(1 << 20)};
    site->store = certificate_store_new(site->names);
}

static void site_close(struct site *site)
{
    certificate_store_free(site->store);
    names_free(site->names);
    for (unsigned i = 0; i < site->made_count; i++) {
        X509_free(site->made[i].certificate);
        EVP_PKEY_free(site->made[i].key);
    }
    for (unsigned i = 0; i < MADE_MAX; i++)
        OPENSSL_free(site->der[i]);
}

/* "CN=a,O=b" in that order into the name. */
static void set_name(X509_NAME *name, const char *text)
{
    char copy[256], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *part = strtok_r(copy, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
        char *equals = strchr(part, '=');
        *equals = '\0';
        assert_true(X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8,
                                               (const unsigned char *)equals + 1, -1, -1, 0));
    }
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_true(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

static void add_marker(X509 *certificate, const char *oid)
{
    static const unsigned char null_value[] = {5, 0};
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(value, null_value, sizeof null_value);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
    assert_true(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}

/* Issues a certificate; by itself where `issuer` is NULL. `names`: subjectAltName or NULL. */
static struct made *make(struct site *site, const char *subject, const struct made *issuer,
                         const char *names, const char *marker)
{
    struct made *made = &site->made[site->made_count++];
    assert_true(site->made_count <= MADE_MAX);
    made->key = EVP_EC_gen("P-256");
    made->certificate = X509_new();
    X509 *certificate = made->certificate;
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), site->made_count);
    ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20260101000000Z");
    ASN1_TIME_set_string(X509_getm_notAfter(certificate), "20270101000000Z");
    set_name(X509_get_subject_name(certificate), subject);
    X509_set_issuer_name(certificate,
                         X509_get_subject_name(issuer ? issuer->certificate : certificate));
    X509_set_pubkey(certificate, made->key);
    if (names)
        add_extension(certificate, NID_subject_alt_name, names);
    if (marker)
        add_marker(certificate, marker);
    assert_true(X509_sign(certificate, issuer ? issuer->key : made->key, EVP_sha256()) > 0);
    return made;
}

static void send_certificate(struct site *site, const struct made *made)
{
    unsigned at = site->list.count++;
    int size = i2d_X509(made->certificate, &site->der[at]);
    assert_true(size > 0);
    site->list.certificates[at].der = site->der[at];
    site->list.certificates[at].size = (uint32_t)size;
}

static const char leaf_marker[] = "1.2.840.113635.100.6.27.5.2";
static const char issuer_marker[] = "1.2.840.113635.100.6.2.12";

/* Root, intermediate and leaf as Apple names them, by keys that are not Apple's. */
static void make_apple_chain(struct site *site)
{
    const struct made *root =
        make(site, "C=US,O=Apple Inc.,OU=Apple Certification Authority,CN=Apple Root CA", NULL,
             NULL, NULL);
    const struct made *issuer =
        make(site, "CN=Apple Server Authentication CA,OU=Certification Authority,O=Apple Inc.,C=US",
             root, NULL, issuer_marker);
    make(site, "CN=courier.push.apple.com,O=Apple Inc.,ST=California,C=US", issuer,
         "DNS:courier.push.apple.com,DNS:*.push.apple.com", leaf_marker);
}

static char *write_pem(const X509 *certificate)
{
    char *path = strdup("/tmp/apnscope-test-XXXXXX");
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "w");
    if (certificate)
        assert_true(PEM_write_X509(file, certificate));
    else
        fputs("no certificate at all\n", file);
    fclose(file);
    return path;
}

static void a_chain_in_apples_names_gives_its_facts(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    make_apple_chain(&site);
    send_certificate(&site, &site.made[2]);
    send_certificate(&site, &site.made[1]);
    const struct certificate_facts *facts = certificate_examine(site.store, &site.list);
    assert_non_null(facts);
    assert_string_equal(facts->subject,
                        "CN=courier.push.apple.com,O=Apple Inc.,ST=California,C=US");
    assert_string_equal(
        facts->issuer,
        "CN=Apple Server Authentication CA,OU=Certification Authority,O=Apple Inc.,C=US");
    assert_string_equal(facts->issuer_common_name, "Apple Server Authentication CA");
    assert_string_equal(facts->top_issuer,
                        "CN=Apple Root CA,OU=Apple Certification Authority,O=Apple Inc.,C=US");
    assert_string_equal(facts->names, "courier.push.apple.com,*.push.apple.com");
    assert_int_equal(strlen(facts->sha256), 64);
    assert_true(facts->not_before_ns == INT64_C(1767225600) * NS_PER_S);
    assert_true(facts->not_after_ns == INT64_C(1798761600) * NS_PER_S);
    assert_int_equal(facts->chain_length, 2);
    assert_true(facts->names_push_host);
    assert_true(facts->links_verify);
    assert_true(facts->has_apple_markers);
    assert_int_equal(facts->judgement, CHAIN_APPLE);
    site_close(&site);
}

static void times_are_read_over_leap_years_and_centuries(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } times[] = {
        {"19700101000000Z", 0},
        {"19691231235959Z", -1},
        {"20000229120000Z", 951825600},
        {"20240301000000Z", 1709251200},
        {"20240228235959Z", 1709164799},
        {"21000301000000Z", INT64_C(4107542400)},
        {"19000101000000Z", INT64_C(-2208988800)},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct site site;
        site_open(&site);
        struct made *made = make(&site, "CN=x", NULL, NULL, NULL);
        ASN1_TIME_set_string(X509_getm_notBefore(made->certificate), times[i].text);
        ASN1_TIME_set_string(X509_getm_notAfter(made->certificate), "99991231235959Z");
        assert_true(X509_sign(made->certificate, made->key, EVP_sha256()) > 0);
        send_certificate(&site, made);
        const struct certificate_facts *facts = certificate_examine(site.store, &site.list);
        assert_true(facts->not_before_ns == times[i].seconds * NS_PER_S);
        assert_true(facts->not_after_ns == TIME_UNKNOWN);
        site_close(&site);
    }
}

static void a_root_that_only_calls_itself_apples_is_foreign(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    make_apple_chain(&site);
    send_certificate(&site, &site.made[2]);
    send_certificate(&site, &site.made[1]);
    send_certificate(&site, &site.made[0]);
    const struct certificate_facts *facts = certificate_examine(site.store, &site.list);
    assert_true(facts->links_verify);
    assert_int_equal(facts->judgement, CHAIN_FOREIGN);
    site_close(&site);
}

static void a_chain_under_a_trusted_anchor_is_trusted(void **state)
{
    (void)state;
    for (unsigned sent = 1; sent <= 3; sent++) {
        struct site site;
        site_open(&site);
        const struct made *root = make(&site, "CN=Corporate Root,O=Example", NULL, NULL, NULL);
        const struct made *issuer = make(&site, "CN=Inspection,O=Example", root, NULL, NULL);
        make(&site, "CN=courier.push.apple.com", issuer, "DNS:courier.push.apple.com", NULL);
        char *path = write_pem(sent == 1 ? issuer->certificate : root->certificate);
        struct fault fault = {""};
        assert_true(certificate_store_trust(site.store, path, &fault));
        for (unsigned i = 0; i < sent; i++)
            send_certificate(&site, &site.made[2 - i]);
        assert_int_equal(certificate_examine(site.store, &site.list)->judgement, CHAIN_TRUSTED);
        unlink(path);
        free(path);
        site_close(&site);
    }
}

static void an_anchor_of_the_same_name_but_another_key_is_not_enough(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    const struct made *root = make(&site, "CN=Corporate Root,O=Example", NULL, NULL, NULL);
    const struct made *twin = make(&site, "CN=Corporate Root,O=Example", NULL, NULL, NULL);
    make(&site, "CN=courier.push.apple.com", root, "DNS:courier.push.apple.com", NULL);
    char *path = write_pem(twin->certificate);
    struct fault fault = {""};
    assert_true(certificate_store_trust(site.store, path, &fault));
    send_certificate(&site, &site.made[2]);
    assert_int_equal(certificate_examine(site.store, &site.list)->judgement, CHAIN_FOREIGN);
    unlink(path);
    free(path);
    site_close(&site);
}

static void a_trust_file_without_certificates_is_a_fault(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    struct fault fault = {""};
    assert_false(certificate_store_trust(site.store, "/nonexistent/anchors.pem", &fault));
    assert_non_null(strstr(fault.sentence, "/nonexistent/anchors.pem"));
    assert_non_null(strstr(fault.sentence, "No such file"));
    char *path = write_pem(NULL);
    fault.sentence[0] = '\0';
    assert_false(certificate_store_trust(site.store, path, &fault));
    assert_non_null(strstr(fault.sentence, "no certificate"));
    unlink(path);
    free(path);
    site_close(&site);
}

static void a_broken_block_in_a_trust_file_is_a_fault(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    const struct made *root = make(&site, "CN=Corporate Root,O=Example", NULL, NULL, NULL);
    char *path = write_pem(root->certificate);
    FILE *file = fopen(path, "a");
    fputs("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", file);
    fclose(file);
    struct fault fault = {""};
    assert_false(certificate_store_trust(site.store, path, &fault));
    assert_non_null(strstr(fault.sentence, "Certificate 2"));
    unlink(path);
    free(path);
    site_close(&site);
}

static void a_leaf_that_is_its_own_issuer_is_self_signed(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    make(&site, "CN=1-courier.push.apple.com,O=Apple Inc.", NULL, NULL, NULL);
    send_certificate(&site, &site.made[0]);
    const struct certificate_facts *facts = certificate_examine(site.store, &site.list);
    assert_int_equal(facts->judgement, CHAIN_SELF_SIGNED);
    assert_true(facts->names_push_host); /* by its CN alone */
    assert_string_equal(facts->names, "");
    site_close(&site);
}

static void a_wrong_signature_is_noticed(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    make_apple_chain(&site);
    make(&site, "CN=Apple Server Authentication CA,OU=Certification Authority,O=Apple Inc.,C=US",
         &site.made[0], NULL, issuer_marker); /* the same name, another key */
    send_certificate(&site, &site.made[2]);
    send_certificate(&site, &site.made[3]);
    const struct certificate_facts *facts = certificate_examine(site.store, &site.list);
    assert_false(facts->links_verify);
    assert_int_equal(facts->judgement, CHAIN_FOREIGN);
    site_close(&site);
}

static void the_order_of_issuers_does_not_matter(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    const struct made *root = make(&site, "CN=R,O=Example", NULL, NULL, NULL);
    const struct made *issuer = make(&site, "CN=I,O=Example", root, NULL, NULL);
    make(&site, "CN=host.example", issuer, NULL, NULL);
    send_certificate(&site, &site.made[2]);
    send_certificate(&site, &site.made[0]);
    send_certificate(&site, &site.made[1]);
    const struct certificate_facts *facts = certificate_examine(site.store, &site.list);
    assert_true(facts->links_verify);
    assert_int_equal(facts->judgement, CHAIN_OTHER_HOST);
    site_close(&site);
}

static void hostile_names_are_made_safe_and_name_nothing(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    struct made *box = make(&site, "CN=Box,O=Example", NULL, NULL, NULL);
    const char organization[] = {'O', '=', 0x1b, '[', '3', '1', 'm', '\xe2', '\x80', '\xae', '\0'};
    struct made *leaf = make(&site, organization, box, NULL, NULL);
    X509_NAME_add_entry_by_NID(
        X509_get_subject_name(leaf->certificate), NID_commonName, V_ASN1_UTF8STRING,
        (const unsigned char *)"courier.push.apple.com\0.evil.example", 36, -1, 0);
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    static const char *const hostile[] = {"a,courier.push.apple.com", "ok.example",
                                          "courier.push.apple.com\x01"};
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *value = ASN1_IA5STRING_new();
        ASN1_STRING_set(value, hostile[i], -1);
        GENERAL_NAME_set0_value(name, GEN_DNS, value);
        sk_GENERAL_NAME_push(names, name);
    }
    assert_true(X509_add1_ext_i2d(leaf->certificate, NID_subject_alt_name, names, 0, 0));
    GENERAL_NAMES_free(names);
    assert_true(X509_sign(leaf->certificate, box->key, EVP_sha256()) > 0);
    send_certificate(&site, leaf);
    const struct certificate_facts *facts = certificate_examine(site.store, &site.list);
    assert_false(facts->names_push_host);
    assert_int_equal(facts->judgement, CHAIN_OTHER_HOST);
    assert_string_equal(facts->names, "ok.example,courier.push.apple.com\\x01");
    for (const char *at = facts->subject; *at; at++)
        assert_true((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f);
    assert_ptr_equal(strstr(facts->subject, "CN="), facts->subject);
    site_close(&site);
}

static void names_of_the_user_count_as_push_hosts(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    certificate_store_add_push_domain(site.store, "push.example.com");
    const struct made *box = make(&site, "CN=Box,O=Example", NULL, NULL, NULL);
    send_certificate(&site, make(&site, "CN=x", box, "DNS:7-courier.push.example.com", NULL));
    assert_int_equal(certificate_examine(site.store, &site.list)->judgement, CHAIN_FOREIGN);
    site_close(&site);
}

static void a_chain_seen_again_is_the_same_facts(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    make_apple_chain(&site);
    send_certificate(&site, &site.made[2]);
    send_certificate(&site, &site.made[1]);
    const struct certificate_facts *first = certificate_examine(site.store, &site.list);
    assert_ptr_equal(certificate_examine(site.store, &site.list), first);
    /* one byte before the signature: another chain */
    uint8_t *changed = site.der[0] + 40;
    *changed ^= 1;
    const struct certificate_facts *second = certificate_examine(site.store, &site.list);
    assert_ptr_not_equal(second, first);
    *changed ^= 1;
    assert_ptr_equal(certificate_examine(site.store, &site.list), first);
    site.list.count = 1;
    assert_ptr_not_equal(certificate_examine(site.store, &site.list), first);
    site_close(&site);
}

static void bytes_that_are_no_certificate_cannot_be_told(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    make_apple_chain(&site);
    send_certificate(&site, &site.made[2]);
    send_certificate(&site, &site.made[1]);
    uint32_t whole = site.list.certificates[0].size;
    for (uint32_t size = 0; size < whole; size += 7) {
        site.list.certificates[0].size = size;
        const struct certificate_facts *facts = certificate_examine(site.store, &site.list);
        assert_int_equal(facts->judgement, CHAIN_CANNOT_TELL);
        assert_string_equal(facts->subject, "");
        assert_true(facts->not_before_ns == TIME_UNKNOWN);
    }
    site.list.count = 0;
    assert_null(certificate_examine(site.store, &site.list));
    site_close(&site);
}

static void a_full_store_refuses_new_chains_and_keeps_the_old(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    uint8_t bytes[4] = {0};
    site.list.count = 1;
    site.list.certificates[0].der = bytes;
    site.list.certificates[0].size = sizeof bytes;
    const struct certificate_facts *first = certificate_examine(site.store, &site.list);
    for (unsigned i = 1; i < 4096; i++) {
        memcpy(bytes, &i, sizeof bytes);
        assert_non_null(certificate_examine(site.store, &site.list));
    }
    memset(bytes, 0xff, sizeof bytes);
    assert_null(certificate_examine(site.store, &site.list));
    memset(bytes, 0, sizeof bytes);
    assert_ptr_equal(certificate_examine(site.store, &site.list), first);
    site_close(&site);
}

/* -- real captures ---------------------------------------------------------------------------- */

struct capture {
    struct certificate_store *store;
    const struct certificate_facts *facts; /* of the first chain */
};

static void on_item(void *context, const struct tls_item *item)
{
    struct capture *capture = context;
    if (item->kind == TLS_ITEM_CERTIFICATE && !capture->facts)
        capture->facts = certificate_examine(capture->store, item->certificates);
}

static uint8_t *load_shared(const char *name, size_t *size)
{
    const char *folder = getenv("APNSCOPE_SHARED_PCAPS");
    char path[512];
    if (folder)
        snprintf(path, sizeof path, "%s/%s", folder, name);
    else
        snprintf(path, sizeof path, "%s/../shared/pcaps/%s", TEST_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    uint8_t *bytes = test_malloc(FILE_MAX);
    *size = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return bytes;
}

/* The first chain that the given server port sends in a classic little-endian pcap file. */
static const struct certificate_facts *first_chain(struct site *site, const char *name,
                                                   uint16_t server_port)
{
    size_t size = 0;
    uint8_t *bytes = load_shared(name, &size);
    if (!bytes) {
        print_message("no %s; set APNSCOPE_SHARED_PCAPS\n", name);
        site_close(site);
        skip();
    }
    struct capture capture = {.store = site->store};
    struct tls_buffers *buffers = tls_buffers_new(1 << 20);
    struct tls_stream stream = {0};
    struct reader reader = reader_over(bytes, size);
    reader_skip(&reader, 20);
    uint16_t link_type = (uint16_t)reader_u32_le(&reader);
    uint16_t client_port = 0;
    uint32_t next = 0;
    while (reader_left(&reader) > 16 && !capture.facts) {
        reader_skip(&reader, 8);
        uint32_t captured = reader_u32_le(&reader);
        struct frame frame = {.captured_size = captured, .link_type = link_type};
        frame.original_size = reader_u32_le(&reader);
        frame.bytes = reader_bytes(&reader, captured);
        struct packet packet;
        if (!frame.bytes || dissect_frame(&frame, &packet) != SKIP_NONE ||
            packet.kind != PACKET_TCP || packet.source_port != server_port)
            continue;
        if (packet.tcp_flags & TCP_SYN) {
            client_port = packet.destination_port;
            next = packet.sequence + 1;
            tls_close(&stream, buffers);
            stream = (struct tls_stream){0};
        } else if (packet.destination_port == client_port && packet.sequence == next) {
            tls_feed(&stream, buffers, packet.payload, packet.payload_captured, on_item, &capture);
            next += packet.payload_size;
        }
    }
    tls_close(&stream, buffers);
    tls_buffers_free(buffers);
    test_free(bytes);
    return capture.facts;
}

static void apples_own_courier_is_apple(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    const struct certificate_facts *facts =
        first_chain(&site, "apns/apple-radar-33413692.pcap", 5223);
    assert_non_null(facts);
    assert_int_equal(facts->judgement, CHAIN_APPLE);
    assert_string_equal(facts->subject, "CN=courier.push.apple.com,OU=APNS SRE,O=Apple Inc.,C=US");
    assert_string_equal(facts->issuer_common_name, "Apple Server Authentication CA");
    assert_int_equal(facts->chain_length, 3);
    assert_true(facts->links_verify);
    assert_true(facts->has_apple_markers);
    assert_true(facts->names_push_host);
    site_close(&site);
}

static void apples_other_hosts_are_apple_public(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    const struct certificate_facts *facts = first_chain(&site, "apns/suricata-tls-alpn.pcap", 443);
    assert_non_null(facts);
    assert_int_equal(facts->judgement, CHAIN_APPLE_PUBLIC);
    assert_false(facts->names_push_host);
    assert_true(facts->links_verify);
    site_close(&site);
}

static void a_web_gateways_block_page_is_another_host(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    const struct certificate_facts *facts =
        first_chain(&site, "proxy/cisco-umbrella-intercept.pcap", 443);
    assert_non_null(facts);
    assert_int_equal(facts->judgement, CHAIN_OTHER_HOST);
    assert_non_null(strstr(facts->issuer, "Cisco Umbrella"));
    site_close(&site);
}

static void a_gateways_default_certificate_is_another_host(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    const struct certificate_facts *facts =
        first_chain(&site, "proxy/fortigate-selfsigned-sslvpn.pcap", 10443);
    assert_non_null(facts);
    assert_int_equal(facts->judgement, CHAIN_OTHER_HOST);
    assert_false(facts->names_push_host);
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_in_apples_names_gives_its_facts),
        cmocka_unit_test(times_are_read_over_leap_years_and_centuries),
        cmocka_unit_test(a_root_that_only_calls_itself_apples_is_foreign),
        cmocka_unit_test(a_chain_under_a_trusted_anchor_is_trusted),
        cmocka_unit_test(an_anchor_of_the_same_name_but_another_key_is_not_enough),
        cmocka_unit_test(a_trust_file_without_certificates_is_a_fault),
        cmocka_unit_test(a_broken_block_in_a_trust_file_is_a_fault),
        cmocka_unit_test(a_leaf_that_is_its_own_issuer_is_self_signed),
        cmocka_unit_test(a_wrong_signature_is_noticed),
        cmocka_unit_test(the_order_of_issuers_does_not_matter),
        cmocka_unit_test(hostile_names_are_made_safe_and_name_nothing),
        cmocka_unit_test(names_of_the_user_count_as_push_hosts),
        cmocka_unit_test(a_chain_seen_again_is_the_same_facts),
        cmocka_unit_test(bytes_that_are_no_certificate_cannot_be_told),
        cmocka_unit_test(a_full_store_refuses_new_chains_and_keeps_the_old),
        cmocka_unit_test(apples_own_courier_is_apple),
        cmocka_unit_test(apples_other_hosts_are_apple_public),
        cmocka_unit_test(a_web_gateways_block_page_is_another_host),
        cmocka_unit_test(a_gateways_default_certificate_is_another_host),
    };
    return cmocka_run_group_tests_name("dissect/certificate", tests, NULL, NULL);
}
