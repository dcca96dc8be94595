/* A flow of which nothing is known yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/flow_record.h"

static void nothing_is_known_of_a_blank_flow(void **state)
{
    struct flow_record flow = flow_record_blank();
    (void)state;
    assert_true(flow.started_ns == TIME_UNKNOWN && flow.established_ns == TIME_UNKNOWN);
    assert_true(flow.last_ns == TIME_UNKNOWN && flow.last_syn_ns == TIME_UNKNOWN);
    assert_true(flow.last_down_ns == TIME_UNKNOWN && flow.reset_ns == TIME_UNKNOWN);
    assert_true(flow.icmp_ns == TIME_UNKNOWN);
    assert_int_equal(flow.rtt_server_us, -1);
    assert_int_equal(flow.rtt_client_us, -1);
    assert_int_equal(flow.tls_hello_us, -1);
    assert_int_equal(flow.ttl_client, -1);
    assert_int_equal(flow.ttl_server, -1);
    assert_int_equal(flow.hops_server, -1);
    assert_int_equal(flow.reset_ttl, -1);
    assert_int_equal(flow.alert_up, -1);
    assert_int_equal(flow.alert_down, -1);
    assert_int_equal(flow.process_id, -1);
    assert_int_equal(flow.saw, 0);
    assert_null(flow.sni);
    assert_null(flow.certificate);
    assert_true(address_is_unspecified(&flow.icmp_source));
    assert_null(outcome_name((enum flow_outcome)flow.outcome));
    assert_null(role_name((enum flow_role)flow.role));
}

static void only_sessions_that_carried_apns_work(void **state)
{
    struct flow_record flow = flow_record_blank();
    (void)state;
    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        flow.outcome = (uint8_t)outcome;
        assert_int_equal(flow_works(&flow),
                         outcome == OUTCOME_ESTABLISHED || outcome == OUTCOME_MIDSTREAM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_of_a_blank_flow),
        cmocka_unit_test(only_sessions_that_carried_apns_work),
    };
    return cmocka_run_group_tests_name("model flow_record", tests, NULL, NULL);
}
