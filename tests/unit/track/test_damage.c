/* track/damage: which wrong checksums are believed. */
#include <string.h>

#include "segments.h"
#include "track/damage.h"

static struct damage damage;

static int begin(void **state)
{
    (void)state;
    memset(&damage, 0, sizeof damage);
    return 0;
}

static bool is_damaged(unsigned client, uint32_t size, enum packet_checksum checksum)
{
    struct packet packet = segment(0, client, true, TCP_ACK);
    packet.payload_size = size;
    return damage_found(&damage, &packet, checksum);
}

static void a_wrong_checksum_is_believed_of_a_sender_of_right_ones(void **state)
{
    (void)state;
    assert_false(is_damaged(1, 0, CHECKSUM_RIGHT));
    assert_true(is_damaged(1, 0, CHECKSUM_WRONG));
    assert_false(is_damaged(1, 0, CHECKSUM_LEFT_OUT));
    assert_false(is_damaged(1, 0, CHECKSUM_RIGHT));
}

static void of_the_first_packets_nothing_is_known(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        assert_false(is_damaged(i % 3, 0, CHECKSUM_WRONG));
    assert_false(is_damaged(1, 100, CHECKSUM_WRONG));
}

static void a_sender_whose_checksums_are_all_wrong_is_read_after_a_few(void **state)
{
    unsigned damaged = 0;
    (void)state;
    assert_false(is_damaged(1, 0, CHECKSUM_RIGHT));
    for (unsigned i = 0; i < 20; i++)
        damaged += is_damaged(2, i % 2 ? 100 : 0, CHECKSUM_WRONG);
    assert_int_equal(damaged, 4);
    assert_true(is_damaged(1, 0, CHECKSUM_WRONG));
}

static void payload_that_was_replaced_throughout_is_read(void **state)
{
    unsigned damaged = 0;
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        assert_false(is_damaged(i % 9, 0, CHECKSUM_RIGHT));
        damaged += is_damaged(i % 9, 100, CHECKSUM_WRONG);
    }
    assert_int_equal(damaged, 16);
}

static void payload_that_is_always_damaged_is_known_by_bare_packets(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(is_damaged(i % 9, 0, i % 10 ? CHECKSUM_RIGHT : CHECKSUM_WRONG),
                         i && i % 10 == 0);
        if (i > 20)
            assert_true(is_damaged(i % 9, 1400, CHECKSUM_WRONG));
    }
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wrong_checksum_is_believed_of_a_sender_of_right_ones),
        TEST(of_the_first_packets_nothing_is_known),
        TEST(a_sender_whose_checksums_are_all_wrong_is_read_after_a_few),
        TEST(payload_that_was_replaced_throughout_is_read),
        TEST(payload_that_is_always_damaged_is_known_by_bare_packets),
    };
    return cmocka_run_group_tests_name("track/damage", tests, NULL, NULL);
}
