/* track/lanes: packets of one session in several lanes are one session; equal addresses in several
 * lanes stay several devices. */
#include <stdlib.h>

#include "tracked.h"

enum { LANE_A = 111, LANE_B = 222, LANE_C = 333 };

static uint16_t next_id;

/* Without options; the identification is new with each packet. */
static struct packet segment(bool up, uint32_t lane, uint8_t flags, uint32_t sequence,
                             uint32_t acknowledgement, uint32_t size)
{
    static const uint8_t payload[2000] = {0x17, 0x03, 0x03, 0x07, 0xcb};
    struct packet packet = {.kind = PACKET_TCP, .ip_version = 4, .ttl = 60};
    const char *client = "10.1.2.3", *server = "17.57.144.10";
    assert_true(address_parse(up ? client : server, &packet.source));
    assert_true(address_parse(up ? server : client, &packet.destination));
    packet.source_port = up ? 50001 : 5223;
    packet.destination_port = up ? 5223 : 50001;
    packet.lane = lane;
    packet.vlan = (uint16_t)lane;
    packet.tcp_flags = flags;
    packet.sequence = sequence;
    packet.acknowledgement = acknowledgement;
    packet.window = 1000;
    packet.payload = payload;
    packet.payload_size = packet.payload_captured = size;
    packet.tcp_options = payload;
    packet.ip_id = ++next_id;
    packet.process.id = -1;
    return packet;
}

static void take(struct packet packet)
{
    take_after(packet, 100 * NS_PER_US);
}

enum { S = TCP_SYN, SA = TCP_SYN | TCP_ACK, A = TCP_ACK, R = TCP_RST, RA = TCP_RST | TCP_ACK };

static void an_answer_in_another_lane_is_known_by_the_number_it_acknowledges(void **state)
{
    (void)state;
    take(segment(true, LANE_A, S, 1000, 0, 0));
    take(segment(false, LANE_B, SA, 7000, 1001, 0));
    take(segment(true, LANE_A, A, 1001, 7001, 0));
    take(segment(false, LANE_B, A, 7001, 1001, 40));
    finish();
    assert_int_equal(done_count, 1);
    assert_int_equal(done[0].lane, LANE_A);
    assert_int_equal(done[0].vlan, LANE_A);
    assert_int_equal(done[0].packets_up, 2);
    assert_int_equal(done[0].packets_down, 2);
    assert_true(done[0].saw & SAW_HANDSHAKE);
}

static void an_answer_to_another_syn_is_another_devices(void **state)
{
    (void)state;
    take(segment(true, LANE_A, S, 1000, 0, 0));
    take(segment(false, LANE_B, SA, 7000, 1002, 0));
    finish();
    assert_int_equal(done_count, 2);
    assert_int_equal(done[0].packets_down, 0);
    assert_int_equal(done[1].packets_up, 0);
}

static void a_refusal_in_another_lane_must_acknowledge_the_syn(void **state)
{
    (void)state;
    take(segment(true, LANE_A, S, 1000, 0, 0));
    take(segment(false, LANE_B, RA, 0, 2001, 0));
    take(segment(false, LANE_C, RA, 0, 1001, 0));
    finish();
    assert_int_equal(done_count, 1);
    assert_int_equal(done[0].outcome, OUTCOME_REFUSED);
    assert_int_equal(done[0].packets_down, 1);
}

static void an_answer_that_comes_before_its_syn_waits_for_it(void **state)
{
    (void)state;
    take(segment(false, LANE_B, SA, 7000, 1001, 0));
    take(segment(true, LANE_A, S, 1000, 0, 0));
    take(segment(true, LANE_A, A, 1001, 7001, 40));
    finish();
    assert_int_equal(done_count, 1);
    assert_int_equal(done[0].packets_up, 2);
}

static void halves_of_an_older_session_find_each_other(void **state)
{
    (void)state;
    take(segment(false, LANE_B, A, 7000, 1000, 40));
    take(segment(true, LANE_A, A, 1000, 7040, 0));
    take(segment(true, LANE_A, A, 1000, 7040, 60));
    take(segment(false, LANE_B, A, 7040, 1060, 0));
    finish();
    assert_int_equal(done_count, 1);
    assert_int_equal(done[0].outcome, OUTCOME_MIDSTREAM);
    assert_int_equal(done[0].lane, LANE_A); /* the client's own */
    assert_int_equal(done[0].packets_up, 2);
    assert_int_equal(done[0].packets_down, 2);
}

