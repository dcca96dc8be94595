/* Addresses and prefixes: one form for both families, RFC 5952 text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/address.h"

static void expect_text(const char *given, const char *wanted)
{
    struct address address;
    char text[ADDRESS_TEXT_SIZE];
    assert_true(address_parse(given, &address));
    assert_string_equal(address_text(&address, text), wanted);
}

static struct address address_of(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static void ipv4_text_is_a_dotted_quad(void **state)
{
    (void)state;
    expect_text("17.57.144.10", "17.57.144.10");
    expect_text("255.255.255.255", "255.255.255.255");
    expect_text("0.0.0.0", "0.0.0.0");
    expect_text("::ffff:17.1.2.3", "17.1.2.3");
}

static void ipv6_text_is_the_canonical_form_of_rfc_5952(void **state)
{
    (void)state;
    expect_text("2001:0DB8:0:0:0:0:2:1", "2001:db8::2:1");
    expect_text("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"); /* a lone zero group stays */
    expect_text("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");          /* the longest run */
    expect_text("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");    /* the first of equals */
    expect_text("::", "::");
    expect_text("::1", "::1");
    expect_text("fe80:0:0:0:0:0:0:0", "fe80::");
    expect_text("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::");
    expect_text("0:0:3:4:5:6:7:8", "::3:4:5:6:7:8");
    expect_text("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    expect_text("64:ff9b::17.57.144.10", "64:ff9b::1139:900a");
}

static void text_that_is_no_address_is_refused(void **state)
{
    static const char *const wrong[] = {"",          "17",  "17.0.0",   "17.0.0.256",  "1.2.3.4 ",
                                        "1.2.3.4/8", ":::", "12345::1", "fe80::1%en0", "[::1]"};
    struct address address;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(address_parse(wrong[i], &address));
}

static void a_zeroed_struct_is_the_unspecified_address(void **state)
{
    struct address zeroed = {{0}};
    struct address four = address_of("0.0.0.0");
    struct address other = address_of("0.0.0.1");
    (void)state;
    assert_true(address_is_unspecified(&zeroed));
    assert_true(address_is_unspecified(&four));
    assert_false(address_is_unspecified(&other));
}

static void private_addresses_are_those_that_never_cross_the_internet(void **state)
{
    static const char *const inside[] = {"10.0.0.1",    "172.16.0.1", "172.31.255.255",
                                         "192.168.1.1", "100.64.0.1", "100.127.255.255",
                                         "169.254.9.9", "127.0.0.1",  "fe80::1",
                                         "febf::1",     "fd00::1",    "fc00::1",
                                         "::1"};
    static const char *const outside[] = {
        "17.0.0.1",    "172.32.0.1", "172.15.255.255",  "11.0.0.0", "100.128.0.0", "100.63.255.255",
        "192.169.0.0", "fec0::1",    "2620:149:a44::1", "fe00::1",  "::2"};
    (void)state;
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        struct address address = address_of(inside[i]);
        assert_true(address_is_private(&address));
    }
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        struct address address = address_of(outside[i]);
        assert_false(address_is_private(&address));
    }
}

static void only_127_and_one_are_loopback(void **state)
{
    struct address four = address_of("127.255.0.1");
    struct address six = address_of("::1");
    struct address private_one = address_of("10.0.0.1");
    (void)state;
    assert_true(address_is_loopback(&four));
    assert_true(address_is_loopback(&six));
    assert_false(address_is_loopback(&private_one));
}

