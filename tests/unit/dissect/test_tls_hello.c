/* ClientHello, ServerHello and certificate list, field by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "dissect/tls_hello.h"
#include "tls_builder.h"

static struct wire body, extension;
static struct tls_client_hello client;
static struct tls_server_hello server;
static struct tls_certificate_list list;
static struct tls_fingerprinter *fingerprinter;
static size_t extensions_at;

static const uint16_t ciphers[] = {0x2a2a, 0x1301, 0xc02b};

static int begin(void **state)
{
    (void)state;
    begin_client_hello(&body, 0x0303, ciphers, 3);
    extensions_at = open_length(&body, 2);
    extension.size = 0;
    return 0;
}

static int start_engine(void **state)
{
    (void)state;
    fingerprinter = tls_fingerprinter_new();
    return 0;
}

static int stop_engine(void **state)
{
    (void)state;
    tls_fingerprinter_free(fingerprinter);
    return 0;
}

/* From memory of exactly that size. */
static bool read_client_bytes(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    bool well_formed = tls_read_client_hello(reader_over(copy, size), fingerprinter, &client);
    free(copy);
    return well_formed;
}

static bool read_client(void)
{
    close_length(&body, extensions_at, 2);
    return read_client_bytes(body.at, body.size);
}

/* ---- ClientHello ------------------------------------------------------------------------ */

static void the_server_name_is_lower_case_without_its_trailing_dot(void **state)
{
    (void)state;
    put_server_name(&body, "Courier.PUSH.apple.com.");
    assert_true(read_client());
    assert_true(client.has_sni);
    assert_true(client.sni_had_trailing_dot);
    assert_string_equal(client.sni, "courier.push.apple.com");
    assert_int_equal(client.size, body.size + 4);
    assert_int_equal(client.random[31], 0xa0 + 31);
}

static void a_name_with_control_bytes_is_made_printable(void **state)
{
    (void)state;
    put_server_name(&body, "A\33[2J\377");
    assert_true(read_client());
    assert_string_equal(client.sni, "a\\x1b[2j\\xff");
}

static void a_name_that_is_too_long_is_cut(void **state)
{
    char name[1001];
    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    put_server_name(&body, name);
    assert_true(read_client());
    assert_int_equal(strlen(client.sni), TLS_NAME_SIZE - 1);
}

static void of_several_names_the_first_host_name_counts(void **state)
{
    static const uint8_t names[] = {0, 21,  7,   0,   1, 'x', 0, 0,   0,   0,  0,
                                    3, 'o', 'n', 'e', 0, 0,   3, 't', 'w', 'o'};
    (void)state;
    put_number(&extension, 2, sizeof names - 2);
    put_bytes(&extension, names + 2, sizeof names - 2);
    put_extension(&body, 0, extension.at, extension.size);
    assert_true(read_client());
    assert_string_equal(client.sni, "one");
}

static void of_an_extension_that_stands_twice_the_first_counts(void **state)
{
    static const char *const first[] = {"apns-security-v3", NULL};
    static const char *const second[] = {"h2", NULL};
    (void)state;
    put_server_name(&body, "first");
    put_server_name(&body, "second");
    put_alpn(&body, first);
    put_alpn(&body, second);
    assert_true(read_client());
    assert_string_equal(client.sni, "first");
    assert_string_equal(client.alpn, "apns-security-v3");
}

static void a_malformed_extension_leaves_the_others_readable(void **state)
{
    static const char *const names[] = {"apns-security-v3", "apns-pack-v1", NULL};
    (void)state;
    put_extension(&body, 0, "\0\20\0\0\3abc", 8); /* the list says 16 bytes and has 6 */
    put_alpn(&body, names);
    assert_false(read_client());
    assert_false(client.has_sni);
    assert_string_equal(client.alpn, "apns-security-v3,apns-pack-v1");
    assert_int_equal(strlen(client.ja3), 32);
}

