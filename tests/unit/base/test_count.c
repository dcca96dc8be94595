/* Counts with their nouns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/count.h"

static void a_noun_agrees_with_its_count(void **state)
{
    (void)state;
    assert_string_equal(COUNTED(0, "session"), "0 sessions");
    assert_string_equal(COUNTED(1, "session"), "1 session");
    assert_string_equal(COUNTED(2, "session"), "2 sessions");
    assert_string_equal(COUNTED(12345, "session"), "12,345 sessions");
}

static void the_words_after_it_agree_too(void **state)
{
    (void)state;
    assert_string_equal(COUNTED(1, "box was|boxes were"), "1 box was");
    assert_string_equal(COUNTED(3, "box was|boxes were"), "3 boxes were");
}

static void digits_stand_in_threes(void **state)
{
    (void)state;
    assert_string_equal(DIGITS(0), "0");
    assert_string_equal(DIGITS(999), "999");
    assert_string_equal(DIGITS(1000), "1,000");
    assert_string_equal(DIGITS(-1234567), "-1,234,567");
    assert_string_equal(DIGITS(INT64_MAX), "9,223,372,036,854,775,807");
}

static void a_long_noun_is_cut_and_not_more(void **state)
{
    static const char noun[] = "very long noun that nobody would write but that must not run over "
                               "the end of the room it was given";
    (void)state;
    assert_true(COUNTED(2, noun)[COUNT_TEXT_SIZE - 1] == '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_noun_agrees_with_its_count),
        cmocka_unit_test(the_words_after_it_agree_too),
        cmocka_unit_test(digits_stand_in_threes),
        cmocka_unit_test(a_long_noun_is_cut_and_not_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
