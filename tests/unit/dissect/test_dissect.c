/* The common path of dissect_frame and the general way give the same answer. */
#include "test_dissect_frames.h"

/* A PPI header sends the same Ethernet frame the general way. */
static enum skip_reason the_general_way(const struct bytes *frame, size_t captured,
                                        struct packet *packet, struct bytes *kept)
{
    struct bytes cut = *frame;
    cut.size = captured;
    *kept = before("00 00 0800 01000000", cut);
    struct frame view = frame_over(PPI, kept->at, kept->size, frame->size + 8);
    return dissect_frame(&view, packet);
}

static size_t offset_of(const uint8_t *at, const uint8_t *start)
{
    return at ? (size_t)(at - start) : 0;
}

static void compare_at(const struct bytes *frame, size_t captured)
{
    static struct bytes kept;
    struct packet common;
    struct packet general;
    memset(&common, 0x11, sizeof common);
    memset(&general, 0x22, sizeof general);
    struct frame view = frame_over(ETHERNET, frame->at, captured, frame->size);
    enum skip_reason reason = dissect_frame(&view, &common);
    assert_int_equal(reason, the_general_way(frame, captured, &general, &kept));
    if (reason != SKIP_NONE)
        return;
    assert_int_equal(common.kind, general.kind);
    assert_int_equal(common.ip_version, general.ip_version);
    assert_int_equal(common.ttl, general.ttl);
    assert_int_equal(common.tcp_flags, general.tcp_flags);
    assert_int_equal(common.has_mac, general.has_mac);
    assert_int_equal(common.is_fragment, general.is_fragment);
    assert_int_equal(common.length_from_frame, general.length_from_frame);
    assert_int_equal(common.ip_id, general.ip_id);
    assert_int_equal(common.source_port, general.source_port);
    assert_int_equal(common.destination_port, general.destination_port);
    assert_int_equal(common.vlan, general.vlan);
    assert_int_equal(common.window, general.window);
    assert_memory_equal(common.source_mac, general.source_mac, 6);
    assert_memory_equal(common.destination_mac, general.destination_mac, 6);
    assert_int_equal(common.lane, general.lane);
    assert_int_equal(common.sequence, general.sequence);
    assert_int_equal(common.acknowledgement, general.acknowledgement);
    assert_memory_equal(&common.source, &general.source, sizeof common.source);
    assert_memory_equal(&common.destination, &general.destination, sizeof common.destination);
    assert_int_equal(offset_of(common.payload, frame->at), offset_of(general.payload, kept.at + 8));
    assert_int_equal(common.payload_size, general.payload_size);
    assert_int_equal(common.payload_captured, general.payload_captured);
    assert_int_equal(offset_of(common.tcp_options, frame->at),
                     common.tcp_options ? offset_of(general.tcp_options, kept.at + 8) : 0);
    assert_int_equal(common.tcp_options_size, general.tcp_options_size);
    assert_int_equal(common.tcp_options_cut, general.tcp_options_cut);
    assert_int_equal(common.icmp_type, general.icmp_type);
    assert_int_equal(common.icmp_code, general.icmp_code);
    assert_int_equal(common.icmp_mtu, general.icmp_mtu);
    assert_int_equal(common.frame, general.frame);
    assert_int_equal(common.time_ns, general.time_ns);
    assert_int_equal(common.process.id, general.process.id);
}

static struct bytes with_options(void)
{
    return hex("c350 1467 01020304 00000000 8002 2000 0000 0000 0204 05b4 0303 0601 0402 0000");
}

static void both_ways_agree_on_every_cut_of_every_common_frame(void **state)
{
    (void)state;
    struct bytes frames[] = {
        inner_ethernet(),
        join(inner_ethernet(), zeros(7)),
        ethernet(0x86dd, ipv6(6, tcp())),
        before(MACS "8100 0064 0800", inner_ip()),
        before(MACS "8100 e000 86dd", ipv6(6, with_options())),
        before(MACS "8100 0064 8100 0065 0800", inner_ip()),
        ethernet(0x0800, ipv4(6, with_options())),
        ethernet(0x0800, set_u16(inner_ip(), 2, 0)),
        ethernet(0x0800, set_u16(inner_ip(), 2, 1500)),
        ethernet(0x0800, set_u16(inner_ip(), 2, 39)),
        ethernet(0x0800, set_u16(inner_ip(), 6, 0x2000)),
        ethernet(0x0800, set_u16(inner_ip(), 6, 0x8000)),
        ethernet(0x0800, ipv4(17, udp(1024, 53, zeros(12)))),
        ethernet(0x0806, zeros(46)),
    };
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
        for (size_t size = 0; size <= frames[i].size; size++)
            compare_at(&frames[i], size);
}

static void both_ways_agree_when_any_byte_is_changed(void **state)
{
    (void)state;
    struct bytes frames[] = {
        before(MACS "8100 0064 0800", ipv4(6, with_options())),
        ethernet(0x86dd, ipv6(6, tcp())),
    };
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
        for (size_t at = 12; at < frames[i].size; at++)
            for (unsigned value = 0; value < 256; value++) {
                struct bytes frame = set_u8(frames[i], at, (uint8_t)value);
                compare_at(&frame, frame.size);
            }
}

static void a_packet_carries_its_frames_number_time_and_process(void **state)
{
    (void)state;
    struct bytes bytes = inner_ethernet();
    struct frame frame = frame_over(ETHERNET, bytes.at, bytes.size, bytes.size);
    frame.process = (struct process){.name = "apsd", .id = 77};
    struct packet packet;
    assert_int_equal(dissect_frame(&frame, &packet), SKIP_NONE);
    assert_int_equal(packet.frame, 7);
    assert_int_equal(packet.time_ns, 1234567890);
    assert_string_equal(packet.process.name, "apsd");
    assert_int_equal(packet.process.id, 77);
}

static void a_frame_recorded_shorter_than_captured_is_as_long_as_captured(void **state)
{
    (void)state;
    struct bytes bytes = inner_ethernet();
    assert_int_equal(dissect_cut(ETHERNET, &bytes, bytes.size, 10), SKIP_NONE);
}

static void the_lane_is_the_same_in_both_directions(void **state)
{
    (void)state;
    struct bytes there = before(MACS "88a8 000a 8100 0064 0800", inner_ip());
    struct bytes back = there;
    memcpy(back.at, there.at + 6, 6);
    memcpy(back.at + 6, there.at, 6);
    memcpy(back.at + 34, there.at + 38, 4);
    memcpy(back.at + 38, there.at + 34, 4);
    uint32_t lane = expect_packet(ETHERNET, &there).lane;
    assert_int_not_equal(lane, 0);
    assert_int_equal(lane, expect_packet(ETHERNET, &back).lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_agree_on_every_cut_of_every_common_frame),
        cmocka_unit_test(both_ways_agree_when_any_byte_is_changed),
        cmocka_unit_test(a_packet_carries_its_frames_number_time_and_process),
        cmocka_unit_test(a_frame_recorded_shorter_than_captured_is_as_long_as_captured),
        cmocka_unit_test(the_lane_is_the_same_in_both_directions),
    };
    return cmocka_run_group_tests_name("frames to packets", tests, NULL, NULL);
}
