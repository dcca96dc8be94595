/* The sentence about what went wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/fault.h"

static void setting_a_fault_is_false_and_keeps_the_sentence(void **state)
{
    struct fault fault = {""};
    (void)state;
    assert_false(fault_set(&fault, "cannot open %s: %s", "a.pcap", "no such file"));
    assert_string_equal(fault.sentence, "cannot open a.pcap: no such file");
}

static void a_sentence_that_is_too_long_is_cut_between_characters(void **state)
{
    char umlauts[2 * FAULT_SENTENCE_SIZE + 1];
    struct fault fault;
    (void)state;
    for (size_t i = 0; i < sizeof umlauts - 1; i += 2)
        memcpy(umlauts + i, "ä", 2);
    umlauts[sizeof umlauts - 1] = '\0';
    assert_false(fault_set(&fault, "%s", umlauts));
    assert_int_equal(strlen(fault.sentence), FAULT_SENTENCE_SIZE - 2); /* 255 whole letters */
    assert_memory_equal(fault.sentence, umlauts, FAULT_SENTENCE_SIZE - 2);
}

static void the_next_fault_replaces_the_last(void **state)
{
    struct fault fault;
    (void)state;
    assert_false(fault_set(&fault, "%s", "a long first sentence"));
    assert_false(fault_set(&fault, "second"));
    assert_string_equal(fault.sentence, "second");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_a_fault_is_false_and_keeps_the_sentence),
        cmocka_unit_test(a_sentence_that_is_too_long_is_cut_between_characters),
        cmocka_unit_test(the_next_fault_replaces_the_last),
    };
    return cmocka_run_group_tests_name("base fault", tests, NULL, NULL);
}
