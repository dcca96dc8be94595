/* track/translation: a session captured on both sides of a NAT is one session, and what only looks
 * like that stays two. */
#include "tracked.h"

static const char *const inside = "10.1.2.3";

enum { INSIDE_TTL = 64, OUTSIDE_TTL = 63, ISN = 1000, SERVER_ISN = 7000 };

static uint16_t port; /* of the server */

static int begin_at_5223(void **state)
{
    port = 5223;
    return begin(state);
}

static uint8_t timestamps[12] = {1, 1, 8, 10};

static void set_timestamp(uint32_t value)
{
    for (int i = 0; i < 4; i++)
        timestamps[4 + i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A packet of the session's, as it is on the side where the client has that address. */
struct shown {
    const char *client;
    uint16_t port;
    uint8_t ttl;
};

static void take(struct shown as, bool up, uint8_t flags, uint32_t sequence,
                 uint32_t acknowledgement, uint32_t size)
{
    static const uint8_t payload[200] = {0x17, 0x03, 0x03, 0x00, 0x20};
    struct packet packet = {.kind = PACKET_TCP, .ip_version = 4, .ttl = as.ttl};
    const char *server = "17.57.144.10";
    assert_true(address_parse(up ? as.client : server, &packet.source));
    assert_true(address_parse(up ? server : as.client, &packet.destination));
    packet.source_port = up ? as.port : port;
    packet.destination_port = up ? port : as.port;
    packet.tcp_flags = flags;
    packet.sequence = sequence;
    packet.acknowledgement = acknowledgement;
    packet.window = 1000;
    packet.payload = payload;
    packet.payload_size = packet.payload_captured = size;
    packet.tcp_options = timestamps;
    packet.tcp_options_size = sizeof timestamps;
    packet.process.id = -1;
    take_after(packet, 20 * NS_PER_US);
}

static const struct shown here = {"10.1.2.3", 50001, INSIDE_TTL};
static const struct shown there = {"203.0.113.1", 1024, OUTSIDE_TTL};

enum { S = TCP_SYN, SA = TCP_SYN | TCP_ACK, A = TCP_ACK };

static void forward(uint8_t flags, uint32_t sequence, uint32_t acknowledgement, uint32_t size)
{
    take(here, true, flags, sequence, acknowledgement, size);
    take(there, true, flags, sequence, acknowledgement, size);
}

static void back(uint8_t flags, uint32_t sequence, uint32_t acknowledgement, uint32_t size)
{
    struct shown far = there, near = here;
    far.ttl = 54;
    near.ttl = 53;
    take(far, false, flags, sequence, acknowledgement, size);
    take(near, false, flags, sequence, acknowledgement, size);
}

static void expect_client(size_t which, const char *client)
{
    struct address address;
    assert_true(address_parse(client, &address));
    assert_true(address_equal(&done[which].client_ip, &address));
}

static void expect_one_session_of(const char *client)
{
    finish();
    assert_int_equal(done_count, 1);
    expect_client(0, client);
    assert_true(done[0].was_passed_on);
    assert_int_equal(done[0].number, 1);
    assert_int_equal(quality.flows_translated, 1);
}

static void expect_two_sessions(void)
{
    finish();
    assert_int_equal(done_count, 2);
    assert_false(done[0].was_passed_on);
    assert_false(done[1].was_passed_on);
    assert_int_equal(quality.flows_translated, 0);
}

static void a_session_is_the_one_of_the_address_inside(void **state)
{
    (void)state;
    forward(S, ISN, 0, 0);
    back(SA, SERVER_ISN, ISN + 1, 0);
    forward(A, ISN + 1, SERVER_ISN + 1, 0);
    forward(A, ISN + 1, SERVER_ISN + 1, 40);
    back(A, SERVER_ISN + 1, ISN + 41, 60);
    expect_one_session_of(inside);
    assert_int_equal(done[0].packets_up, 3);
    assert_int_equal(done[0].packets_down, 2);
    assert_int_equal(done[0].retransmissions_up, 0);
    assert_int_equal(quality.duplicates, 5);
}

static void its_order_in_the_capture_does_not_matter(void **state)
{
    (void)state;
    take(there, true, S, ISN, 0, 0);
    take(here, true, S, ISN, 0, 0);
    back(SA, SERVER_ISN, ISN + 1, 0);
    forward(A, ISN + 1, SERVER_ISN + 1, 0);
    expect_one_session_of(inside);
    assert_int_equal(done[0].packets_down, 1);
}

static void it_is_known_in_the_middle_too(void **state)
{
    (void)state;
    back(A, 9000, 5000, 60);
    forward(A, 5000, 9060, 0);
    forward(A, 5000, 9060, 40);
    expect_one_session_of(inside);
    assert_int_equal(done[0].packets_up, 2);
    assert_int_equal(done[0].packets_down, 1);
}

static void copies_that_overtook_each_other_are_known(void **state)
{
    struct shown far = there, near = here;
    (void)state;
    far.ttl = 54;
    near.ttl = 53;
    take(far, false, A, 9000, 5000, 60);
    take(far, false, A, 9060, 5000, 20);
    take(near, false, A, 9060, 5000, 20);
    take(near, false, A, 9000, 5000, 60);
    forward(A, 5000, 9080, 0);
    finish();
    assert_int_equal(done_count, 1);
    expect_client(0, inside);
    assert_int_equal(quality.flows_translated, 1);
}

static void a_syn_sent_again_is_known_where_the_first_was_not_captured(void **state)
{
    (void)state;
    set_timestamp(1);
    take(here, true, S, ISN, 0, 0);
    now_ns += NS_PER_S;
    set_timestamp(1001);
    forward(S, ISN, 0, 0);
    back(SA, SERVER_ISN, ISN + 1, 0);
    expect_one_session_of(inside);
    assert_int_equal(done[0].syn_count, 2);
}

static void silence_is_waited_out_on_both_sides(void **state)
{
    (void)state;
    forward(S, ISN, 0, 0);
    back(SA, SERVER_ISN, ISN + 1, 0);
    forward(A, ISN + 1, SERVER_ISN + 1, 0);
    now_ns += 1800 * NS_PER_S;
    forward(A, ISN + 1, SERVER_ISN + 1, 40);
    back(A, SERVER_ISN + 1, ISN + 41, 40);
    expect_one_session_of(inside);
}

static void ports_that_are_used_again_are_a_new_session(void **state)
{
    (void)state;
    for (uint32_t isn = ISN; isn <= 2 * ISN; isn += ISN) {
        set_timestamp(isn);
        forward(S, isn, 0, 0);
        back(SA, SERVER_ISN + isn, isn + 1, 0);
        forward(TCP_RST | TCP_ACK, isn + 1, SERVER_ISN + isn + 1, 0);
        now_ns += NS_PER_S;
    }
    finish();
    assert_int_equal(done_count, 2);
    expect_client(0, inside);
    expect_client(1, inside);
    assert_int_equal(quality.flows_translated, 2);
}

/* A session on 443 that shows no name is given up after a while, and its other side with it. */
static void what_is_given_up_inside_is_given_up_behind(void **state)
{
    (void)state;
    port = 443;
    forward(S, ISN, 0, 0);
    back(SA, SERVER_ISN, ISN + 1, 0);
    forward(A, ISN + 1, SERVER_ISN + 1, 0);
    assert_int_equal(tracker->flows.pool.taken, 2);
    now_ns += 100 * NS_PER_S;
    take(there, true, A, ISN + 1, SERVER_ISN + 1, 40);
    assert_int_equal(tracker->flows.pool.taken, 0);
    finish();
    assert_int_equal(done_count, 0);
}

static void equal_distance_needs_a_private_and_a_public_address(void **state)
{
    struct shown beside = there;
    (void)state;
    beside.ttl = here.ttl; /* a firewall that takes nothing off */
    take(here, true, S, ISN, 0, 0);
    take(beside, true, S, ISN, 0, 0);
    expect_one_session_of(inside);
}

static void forged_syns_of_one_number_are_several_devices(void **state)
{
    struct shown neighbour = here;
    (void)state;
    neighbour.client = "10.1.2.4";
    take(here, true, S, ISN, 0, 0);
    take(neighbour, true, S, ISN, 0, 0);
    expect_two_sessions();
}

static void other_timestamps_are_another_device(void **state)
{
    (void)state;
    set_timestamp(1);
    take(here, true, S, ISN, 0, 0);
    set_timestamp(2);
    take(there, true, S, ISN, 0, 0);
    expect_two_sessions();
}

static void the_same_number_much_later_is_another_device(void **state)
{
    (void)state;
    take(here, true, S, ISN, 0, 0);
    now_ns += TRANSLATION_WINDOW_NS + NS_PER_MS;
    take(there, true, S, ISN, 0, 0);
    expect_two_sessions();
}

static void what_somebody_was_told_of_stays(void **state)
{
    struct shown far = there;
    (void)state;
    far.ttl = 54;
    take(there, true, S, ISN, 0, 0);
    take(far, false, SA, SERVER_ISN, ISN + 1, 0);
    take(here, true, S, ISN, 0, 0);
    expect_two_sessions();
}

#define ROUND(test) cmocka_unit_test_setup_teardown(test, begin_at_5223, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROUND(a_session_is_the_one_of_the_address_inside),
        ROUND(its_order_in_the_capture_does_not_matter),
        ROUND(it_is_known_in_the_middle_too),
        ROUND(copies_that_overtook_each_other_are_known),
        ROUND(a_syn_sent_again_is_known_where_the_first_was_not_captured),
        ROUND(silence_is_waited_out_on_both_sides),
        ROUND(ports_that_are_used_again_are_a_new_session),
        ROUND(what_is_given_up_inside_is_given_up_behind),
        ROUND(equal_distance_needs_a_private_and_a_public_address),
        ROUND(forged_syns_of_one_number_are_several_devices),
        ROUND(other_timestamps_are_another_device),
        ROUND(the_same_number_much_later_is_another_device),
        ROUND(what_somebody_was_told_of_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