static void sessions_with_other_numbers_are_two_devices(void **state)
{
    (void)state;
    take(segment(true, LANE_A, A, 1000, 7000, 40));
    take(segment(true, LANE_B, A, 3000000, 9000000, 40));
    take(segment(false, LANE_A, A, 7000, 1040, 40));
    take(segment(false, LANE_B, A, 9000000, 3000040, 40));
    finish();
    assert_int_equal(done_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(done[i].lane, i ? LANE_B : LANE_A);
        assert_int_equal(done[i].packets_up, 1);
        assert_int_equal(done[i].packets_down, 1);
    }
}

/* Both devices open with the same number: what is told apart in its own lane stays there. */
static void equal_first_numbers_do_not_make_two_devices_one(void **state)
{
    (void)state;
    take(segment(true, LANE_A, S, 1000, 0, 0));
    now_ns += NS_PER_S;
    take(segment(true, LANE_B, S, 1000, 0, 0));
    take(segment(false, LANE_B, SA, 7000, 1001, 0));
    take(segment(true, LANE_B, A, 1001, 7001, 0));
    now_ns += NS_PER_S;
    take(segment(true, LANE_A, S, 1000, 0, 0));
    finish();
    assert_int_equal(done_count, 2);
    assert_int_equal(done[0].syn_count, 2);
    assert_int_equal(done[0].packets_down, 0);
    assert_int_equal(done[1].syn_count, 1);
    assert_int_equal(done[1].packets_down, 1);
}

static void a_bare_reset_must_be_near(void **state)
{
    (void)state;
    take(segment(true, LANE_A, A, 1000, 7000, 40));
    take(segment(false, LANE_A, A, 7000, 1040, 40));
    take(segment(true, LANE_B, R, 900000, 0, 0));
    assert_int_equal(tracker->flows.pool.taken, 1);
    take(segment(true, LANE_C, R, 1040, 0, 0));
    finish();
    assert_int_equal(done_count, 1);
    assert_int_equal(done[0].ended_by, ENDED_CLIENT_RESET);
    assert_int_equal(done[0].packets_up, 2);
}

/* The same bytes in two lanes, by `first` before the other. */
static void take_twice(struct packet packet, uint32_t first, uint32_t second)
{
    packet.lane = first;
    packet.vlan = (uint16_t)first;
    packet.ttl = first == LANE_A ? 64 : 63;
    take(packet);
    packet.lane = second;
    packet.vlan = (uint16_t)second;
    packet.ttl = second == LANE_A ? 64 : 63;
    take(packet);
}

static void copies_are_one_session_whichever_comes_first(void **state)
{
    (void)state;
    static const uint32_t orders[][2] = {{LANE_A, LANE_B}, {LANE_B, LANE_A}};
    for (size_t i = 0; i < 2; i++) {
        begin(NULL);
        take_twice(segment(true, 0, S, 1000, 0, 0), orders[i][0], orders[i][1]);
        take_twice(segment(false, 0, SA, 7000, 1001, 0), LANE_B, LANE_A);
        take_twice(segment(true, 0, A, 1001, 7001, 40), orders[i][0], orders[i][1]);
        finish();
        assert_int_equal(done_count, 1);
        assert_int_equal(done[0].lane, LANE_A); /* before the router */
        assert_int_equal(done[0].vlan, LANE_A);
        assert_int_equal(done[0].syn_count, 1);
        assert_int_equal(done[0].packets_up, 2);
        assert_int_equal(done[0].retransmissions_up, 0);
        assert_int_equal(quality.duplicates, 3);
        end(NULL);
    }
    begin(NULL); /* for the teardown */
}

/* Two sites, the same ports at the same moment, and each packet in two lanes. */
static void copies_of_two_devices_stay_with_their_own(void **state)
{
    (void)state;
    struct packet one = segment(true, LANE_A, S, 1000, 0, 0);
    struct packet two = segment(true, LANE_B, S, 900000, 0, 0);
    take(one);
    take(two);
    two.lane = 444;
    take(two);
    one.lane = 333;
    take(one);
    take(segment(false, 444, SA, 7000, 900001, 0));
    finish();
    assert_int_equal(done_count, 2);
    assert_int_equal(quality.duplicates, 2);
    assert_int_equal(done[0].packets_down, 0);
    assert_int_equal(done[1].packets_down, 1);
}

static void acknowledgements_without_marks_are_copies_where_others_were(void **state)
{
    (void)state;
    take_twice(segment(true, 0, A, 1000, 7000, 40), LANE_A, LANE_B);
    take_twice(segment(false, 0, A, 7000, 1040, 40), LANE_B, LANE_A);
    struct packet bare = segment(true, 0, A, 1040, 7040, 0);
    bare.ip_id = 0;
    take_twice(bare, LANE_A, LANE_B);
    take_twice(bare, LANE_B, LANE_A);
    finish();
    assert_int_equal(done_count, 1);
    assert_int_equal(done[0].packets_up, 3);
    assert_int_equal(quality.duplicates, 4);
}