static void an_odd_list_is_malformed_and_still_read(void **state)
{
    (void)state;
    put_extension(&body, 10, "\0\3\0\35\0", 5);
    assert_false(read_client());
    assert_string_equal(client.groups, "29");
}

static void protocols_are_parted_by_commas_and_their_own_are_escaped(void **state)
{
    static const char *const names[] = {"\xa\xa", "h2", "a,b", "http/1.1", "x\1", NULL};
    (void)state;
    put_alpn(&body, names);
    assert_true(read_client());
    assert_string_equal(client.alpn, "h2,a\\x2cb,http/1.1,x\\x01");
}

static void protocols_that_do_not_fit_are_left_out_whole(void **state)
{
    char longest[256];
    const char *const names[] = {"h2", longest, "h3", NULL};
    (void)state;
    memset(longest, 'l', 255);
    longest[255] = '\0';
    put_alpn(&body, names);
    assert_true(read_client());
    assert_string_equal(client.alpn, "h2");
    begin(state);
    put_alpn(&body, names + 1);
    assert_true(read_client());
    assert_string_equal(client.alpn, longest);
}

static void groups_are_decimal_and_without_grease(void **state)
{
    static const uint16_t groups[] = {0x6a6a, 29, 23, 0x11ec, 65535};
    (void)state;
    put_values_extension(&body, 10, 2, groups, 5);
    assert_true(read_client());
    assert_string_equal(client.groups, "29,23,4588,65535");
}

static void a_long_list_of_groups_ends_at_a_whole_number(void **state)
{
    uint16_t groups[200];
    (void)state;
    for (size_t i = 0; i < 200; i++)
        groups[i] = 10001;
    put_values_extension(&body, 10, 2, groups, 200);
    assert_true(read_client());
    assert_int_equal(strlen(client.groups), 42 * 6 - 1);
    assert_string_equal(client.groups + strlen(client.groups) - 6, ",10001");
}

static void the_highest_version_is_told_without_grease(void **state)
{
    static const uint16_t mixed[] = {0xfafa, 0x0303, 0x0304, 0x0302};
    static const uint16_t apple[] = {0x4a4a, 0x0304};
    static const uint16_t grease[] = {0x4a4a};
    (void)state;
    put_values_extension(&body, 43, 1, mixed, 4);
    assert_true(read_client());
    assert_int_equal(client.highest_version, 0x0304);
    assert_false(client.only_tls13);
    begin(state);
    put_values_extension(&body, 43, 1, apple, 2);
    assert_true(read_client());
    assert_int_equal(client.highest_version, 0x0304);
    assert_true(client.only_tls13);
    begin(state);
    put_values_extension(&body, 43, 1, grease, 1);
    assert_true(read_client());
    assert_int_equal(client.highest_version, 0x0303);
    assert_false(client.only_tls13);
}

static void an_empty_ticket_resumes_nothing(void **state)
{
    (void)state;
    put_extension(&body, 35, NULL, 0);
    assert_true(read_client());
    assert_false(client.has_psk);
    begin(state);
    put_extension(&body, 35, "ticket", 6);
    assert_true(read_client());
    assert_true(client.has_psk);
    begin(state);
    put_extension(&body, 41, "psk", 3);
    assert_true(read_client());
    assert_true(client.has_psk);
}

static void early_data_and_an_encrypted_hello_are_noticed(void **state)
{
    (void)state;
    assert_true(read_client());
    assert_false(client.has_early_data || client.has_encrypted_hello || client.has_sni);
    put_extension(&body, 42, NULL, 0);
    put_extension(&body, 0xfe0d, "ech", 3);
    assert_true(read_client());
    assert_true(client.has_early_data && client.has_encrypted_hello);
}

static void a_hello_without_extensions_is_whole(void **state)
{
    (void)state;
    begin_client_hello(&body, 0x0301, ciphers, 3);
    assert_true(read_client_bytes(body.at, body.size));
    assert_int_equal(client.highest_version, 0x0301);
    assert_int_equal(strlen(client.ja4), 36);
}