static void a_prefix_holds_its_first_and_last_address_and_no_other(void **state)
{
    static const struct {
        const char *prefix, *first, *last, *before, *after;
    } rows[] = {
        {"17.0.0.0/8", "17.0.0.0", "17.255.255.255", "16.255.255.255", "18.0.0.0"},
        {"17.57.144.0/22", "17.57.144.0", "17.57.147.255", "17.57.143.255", "17.57.148.0"},
        {"17.188.20.0/23", "17.188.20.0", "17.188.21.255", "17.188.19.255", "17.188.22.0"},
        {"2620:149:a44::/48", "2620:149:a44::", "2620:149:a44:ffff:ffff:ffff:ffff:ffff",
         "2620:149:a43:ffff:ffff:ffff:ffff:ffff", "2620:149:a45::"},
        {"10.1.2.3", "10.1.2.3", "10.1.2.3", "10.1.2.2", "10.1.2.4"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct prefix prefix;
        assert_true(prefix_parse(rows[i].prefix, &prefix));
        struct address first = address_of(rows[i].first);
        struct address last = address_of(rows[i].last);
        struct address before = address_of(rows[i].before);
        struct address after = address_of(rows[i].after);
        assert_true(prefix_contains(&prefix, &first));
        assert_true(prefix_contains(&prefix, &last));
        assert_false(prefix_contains(&prefix, &before));
        assert_false(prefix_contains(&prefix, &after));
    }
}

static void a_prefix_of_all_ipv6_holds_no_ipv4_address(void **state)
{
    struct prefix all_six;
    struct prefix all_four;
    struct address four = address_of("17.0.0.1");
    struct address six = address_of("2620:149:a44::1");
    (void)state;
    assert_true(prefix_parse("::/0", &all_six));
    assert_true(prefix_parse("0.0.0.0/0", &all_four));
    assert_true(prefix_contains(&all_six, &six));
    assert_false(prefix_contains(&all_six, &four));
    assert_true(prefix_contains(&all_four, &four));
    assert_false(prefix_contains(&all_four, &six));
}

static void host_bits_of_a_prefix_are_cleared(void **state)
{
    struct prefix prefix;
    char text[PREFIX_TEXT_SIZE];
    (void)state;
    assert_true(prefix_parse("17.57.147.200/22", &prefix));
    assert_string_equal(prefix_text(&prefix, text), "17.57.144.0/22");
    assert_true(prefix_parse("2620:149:a44:1:2::3/48", &prefix));
    assert_string_equal(prefix_text(&prefix, text), "2620:149:a44::/48");
    assert_true(prefix_parse("17.1.2.3", &prefix));
    assert_string_equal(prefix_text(&prefix, text), "17.1.2.3/32");
    assert_true(prefix_parse("::/0", &prefix));
    assert_string_equal(prefix_text(&prefix, text), "::/0");
}

static void text_that_is_no_prefix_is_refused(void **state)
{
    static const char *const wrong[] = {"17.0.0.0/33", "17.0.0.0/",   "17.0.0.0/8x",   "/8",
                                        "::/129",      "17.0.0.0/-1", "17.0.0.0/0008", "apple"};
    struct prefix prefix;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(prefix_parse(wrong[i], &prefix));
}

static void a_mac_is_lower_case_with_colons(void **state)
{
    static const uint8_t mac[6] = {0x00, 0x1A, 0x2b, 0x3c, 0x4d, 0x5e};
    char text[MAC_TEXT_SIZE];
    (void)state;
    assert_string_equal(mac_text(mac, text), "00:1a:2b:3c:4d:5e");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_text_is_a_dotted_quad),
        cmocka_unit_test(ipv6_text_is_the_canonical_form_of_rfc_5952),
        cmocka_unit_test(text_that_is_no_address_is_refused),
        cmocka_unit_test(a_zeroed_struct_is_the_unspecified_address),
        cmocka_unit_test(private_addresses_are_those_that_never_cross_the_internet),
        cmocka_unit_test(only_127_and_one_are_loopback),
        cmocka_unit_test(a_prefix_holds_its_first_and_last_address_and_no_other),
        cmocka_unit_test(a_prefix_of_all_ipv6_holds_no_ipv4_address),
        cmocka_unit_test(host_bits_of_a_prefix_are_cleared),
        cmocka_unit_test(text_that_is_no_prefix_is_refused),
        cmocka_unit_test(a_mac_is_lower_case_with_colons),
    };
    return cmocka_run_group_tests_name("base address", tests, NULL, NULL);
}
