/* Names kept once, bounded, at addresses that never move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/names.h"

enum { MANY = 20000 };

static void equal_names_are_one_pointer(void **state)
{
    struct names *names = names_new(1 << 20);
    (void)state;
    char first[] = "courier.push.apple.com";
    const char *kept = names_keep(names, first);
    assert_string_equal(kept, first);
    assert_ptr_not_equal(kept, first);
    assert_ptr_equal(names_keep(names, "courier.push.apple.com"), kept);
    assert_ptr_equal(names_keep_bytes(names, "courier.push.apple.com.x", 22), kept);
    assert_ptr_not_equal(names_keep(names, "courier.push.apple.co"), kept);
    names_free(names);
}

static void the_empty_name_is_a_name(void **state)
{
    struct names *names = names_new(1 << 20);
    (void)state;
    const char *kept = names_keep(names, "");
    assert_string_equal(kept, "");
    assert_ptr_equal(names_keep_bytes(names, "x", 0), kept);
    names_free(names);
}

static void a_kept_name_ends_at_its_first_zero_byte(void **state)
{
    struct names *names = names_new(1 << 20);
    (void)state;
    assert_ptr_equal(names_keep_bytes(names, "ab\0cd", 5), names_keep(names, "ab"));
    names_free(names);
}

static void kept_names_never_move_or_change(void **state)
{
    struct names *names = names_new(16 << 20);
    static const char *kept[MANY];
    char text[32];
    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "host-%d.example", i);
        kept[i] = names_keep(names, text);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "host-%d.example", i);
        assert_string_equal(kept[i], text);
        assert_ptr_equal(names_keep(names, text), kept[i]);
    }
    assert_true(names_refused(names) == 0);
    names_free(names);
}

static void a_name_larger_than_a_chunk_is_kept_whole(void **state)
{
    struct names *names = names_new(1 << 20);
    static char large[200000];
    (void)state;
    memset(large, 'x', sizeof large - 1);
    const char *small = names_keep(names, "small");
    assert_string_equal(names_keep(names, large), large);
    assert_string_equal(small, "small");
    names_free(names);
}

static void past_the_cap_new_names_are_refused_and_old_ones_still_found(void **state)
{
    struct names *names = names_new(4096);
    char text[32];
    int kept = 0;
    (void)state;
    const char *first = names_keep(names, "first");
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "invented-%d", i);
        kept += names_keep(names, text) != NULL;
    }
    assert_in_range(kept, 10, 200);
    assert_true(names_refused(names) == (uint64_t)(1000 - kept));
    assert_ptr_equal(names_keep(names, "first"), first);
    names_free(names);
}

static void a_name_longer_than_the_whole_cap_is_refused(void **state)
{
    struct names *names = names_new(100);
    char large[200];
    (void)state;
    memset(large, 'x', sizeof large);
    assert_null(names_keep_bytes(names, large, sizeof large));
    assert_true(names_refused(names) == 1);
    assert_non_null(names_keep(names, "short"));
    names_free(names);
}

static void freeing_nothing_is_harmless(void **state)
{
    (void)state;
    names_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_names_are_one_pointer),
        cmocka_unit_test(the_empty_name_is_a_name),
        cmocka_unit_test(a_kept_name_ends_at_its_first_zero_byte),
        cmocka_unit_test(kept_names_never_move_or_change),
        cmocka_unit_test(a_name_larger_than_a_chunk_is_kept_whole),
        cmocka_unit_test(past_the_cap_new_names_are_refused_and_old_ones_still_found),
        cmocka_unit_test(a_name_longer_than_the_whole_cap_is_refused),
        cmocka_unit_test(freeing_nothing_is_harmless),
    };
    return cmocka_run_group_tests_name("base names", tests, NULL, NULL);
}
