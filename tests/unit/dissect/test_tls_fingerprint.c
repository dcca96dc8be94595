/* JA3 and JA4 against published values, and the rules of their corners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dissect/tls_hello.h"
#include "tls_builder.h"

static struct wire body;
static struct tls_client_hello hello;
static struct tls_fingerprinter *fingerprinter;

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

static void read_hello(void)
{
    assert_true(tls_read_client_hello(reader_over(body.at, body.size), fingerprinter, &hello));
}

static const char *const h2[] = {"h2", "http/1.1", NULL};

/* The hello behind the example of FoxIO's JA4.md, in the order of its JA4_ro, GREASE where Chrome
 * puts it. */
static void put_chrome_extension(uint16_t type)
{
    static const uint16_t versions[] = {0x3a3a, 0x0304, 0x0303};
    static const uint16_t groups[] = {0x5a5a, 0x001d, 0x0017, 0x0018};
    static const uint16_t algorithms[] = {0x0403, 0x0804, 0x0401, 0x0503,
                                          0x0805, 0x0501, 0x0806, 0x0601};
    switch (type) {
    case 0x0000:
        put_server_name(&body, "www.example.com");
        break;
    case 0x000a:
        put_values_extension(&body, type, 2, groups, 4);
        break;
    case 0x000b:
        put_extension(&body, type, "\1\0", 2);
        break;
    case 0x000d:
        put_values_extension(&body, type, 2, algorithms, 8);
        break;
    case 0x0010:
        put_alpn(&body, h2);
        break;
    case 0x002b:
        put_values_extension(&body, type, 1, versions, 3);
        break;
    default:
        put_extension(&body, type, "\0", type == 0xaaaa ? 1 : 0);
    }
}

static const uint16_t chrome_ciphers[] = {0xeaea, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
                                          0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
                                          0x009c, 0x009d, 0x002f, 0x0035};

static void put_chrome(bool with_name, bool with_alpn)
{
    static const uint16_t order[] = {0x8a8a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469,
                                     0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
                                     0x002b, 0xff01, 0x000b, 0x000a, 0xaaaa, 0x0015};
    begin_client_hello(&body, 0x0303, chrome_ciphers, 16);
    size_t extensions = open_length(&body, 2);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if ((order[i] != 0 || with_name) && (order[i] != 16 || with_alpn))
            put_chrome_extension(order[i]);
    close_length(&body, extensions, 2);
}

