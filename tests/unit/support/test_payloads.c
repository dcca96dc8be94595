/* TLS, certificates and DNS as scenarios send them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/reader.h"
#include "tests/support/certificate_payload.h"
#include "tests/support/dns_payload.h"
#include "tests/support/tls_payload.h"

static const struct client_hello plain_hello = {
    .sni = "courier.push.apple.com", .alpn = "apns-security-v3,apns-pack-v1", .versions = "1.3"};

/* Every length field of the hello leads exactly to the end of what it counts. */
static void a_client_hello_is_read_to_its_last_byte(void **state)
{
    struct bytes out = {0};
    (void)state;
    payload_client_hello(&out, &plain_hello);
    struct reader reader = reader_over(out.at, out.size);
    assert_int_equal(reader_u8(&reader), 22);
    assert_int_equal(reader_u16(&reader), 0x0301);
    struct reader record = reader_take(&reader, reader_u16(&reader));
    assert_int_equal(reader_left(&reader), 0);
    assert_int_equal(reader_u8(&record), 1);
    struct reader hello = reader_take(&record, reader_u24(&record));
    assert_int_equal(reader_left(&record), 0);
    reader_skip(&hello, 34);
    reader_skip(&hello, reader_u8(&hello));
    reader_skip(&hello, reader_u16(&hello));
    reader_skip(&hello, reader_u8(&hello));
    struct reader extensions = reader_take(&hello, reader_u16(&hello));
    assert_int_equal(reader_left(&hello), 0);
    size_t count = 0;
    for (; reader_left(&extensions) > 0; count++) {
        reader_skip(&extensions, 2);
        reader_skip(&extensions, reader_u16(&extensions));
    }
    assert_false(extensions.failed || hello.failed);
    assert_in_range(count, 10, 20);
    assert_non_null(memmem(out.at, out.size, "courier.push.apple.com", 22));
    assert_non_null(memmem(out.at, out.size,
                           "\x10"
                           "apns-security-v3\x0c"
                           "apns-pack-v1",
                           30));
    bytes_free(&out);
}

static void a_post_quantum_hello_needs_more_than_one_segment(void **state)
{
    struct client_hello hello = plain_hello;
    struct bytes small = {0};
    struct bytes large = {0};
    (void)state;
    payload_client_hello(&small, &hello);
    hello.post_quantum = true;
    payload_client_hello(&large, &hello);
    assert_in_range(small.size, 200, 600);
    assert_in_range(large.size, 1461, 2000);
    bytes_free(&small);
    bytes_free(&large);
}

static void padding_gives_exactly_the_wanted_size(void **state)
{
    struct client_hello hello = plain_hello;
    (void)state;
    for (int psk = 0; psk <= 1; psk++) {
        struct bytes out = {0};
        hello.at_least = 1500;
        hello.resumes = psk;
        payload_client_hello(&out, &hello);
        assert_int_equal(out.size, 1500 + 5); /* message and record header */
        bytes_free(&out);
    }
}

static void application_data_has_the_size_asked_for_on_the_wire(void **state)
{
    (void)state;
    for (size_t size = 6; size < 70000; size += size < 100 || (size % 16389 > 16370) ? 1 : 13) {
        struct bytes out = {0};
        payload_application_data(&out, size, 1);
        assert_int_equal(out.size, size);
        struct reader reader = reader_over(out.at, out.size);
        while (reader_left(&reader) > 0) {
            assert_int_equal(reader_u8(&reader), 23);
            assert_int_equal(reader_u16(&reader), 0x0303);
            reader_skip(&reader, reader_u16(&reader));
        }
        assert_false(reader.failed);
        bytes_free(&out);
    }
}

/* Reads the certificates of the message at the start of `record`. */
static size_t read_chain(const struct bytes *record, X509 *chain[4])
{
    size_t count = 0;
    struct reader reader = reader_over(record->at, record->size);
    reader_skip(&reader, 9);
    struct reader list = reader_take(&reader, reader_u24(&reader));
    while (reader_left(&list) > 0 && count < 4) {
        uint32_t size = reader_u24(&list);
        const unsigned char *der = reader_bytes(&list, size);
        chain[count] = d2i_X509(NULL, &der, (long)size);
        assert_non_null(chain[count++]);
    }
    assert_false(list.failed || reader.failed);
    return count;
}

static struct certificate_chain example_chain(void)
{
    return (struct certificate_chain){.subject = "CN=courier.push.apple.com,O=Apple Inc.,C=US",
                                      .issuer = "CN=Some CA,O=Apple Inc.,C=US",
                                      .root = "CN=Some Root,C=US",
                                      .dns_names = "courier.push.apple.com,*.push.apple.com",
                                      .has_markers = true,
                                      .not_before_s = 1700000000,
                                      .not_after_s = 1800000000};
}

