/* Documents that need no parser. */
#include "fill.h"

#include "report/json_plain.h"

static void evidence_as_the_store_writes_it_is_plain(void **state)
{
    (void)state;
    assert_true(json_is_plain("{}"));
    assert_true(json_is_plain("[]"));
    assert_true(json_is_plain("{\"frames\":[{\"number\":7,\"time_ns\":1760000000266118000,"
                              "\"shows\":\"SYN, TTL 63\"},{\"number\":-1}],\"reasoning\":\"\","
                              "\"block\":null,\"sure\":true,\"odd\":[false,0,[1,2]]}"));
    assert_true(json_is_plain("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"));
}

static void what_a_parser_must_judge_is_not(void **state)
{
    static const char *const others[] = {
        "",
        "7",
        "\"text\"",
        "{\"a\":1} ",
        "{\"a\": 1}",
        "{\"a\":1}{}",
        "{\"a\":1",
        "{\"a\":1]",
        "{\"a\":}",
        "{\"a\"}",
        "{a:1}",
        "{,}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[01]",
        "[-]",
        "[1.5]",
        "[1e3]",
        "[9223372036854775808]",
        "[12345678901234567890]",
        "[nul]",
        "[truely]",
        "[\"a\\nb\"]",
        "[\"a\tb\"]",
        "[\"caf\xc3\xa9\"]",
        "[\"open]",
        "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (json_is_plain(others[i]))
            fail_msg("%s is taken as plain", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_as_the_store_writes_it_is_plain),
        cmocka_unit_test(what_a_parser_must_judge_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