static void ja4_of_the_published_chrome_hello(void **state)
{
    (void)state;
    put_chrome(true, true);
    read_hello();
    assert_string_equal(hello.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

static void a_second_look_gives_the_same(void **state)
{
    struct tls_client_hello first;
    (void)state;
    put_chrome(true, true);
    read_hello();
    first = hello;
    put_chrome(false, true);
    read_hello();
    assert_string_not_equal(hello.ja4, first.ja4);
    put_chrome(true, true);
    read_hello();
    assert_string_equal(hello.ja4, first.ja4);
    assert_string_equal(hello.ja3, first.ja3);
}

static void name_and_alpn_change_only_the_first_part(void **state)
{
    (void)state;
    put_chrome(false, true);
    read_hello();
    assert_string_equal(hello.ja4, "t13i1515h2_8daaf6152771_e5627efa2ab1");
    put_chrome(true, false);
    read_hello();
    assert_string_equal(hello.ja4, "t13d151500_8daaf6152771_e5627efa2ab1");
}

/* JA4.md: the same extensions with no signature algorithms in the hello. */
static void without_signature_algorithms_there_is_no_underscore(void **state)
{
    static const uint16_t types[] = {0x0005, 0x000a, 0x000b, 0x000d, 0x0012, 0x0015, 0x0017,
                                     0x001b, 0x0023, 0x002b, 0x002d, 0x0033, 0x4469, 0xff01};
    struct wire *block = &body;
    struct tls_fingerprint_source source = {.legacy_version = 0x0303, .highest_version = 0x0304};
    char ja3[33], ja4[37];
    (void)state;
    block->size = 0;
    for (size_t i = sizeof types / sizeof *types; i-- > 0;)
        put_extension(block, types[i], NULL, 0);
    source.extensions = reader_over(block->at, block->size);
    tls_fingerprint(fingerprinter, &source, ja3, ja4);
    assert_string_equal(ja4, "t13i001400_000000000000_6d807ffa2a79");
}

static void the_first_protocol_gives_two_characters(void **state)
{
    static const struct {
        const char *name;
        const char *characters;
    } cases[] = {{"h2", "h2"},
                 {"http/1.1", "h1"},
                 {"a", "aa"},
                 {"\xab", "ab"},
                 {"\xab\xcd", "ad"},
                 {"0\xab", "3b"},
                 {"01\xab\xcd", "3d"},
                 {"0\xab\xcd"
                  "1",
                  "01"},
                 {"apns-security-v3", "a3"},
                 {"h/", "6f"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const names[] = {"\xca\xca", cases[i].name, "other", NULL};
        begin_client_hello(&body, 0x0303, chrome_ciphers, 16);
        size_t extensions = open_length(&body, 2);
        put_alpn(&body, names);
        close_length(&body, extensions, 2);
        read_hello();
        char first[11] = {0};
        memcpy(first, hello.ja4, 10);
        assert_string_equal(first + 8, cases[i].characters);
    }
}

static void versions_have_their_published_letters(void **state)
{
    static const struct {
        uint16_t version;
        const char *letters;
    } cases[] = {{0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"},
                 {0x0301, "10"}, {0x0300, "s3"}, {0x7f1c, "00"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_client_hello(&body, cases[i].version, chrome_ciphers, 16);
        read_hello();
        assert_memory_equal(hello.ja4 + 1, cases[i].letters, 2);
    }
}

static void counts_end_at_99(void **state)
{
    static uint16_t ciphers[30000];
    (void)state;
    for (size_t i = 0; i < 30000; i++)
        ciphers[i] = (uint16_t)(30000 - i);
    begin_client_hello(&body, 0x0303, ciphers, 30000);
    read_hello();
    assert_memory_equal(hello.ja4, "t12i990000_", 11);
    assert_string_equal(hello.ja4 + 23, "_000000000000");
    begin_client_hello(&body, 0x0303, ciphers, 99);
    read_hello();
    assert_memory_equal(hello.ja4, "t12i990000_", 11);
    begin_client_hello(&body, 0x0303, NULL, 0);
    read_hello();
    assert_string_equal(hello.ja4, "t12i000000_000000000000_000000000000");
}

/* salesforce/ja3, README: both examples. */
static void ja3_of_the_published_examples(void **state)
{
    static const uint16_t first[] = {47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4};
    static const uint16_t second[] = {4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99};
    static const uint16_t groups[] = {23, 24, 25};
    (void)state;
    begin_client_hello(&body, 769, first, 12);
    size_t extensions = open_length(&body, 2);
    put_server_name(&body, "name");
    put_values_extension(&body, 10, 2, groups, 3);
    put_extension(&body, 11, "\1\0", 2);
    close_length(&body, extensions, 2);
    read_hello();
    assert_string_equal(hello.ja3, "ada70206e40642a3e4461f35503241d5");
    begin_client_hello(&body, 769, second, 11);
    read_hello();
    assert_string_equal(hello.ja3, "de350869b8c85de67a350c8d186f11e6");
}

static void grease_is_both_bytes_alike_and_ending_in_a(void **state)
{
    unsigned found = 0;
    (void)state;
    for (uint32_t value = 0; value <= 0xffff; value++)
        found += tls_is_grease((uint16_t)value);
    assert_int_equal(found, 16);
    assert_true(tls_is_grease(0x0a0a) && tls_is_grease(0xfafa));
    assert_false(tls_is_grease(0x0a1a) || tls_is_grease(0x0b0b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ja4_of_the_published_chrome_hello),
        cmocka_unit_test(a_second_look_gives_the_same),
        cmocka_unit_test(name_and_alpn_change_only_the_first_part),
        cmocka_unit_test(without_signature_algorithms_there_is_no_underscore),
        cmocka_unit_test(the_first_protocol_gives_two_characters),
        cmocka_unit_test(versions_have_their_published_letters),
        cmocka_unit_test(counts_end_at_99),
        cmocka_unit_test(ja3_of_the_published_examples),
        cmocka_unit_test(grease_is_both_bytes_alike_and_ending_in_a),
    };
    return cmocka_run_group_tests_name("tls fingerprints", tests, start_engine, stop_engine);
}
