/* Which characters may reach a screen as they are. */
#include "fill.h"

#include "report/visible.h"

static char *shown(const char *text)
{
    char *memory = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&memory, &size);
    assert_non_null(out);
    visible_put(out, text);
    fclose(out);
    return memory;
}

static void assert_shown(const char *text, const char *expected)
{
    char *got = shown(text), copy[128];
    assert_string_equal(got, expected);
    assert_string_equal(visible_text(copy, sizeof copy, text), expected);
    visible_text(copy, strlen(expected), text); /* one byte too few */
    assert_true(strlen(copy) < strlen(expected) && strncmp(copy, expected, strlen(copy)) == 0);
    assert_int_equal(visible_columns(text, strlen(text)) >= strlen(text) / 4, 1);
    free(got);
}

static void plain_text_and_other_scripts_stay_as_they_are(void **state)
{
    (void)state;
    assert_shown("push.apple.com", "push.apple.com");
    assert_shown("Käthe, 東京, مدرسة, 🍎", "Käthe, 東京, مدرسة, 🍎");
}

static void controls_and_escapes_are_spelt_out(void **state)
{
    (void)state;
    assert_shown("a\033[31mb\r\n\t\x7f", "a\\x1b[31mb\\x0d\\x0a\\x09\\x7f");
    assert_shown("\xc2\x9b"
                 "31m",
                 "\\xc2\\x9b31m"); /* C1 CSI */
}

static void marks_that_turn_or_hide_text_are_spelt_out(void **state)
{
    (void)state;
    assert_shown("a\xe2\x80\xae"
                 "b",
                 "a\\xe2\\x80\\xaeb"); /* U+202E */
    assert_shown("a\xe2\x80\x8b"
                 "b",
                 "a\\xe2\\x80\\x8bb"); /* U+200B */
    assert_shown("\xef\xbb\xbf"
                 "x",
                 "\\xef\\xbb\\xbfx");                         /* U+FEFF */
    assert_shown("\xf3\xa0\x80\xa1", "\\xf3\\xa0\\x80\\xa1"); /* a tag */
}

static void bytes_that_are_no_utf8_are_spelt_out(void **state)
{
    (void)state;
    assert_shown("\xff\xfe", "\\xff\\xfe");
    assert_shown("\xc0\xaf", "\\xc0\\xaf");                   /* overlong */
    assert_shown("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* surrogate */
    assert_shown("cut \xe2\x82", "cut \\xe2\\x82");           /* ends inside a character */
    assert_shown("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_and_other_scripts_stay_as_they_are),
        cmocka_unit_test(controls_and_escapes_are_spelt_out),
        cmocka_unit_test(marks_that_turn_or_hide_text_are_spelt_out),
        cmocka_unit_test(bytes_that_are_no_utf8_are_spelt_out),
    };
    return cmocka_run_group_tests_name("report/visible", tests, NULL, NULL);
}