static void bytes_behind_the_extensions_are_malformed(void **state)
{
    (void)state;
    put_server_name(&body, "name");
    close_length(&body, extensions_at, 2);
    put_number(&body, 1, 0);
    assert_false(read_client_bytes(body.at, body.size));
    assert_string_equal(client.sni, "name");
}

static void every_truncation_is_malformed_and_has_no_fingerprint(void **state)
{
    static const char *const names[] = {"apns-security-v3", NULL};
    static const uint16_t versions[] = {0x0304};
    (void)state;
    put_server_name(&body, "courier.push.apple.com");
    put_alpn(&body, names);
    put_values_extension(&body, 43, 1, versions, 1);
    close_length(&body, extensions_at, 2);
    for (size_t size = 0; size < body.size; size++) {
        if (size == extensions_at - 2)
            continue; /* a hello without extensions */
        assert_false(read_client_bytes(body.at, size));
        assert_string_equal(client.ja3, "");
        assert_string_equal(client.ja4, "");
    }
    assert_true(read_client_bytes(body.at, body.size));
}

static void a_block_that_says_to_be_longer_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    put_server_name(&body, "name");
    close_length(&body, extensions_at, 2);
    body.at[extensions_at - 1]++;
    assert_false(read_client_bytes(body.at, body.size));
    assert_string_equal(client.sni, "name");
    assert_string_equal(client.ja3, "");
}

/* ---- ServerHello ------------------------------------------------------------------------ */

static size_t begin_server(const uint8_t *random)
{
    body.size = 0;
    put_number(&body, 2, 0x0303);
    put_bytes(&body, random, 32);
    put_number(&body, 1, 4);
    put_bytes(&body, "sess", 4);
    put_number(&body, 2, 0x1302);
    put_number(&body, 1, 0);
    return open_length(&body, 2);
}

static const uint8_t some_random[32] = {1, 2, 3};
static const uint8_t retry_random[] = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8"
                                      "\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8"
                                      "\x33\x9c";

static bool read_server(void)
{
    return tls_read_server_hello(reader_over(body.at, body.size), &server);
}

static void a_server_hello_tells_what_was_chosen(void **state)
{
    static const char *const chosen[] = {"apns-pack-v1:4096:4096", NULL};
    (void)state;
    size_t at = begin_server(some_random);
    put_alpn(&body, chosen);
    close_length(&body, at, 2);
    assert_true(read_server());
    assert_int_equal(server.version, 0x0303);
    assert_int_equal(server.cipher, 0x1302);
    assert_int_equal(server.session_id_size, 4);
    assert_string_equal(server.alpn, "apns-pack-v1:4096:4096");
    assert_memory_equal(server.random, some_random, 32);
    assert_false(server.is_retry || server.selects_psk);
}

static void the_selected_version_goes_before_the_legacy_one(void **state)
{
    (void)state;
    size_t at = begin_server(some_random);
    put_extension(&body, 43, "\3\4", 2);
    put_extension(&body, 41, "\0\0", 2);
    close_length(&body, at, 2);
    assert_true(read_server());
    assert_int_equal(server.version, 0x0304);
    assert_true(server.selects_psk);
}

static void a_retry_is_known_by_its_random(void **state)
{
    (void)state;
    size_t at = begin_server(retry_random);
    put_extension(&body, 43, "\3\4", 2);
    close_length(&body, at, 2);
    assert_true(read_server());
    assert_true(server.is_retry);
}

static void a_server_hello_may_have_no_extensions(void **state)
{
    (void)state;
    begin_server(some_random);
    body.size -= 2;
    assert_true(read_server());
    assert_string_equal(server.alpn, "");
    for (size_t size = 0; size < body.size; size++)
        assert_false(tls_read_server_hello(reader_over(body.at, size), &server));
}

static void a_malformed_choice_keeps_the_rest(void **state)
{
    (void)state;
    size_t at = begin_server(some_random);
    put_extension(&body, 43, "\3", 1);
    put_extension(&body, 16, "\0\3\2h2", 5);
    close_length(&body, at, 2);
    assert_false(read_server());
    assert_int_equal(server.version, 0x0303);
    assert_string_equal(server.alpn, "h2");
}

