/* Names of alerts and versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dissect/tls.h"

static void alerts_are_named_as_the_standard_names_them(void **state)
{
    char text[16];
    (void)state;
    assert_string_equal(tls_alert_name(0, text), "close_notify");
    assert_string_equal(tls_alert_name(40, text), "handshake_failure");
    assert_string_equal(tls_alert_name(48, text), "unknown_ca");
    assert_string_equal(tls_alert_name(70, text), "protocol_version");
    assert_string_equal(tls_alert_name(120, text), "no_application_protocol");
}

static void an_alert_without_a_name_is_numbered(void **state)
{
    char text[16];
    (void)state;
    assert_string_equal(tls_alert_name(1, text), "alert 1");
    assert_string_equal(tls_alert_name(123, text), "alert 123");
    assert_string_equal(tls_alert_name(255, text), "alert 255");
}

static void versions_are_named(void **state)
{
    char text[16];
    (void)state;
    assert_string_equal(tls_version_name(0x0300, text), "SSL 3.0");
    assert_string_equal(tls_version_name(0x0303, text), "TLS 1.2");
    assert_string_equal(tls_version_name(0x0304, text), "TLS 1.3");
    assert_string_equal(tls_version_name(0x0305, text), "0x0305");
    assert_string_equal(tls_version_name(0x7f1c, text), "0x7f1c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts_are_named_as_the_standard_names_them),
        cmocka_unit_test(an_alert_without_a_name_is_numbered),
        cmocka_unit_test(versions_are_named),
    };
    return cmocka_run_group_tests_name("tls names", tests, NULL, NULL);
}