static void a_chain_verifies_link_by_link(void **state)
{
    struct certificate_chain wanted = example_chain();
    struct bytes out = {0};
    X509 *chain[4];
    (void)state;
    wanted.sends_root = true;
    assert_true(payload_certificate(&out, &wanted));
    assert_int_equal(read_chain(&out, chain), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(X509_verify(chain[i], X509_get0_pubkey(chain[i < 2 ? i + 1 : 2])), 1);
    char name[256];
    BIO *text = BIO_new(BIO_s_mem());
    X509_NAME_print_ex(text, X509_get_subject_name(chain[0]), 0, XN_FLAG_RFC2253);
    assert_true(BIO_gets(text, name, sizeof name) > 0);
    assert_string_equal(name, wanted.subject);
    BIO_free(text);
    assert_int_equal(X509_check_host(chain[0], "36-courier.push.apple.com", 0, 0, NULL), 1);
    for (int i = 0; i < 3; i++)
        X509_free(chain[i]);
    bytes_free(&out);
}

static void a_broken_link_does_not_verify(void **state)
{
    struct certificate_chain wanted = example_chain();
    struct bytes out = {0};
    X509 *chain[4];
    (void)state;
    wanted.has_broken_link = true;
    assert_true(payload_certificate(&out, &wanted));
    assert_int_equal(read_chain(&out, chain), 2);
    assert_int_not_equal(X509_verify(chain[0], X509_get0_pubkey(chain[1])), 1);
    X509_free(chain[0]);
    X509_free(chain[1]);
    bytes_free(&out);
}

static void a_chain_has_the_same_bytes_each_time(void **state)
{
    struct certificate_chain wanted = example_chain();
    struct bytes once = {0};
    struct bytes twice = {0};
    (void)state;
    assert_true(payload_certificate(&once, &wanted));
    assert_true(payload_certificate(&twice, &wanted));
    assert_int_equal(once.size, twice.size);
    assert_memory_equal(once.at, twice.at, once.size);
    bytes_free(&once);
    bytes_free(&twice);
}

static void a_name_that_is_none_makes_no_certificate(void **state)
{
    struct certificate_chain wanted = example_chain();
    struct bytes out = {0};
    (void)state;
    wanted.subject = "courier.push.apple.com";
    assert_false(payload_certificate(&out, &wanted));
    assert_int_equal(out.size, 0);
    bytes_free(&out);
}

static void a_dns_answer_counts_its_records(void **state)
{
    struct dns_answer answer = {.id = 9,
                                .name = "1-courier.push.apple.com",
                                .type = 1,
                                .record_ttl_s = 30,
                                .cname = "a.example,b.example",
                                .address_count = 2};
    struct bytes out = {0};
    (void)state;
    assert_true(address_parse("17.0.0.1", &answer.addresses[0]));
    assert_true(address_parse("17.0.0.2", &answer.addresses[1]));
    payload_dns_response(&out, &answer);
    struct reader reader = reader_over(out.at, out.size);
    assert_int_equal(reader_u16(&reader), 9);
    assert_int_equal(reader_u16(&reader), 0x8180);
    assert_int_equal(reader_u16(&reader), 1);
    assert_int_equal(reader_u16(&reader), 4);
    reader_skip(&reader, 4 + 26 + 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(reader_u16(&reader) >> 14, 3);
        assert_int_equal(reader_u16(&reader), i < 2 ? 5 : 1);
        reader_skip(&reader, 6);
        reader_skip(&reader, reader_u16(&reader));
    }
    assert_int_equal(reader_left(&reader), 0);
    assert_false(reader.failed);
    bytes_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_hello_is_read_to_its_last_byte),
        cmocka_unit_test(a_post_quantum_hello_needs_more_than_one_segment),
        cmocka_unit_test(padding_gives_exactly_the_wanted_size),
        cmocka_unit_test(application_data_has_the_size_asked_for_on_the_wire),
        cmocka_unit_test(a_chain_verifies_link_by_link),
        cmocka_unit_test(a_broken_link_does_not_verify),
        cmocka_unit_test(a_chain_has_the_same_bytes_each_time),
        cmocka_unit_test(a_name_that_is_none_makes_no_certificate),
        cmocka_unit_test(a_dns_answer_counts_its_records),
    };
    return cmocka_run_group_tests_name("support payloads", tests, NULL, NULL);
}
