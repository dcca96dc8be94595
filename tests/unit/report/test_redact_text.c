/* Sentences and documents with pseudonyms. */
#include "fill.h"

#include "report/redact_text.h"

static void assert_becomes(struct pseudonyms *pseudonyms, const char *text, const char *expected)
{
    struct spool out = {0};
    redact_sentence(pseudonyms, text, &out);
    assert_string_equal(out.at, expected);
    free(out.at);
}

static void assert_document_becomes(struct pseudonyms *pseudonyms, const char *text,
                                    const char *expected)
{
    struct spool out = {0};
    redact_json(pseudonyms, text, &out);
    assert_string_equal(out.at, expected);
    free(out.at);
}

static void addresses_and_names_of_others_are_replaced_and_apples_stay(void **state)
{
    (void)state;
    struct pseudonyms *pseudonyms = pseudonyms_new();
    assert_becomes(pseudonyms, "10.1.2.3 to 17.57.144.84:5223, then 10.1.2.3:49152.",
                   "host-1 to 17.57.144.84:5223, then host-1:49152.");
    assert_becomes(pseudonyms, "2001:db8::7, 3c:22:fb:00:00:01 and mail.example.org: see tcp.port",
                   "host-2, mac-1 and name-1: see tcp.port");
    assert_becomes(pseudonyms, "courier.push.apple.com at 0.0.0.0 in 5 s.",
                   "courier.push.apple.com at 0.0.0.0 in 5 s.");
    assert_becomes(pseudonyms, "", "");
    pseudonyms_free(pseudonyms);
}

static void times_stay_and_what_only_looks_like_one_is_searched(void **state)
{
    (void)state;
    struct pseudonyms *pseudonyms = pseudonyms_new();
    assert_becomes(pseudonyms, "at 2025-10-09T08:53:20.000Z, 2025-10-09T08:53:20.000Z.",
                   "at 2025-10-09T08:53:20.000Z, 2025-10-09T08:53:20.000Z.");
    assert_becomes(pseudonyms, "2025-10-09t08-53-20.example", "name-1");
    assert_becomes(pseudonyms, "--10.1.2.3:80:-- 10.1.2.3 _", "--10.1.2.3:80:-- host-1 _");
    assert_becomes(pseudonyms, "[2001:db8::7]:5223 and [2620:149:a44::1]:443",
                   "[host-2]:5223 and [2620:149:a44::1]:443");
    pseudonyms_free(pseudonyms);
}

static void names_without_a_shape_are_found_once_they_are_known(void **state)
{
    (void)state;
    struct pseudonyms *pseudonyms = pseudonyms_new();
    assert_becomes(pseudonyms, "Example Inspection CA", "Example Inspection CA");
    (void)pseudonyms_of_odd(pseudonyms, PSEUDONYM_NAME, "Example Inspection CA");
    assert_becomes(pseudonyms, "issued by \"Example Inspection CA\".", "issued by \"name-1\".");
    pseudonyms_free(pseudonyms);
}

static void the_longest_of_names_that_begin_alike_counts(void **state)
{
    (void)state;
    struct pseudonyms *pseudonyms = pseudonyms_new();
    (void)pseudonyms_of_odd(pseudonyms, PSEUDONYM_SITE, "Example");
    (void)pseudonyms_of_odd(pseudonyms, PSEUDONYM_NAME, "Example School of Mines and Metals");
    (void)pseudonyms_of_odd(pseudonyms, PSEUDONYM_NAME, "Example School of Mines, Annex");
    assert_becomes(pseudonyms, "Example; Example School of Mines and Metals.", "site-1; name-1.");
    assert_becomes(pseudonyms, "Example School of Mines, An...", "name-2...");
    pseudonyms_free(pseudonyms);
}

static void a_short_name_is_not_meant_by_longer_words(void **state)
{
    (void)state;
    struct pseudonyms *pseudonyms = pseudonyms_new();
    (void)pseudonyms_of_odd(pseudonyms, PSEUDONYM_NAME, "no");
    assert_becomes(pseudonyms, "nothing of snow, no answer; (no)",
                   "nothing of snow, name-1 answer; (name-1)");
    pseudonyms_free(pseudonyms);
}

static void one_look_up_answers_for_many_names_of_one_beginning(void **state)
{
    (void)state;
    enum { NAMES = 2000 };
    struct pseudonyms *pseudonyms = pseudonyms_new();
    char name[64], wanted[32];
    for (int i = 1; i <= NAMES; i++) {
        snprintf(name, sizeof name, "box %d", i);
        (void)pseudonyms_of_odd(pseudonyms, PSEUDONYM_NAME, name);
    }
    for (int i = 1; i <= NAMES; i += 97) {
        snprintf(name, sizeof name, "box %d", i);
        snprintf(wanted, sizeof wanted, "name-%d", i);
        assert_becomes(pseudonyms, name, wanted);
    }
    pseudonyms_free(pseudonyms);
}

static void a_text_that_was_kept_gets_a_pseudonym_where_one_is_due(void **state)
{
    (void)state;
    struct pseudonyms *pseudonyms = pseudonyms_new();
    assert_string_equal(pseudonyms_put(pseudonyms, "17.1.2.3", NULL), "17.1.2.3");
    assert_string_equal(pseudonyms_of(pseudonyms, PSEUDONYM_HOST, "17.1.2.3"), "host-1");
    assert_string_equal(pseudonyms_find(pseudonyms, "17.1.2.3"), "host-1");
    assert_null(pseudonyms_find(pseudonyms, "17.1.2.4"));
    pseudonyms_free(pseudonyms);
}

static void documents_keep_their_members_and_their_escapes(void **state)
{
    (void)state;
    struct pseudonyms *pseudonyms = pseudonyms_new();
    (void)pseudonyms_of_odd(pseudonyms, PSEUDONYM_NAME, "says \"frames\"");
    assert_document_becomes(pseudonyms,
                            "{\"frames\":[{\"frame\":7,\"shows\":\"SYN of 10.9.9.9:1\"}]}",
                            "{\"frames\":[{\"frame\":7,\"shows\":\"SYN of host-1:1\"}]}");
    assert_document_becomes(pseudonyms, "{\"limits\":\"it says \\\"frames\\\" of 10.9.9.9\"}",
                            "{\"limits\":\"it name-1 of host-1\"}");
    assert_document_becomes(pseudonyms, "cut {\"a\":\"10.9.9.9", "cut {\"a\":\"host-1");
    pseudonyms_free(pseudonyms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_names_of_others_are_replaced_and_apples_stay),
        cmocka_unit_test(times_stay_and_what_only_looks_like_one_is_searched),
        cmocka_unit_test(names_without_a_shape_are_found_once_they_are_known),
        cmocka_unit_test(the_longest_of_names_that_begin_alike_counts),
        cmocka_unit_test(a_short_name_is_not_meant_by_longer_words),
        cmocka_unit_test(one_look_up_answers_for_many_names_of_one_beginning),
        cmocka_unit_test(a_text_that_was_kept_gets_a_pseudonym_where_one_is_due),
        cmocka_unit_test(documents_keep_their_members_and_their_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
