/* Tests of dissect/push_name.c: which names are APNs, and which only look so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dissect/push_name.h"

static enum flow_role role(const char *host)
{
    return push_name_role(host, NULL, 0);
}

static void couriers_are_known_by_their_names(void **state)
{
    (void)state;
    static const char *const couriers[] = {
        "courier.push.apple.com",
        "0-courier.push.apple.com",
        "50-courier.push.apple.com",
        "12-courier2.push.apple.com",
        "36-courier.sandbox.push.apple.com",
        "courier-sandbox.push.apple.com",
        "courier.sandbox.push.apple.com",
        "*.push.apple.com",
        "anything.push.apple.com",
        "7-COURIER.Push.Apple.Com",
        "courier.push.apple.com.",
        "36.courier-push-apple.com.akadns.net",
        "pop-eur-west-courier.push-apple.com.akadns.net",
        "push-apple.com.akadns.net",
    };
    for (size_t i = 0; i < sizeof couriers / sizeof *couriers; i++)
        assert_int_equal(role(couriers[i]), ROLE_COURIER);
}

static void configuration_and_providers_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(role("init.push.apple.com"), ROLE_BAG);
    assert_int_equal(role("init-p01st.push.apple.com"), ROLE_BAG);
    assert_int_equal(role("initial.push.apple.com"), ROLE_COURIER);
    assert_int_equal(role("api.push.apple.com"), ROLE_PROVIDER);
    assert_int_equal(role("api.sandbox.push.apple.com"), ROLE_PROVIDER);
    assert_int_equal(role("api.development.push.apple.com"), ROLE_PROVIDER);
    assert_int_equal(role("gateway.push.apple.com"), ROLE_LEGACY_PROVIDER);
    assert_int_equal(role("feedback.sandbox.push.apple.com"), ROLE_LEGACY_PROVIDER);
}

static void a_name_that_only_ends_alike_is_none(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        ".",
        "evilpush.apple.com",
        "push.apple.com.evil.example",
        "courier.push.apple.com.evil.example",
        "courier.push.apple.comm",
        "apple.com",
        "www.apple.com",
        "gateway.icloud.com",
        "evilpush-apple.com.akadns.net",
        "push-apple.com.akadns.net.evil.example",
        "courier.push.apple.com..",
        "courier.push.apple.com\\x00.evil.example",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(role(others[i]), ROLE_UNKNOWN);
    assert_int_equal(role(NULL), ROLE_UNKNOWN);
}

static void a_name_longer_than_any_is_none(void **state)
{
    (void)state;
    char name[400];
    memset(name, 'a', sizeof name);
    memcpy(name + sizeof name - 16, ".push.apple.com", 16);
    assert_int_equal(role(name), ROLE_UNKNOWN);
    assert_int_equal(role(name + 200), ROLE_COURIER);
}

static void domains_of_the_user_count_at_label_boundaries(void **state)
{
    (void)state;
    static const char *const domains[] = {"Push.Example.com", "*.lab.test.", ""};
    assert_int_equal(push_name_role("1-courier.push.example.com", domains, 3), ROLE_COURIER);
    assert_int_equal(push_name_role("push.example.com", domains, 3), ROLE_COURIER);
    assert_int_equal(push_name_role("api.push.example.com.", domains, 3), ROLE_PROVIDER);
    assert_int_equal(push_name_role("x.LAB.test", domains, 3), ROLE_COURIER);
    assert_int_equal(push_name_role("xpush.example.com", domains, 3), ROLE_UNKNOWN);
    assert_int_equal(push_name_role("example.com", domains, 3), ROLE_UNKNOWN);
    assert_int_equal(push_name_role("courier.push.apple.com", domains, 3), ROLE_COURIER);
}

static bool may_occur(const void *bytes, size_t size)
{
    uint8_t *exact = test_malloc(size + 1);
    memcpy(exact + 1, bytes, size); /* unaligned, and with nothing behind it */
    bool answer = push_name_may_occur(exact + 1, size);
    test_free(exact);
    return answer;
}

static void push_is_found_wherever_it_stands(void **state)
{
    (void)state;
    static const uint8_t lower[] = {'p', 'u', 's', 'h'}, mixed[] = {'p', 'U', 's', 'H'};
    uint8_t bytes[200];
    for (size_t size = 4; size <= sizeof bytes; size++) {
        for (size_t at = 0; at + 4 <= size; at++) {
            memset(bytes, 'p', sizeof bytes);
            memcpy(bytes + at, at % 2 ? lower : mixed, sizeof lower);
            assert_true(may_occur(bytes, size));
            assert_false(may_occur(bytes, at + 3));
        }
    }
}

static void without_push_there_is_no_name(void **state)
{
    (void)state;
    static const char text[] = "pus hpu sh PUS_H pppppppppppppppush";
    assert_false(may_occur(text, strlen(text) - 1));
    assert_false(may_occur("", 0));
    assert_false(may_occur("\x50\x55\x53", 3));
    assert_false(may_occur("0u3(PQRSTUVWXYZpqrstuvwxyz\xf0\xf5\xf3\xe8", 30));
}

static void alpn_of_apns_is_found_in_a_list(void **state)
{
    (void)state;
    assert_true(push_alpn("apns-security-v3,apns-pack-v1"));
    assert_true(push_alpn("h2,apns-security-v2"));
    assert_true(push_alpn("apns-pack-v1:4096:4096"));
    assert_false(push_alpn("h2,http/1.1"));
    assert_false(push_alpn("xapns-security-v3"));
    assert_false(push_alpn("apns"));
    assert_false(push_alpn(""));
    assert_false(push_alpn(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(couriers_are_known_by_their_names),
        cmocka_unit_test(configuration_and_providers_are_told_apart),
        cmocka_unit_test(a_name_that_only_ends_alike_is_none),
        cmocka_unit_test(a_name_longer_than_any_is_none),
        cmocka_unit_test(domains_of_the_user_count_at_label_boundaries),
        cmocka_unit_test(push_is_found_wherever_it_stands),
        cmocka_unit_test(without_push_there_is_no_name),
        cmocka_unit_test(alpn_of_apns_is_found_in_a_list),
    };
    return cmocka_run_group_tests_name("dissect/push_name", tests, NULL, NULL);
}
