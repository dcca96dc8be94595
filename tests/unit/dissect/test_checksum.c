/* dissect/checksum: right, wrong, or left for somebody else to fill in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dissect/checksum.h"
#include "dissect/dissect.h"

/* 10.1.2.3:50001 > 17.57.144.10:5223, "hello" and a zero. */
static uint8_t bytes[] = {0x45, 0,    0,    46,   0,  1,   0x40, 0,   64,  6,   0,   0,   10,
                          1,    2,    3,    17,   57, 144, 10, /* IPv4 */
                          0xc3, 0x51, 0x14, 0x67, 0,  0,   0,    1,   0,   0,   0,   2,   0x50,
                          0x18, 1,    0,    0,    0,  0,   0,    'h', 'e', 'l', 'l', 'o', 0};

enum { IP_SIZE = 20, IP_FIELD = 10, TCP_FIELD = 36, LINK_TYPE_RAW = 101 };

/* RFC 1071 section 4.1, word by word: another way than the program's. */
static uint32_t add(const uint8_t *at, size_t size, uint32_t sum)
{
    for (size_t i = 0; i < size; i += 2)
        sum += (uint32_t)at[i] << 8 | at[i + 1];
    return sum;
}

static void put(size_t at, uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    bytes[at] = (uint8_t)(sum >> 8);
    bytes[at + 1] = (uint8_t)sum;
}

static void complete(size_t at, uint32_t sum)
{
    put(at, sum);
    bytes[at] = (uint8_t)~bytes[at];
    bytes[at + 1] = (uint8_t)~bytes[at + 1];
}

static uint32_t pseudo_header(uint32_t length)
{
    return add(bytes + 12, 8, 6 + length);
}

static int fill_in(void **state)
{
    (void)state;
    bytes[8] = 64;
    bytes[45] = 0;
    memset(bytes + IP_FIELD, 0, 2);
    memset(bytes + TCP_FIELD, 0, 2);
    complete(IP_FIELD, add(bytes, IP_SIZE, 0));
    complete(TCP_FIELD, add(bytes + IP_SIZE, sizeof bytes - IP_SIZE, pseudo_header(26)));
    return 0;
}

static enum packet_checksum checksum_of_first(uint32_t captured)
{
    struct packet packet;
    struct frame frame = {.number = 1,
                          .bytes = bytes,
                          .captured_size = captured,
                          .original_size = sizeof bytes,
                          .link_type = LINK_TYPE_RAW};
    assert_int_equal(dissect_frame(&frame, &packet), SKIP_NONE);
    assert_int_equal(packet.checksum, CHECKSUM_UNASKED);
    return dissect_checksum(&packet);
}

static void what_was_sent_is_right(void **state)
{
    (void)state;
    assert_int_equal(checksum_of_first(sizeof bytes), CHECKSUM_RIGHT);
}

static void any_changed_byte_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bool is_length_or_kind = i < 4 || (i >= 6 && i < 8) || i == 9 || i == 32;
        if (is_length_or_kind)
            continue; /* another packet, or none */
        bytes[i] ^= 0x24;
        assert_int_equal(checksum_of_first(sizeof bytes), CHECKSUM_WRONG);
        bytes[i] ^= 0x24;
    }
}

static void of_a_cut_packet_only_the_header_is_checked(void **state)
{
    (void)state;
    bytes[45] = 1;
    assert_int_equal(checksum_of_first(sizeof bytes - 1), CHECKSUM_RIGHT);
    bytes[8] = 63;
    assert_int_equal(checksum_of_first(sizeof bytes - 1), CHECKSUM_WRONG);
}

/* All that follows the header is an option, and two bytes of it are cut: no payload is missing. */
static void of_a_cut_option_nothing_is_summed_up(void **state)
{
    (void)state;
    bytes[3] = 44;
    bytes[32] = 0x60;
    memset(bytes + IP_FIELD, 0, 2);
    complete(IP_FIELD, add(bytes, IP_SIZE, 0));
    assert_int_equal(checksum_of_first(42), CHECKSUM_RIGHT);
    bytes[3] = 46;
    bytes[32] = 0x50;
}

static void what_is_left_to_the_network_card_is_not_wrong(void **state)
{
    (void)state;
    memset(bytes + IP_FIELD, 0, 2);
    put(TCP_FIELD, pseudo_header(26));
    assert_int_equal(checksum_of_first(sizeof bytes), CHECKSUM_LEFT_OUT);
    put(TCP_FIELD, pseudo_header(0)); /* it shall also cut segments */
    assert_int_equal(checksum_of_first(sizeof bytes), CHECKSUM_LEFT_OUT);
    put(TCP_FIELD, 0);
    assert_int_equal(checksum_of_first(sizeof bytes), CHECKSUM_LEFT_OUT);
    put(TCP_FIELD, pseudo_header(25));
    assert_int_equal(checksum_of_first(sizeof bytes), CHECKSUM_WRONG);
}

#define TEST(name) cmocka_unit_test_setup(name, fill_in)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_sent_is_right),
        TEST(any_changed_byte_is_wrong),
        TEST(of_a_cut_packet_only_the_header_is_checked),
        TEST(of_a_cut_option_nothing_is_summed_up),
        TEST(what_is_left_to_the_network_card_is_not_wrong),
    };
    return cmocka_run_group_tests_name("dissect/checksum", tests, NULL, NULL);
}