static void a_copy_that_comes_alone_counts(void **state)
{
    (void)state;
    take_twice(segment(true, 0, A, 1000, 7000, 40), LANE_A, LANE_B);
    take(segment(true, LANE_B, A, 1040, 7000, 40)); /* its first copy was not captured */
    finish();
    assert_int_equal(done_count, 1);
    assert_int_equal(done[0].bytes_up, 80);
    assert_int_equal(quality.gap_bytes, 0);
}

static void ports_used_again_begin_a_session_in_any_known_lane(void **state)
{
    (void)state;
    take_twice(segment(true, 0, S, 1000, 0, 0), LANE_A, LANE_B);
    now_ns += 200 * NS_PER_S / 100;
    take_twice(segment(true, 0, S, 500000, 0, 0), LANE_B, LANE_A);
    finish();
    assert_int_equal(done_count, 2);
    assert_int_equal(done[1].syn_count, 1);
    assert_int_equal(done[1].lane, LANE_A);
}

static void more_lanes_than_are_remembered_still_join(void **state)
{
    (void)state;
    take(segment(true, 1, A, 1000, 7000, 40));
    for (uint32_t lane = 2; lane < 12; lane++)
        take(segment(true, lane, A, 1000 + 40 * (lane - 1), 7000, 40));
    finish();
    assert_int_equal(done_count, 1);
    assert_int_equal(done[0].bytes_up, 11 * 40);
}

/* An ICMP error that quotes a SYN of this number. */
static void take_error(uint32_t lane, uint32_t sequence)
{
    uint8_t quote[] = {0x45, 0, 0,  40, 0,   0,  0,    0,    60,   6,    0, 0, 10, 1,
                       2,    3, 17, 57, 144, 10, 0xc3, 0x51, 0x14, 0x67, 0, 0, 0,  0};
    struct packet packet = {.kind = PACKET_ICMP_ERROR, .ip_version = 4, .icmp_type = 3};
    quote[26] = (uint8_t)(sequence >> 8);
    quote[27] = (uint8_t)sequence;
    packet.icmp_code = 13;
    packet.lane = lane;
    packet.payload = quote;
    packet.payload_size = packet.payload_captured = sizeof quote;
    assert_true(address_parse("10.9.9.1", &packet.source));
    assert_true(address_parse("10.1.2.3", &packet.destination));
    take(packet);
}

static void an_error_in_another_lane_must_quote_what_was_sent(void **state)
{
    (void)state;
    take(segment(true, LANE_A, S, 1000, 0, 0));
    take_error(LANE_B, 40000);
    assert_int_equal(tracker->flows.lists[WAIT_HALF_OPEN].count, 1);
    take_error(LANE_B, 1000);
    finish();
    assert_int_equal(done_count, 1);
    assert_int_equal(done[0].outcome, OUTCOME_UNREACHABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_answer_in_another_lane_is_known_by_the_number_it_acknowledges, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_to_another_syn_is_another_devices, begin, end),
        cmocka_unit_test_setup_teardown(a_refusal_in_another_lane_must_acknowledge_the_syn, begin,
                                        end),
        cmocka_unit_test_setup_teardown(an_answer_that_comes_before_its_syn_waits_for_it, begin,
                                        end),
        cmocka_unit_test_setup_teardown(halves_of_an_older_session_find_each_other, begin, end),
        cmocka_unit_test_setup_teardown(sessions_with_other_numbers_are_two_devices, begin, end),
        cmocka_unit_test_setup_teardown(equal_first_numbers_do_not_make_two_devices_one, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_bare_reset_must_be_near, begin, end),
        cmocka_unit_test_setup_teardown(copies_are_one_session_whichever_comes_first, NULL, end),
        cmocka_unit_test_setup_teardown(copies_of_two_devices_stay_with_their_own, begin, end),
        cmocka_unit_test_setup_teardown(acknowledgements_without_marks_are_copies_where_others_were,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_copy_that_comes_alone_counts, begin, end),
        cmocka_unit_test_setup_teardown(ports_used_again_begin_a_session_in_any_known_lane, begin,
                                        end),
        cmocka_unit_test_setup_teardown(more_lanes_than_are_remembered_still_join, begin, end),
        cmocka_unit_test_setup_teardown(an_error_in_another_lane_must_quote_what_was_sent, begin,
                                        end),
    };
    return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
