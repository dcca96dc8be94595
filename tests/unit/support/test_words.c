/* A line of a scenario as words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/support/words.h"

static struct words split(const char *line)
{
    struct words words;
    struct fault fault = {""};
    assert_true(words_split("play.scn", 7, line, strlen(line), &words, &fault));
    return words;
}

static void words_are_plain_or_key_and_value(void **state)
{
    struct words words = split("  a > data 900 ttl=60\tlost");
    (void)state;
    assert_int_equal(words.count, 6);
    assert_string_equal(words_plain(&words, 0), "a");
    assert_string_equal(words_plain(&words, 3), "900");
    assert_string_equal(words_value(&words, "ttl"), "60");
    assert_true(words_flag(&words, "lost"));
    assert_false(words_flag(&words, "dropped"));
    assert_null(words_value(&words, "win"));
    words_free(&words);
}

static void quotes_keep_spaces_and_equal_signs(void **state)
{
    struct words words = split("subject=\"CN=a b,O=c\" \"x=y\" # a comment");
    (void)state;
    assert_int_equal(words.count, 2);
    assert_string_equal(words_value(&words, "subject"), "CN=a b,O=c");
    assert_string_equal(words_plain(&words, 0), "x=y");
    words_free(&words);
}

static void escapes_give_any_byte(void **state)
{
    struct words words = split("\"a\\r\\n\\x00\\xfF\\\"\\\\\"");
    (void)state;
    assert_int_equal(words.word[0].text_size, 7);
    assert_memory_equal(words.word[0].text, "a\r\n\0\xff\"\\", 7);
    words_free(&words);
}

static void a_hash_inside_a_word_is_no_comment(void **state)
{
    struct words words = split("a#b c");
    (void)state;
    assert_int_equal(words.count, 2);
    assert_string_equal(words_plain(&words, 0), "a#b");
    words_free(&words);
}

static void what_is_not_closed_or_no_escape_is_an_error_with_its_line(void **state)
{
    static const char *const wrong[] = {"\"open", "\"\\q\"", "\"\\x4\"", "a=\"b"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct words words;
        struct fault fault = {""};
        assert_false(words_split("play.scn", 7, wrong[i], strlen(wrong[i]), &words, &fault));
        assert_ptr_equal(strstr(fault.sentence, "play.scn:7: "), fault.sentence);
        words_free(&words);
    }
}

static void a_word_that_nobody_asked_for_is_named(void **state)
{
    struct words words = split("a ttl=60");
    struct fault fault = {""};
    (void)state;
    words_plain(&words, 0);
    assert_false(words_all_used(&words, &fault));
    assert_non_null(strstr(fault.sentence, "ttl=60"));
    words_value(&words, "ttl");
    assert_true(words_all_used(&words, &fault));
    words_free(&words);
}

static void times_have_units_and_fractions(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
        {"0", 0},          {"1.000", 1000000000}, {"30.010", 30010000000}, {"20ms", 20000000},
        {"300us", 300000}, {"1.5ms", 1500000},    {"30m", 1800000000000},  {"1h", 3600000000000},
        {"0.000001", 1000}};
    int64_t ns;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(words_time(rows[i].text, &ns));
        assert_true(ns == rows[i].ns);
    }
    assert_false(words_time("", &ns));
    assert_false(words_time(".5", &ns));
    assert_false(words_time("1x", &ns));
    assert_false(words_time("-1", &ns));
    assert_false(words_time("123456789", &ns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_plain_or_key_and_value),
        cmocka_unit_test(quotes_keep_spaces_and_equal_signs),
        cmocka_unit_test(escapes_give_any_byte),
        cmocka_unit_test(a_hash_inside_a_word_is_no_comment),
        cmocka_unit_test(what_is_not_closed_or_no_escape_is_an_error_with_its_line),
        cmocka_unit_test(a_word_that_nobody_asked_for_is_named),
        cmocka_unit_test(times_have_units_and_fractions),
    };
    return cmocka_run_group_tests_name("support words", tests, NULL, NULL);
}
