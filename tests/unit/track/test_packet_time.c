/* track/packet_time: time goes on, whatever single packets and clocks say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "track/packet_time.h"

#define AT(seconds) (INT64_C(1772352000) * NS_PER_S + (int64_t)((seconds)*1e9))

static struct packet_time clock_of;
static int64_t level_ns;

static int begin(void **state)
{
    (void)state;
    packet_time_init(&clock_of);
    level_ns = AT(0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    packet_time_free(&clock_of);
    return 0;
}

static struct packet packet_at(double seconds)
{
    static const uint8_t bytes[60] = {0x45};
    return (struct packet){.kind = PACKET_TCP,
                           .time_ns = AT(seconds),
                           .ip = bytes,
                           .payload = bytes + 40,
                           .payload_captured = 20,
                           .payload_size = 20,
                           .tcp_options = bytes + 40};
}

/* As the tracker asks: the level after this packet; whether it waits. */
static bool take(double seconds)
{
    struct packet packet = packet_at(seconds);
    if (clock_of.holds)
        level_ns = packet_time_settle(&clock_of, level_ns, packet.time_ns);
    if (!packet_time_goes_on(&clock_of, level_ns, packet.time_ns) &&
        !packet_time_finds_clock(&clock_of, level_ns, packet.time_ns)) {
        assert_true(packet_time_hold(&clock_of, &packet, 7));
        return false;
    }
    int64_t time_ns = packet_time_moved(&clock_of, packet.time_ns);
    level_ns = time_ns > level_ns ? time_ns : level_ns;
    return true;
}

static void expect_level(double seconds)
{
    int64_t off = time_between(AT(seconds), level_ns);
    assert_true(off > -1000 && off < 1000);
}

static void a_damaged_time_changes_nothing(void **state)
{
    (void)state;
    assert_true(take(1));
    assert_false(take(2e9));
    assert_true(take(2));
    expect_level(2);
    assert_false(take(-1e9));
    assert_true(take(3));
    expect_level(3);
    assert_int_equal(clock_of.strays, 2);
    assert_int_equal(clock_of.clock_count, 1);
}

static void a_long_silence_is_as_long_as_it_was(void **state)
{
    (void)state;
    assert_true(take(1));
    assert_false(take(7200));
    assert_true(take(7201));
    expect_level(7201);
    assert_false(take(9000)); /* and so are several, with one packet each in between */
    assert_false(take(11000));
    expect_level(9000);
    assert_int_equal(packet_time_settle_last(&clock_of, level_ns), AT(11000));
    assert_int_equal(clock_of.strays, 0);
}

static void a_clock_that_was_set_back_goes_on(void **state)
{
    (void)state;
    level_ns = AT(1000);
    assert_false(take(10));
    expect_level(1000);
    assert_true(take(11));
    expect_level(1001);
    assert_true(take(15));
    expect_level(1005);
    assert_true(take(1006)); /* set forward again */
    expect_level(1006);
    assert_true(take(17));
    expect_level(1007);
    assert_int_equal(clock_of.strays, 0);
}

static void clocks_that_take_turns_do_not_make_time_pass(void **state)
{
    (void)state;
    take(0);
    for (int i = 1; i < 200; i++) {
        take(i);
        take(i + 0.1);
        take(i + 90.2);
        take(i + 90.3);
    }
    expect_level(90 + 199.3);
    assert_true(clock_of.strays <= 2);
    assert_int_equal(clock_of.clock_count, 2);
}

static void more_clocks_than_are_known_give_up_the_oldest(void **state)
{
    (void)state;
    take(0);
    for (int round = 0; round < 20; round++)
        for (int clock = 0; clock < 7; clock++)
            for (int i = 0; i < 3; i++)
                take(-1000.0 * clock + round + 0.3 * i);
    assert_true(clock_of.clock_count <= PACKET_TIME_CLOCKS);
    assert_int_equal(clock_of.offsets[0], 0);
    assert_true(level_ns >= AT(0));
}

static void the_last_packet_is_believed_within_hours(void **state)
{
    (void)state;
    assert_true(take(1));
    assert_false(take(3 * 3600));
    assert_int_equal(packet_time_settle_last(&clock_of, level_ns), AT(3 * 3600));
    assert_false(take(1e9));
    assert_int_equal(packet_time_settle_last(&clock_of, level_ns), level_ns);
    assert_int_equal(clock_of.strays, 1);
}

static void the_end_of_the_capture_is_by_the_nearest_clock(void **state)
{
    (void)state;
    level_ns = AT(1000);
    take(10);
    take(11);
    assert_int_equal(packet_time_end(&clock_of, level_ns, AT(71)), AT(1061));
    assert_int_equal(packet_time_end(&clock_of, level_ns, AT(5)), level_ns);
    assert_int_equal(packet_time_end(&clock_of, level_ns, TIME_UNKNOWN), level_ns);
    assert_int_equal(packet_time_end(&clock_of, level_ns, INT64_MAX), TIME_LIMIT_NS);
    assert_int_equal(packet_time_end(&clock_of, level_ns, AT(2000)), AT(2000));
}

static void a_held_packet_is_a_copy_of_its_own(void **state)
{
    (void)state;
    uint8_t *bytes = malloc(60);
    struct packet packet = packet_at(1e6);
    memset(bytes, 0x5a, 60);
    packet.ip = bytes;
    packet.payload = packet.tcp_options = bytes + 40;
    assert_true(packet_time_hold(&clock_of, &packet, 9));
    assert_true(packet_time_holds_copy(&clock_of, &packet));
    packet.sequence++;
    assert_false(packet_time_holds_copy(&clock_of, &packet));
    free(bytes);
    assert_int_equal(clock_of.held.payload[19], 0x5a);
    assert_ptr_equal(clock_of.held.payload, clock_of.held.ip + 40);
    assert_ptr_equal(clock_of.held.tcp_options, clock_of.held.ip + 40);
    assert_int_equal(clock_of.held_hash, 9);
    clock_of.holds = false;
    packet.payload_captured = PACKET_TIME_HELD_SIZE;
    assert_false(packet_time_hold(&clock_of, &packet, 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_damaged_time_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_long_silence_is_as_long_as_it_was, begin, end),
        cmocka_unit_test_setup_teardown(a_clock_that_was_set_back_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(clocks_that_take_turns_do_not_make_time_pass, begin, end),
        cmocka_unit_test_setup_teardown(more_clocks_than_are_known_give_up_the_oldest, begin, end),
        cmocka_unit_test_setup_teardown(the_last_packet_is_believed_within_hours, begin, end),
        cmocka_unit_test_setup_teardown(the_end_of_the_capture_is_by_the_nearest_clock, begin, end),
        cmocka_unit_test_setup_teardown(a_held_packet_is_a_copy_of_its_own, begin, end),
    };
    return cmocka_run_group_tests_name("packet time", tests, NULL, NULL);
}
