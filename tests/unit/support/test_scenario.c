/* Scenarios as a whole: from text to frames, expectations and files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/table.h"
#include "tests/support/scenario.h"

#define HOSTS                                                                                      \
    "host phone 10.1.2.3\n"                                                                        \
    "host apns 17.57.144.10\n"                                                                     \
    "flow a phone:50001 -> apns:5223\n"

enum { ETHERNET = 14, IPV4 = 20, FLAGS = ETHERNET + IPV4 + 13 };

static struct scenario *play(const char *text)
{
    struct scenario *scenario;
    struct fault fault = {""};
    if (!scenario_parse("play.scn", text, strlen(text), &scenario, &fault))
        fail_msg("%s", fault.sentence);
    return scenario;
}

static void expect_fault(const char *text, const char *wanted)
{
    struct scenario *scenario;
    struct fault fault = {""};
    assert_false(scenario_parse("play.scn", text, strlen(text), &scenario, &fault));
    assert_null(scenario);
    if (!strstr(fault.sentence, wanted))
        fail_msg("\"%s\" does not say \"%s\"", fault.sentence, wanted);
}

static const uint8_t *tcp_of(const struct scenario *scenario, size_t frame)
{
    assert_true(frame < scenario->frame_count);
    return scenario->frames[frame].bytes + ETHERNET + IPV4;
}

static uint32_t sequence_of(const struct scenario *scenario, size_t frame)
{
    return load_u32(tcp_of(scenario, frame) + 4);
}

static uint32_t acknowledgement_of(const struct scenario *scenario, size_t frame)
{
    return load_u32(tcp_of(scenario, frame) + 8);
}

static void declarations_are_kept_for_the_runner(void **state)
{
    struct scenario *scenario = play("title A play, with a=b\n"
                                     "proves port-refused fallback-443\n"
                                     "spares tls-intercepted\n"
                                     "start 2026-03-01T08:00:00Z\n" HOSTS);
    (void)state;
    assert_string_equal(scenario->title, "A play, with a=b");
    assert_int_equal(scenario->proves_count, 2);
    assert_string_equal(scenario->proves[1], "fallback-443");
    assert_int_equal(scenario->spares_count, 1);
    assert_false(scenario->spares_all);
    assert_true(scenario->start_ns == INT64_C(1772352000000000000));
    assert_int_equal(scenario_flow(scenario, "a")->server_port, 5223);
    assert_int_equal(scenario_host(scenario, "phone")->address.byte[15], 3);
    assert_null(scenario_flow(scenario, "b"));
    scenario_free(scenario);
}

static void expectations_are_kind_subject_and_pairs(void **state)
{
    struct scenario *scenario = play(HOSTS "expect finding port-refused confidence=certain absent\n"
                                           "expect skipped not-ip=2\n"
                                           "expect flow a sni=\"x y\"\n");
    (void)state;
    const struct expectation *expectation = &scenario->expectations[0];
    assert_int_equal(scenario->expectation_count, 3);
    assert_int_equal(expectation->kind, EXPECT_FINDING);
    assert_string_equal(expectation->subject, "port-refused");
    assert_string_equal(expectation_value(expectation, "confidence"), "certain");
    assert_string_equal(expectation_value(expectation, "absent"), "");
    assert_null(expectation_value(expectation, "hops"));
    assert_int_equal(expectation->line, 4);
    assert_string_equal(scenario->expectations[1].subject, "");
    assert_string_equal(expectation_value(&scenario->expectations[2], "sni"), "x y");
    assert_string_equal(expectation_kind_name(EXPECT_SKIPPED), "skipped");
    scenario_free(scenario);
}

static void a_handshake_takes_its_round_trips(void **state)
{
    struct scenario *scenario = play(HOSTS "1.5 a handshake rtt=20ms client-rtt=1ms\n");
    (void)state;
    assert_int_equal(scenario->frame_count, 3);
    assert_int_equal(scenario->frames[0].bytes[FLAGS], 0x02);
    assert_int_equal(scenario->frames[1].bytes[FLAGS], 0x12);
    assert_int_equal(scenario->frames[2].bytes[FLAGS], 0x10);
    assert_true(scenario->frames[0].time_ns - scenario->start_ns == 1500000000);
    assert_true(scenario->frames[1].time_ns - scenario->frames[0].time_ns == 20000000);
    assert_true(scenario->frames[2].time_ns - scenario->frames[1].time_ns == 1000000);
    assert_int_equal(acknowledgement_of(scenario, 1), sequence_of(scenario, 0) + 1);
    assert_int_equal(acknowledgement_of(scenario, 2), sequence_of(scenario, 1) + 1);
    assert_int_equal(sequence_of(scenario, 2), sequence_of(scenario, 0) + 1);
    scenario_free(scenario);
}

static void a_relative_time_counts_from_the_last_packet_of_the_line_before(void **state)
{
    struct scenario *scenario =
        play(HOSTS "1.0 a handshake rtt=20ms client-rtt=1ms\n+10ms a > data 100\n");
    (void)state;
    assert_true(scenario->frames[3].time_ns - scenario->start_ns == 1031000000);
    scenario_free(scenario);
}

static void what_is_said_again_has_the_same_sequence_number(void **state)
{
    struct scenario *scenario = play(HOSTS "0 a > S\n1 a > S again\n2 a > S again\n");
    (void)state;
    assert_int_equal(sequence_of(scenario, 1), sequence_of(scenario, 0));
    assert_int_equal(sequence_of(scenario, 2), sequence_of(scenario, 0));
    assert_memory_not_equal(scenario->frames[1].bytes + ETHERNET + 4,
                            scenario->frames[0].bytes + ETHERNET + 4, 2); /* a new IP id */
    scenario_free(scenario);
}