/* ---- certificates ----------------------------------------------------------------------- */

static void put_chain(size_t count)
{
    body.size = 0;
    size_t chain = open_length(&body, 3);
    for (size_t i = 0; i < count; i++) {
        put_number(&body, 3, 10 + (uint32_t)i);
        put_bytes(&body, "0123456789abcdefghijklmnop", 10 + i);
    }
    close_length(&body, chain, 3);
}

static bool read_chain(size_t size)
{
    return tls_read_certificates(reader_over(body.at, size), &list);
}

static void certificates_are_given_in_place_leaf_first(void **state)
{
    (void)state;
    put_chain(3);
    assert_true(read_chain(body.size));
    assert_int_equal(list.count, 3);
    assert_false(list.more);
    assert_ptr_equal(list.certificates[0].der, body.at + 6);
    assert_int_equal(list.certificates[2].size, 12);
    put_chain(0);
    assert_true(read_chain(body.size));
    assert_int_equal(list.count, 0);
}

static void a_chain_beyond_the_limit_says_so(void **state)
{
    (void)state;
    put_chain(TLS_CERTIFICATES_MAX);
    assert_true(read_chain(body.size));
    assert_false(list.more);
    put_chain(TLS_CERTIFICATES_MAX + 2);
    assert_true(read_chain(body.size));
    assert_int_equal(list.count, TLS_CERTIFICATES_MAX);
    assert_true(list.more);
}

static void a_chain_that_is_cut_keeps_its_whole_certificates(void **state)
{
    (void)state;
    put_chain(3);
    body.at[2] = (uint8_t)(body.at[2] - 1);
    assert_false(read_chain(body.size - 1));
    assert_int_equal(list.count, 2);
    put_chain(1);
    put_number(&body, 1, 0);
    assert_false(read_chain(body.size));
    assert_int_equal(list.count, 1);
}

#define SENTENCE(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SENTENCE(the_server_name_is_lower_case_without_its_trailing_dot),
        SENTENCE(a_name_with_control_bytes_is_made_printable),
        SENTENCE(a_name_that_is_too_long_is_cut),
        SENTENCE(of_several_names_the_first_host_name_counts),
        SENTENCE(of_an_extension_that_stands_twice_the_first_counts),
        SENTENCE(a_malformed_extension_leaves_the_others_readable),
        SENTENCE(an_odd_list_is_malformed_and_still_read),
        SENTENCE(protocols_are_parted_by_commas_and_their_own_are_escaped),
        SENTENCE(protocols_that_do_not_fit_are_left_out_whole),
        SENTENCE(groups_are_decimal_and_without_grease),
        SENTENCE(a_long_list_of_groups_ends_at_a_whole_number),
        SENTENCE(the_highest_version_is_told_without_grease),
        SENTENCE(an_empty_ticket_resumes_nothing),
        SENTENCE(early_data_and_an_encrypted_hello_are_noticed),
        SENTENCE(a_hello_without_extensions_is_whole),
        SENTENCE(bytes_behind_the_extensions_are_malformed),
        SENTENCE(every_truncation_is_malformed_and_has_no_fingerprint),
        SENTENCE(a_block_that_says_to_be_longer_is_read_as_far_as_it_goes),
        SENTENCE(a_server_hello_tells_what_was_chosen),
        SENTENCE(the_selected_version_goes_before_the_legacy_one),
        SENTENCE(a_retry_is_known_by_its_random),
        SENTENCE(a_server_hello_may_have_no_extensions),
        SENTENCE(a_malformed_choice_keeps_the_rest),
        SENTENCE(certificates_are_given_in_place_leaf_first),
        SENTENCE(a_chain_beyond_the_limit_says_so),
        SENTENCE(a_chain_that_is_cut_keeps_its_whole_certificates),
    };
    return cmocka_run_group_tests_name("tls hellos", tests, start_engine, stop_engine);
}
