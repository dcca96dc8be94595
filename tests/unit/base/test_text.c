/* The bounded text builder, and names made safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"

static void expect_printable(const void *bytes, size_t count, const char *wanted)
{
    char out[256];
    size_t length = text_printable(out, sizeof out, bytes, count);
    assert_string_equal(out, wanted);
    assert_int_equal(length, strlen(wanted));
}
#define EXPECT_PRINTABLE(literal, wanted) expect_printable(literal, sizeof(literal) - 1, wanted)

static void text_grows_by_its_pieces(void **state)
{
    char buffer[64];
    struct text text = text_over(buffer, sizeof buffer);
    (void)state;
    assert_string_equal(buffer, "");
    text_add(&text, "port ");
    text_format(&text, "%d", 5223);
    text_add_bytes(&text, ", hops!", 6);
    text_hex(&text, (const uint8_t *)"\x00\xfe", 2);
    assert_string_equal(buffer, "port 5223, hops00fe");
    assert_int_equal(text.length, strlen(buffer));
    assert_false(text.cut);
}

static void what_exactly_fits_is_not_cut(void **state)
{
    char buffer[5];
    struct text text = text_over(buffer, sizeof buffer);
    (void)state;
    text_add(&text, "ab");
    text_format(&text, "%s", "cd");
    assert_string_equal(buffer, "abcd");
    assert_false(text.cut);
    text_add(&text, "");
    assert_false(text.cut);
}

static void what_does_not_fit_is_cut_and_nothing_follows(void **state)
{
    char buffer[5];
    struct text text = text_over(buffer, sizeof buffer);
    (void)state;
    text_add(&text, "abcdef");
    assert_true(text.cut);
    text_add(&text, "");
    text_format(&text, "g");
    assert_string_equal(buffer, "abcd");
}

static void a_cut_never_splits_a_character(void **state)
{
    static const char *const strings[] = {"äöü", "€€€", "𝄞𝄞", "aé€𝄞"};
    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        for (size_t size = 1; size < 14; size++) {
            char added[16];
            char formatted[16];
            struct text by_add = text_over(added, size);
            struct text by_format = text_over(formatted, size);
            text_add(&by_add, strings[i]);
            text_format(&by_format, "%s", strings[i]);
            assert_string_equal(added, formatted);
            assert_int_equal(by_add.cut, by_format.cut);
            assert_int_equal(by_format.length, strlen(formatted));
            char again[64];
            text_printable(again, sizeof again, (const uint8_t *)added, strlen(added));
            assert_string_equal(again, added); /* no broken sequence to be escaped */
        }
}

static void a_builder_of_one_byte_holds_nothing(void **state)
{
    char buffer[1];
    struct text text = text_over(buffer, sizeof buffer);
    (void)state;
    text_format(&text, "%d", 1);
    assert_string_equal(buffer, "");
    assert_true(text.cut);
}

static void printable_text_stays_as_it_is(void **state)
{
    (void)state;
    EXPECT_PRINTABLE("courier.push.apple.com", "courier.push.apple.com");
    EXPECT_PRINTABLE("bücher.example €𝄞", "bücher.example €𝄞");
    EXPECT_PRINTABLE("", "");
}

static void control_characters_become_visible(void **state)
{
    (void)state;
    EXPECT_PRINTABLE("a\x1b[2Jb", "a\\x1b[2Jb");
    EXPECT_PRINTABLE("a\0b\r\n\x7f", "a\\x00b\\x0d\\x0a\\x7f");
    EXPECT_PRINTABLE("\xc2\x9b"
                     "31m",
                     "\\xc2\\x9b31m");        /* C1: CSI in eight bits */
    EXPECT_PRINTABLE("\xc2\xa0", "\xc2\xa0"); /* the first after C1 stays */
}