static void large_payloads_are_cut_to_the_announced_mss(void **state)
{
    struct scenario *scenario =
        play(HOSTS "0 a > S\n+0 a < SA mss=500\n+0 a > A\n+0 a > data 1000\n");
    (void)state;
    assert_int_equal(scenario->frame_count, 6);
    assert_int_equal(sequence_of(scenario, 4) - sequence_of(scenario, 3),
                     488); /* less timestamps */
    assert_int_equal(scenario->frames[3].bytes[FLAGS], 0x10);
    assert_int_equal(scenario->frames[5].bytes[FLAGS], 0x18);
    scenario_free(scenario);
}

static void a_peer_acknowledges_only_what_reached_it(void **state)
{
    struct scenario *scenario = play(HOSTS "0 a handshake\n"
                                           "1 a > data 100 dropped\n"
                                           "2 a > data 200\n"
                                           "3 a < A\n"
                                           "4 a > data again\n"
                                           "5 a < A\n");
    (void)state;
    uint32_t first = sequence_of(scenario, 2);
    assert_int_equal(acknowledgement_of(scenario, 5), first);
    assert_int_equal(sequence_of(scenario, 6), first + 100); /* the latest of that verb */
    assert_int_equal(acknowledgement_of(scenario, 7), first);
    scenario_free(scenario);
}

static void a_filled_gap_brings_what_came_early(void **state)
{
    struct scenario *scenario = play(HOSTS "0 a handshake\n"
                                           "1 a > noise 100 lost\n"
                                           "2 a > data 200\n"
                                           "3 a > noise again\n"
                                           "4 a < A\n");
    (void)state;
    assert_int_equal(scenario->frame_count, 6);
    assert_int_equal(acknowledgement_of(scenario, 5), sequence_of(scenario, 2) + 300);
    scenario_free(scenario);
}

static void unseen_packets_are_acknowledged_but_not_captured(void **state)
{
    struct scenario *scenario = play(HOSTS "0 a handshake\n1 a > data 100 unseen\n2 a < A\n");
    (void)state;
    assert_int_equal(scenario->frame_count, 4);
    assert_int_equal(acknowledgement_of(scenario, 3), sequence_of(scenario, 2) + 100);
    scenario_free(scenario);
}

static void a_forged_packet_moves_nobodys_numbers(void **state)
{
    struct scenario *scenario = play(HOSTS "0 a handshake\n"
                                           "1 a < R forged ttl=63 ipid=0 mac=02:ff:00:00:00:01\n"
                                           "2 a < data 50\n");
    (void)state;
    assert_int_equal(scenario->frames[3].bytes[ETHERNET + 8], 63);
    assert_memory_equal(scenario->frames[3].bytes + ETHERNET + 4, "\0\0", 2);
    assert_memory_equal(scenario->frames[3].bytes + 6, "\x02\xff\0\0\0\x01", 6);
    assert_int_equal(sequence_of(scenario, 4), sequence_of(scenario, 3));
    scenario_free(scenario);
}

