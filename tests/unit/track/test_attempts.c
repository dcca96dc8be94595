/* track/attempts: a flood becomes sums by server prefix, port, outcome and minute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "track/attempts.h"

enum { SUMS_MAX = 8 };

static struct attempt_sum sums[SUMS_MAX];
static size_t sum_count;

static void keep(void *context, const struct attempt_sum *sum)
{
    (void)context;
    assert_in_range(sum_count, 0, SUMS_MAX - 1);
    sums[sum_count++] = *sum;
}

static void add(struct attempts *attempts, const char *server, uint16_t port, int64_t second,
                enum flow_outcome outcome)
{
    struct flow_record record = flow_record_blank();
    assert_true(address_parse(server, &record.server_ip));
    record.server_port = port;
    record.started_ns = second * NS_PER_S;
    record.outcome = (uint8_t)outcome;
    record.syn_count = 2;
    attempts_add(attempts, &record);
}

static void attempts_alike_are_one_sum_and_others_are_not(void **state)
{
    struct attempts attempts;
    (void)state;
    sum_count = 0;
    attempts_init(&attempts);
    add(&attempts, "17.57.144.10", 5223, 60, OUTCOME_NO_ANSWER);
    add(&attempts, "17.57.200.1", 5223, 119, OUTCOME_NO_ANSWER); /* the same /16, the same minute */
    add(&attempts, "17.57.144.10", 5223, 120, OUTCOME_NO_ANSWER); /* the next minute */
    add(&attempts, "17.57.144.10", 443, 60, OUTCOME_NO_ANSWER);
    add(&attempts, "17.57.144.10", 5223, 60, OUTCOME_UNFINISHED);
    add(&attempts, "17.58.144.10", 5223, 60, OUTCOME_NO_ANSWER);
    add(&attempts, "2620:149:a44::10", 5223, 60, OUTCOME_NO_ANSWER);
    add(&attempts, "2620:149:a44:7::1", 5223, 61, OUTCOME_NO_ANSWER); /* the same /48 */
    attempts_each(&attempts, keep, NULL);
    attempts_free(&attempts);
    assert_int_equal(sum_count, 6);
    assert_int_equal(sums[0].attempts, 2);
    assert_int_equal(sums[0].syns, 4);
    assert_int_equal(sums[0].minute_ns, 60 * NS_PER_S);
    for (size_t i = 1; i < 5; i++)
        assert_int_equal(sums[i].attempts, 1);
    assert_int_equal(sums[5].attempts, 2);
    char text[PREFIX_TEXT_SIZE];
    assert_string_equal(prefix_text(&sums[0].server_prefix, text), "17.57.0.0/16");
    assert_string_equal(prefix_text(&sums[5].server_prefix, text), "2620:149:a44::/48");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_alike_are_one_sum_and_others_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