static void marks_that_reorder_or_end_a_line_become_visible(void **state)
{
    (void)state;
    EXPECT_PRINTABLE("\u202emoc.elppa", "\\xe2\\x80\\xaemoc.elppa");
    EXPECT_PRINTABLE("\u200e", "\\xe2\\x80\\x8e");
    EXPECT_PRINTABLE("\u200f", "\\xe2\\x80\\x8f");
    EXPECT_PRINTABLE("\u2028\u2029", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9");
    EXPECT_PRINTABLE("\u2066\u2069", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9");
    EXPECT_PRINTABLE("\ufeff", "\\xef\\xbb\\xbf");
    EXPECT_PRINTABLE("\u2027\u202f\u2065", "\u2027\u202f\u2065"); /* neighbours stay */
}

static void bytes_that_are_not_utf_8_become_visible(void **state)
{
    (void)state;
    EXPECT_PRINTABLE("\xff\xfe", "\\xff\\xfe");
    EXPECT_PRINTABLE("\x80", "\\x80");
    EXPECT_PRINTABLE("\xc0\xaf", "\\xc0\\xaf");                   /* overlong '/' */
    EXPECT_PRINTABLE("\xe0\x80\xaf", "\\xe0\\x80\\xaf");          /* overlong */
    EXPECT_PRINTABLE("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* surrogate */
    EXPECT_PRINTABLE("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
    EXPECT_PRINTABLE("\xe2\x82", "\\xe2\\x82");                   /* cut short */
    EXPECT_PRINTABLE("\xe2\x82x", "\\xe2\\x82x");
}

static void a_printable_copy_ends_between_characters_and_escapes(void **state)
{
    char out[6];
    (void)state;
    assert_int_equal(text_printable(out, 4, (const uint8_t *)"ab\xff", 3), 2);
    assert_string_equal(out, "ab");
    assert_int_equal(text_printable(out, 4, (const uint8_t *)"ab€", 5), 2);
    assert_int_equal(text_printable(out, 6, (const uint8_t *)"ab€", 5), 5);
    assert_int_equal(text_printable(out, 1, (const uint8_t *)"ab", 2), 0);
    assert_string_equal(out, "");
}

static void letters_compare_without_case_in_ascii_only(void **state)
{
    (void)state;
    assert_true(text_equal_nocase("Courier.PUSH.apple.com", "courier.push.APPLE.com"));
    assert_false(text_equal_nocase("courier", "couriers"));
    assert_false(text_equal_nocase("couriers", "courier"));
    assert_false(text_equal_nocase("Ä", "ä"));
    assert_false(text_equal_nocase("[", "{"));
    assert_true(text_equal_nocase("", ""));
}

static void a_suffix_is_found_at_the_end_only(void **state)
{
    (void)state;
    assert_true(text_ends_with_nocase("1-courier.Push.Apple.Com", ".push.apple.com"));
    assert_true(text_ends_with_nocase("abc", "abc"));
    assert_true(text_ends_with_nocase("abc", ""));
    assert_false(text_ends_with_nocase("bc", "abc"));
    assert_false(text_ends_with_nocase("push.apple.com.example", "push.apple.com"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows_by_its_pieces),
        cmocka_unit_test(what_exactly_fits_is_not_cut),
        cmocka_unit_test(what_does_not_fit_is_cut_and_nothing_follows),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(a_builder_of_one_byte_holds_nothing),
        cmocka_unit_test(printable_text_stays_as_it_is),
        cmocka_unit_test(control_characters_become_visible),
        cmocka_unit_test(marks_that_reorder_or_end_a_line_become_visible),
        cmocka_unit_test(bytes_that_are_not_utf_8_become_visible),
        cmocka_unit_test(a_printable_copy_ends_between_characters_and_escapes),
        cmocka_unit_test(letters_compare_without_case_in_ascii_only),
        cmocka_unit_test(a_suffix_is_found_at_the_end_only),
    };
    return cmocka_run_group_tests_name("base text", tests, NULL, NULL);
}