static void a_refusal_answers_the_syn_from_sequence_zero(void **state)
{
    struct scenario *scenario = play(HOSTS "0 a > S\n+1ms a < RA\n");
    (void)state;
    assert_int_equal(sequence_of(scenario, 1), 0);
    assert_int_equal(acknowledgement_of(scenario, 1), sequence_of(scenario, 0) + 1);
    scenario_free(scenario);
}

static void a_delayed_packet_is_captured_later_but_sent_in_order(void **state)
{
    struct scenario *scenario =
        play(HOSTS "0 a handshake\n1 a > data 100 delay=5ms\n+1ms a > data 200\n");
    (void)state;
    assert_int_equal(sequence_of(scenario, 3), sequence_of(scenario, 2) + 100);
    assert_int_equal(sequence_of(scenario, 4), sequence_of(scenario, 2));
    scenario_free(scenario);
}

static void an_icmp_error_quotes_the_last_packet(void **state)
{
    struct scenario *scenario = play(HOSTS "0 a > S\n+1ms icmp a from=10.9.9.9 type=3 code=13\n");
    (void)state;
    const uint8_t *icmp = tcp_of(scenario, 1);
    assert_int_equal(icmp[0], 3);
    assert_int_equal(icmp[1], 13);
    assert_memory_equal(icmp + 8, scenario->frames[0].bytes + ETHERNET, 28);
    scenario_free(scenario);
}

static void the_capture_may_see_one_side_or_a_part_of_the_time(void **state)
{
    struct scenario *up = play("capture one-sided=up\n" HOSTS "0 a handshake\n");
    struct scenario *late =
        play("capture from=1 until=3\n" HOSTS "0 a handshake\n2 a > data 100\n4 a > data 100\n");
    (void)state;
    assert_int_equal(up->frame_count, 2);
    assert_int_equal(late->frame_count, 1);
    scenario_free(up);
    scenario_free(late);
}

static void a_clock_that_jumps_back_keeps_the_order_of_frames(void **state)
{
    struct scenario *scenario = play(HOSTS "0 a > S\n1 clock -5s\n2 a > S again\n");
    (void)state;
    assert_true(scenario->frames[1].time_ns < scenario->frames[0].time_ns);
    scenario_free(scenario);
}

static void mistakes_are_told_with_file_line_and_word(void **state)
{
    (void)state;
    expect_fault(HOSTS "0 a > S ttk=3\n", "play.scn:4: \"ttk=3\" means nothing here");
    expect_fault("0 b > S\n", "\"b\" is no flow");
    expect_fault("hosts phone 10.1.2.3\n", "neither a time nor a declaration");
    expect_fault(HOSTS "0 a shout\n", "neither >, < nor a macro");
    expect_fault(HOSTS "0 a > shout\n", "\"shout\" is no verb");
    expect_fault(HOSTS "5 a > S\n1 a > A\n", "already spoken later");
    expect_fault(HOSTS "0 a > data again\n", "has not said that before");
    expect_fault(HOSTS "0 a > S ttl=300\n", "not between 0 and 255");
    expect_fault(HOSTS "expect flow z outcome=refused\n", "\"z\" is no flow");
    expect_fault(HOSTS "expect device z verdict=works\n", "\"z\" is no host");
    expect_fault("host a 10.1\n", "host wants NAME ADDRESS");
    expect_fault("host a 10.0.0.1\nhost b ::1\nflow f a:1 -> b:2\n", "different IP versions");
    expect_fault(HOSTS "0 icmp a from=10.9.9.9 type=3 code=1\n", "has sent nothing");
}

static void the_same_text_gives_the_same_file(void **state)
{
    struct scenario *scenario;
    struct fault fault = {""};
    size_t size;
    (void)state;
    if (!scenario_read(TEST_SOURCE_DIR "/tests/support/every_verb.scn", &scenario, &fault))
        fail_msg("%s", fault.sentence);
    uint8_t *file = scenario_file(scenario, NULL, &size);
    /* Written down once; another value means other bytes in every capture that tests rest on. */
    if (hash_bytes(file, size, 0) != UINT64_C(0xee38934488f8b99d))
        fail_msg("the file has %zu bytes and the hash 0x%" PRIx64, size, hash_bytes(file, size, 0));
    free(file);
    scenario_free(scenario);
}

