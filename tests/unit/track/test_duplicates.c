/* track/duplicates: a copy is told from a packet sent again by what the sender renews. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "track/duplicates.h"

static struct duplicates seen;
static uint8_t options[12] = {1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 6};

static int begin(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    return 0;
}

static struct packet data(uint16_t ip_id, bool has_timestamps)
{
    return (struct packet){.kind = PACKET_TCP,
                           .ip_version = 4,
                           .ttl = 60,
                           .ip_id = ip_id,
                           .tcp_flags = TCP_ACK | TCP_PSH,
                           .sequence = 1000,
                           .acknowledgement = 7000,
                           .window = 500,
                           .payload_size = 40,
                           .tcp_options = options,
                           .tcp_options_size = has_timestamps ? sizeof options : 0,
                           .time_ns = 1000 * NS_PER_S};
}

static bool is_copy_after(struct packet packet, int64_t after_ns)
{
    packet.time_ns += after_ns;
    bool known = duplicates_knows(&seen, &packet, 99);
    assert_int_equal(duplicates_seen(&seen, &packet, 99, 0), known);
    return known;
}

static void a_packet_is_no_copy_of_itself(void **state)
{
    (void)state;
    assert_false(is_copy_after(data(7, true), 0));
}

static void copies_differ_in_nothing_that_the_sender_wrote(void **state)
{
    (void)state;
    struct packet copy = data(7, true);
    assert_false(is_copy_after(data(7, true), 0));
    copy.ttl--;
    copy.lane = copy.vlan = 20;
    copy.source_mac[5] = 9;
    assert_true(is_copy_after(copy, 150 * NS_PER_US));
    assert_false(is_copy_after(data(8, true), NS_PER_MS));
    struct packet other = data(7, true);
    other.window++;
    assert_false(is_copy_after(other, NS_PER_MS));
    other = data(7, true);
    other.payload_size++;
    assert_false(is_copy_after(other, NS_PER_MS));
    uint8_t later[12];
    memcpy(later, options, sizeof later);
    later[7]++;
    other = data(7, true);
    other.tcp_options = later;
    assert_false(is_copy_after(other, NS_PER_MS));
}

static void the_other_direction_is_another_packet(void **state)
{
    (void)state;
    struct packet up = data(0, false), down = data(0, false);
    up.source_port = 50001;
    down.source_port = 5223;
    assert_false(is_copy_after(up, 0));
    assert_false(is_copy_after(down, 0));
}

static void what_is_marked_twice_may_come_late(void **state)
{
    (void)state;
    assert_false(is_copy_after(data(7, true), 0));
    assert_true(is_copy_after(data(7, true), 400 * NS_PER_MS));
    assert_false(is_copy_after(data(7, true), 700 * NS_PER_MS));
}

static void what_is_marked_once_may_be_a_little_late(void **state)
{
    (void)state;
    for (int has_timestamps = 0; has_timestamps <= 1; has_timestamps++) {
        begin(NULL);
        struct packet packet = data(has_timestamps ? 0 : 7, has_timestamps);
        assert_false(is_copy_after(packet, 0));
        assert_true(is_copy_after(packet, 50 * NS_PER_MS));
        assert_false(is_copy_after(packet, 120 * NS_PER_MS));
    }
}

static void what_is_not_marked_may_not(void **state)
{
    (void)state;
    assert_false(is_copy_after(data(0, false), 0));
    assert_true(is_copy_after(data(0, false), 15 * NS_PER_MS));
    assert_false(is_copy_after(data(0, false), 40 * NS_PER_MS));
}

static void nobody_sends_again_within_a_round_trip(void **state)
{
    (void)state;
    struct packet packet = data(0, false);
    assert_false(duplicates_seen(&seen, &packet, 99, 100 * NS_PER_MS));
    packet.time_ns += 90 * NS_PER_MS;
    assert_true(duplicates_seen(&seen, &packet, 99, 100 * NS_PER_MS));
    packet.time_ns += 20 * NS_PER_MS;
    assert_false(duplicates_seen(&seen, &packet, 99, 100 * NS_PER_MS));
}

static void an_unmarked_acknowledgement_says_nothing(void **state)
{
    (void)state;
    struct packet bare = data(0, false);
    bare.payload_size = 0;
    bare.tcp_flags = TCP_ACK;
    assert_false(duplicates_can_tell(&bare));
    assert_false(is_copy_after(bare, 0));
    assert_false(is_copy_after(bare, 0));
    bare.tcp_flags |= TCP_FIN;
    assert_true(duplicates_can_tell(&bare));
}

static void clocks_of_two_machines_may_be_off(void **state)
{
    (void)state;
    assert_false(is_copy_after(data(7, true), 0));
    assert_true(is_copy_after(data(7, true), -300 * NS_PER_MS));
    assert_false(is_copy_after(data(7, true), -900 * NS_PER_MS));
}

static void any_number_may_be_a_time(void **state)
{
    (void)state;
    struct packet packet = data(7, true);
    static const int64_t times[] = {INT64_MIN, INT64_MAX, 0, INT64_MIN};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        packet.time_ns = times[i];
        (void)duplicates_seen(&seen, &packet, 99, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_packet_is_no_copy_of_itself, begin),
        cmocka_unit_test_setup(copies_differ_in_nothing_that_the_sender_wrote, begin),
        cmocka_unit_test_setup(the_other_direction_is_another_packet, begin),
        cmocka_unit_test_setup(what_is_marked_twice_may_come_late, begin),
        cmocka_unit_test_setup(what_is_marked_once_may_be_a_little_late, begin),
        cmocka_unit_test_setup(what_is_not_marked_may_not, begin),
        cmocka_unit_test_setup(nobody_sends_again_within_a_round_trip, begin),
        cmocka_unit_test_setup(an_unmarked_acknowledgement_says_nothing, begin),
        cmocka_unit_test_setup(clocks_of_two_machines_may_be_off, begin),
        cmocka_unit_test_setup(any_number_may_be_a_time, begin),
    };
    return cmocka_run_group_tests_name("duplicates", tests, NULL, NULL);
}
