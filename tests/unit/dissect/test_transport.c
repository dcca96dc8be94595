/* TCP headers and options, DNS over UDP, and what snap lengths leave of them. */
#include "test_dissect_frames.h"

static void tcp_headers_that_contradict_themselves_are_bad(void **state)
{
    (void)state;
    expect_skip(RAW, ipv4(6, set_u8(tcp(), 12, 0x40)), SKIP_TRANSPORT_BAD);
    expect_skip(RAW, ipv4(6, set_u8(tcp(), 12, 0x70)), SKIP_TRANSPORT_BAD);
    struct bytes half = tcp();
    half.size = 19;
    expect_skip(RAW, ipv4(6, half), SKIP_TRANSPORT_BAD);
}

/* 24-byte header, 1000 bytes of payload announced. */
static struct bytes long_segment(void)
{
    struct bytes segment = hex("c350 1467 01020304 05060708 6002 2000 0000 0000 0204 05b4");
    return set_u16(ipv4(6, segment), 2, 20 + 24 + 1000);
}

static struct packet dissect_at_snap(const struct bytes *frame, size_t captured)
{
    struct frame view = frame_over(ETHERNET, frame->at, captured, frame->size + 1000);
    struct packet packet;
    assert_int_equal(dissect_frame(&view, &packet), SKIP_NONE);
    check_bounds(&packet, frame->at, captured);
    assert_int_equal(packet.payload_size, 1000);
    return packet;
}

static void a_54_byte_snap_length_still_tells_sizes(void **state)
{
    (void)state;
    struct bytes frame = ethernet(0x0800, long_segment());
    struct packet packet = dissect_at_snap(&frame, 54);
    assert_int_equal(packet.payload_captured, 0);
    assert_int_equal(packet.tcp_options_size, 0);
    assert_true(packet.tcp_options_cut);
    assert_false(dissect_tcp_options(&packet).malformed);
    packet = dissect_at_snap(&frame, 56);
    assert_int_equal(packet.tcp_options_size, 2);
    assert_false(dissect_tcp_options(&packet).malformed);
    packet = dissect_at_snap(&frame, 58);
    assert_false(packet.tcp_options_cut);
    assert_int_equal(dissect_tcp_options(&packet).mss, 1460);
}

static void a_54_byte_snap_length_is_enough_behind_a_vlan_tag(void **state)
{
    (void)state;
    struct bytes frame = before(MACS "8100 0001 0800", long_segment());
    struct packet packet = dissect_at_snap(&frame, 54);
    assert_int_equal(packet.window, 0x2000);
    assert_int_equal(packet.tcp_flags, TCP_SYN);
    assert_int_equal(dissect_cut(ETHERNET, &frame, 53, frame.size + 1000), SKIP_TRANSPORT_CUT);
}

static struct tcp_options options_of(const char *text)
{
    struct bytes bytes = hex(text);
    struct packet packet = {.tcp_options = bytes.at, .tcp_options_size = (uint8_t)bytes.size};
    return dissect_tcp_options(&packet);
}

static void the_options_of_a_syn_are_read(void **state)
{
    (void)state;
    struct tcp_options options =
        options_of("0204 05b4 01 0303 06 0101 080a 00000001 00000002 0402 22 02 00 ff");
    assert_true(options.has_mss && options.has_window_scale && options.has_timestamps &&
                options.sack_permitted && options.has_fast_open && !options.malformed);
    assert_int_equal(options.mss, 1460);
    assert_int_equal(options.window_scale, 6);
    assert_int_equal(options.timestamp_value, 1);
    assert_int_equal(options.timestamp_echo, 2);
    assert_true(options_of("fe04 f989").has_fast_open);
    assert_false(options_of("fe04 1234").has_fast_open);
    assert_int_equal(options_of("0303 0f").window_scale, 14);
    assert_false(options_of("").malformed);
    assert_false(options_of("1e04 0000").malformed); /* unknown to us, well formed */
}

static void options_before_a_malformed_one_are_kept(void **state)
{
    (void)state;
    static const char *const bad[] = {"0204 05b4 0301", "0204 05b4 0300", "0204 05b4 080a 0000",
                                      "0204 05b4 0302", "0204 05b4 08",   "0204 05b4 0405 000000"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct tcp_options options = options_of(bad[i]);
        assert_true(options.malformed);
        assert_int_equal(options.mss, 1460);
        assert_false(options.has_window_scale || options.has_timestamps || options.sack_permitted);
    }
}

static void udp_from_or_to_port_53_is_a_dns_message(void **state)
{
    (void)state;
    static struct bytes frames[2];
    frames[0] = join(ipv4(17, udp(50000, 53, hex("1234 0100"))), zeros(9));
    frames[1] = ipv6(17, udp(53, 50000, hex("1234 0100")));
    for (size_t i = 0; i < 2; i++) {
        struct packet packet = expect_packet(RAW, &frames[i]);
        assert_int_equal(packet.kind, PACKET_DNS);
        assert_int_equal(packet.payload_size, 4);
        assert_memory_equal(packet.payload, "\x12\x34\x01\x00", 4);
        assert_int_equal(packet.tcp_flags, 0);
    }
    expect_skip(RAW, ipv4(17, udp(50000, 5353, hex("1234 0100"))), SKIP_NOT_TCP);
}

static void udp_lengths_are_checked(void **state)
{
    (void)state;
    struct bytes message = udp(50000, 53, hex("1234 0100"));
    expect_skip(RAW, ipv4(17, set_u16(message, 4, 7)), SKIP_TRANSPORT_BAD);
    expect_skip(RAW, ipv4(17, set_u16(message, 4, 13)), SKIP_TRANSPORT_BAD);
    struct bytes offloaded = ipv4(17, set_u16(message, 4, 0));
    assert_int_equal(expect_packet(RAW, &offloaded).payload_size, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_headers_that_contradict_themselves_are_bad),
        cmocka_unit_test(a_54_byte_snap_length_still_tells_sizes),
        cmocka_unit_test(a_54_byte_snap_length_is_enough_behind_a_vlan_tag),
        cmocka_unit_test(the_options_of_a_syn_are_read),
        cmocka_unit_test(options_before_a_malformed_one_are_kept),
        cmocka_unit_test(udp_from_or_to_port_53_is_a_dns_message),
        cmocka_unit_test(udp_lengths_are_checked),
    };
    return cmocka_run_group_tests_name("transport layer", tests, NULL, NULL);
}