static void a_pcap_file_has_its_header_and_every_frame(void **state)
{
    struct scenario *scenario = play("capture linktype=sll2\n" HOSTS "1.5 a > S\n");
    struct scenario_write_options doubled = {.doubled = true};
    struct scenario_write_options cut = {.truncated_at = 50, .snap_size = 0};
    struct scenario_write_options snapped = {.snap_size = 30};
    size_t size;
    (void)state;
    uint32_t frame = scenario->frames[0].captured_size;
    uint8_t *file = scenario_file(scenario, NULL, &size);
    assert_int_equal(size, 24 + 16 + frame);
    assert_int_equal(load_u32_le(file), 0xa1b2c3d4);
    assert_int_equal(load_u32_le(file + 20), 276);
    assert_int_equal(load_u32_le(file + 24), 1772352001);
    assert_int_equal(load_u32_le(file + 28), 500000);
    free(file);
    free(scenario_file(scenario, &doubled, &size));
    assert_int_equal(size, 24 + 2 * (16 + frame));
    free(scenario_file(scenario, &cut, &size));
    assert_int_equal(size, 50);
    file = scenario_file(scenario, &snapped, &size);
    assert_int_equal(size, 24 + 16 + 30);
    assert_int_equal(load_u32_le(file + 16), 30);
    assert_int_equal(load_u32_le(file + 36), frame);
    free(file);
    scenario_free(scenario);
}

static void a_pcapng_file_tells_drops(void **state)
{
    struct scenario *scenario =
        play("capture format=pcapng drops=12 interface-drops=3\n" HOSTS "0 a > S\n");
    size_t size;
    size_t blocks = 0;
    (void)state;
    uint8_t *file = scenario_file(scenario, NULL, &size);
    static const uint32_t types[] = {0x0a0d0d0a, 1, 6, 5};
    for (size_t at = 0; at < size; at += load_u32_le(file + at + 4), blocks++) {
        assert_int_equal(load_u32_le(file + at), types[blocks]);
        uint32_t length = load_u32_le(file + at + 4);
        assert_int_equal(load_u32_le(file + at + length - 4), length);
    }
    assert_int_equal(blocks, 4);
    free(file);
    scenario_free(scenario);
}

static void a_packet_can_come_in_fragments(void **state)
{
    (void)state;
    struct scenario *scenario = play(HOSTS "0 a > noise 100 fragment=48 fragment-lost=2\n");
    assert_int_equal(scenario->frame_count, 2);
    const uint8_t *first = scenario->frames[0].bytes + 14, *last = scenario->frames[1].bytes + 14;
    assert_int_equal(load_u16(first + 2), 20 + 48);
    assert_int_equal(load_u16(first + 6), 0x2000);
    assert_int_equal(load_u16(last + 6), 96 / 8);
    assert_int_equal(load_u16(first + 4), load_u16(last + 4));
    scenario_free(scenario);
    scenario = play(HOSTS "0 a > noise 100 fragment=64 fragments-overlap fragments-reversed\n");
    assert_int_equal(scenario->frame_count, 3);
    const uint8_t *second = scenario->frames[1].bytes + 14;
    first = scenario->frames[2].bytes + 14;
    assert_int_equal(load_u16(second + 6), 0x2000 | 56 / 8);
    assert_int_equal(load_u16(second + 2), 20 + 72);
    assert_int_equal(second[20], first[20 + 56] ^ 0xff);
    assert_memory_equal(second + 21, first + 20 + 57, 7);
    scenario_free(scenario);
}

