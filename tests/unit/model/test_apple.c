/* Which addresses are Apple's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/apple.h"

static struct address ip(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static bool owns(const char *text)
{
    struct address address = ip(text);
    return apple_owns(&address);
}

static bool may_own(const char *text)
{
    struct address address = ip(text);
    return apple_may_own(&address);
}

static void every_row_of_the_table_passes_the_fast_check(void **state)
{
    (void)state;
    static const char *const rows[] = {
#define APPLE_RANGE(text, is_listed, note) text,
#include "model/apple_range.def"
#undef APPLE_RANGE
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct prefix prefix;
        assert_true(prefix_parse(rows[i], &prefix));
        assert_true(apple_owns(&prefix.base));
    }
}

static void ipv4_is_decided_by_its_first_byte(void **state)
{
    (void)state;
    assert_true(owns("17.0.0.0"));
    assert_true(owns("17.255.255.255"));
    assert_false(owns("16.255.255.255"));
    assert_false(owns("18.0.0.0"));
    assert_false(owns("10.17.57.144"));
}

static void ipv6_ranges_end_where_the_table_says(void **state)
{
    (void)state;
    assert_true(owns("2620:149:a44:ffff:ffff:ffff:ffff:ffff"));
    assert_false(owns("2620:149:a45::1"));
    assert_true(owns("2403:300:a51::1"));
    assert_false(owns("2403:300:a52::1"));
    assert_true(owns("2a01:b740:a42::1"));
    assert_false(owns("::"));
    assert_false(owns("::1100:1"));
}

static void nat64_counts_by_what_is_inside(void **state)
{
    (void)state;
    assert_true(owns("64:ff9b::1139:900a"));      /* 17.57.144.10 */
    assert_false(owns("64:ff9b::0808:0808"));     /* 8.8.8.8 */
    assert_false(owns("64:ff9b:0:1::1139:900a")); /* not the well-known /96 */
    assert_true(owns("64:ff9b:1::1139:900a"));    /* RFC 8215, embedded at its end */
    assert_true(owns("64:ff9b:1:1139:90:a00::")); /* RFC 8215, /48 of RFC 6052 section 2.2 */
    assert_false(owns("64:ff9b:2::1139:900a"));
}

static void a_networks_own_nat64_prefix_is_a_doubt_not_an_answer(void **state)
{
    (void)state;
    assert_false(owns("2001:db8:64::1139:900a"));
    assert_true(may_own("2001:db8:64::1139:900a"));         /* /96 */
    assert_true(may_own("2001:db8:1139:900a::"));           /* /32 */
    assert_true(may_own("2001:db8:122:344:11:3990:a00::")); /* /64 */
    assert_false(may_own("2001:db8:64::0808:0808"));
    assert_false(may_own("198.51.100.17"));
    assert_false(may_own("fd00::1139:900a"));
}

static void apples_wider_allocations_are_a_doubt_too(void **state)
{
    (void)state;
    assert_false(owns("2620:149:208:430e::1"));
    assert_true(may_own("2620:149:208:430e::1"));
    assert_false(may_own("2620:14a:208::1"));
}

static void the_ipv4_address_comes_out_of_nat64(void **state)
{
    (void)state;
    struct address inside = ip("17.57.144.10");
    struct address wrapped = ip("64:ff9b::1139:900a"), other = ip("2620:149:a44::1");
    struct address plain = apple_plain_address(&wrapped), same = apple_plain_address(&other);
    assert_true(address_equal(&plain, &inside));
    assert_true(address_equal(&same, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_passes_the_fast_check),
        cmocka_unit_test(ipv4_is_decided_by_its_first_byte),
        cmocka_unit_test(ipv6_ranges_end_where_the_table_says),
        cmocka_unit_test(nat64_counts_by_what_is_inside),
        cmocka_unit_test(a_networks_own_nat64_prefix_is_a_doubt_not_an_answer),
        cmocka_unit_test(apples_wider_allocations_are_a_doubt_too),
        cmocka_unit_test(the_ipv4_address_comes_out_of_nat64),
    };
    return cmocka_run_group_tests_name("Apple's addresses", tests, NULL, NULL);
}
