/* cli/self_check: what is said of the mirror in the first seconds. */
#include "../track/segments.h"

#include <stdio.h>
#include <string.h>

#include "cli/self_check.h"

static struct self_check check;
static struct capture_quality quality;
static struct live_statistics interface;
static char told[4096];

static int begin(void **state)
{
    (void)state;
    memset(&check, 0, sizeof check);
    memset(&quality, 0, sizeof quality);
    interface = (struct live_statistics){.interface = "eth1",
                                         .time_stamps = "host",
                                         .in_kernel = true,
                                         .received = 1000,
                                         .matched = 100};
    return 0;
}

static void say(void *context, const char *line)
{
    size_t length = strlen(told);
    (void)context;
    assert_null(strchr(line, '\n'));
    snprintf(told + length, sizeof told - length, "%s\n", line);
}

static const char *tell(void)
{
    told[0] = '\0';
    self_check_tell(&check, &quality, &interface, 1, false, &(struct speaker){.say = say});
    return told;
}

/* A whole IPv4 segment without payload; its checksum is right. */
static struct packet whole_segment(bool up)
{
    static uint8_t bytes[40];
    struct packet packet = segment(0, 3, up, TCP_ACK);
    const uint8_t ip[20] = {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0};
    uint32_t sum = 6 + 20;
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, ip, sizeof ip);
    memcpy(bytes + 12, packet.source.byte + 12, 4);
    memcpy(bytes + 16, packet.destination.byte + 12, 4);
    bytes[32] = 0x50; /* twenty bytes of header */
    bytes[33] = TCP_ACK;
    for (size_t i = 12; i < sizeof bytes; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    bytes[36] = (uint8_t)(~sum >> 8);
    bytes[37] = (uint8_t)~sum;
    packet.ip = bytes;
    packet.payload = bytes + sizeof bytes;
    return packet;
}

static void take(bool up, unsigned count)
{
    struct packet packet = whole_segment(up);
    for (unsigned i = 0; i < count; i++)
        self_check_take(&check, &packet);
}

static void both_directions_are_said_to_be_there(void **state)
{
    (void)state;
    take(true, 30);
    take(false, 25);
    assert_non_null(strstr(tell(), "directions: both (30 packets to Apple, 25 from Apple)"));
    assert_null(strstr(told, "checksums"));
}

static void a_mirror_of_one_direction_is_told(void **state)
{
    (void)state;
    take(false, 60);
    assert_non_null(strstr(tell(), "only packets from Apple are mirrored"));
}

static void a_few_packets_say_nothing_of_directions(void **state)
{
    (void)state;
    take(true, 5);
    assert_null(strstr(tell(), "directions"));
}

static void wrong_checksums_of_both_directions_are_the_mirrors(void **state)
{
    (void)state;
    struct packet up = whole_segment(true);
    up.payload_size = up.payload_captured = 0;
    for (int i = 0; i < 10; i++) {
        uint8_t bytes[40];
        struct packet packet = whole_segment(i % 2);
        memcpy(bytes, packet.ip, sizeof bytes);
        bytes[37] ^= 1;
        packet.ip = bytes;
        packet.payload = bytes + sizeof bytes;
        self_check_take(&check, &packet);
    }
    assert_non_null(strstr(tell(), "checksums: 10 of 10 are wrong: the mirror or the adapter"));
}

static void checksums_that_only_this_host_leaves_out_are_harmless(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        uint8_t bytes[40];
        struct packet packet = whole_segment(true);
        memcpy(bytes, packet.ip, sizeof bytes);
        bytes[37] ^= 1;
        packet.ip = bytes;
        packet.payload = bytes + sizeof bytes;
        self_check_take(&check, &packet);
    }
    assert_non_null(strstr(tell(), "harmless"));
}

static void tags_are_told_with_their_numbers(void **state)
{
    (void)state;
    struct packet packet = whole_segment(true);
    const uint16_t vlans[] = {7, 120, 7};
    for (size_t i = 0; i < 3; i++) {
        packet.vlan = vlans[i];
        self_check_take(&check, &packet);
    }
    take(true, 1);
    assert_non_null(strstr(tell(), "VLAN tags: on 3 of 4 packets (VLAN 7, 120)"));
}

static void copies_are_told_from_a_tenth_on(void **state)
{
    (void)state;
    quality.session_packets = 100;
    quality.duplicates = 10;
    assert_null(strstr(tell(), "duplicates"));
    quality.duplicates = 80;
    assert_non_null(strstr(tell(), "duplicates: 80 of 180 packets are seen twice"));
}

static void a_mirror_without_apple_in_it_is_asked_about(void **state)
{
    (void)state;
    interface.matched = 0;
    assert_non_null(strstr(tell(), "is this the mirror of the devices' network?"));
    interface.received = 0;
    assert_non_null(strstr(tell(), "no traffic at all"));
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_directions_are_said_to_be_there),
        TEST(a_mirror_of_one_direction_is_told),
        TEST(a_few_packets_say_nothing_of_directions),
        TEST(wrong_checksums_of_both_directions_are_the_mirrors),
        TEST(checksums_that_only_this_host_leaves_out_are_harmless),
        TEST(tags_are_told_with_their_numbers),
        TEST(copies_are_told_from_a_tenth_on),
        TEST(a_mirror_without_apple_in_it_is_asked_about),
    };
    return cmocka_run_group_tests_name("cli/self_check", tests, NULL, NULL);
}