/* RFC 1071: a checksummed run of bytes, its checksum included, sums to all ones. */
static uint32_t ones_sum(const uint8_t *bytes, size_t size, uint32_t sum)
{
    for (size_t i = 0; i < size; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void check_ipv4(const uint8_t *packet)
{
    size_t size = load_u16(packet + 2) - 20u;
    uint32_t pseudo = packet[9] == 1 ? 0 : ones_sum(packet + 12, 8, packet[9] + (uint32_t)size);
    bool is_fragment = (load_u16(packet + 6) & 0x3fff) != 0; /* its checksum is over the whole */
    assert_int_equal(ones_sum(packet, 20, 0), 0xffff);
    if (!is_fragment)
        assert_int_equal(ones_sum(packet + 20, size, pseudo), 0xffff);
}

static void check_ipv6(const uint8_t *packet)
{
    size_t size = load_u16(packet + 4);
    enum { PROTOCOL_FRAGMENT = 44 };
    uint32_t pseudo = ones_sum(packet + 8, 32, packet[6] + (uint32_t)size);
    if (packet[6] != PROTOCOL_FRAGMENT)
        assert_int_equal(ones_sum(packet + 40, size, pseudo), 0xffff);
}

/* Those that say so themselves have wrong ones. */
static bool has_bad_checksums(const char *path)
{
    static char text[64 * 1024];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return strstr(text, "bad-checksum") != NULL;
}

static void every_scenario_of_the_project_has_right_checksums_and_a_title(void **state)
{
    glob_t found;
    (void)state;
    assert_int_equal(glob(TEST_SOURCE_DIR "/tests/scenarios/*.scn", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct scenario *scenario;
        struct fault fault = {""};
        if (!scenario_read(found.gl_pathv[i], &scenario, &fault))
            fail_msg("%s", fault.sentence);
        assert_true(strlen(scenario->title) > 10);
        assert_true(scenario->proves_count + scenario->spares_count + scenario->spares_all > 0);
        for (size_t f = 0; f < scenario->frame_count; f++) {
            const uint8_t *bytes = scenario->frames[f].bytes;
            if (scenario->capture.link_type != 1 /* Ethernet */ ||
                has_bad_checksums(found.gl_pathv[i]))
                break;
            if (load_u16(bytes + 12) == 0x0800)
                check_ipv4(bytes + ETHERNET);
            else if (load_u16(bytes + 12) == 0x86dd)
                check_ipv6(bytes + ETHERNET);
        }
        scenario_free(scenario);
    }
    globfree(&found);
}

static void a_scenario_that_does_not_exist_is_named(void **state)
{
    struct scenario *scenario;
    struct fault fault = {""};
    (void)state;
    assert_false(scenario_read("/nowhere/at-all.scn", &scenario, &fault));
    assert_non_null(strstr(fault.sentence, "/nowhere/at-all.scn"));
    assert_null(scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declarations_are_kept_for_the_runner),
        cmocka_unit_test(expectations_are_kind_subject_and_pairs),
        cmocka_unit_test(a_handshake_takes_its_round_trips),
        cmocka_unit_test(a_relative_time_counts_from_the_last_packet_of_the_line_before),
        cmocka_unit_test(what_is_said_again_has_the_same_sequence_number),
        cmocka_unit_test(large_payloads_are_cut_to_the_announced_mss),
        cmocka_unit_test(a_peer_acknowledges_only_what_reached_it),
        cmocka_unit_test(a_filled_gap_brings_what_came_early),
        cmocka_unit_test(unseen_packets_are_acknowledged_but_not_captured),
        cmocka_unit_test(a_forged_packet_moves_nobodys_numbers),
        cmocka_unit_test(a_refusal_answers_the_syn_from_sequence_zero),
        cmocka_unit_test(a_delayed_packet_is_captured_later_but_sent_in_order),
        cmocka_unit_test(an_icmp_error_quotes_the_last_packet),
        cmocka_unit_test(the_capture_may_see_one_side_or_a_part_of_the_time),
        cmocka_unit_test(a_clock_that_jumps_back_keeps_the_order_of_frames),
        cmocka_unit_test(mistakes_are_told_with_file_line_and_word),
        cmocka_unit_test(the_same_text_gives_the_same_file),
        cmocka_unit_test(a_pcap_file_has_its_header_and_every_frame),
        cmocka_unit_test(a_pcapng_file_tells_drops),
        cmocka_unit_test(a_packet_can_come_in_fragments),
        cmocka_unit_test(every_scenario_of_the_project_has_right_checksums_and_a_title),
        cmocka_unit_test(a_scenario_that_does_not_exist_is_named),
    };
    return cmocka_run_group_tests_name("support scenario", tests, NULL, NULL);
}
