/* Link layers: from every LINKTYPE_ and everything stacked on Ethernet to the packet inside. */
#include "test_dissect_frames.h"

static const uint8_t source_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t destination_mac[6] = {2, 0, 0, 0, 0, 2};

static void expect_macs(const struct packet *packet)
{
    assert_true(packet->has_mac);
    assert_memory_equal(packet->source_mac, source_mac, 6);
    assert_memory_equal(packet->destination_mac, destination_mac, 6);
}

static void plain_ethernet_has_macs_and_no_lane(void **state)
{
    (void)state;
    struct packet packet = expect_inner(ETHERNET, inner_ethernet());
    expect_macs(&packet);
    assert_int_equal(packet.vlan, 0);
    assert_int_equal(packet.lane, 0);
}

static void zero_macs_are_not_known_macs(void **state)
{
    (void)state;
    struct packet packet = expect_inner(ETHERNET, join(zeros(12), before("0800", inner_ip())));
    assert_false(packet.has_mac);
}

static void ethernet_padding_is_not_payload(void **state)
{
    (void)state;
    expect_inner(ETHERNET, join(inner_ethernet(), zeros(20)));
}

static void every_tag_kind_is_passed_and_the_innermost_vlan_kept(void **state)
{
    (void)state;
    static const char *const tags[] = {
        "8100 602a ",           "88a8 000a 8100 002a ",           "9100 000a 8100 002a ",
        "9200 000a 8100 002a ", "88a8 0001 8100 0002 8100 002a ", "8100 002a 8100 e000 ",
    };
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        struct bytes frame = join(hex(MACS), join(hex(tags[i]), before("0800", inner_ip())));
        struct packet packet = expect_inner(ETHERNET, frame);
        assert_int_equal(packet.vlan, 42);
        assert_int_not_equal(packet.lane, 0);
        expect_macs(&packet);
    }
}

static void a_priority_tag_is_no_lane(void **state)
{
    (void)state;
    struct packet packet = expect_inner(ETHERNET, before(MACS "8100 e000 0800", inner_ip()));
    assert_int_equal(packet.vlan, 0);
    assert_int_equal(packet.lane, 0);
}

static void lanes_differ_by_vlan_and_by_stacking(void **state)
{
    (void)state;
    uint32_t a = expect_inner(ETHERNET, before(MACS "8100 0001 0800", inner_ip())).lane;
    uint32_t b = expect_inner(ETHERNET, before(MACS "8100 0002 0800", inner_ip())).lane;
    uint32_t ab = expect_inner(ETHERNET, before(MACS "8100 0001 8100 0002 0800", inner_ip())).lane;
    uint32_t ba = expect_inner(ETHERNET, before(MACS "8100 0002 8100 0001 0800", inner_ip())).lane;
    assert_int_not_equal(a, b);
    assert_int_not_equal(a, ab);
    assert_int_not_equal(b, ab);
    assert_int_not_equal(ab, ba);
}

static void nine_vlan_tags_are_too_deep(void **state)
{
    (void)state;
    struct bytes frame = before("0800", inner_ip());
    for (int i = 0; i < 9; i++)
        frame = before("8100 0001", frame);
    expect_skip(ETHERNET, join(hex(MACS), frame), SKIP_TOO_DEEP);
}

static void vendor_tags_are_passed(void **state)
{
    (void)state;
    expect_inner(ETHERNET, before(MACS "8909 01 01 0001 0005 0800", inner_ip()));
    expect_inner(ETHERNET, before(MACS "8926 80020003 0800", inner_ip()));
    expect_inner(ETHERNET, before(MACS "8100 0001 8926 80020003 8100 0002 0800", inner_ip()));
    expect_skip(ETHERNET, before(MACS "8909 02 01 0001 0005 0800", inner_ip()), SKIP_LINK_BAD);
    expect_inner(ETHERNET, before(MACS "893f 2001 0002 0000 0800", inner_ip()));
    expect_inner(ETHERNET, before(MACS "892f 1034 0007 0800", inner_ip()));
    expect_inner(ETHERNET, before(MACS "f1c1 0000 0007 8100 0002 0800", inner_ip()));
}

static void time_stamps_of_switches_and_taps_are_passed(void **state)
{
    (void)state;
    expect_inner(ETHERNET, before(MACS "8988 010203040506 0800", inner_ip()));
    expect_inner(ETHERNET, before(MACS "8905 010203040506 0800", inner_ip()));
    expect_inner(ETHERNET, before(MACS "8100 0014 8988 010203040506 0800", inner_ip()));
    expect_inner(ETHERNET, before(MACS "d28b 0001 0110 0102030405060708 0800", inner_ip()));
    expect_inner(ETHERNET, before(MACS "d28b 0001 0120 010203040506 8100 0014 0800", inner_ip()));
    expect_skip(ETHERNET, before(MACS "d28b 0002 0110 0102030405060708 0800", inner_ip()),
                SKIP_LINK_BAD);
    expect_skip(ETHERNET, before(MACS "d28b 0001 0130 0102030405060708 0800", inner_ip()),
                SKIP_LINK_BAD);
}

static void a_service_header_says_what_it_carries(void **state)
{
    (void)state;
    const char *const rest = " 000001ff 00000000 00000000 00000000 00000000";
    struct bytes ip = join(hex(rest), inner_ip());
    struct bytes frame = join(hex(rest), inner_ethernet());
    expect_inner(ETHERNET, before(MACS "894f 0fc6 01 01", ip));
    expect_inner(ETHERNET, before(MACS "894f 0fc6 01 03", frame));
    expect_inner(ETHERNET, before(MACS "894f 0fc2 02 01 000001ff", inner_ip()));
    expect_skip(ETHERNET, before(MACS "894f 0fc6 01 04", ip), SKIP_NOT_IP);
    expect_skip(ETHERNET, before(MACS "894f 4fc6 01 01", ip), SKIP_LINK_BAD);
    expect_skip(ETHERNET, before(MACS "894f 0fc1 01 01", ip), SKIP_LINK_BAD);
}

static void macsec_is_encrypted_unless_it_only_authenticates(void **state)
{
    (void)state;
    expect_skip(ETHERNET, before(MACS "88e5 2c 00 00000001 0102030405060708", zeros(40)),
                SKIP_ENCRYPTED);
    expect_inner(
        ETHERNET,
        join(before(MACS "88e5 20 00 00000001 0102030405060708 0800", inner_ip()), zeros(16)));
    expect_inner(ETHERNET, join(before(MACS "88e5 00 00 00000001 0800", inner_ip()), zeros(16)));
}

static void a_provider_backbone_carries_the_customers_frame(void **state)
{
    (void)state;
    struct packet packet = expect_inner(
        ETHERNET, before("0a0000000002 0a0000000001 88e7 00 000123", inner_ethernet()));
    expect_macs(&packet);
    assert_int_not_equal(packet.lane, 0);
}

static void mpls_carries_ip_or_a_pseudowire(void **state)
{
    (void)state;
    expect_inner(ETHERNET, before(MACS "8847 00010140", inner_ip()));
    expect_inner(ETHERNET, before(MACS "8848 00020040 00010140", inner_ip()));
    struct packet packet =
        expect_inner(ETHERNET, before(MACS "8847 00010140 00000000", inner_ethernet()));
    expect_macs(&packet);
    packet = expect_inner(ETHERNET, before(MACS "8847 00010140", inner_ethernet()));
    expect_macs(&packet);
    assert_int_equal(packet.lane, 0);
    expect_inner(ETHERNET, before(MACS "8847 00010140 460000000002 020000000001 0800", inner_ip()));
    expect_skip(ETHERNET, before(MACS "8847 00010140", zeros(60)), SKIP_NOT_IP);
    expect_inner(219, before("00010140", inner_ip()));
}

static void seventeen_labels_are_too_deep(void **state)
{
    (void)state;
    struct bytes frame = before("00010140", inner_ip());
    for (int i = 0; i < 16; i++)
        frame = before("00010040", frame);
    expect_skip(219, frame, SKIP_TOO_DEEP);
}

static struct bytes pppoe(const char *ppp, struct bytes ip)
{
    struct bytes inside = join(hex(ppp), ip);
    return join(set_u16(hex("11 00 0001 0000"), 4, inside.size), inside);
}

static void pppoe_sessions_carry_ppp(void **state)
{
    (void)state;
    expect_inner(ETHERNET, join(hex(MACS "8864"), pppoe("0021", inner_ip())));
    expect_inner(ETHERNET, join(hex(MACS "8864"), pppoe("21", inner_ip())));
    expect_inner(51, pppoe("0021", inner_ip()));
    expect_skip(51, pppoe("c021", zeros(10)), SKIP_NOT_IP);
    expect_skip(51, pppoe("00fd", zeros(10)), SKIP_ENCRYPTED);
    expect_skip(51, set_u8(pppoe("0021", inner_ip()), 0, 0x21), SKIP_LINK_BAD);
    expect_skip(51, set_u8(pppoe("0021", inner_ip()), 1, 0xa7), SKIP_NOT_IP);
}

static void a_session_bounds_the_packet_inside(void **state)
{
    (void)state;
    struct bytes frame = pppoe("0021", set_u16(inner_ip(), 2, 20 + tcp().size + 6));
    expect_inner(51, join(frame, zeros(6)));
    struct bytes six = pppoe("0057", set_u16(ipv6(6, tcp()), 4, tcp().size + 6));
    assert_int_equal(expect_packet(51, &six).payload_size, 5);
    struct bytes first = pppoe("0021", set_u16(set_u16(inner_ip(), 2, 1500), 6, 0x2000));
    assert_int_equal(expect_packet(51, &first).payload_size, tcp().size);
}

static struct bytes with_length(struct bytes payload)
{
    return ethernet((uint16_t)payload.size, payload);
}

static void llc_and_snap_frames_are_read(void **state)
{
    (void)state;
    expect_inner(ETHERNET, with_length(before("aaaa03 000000 0800", inner_ip())));
    expect_inner(ETHERNET, with_length(before("aaaa03 0000f8 0800", inner_ip())));
    expect_inner(ETHERNET, with_length(before("060603", inner_ip())));
    expect_inner(ETHERNET, with_length(before("aaaa03 000000 8100 0005 0800", inner_ip())));
    expect_skip(ETHERNET, with_length(before("aaaa03 00000c 010b", zeros(50))), SKIP_NOT_IP);
    expect_skip(ETHERNET, with_length(before("424203", zeros(43))), SKIP_NOT_IP);
}

static void a_chain_of_snap_headers_is_too_deep(void **state)
{
    (void)state;
    struct bytes frame = before("aaaa03 000000 0800", inner_ip());
    for (int i = 0; i < 12; i++)
        frame = join(hex("aaaa03 000000 8100 0001 05dc"), frame);
    expect_skip(ETHERNET, join(hex(MACS "05dc"), frame), SKIP_TOO_DEEP);
}

static void frames_that_are_not_ip_are_told_apart_from_bad_ones(void **state)
{
    (void)state;
    expect_skip(ETHERNET, ethernet(0x0806, zeros(46)), SKIP_NOT_IP);
    expect_skip(ETHERNET, ethernet(0x88cc, zeros(46)), SKIP_NOT_IP);
    struct bytes frame = inner_ethernet();
    assert_int_equal(dissect_cut(ETHERNET, &frame, 13, 60), SKIP_LINK_CUT);
    assert_int_equal(dissect_cut(ETHERNET, &frame, 13, 13), SKIP_LINK_BAD);
    assert_int_equal(dissect_cut(ETHERNET, &frame, 0, 0), SKIP_LINK_BAD);
}

static void linux_cooked_frames_name_the_sender(void **state)
{
    (void)state;
    struct packet packet =
        expect_inner(113, before("0000 0001 0006 020000000001 0000 0800", inner_ip()));
    assert_true(packet.has_mac);
    assert_memory_equal(packet.source_mac, source_mac, 6);
    assert_memory_equal(packet.destination_mac, "\0\0\0\0\0\0", 6);
    packet =
        expect_inner(276, before("0800 0000 00000002 0001 04 06 020000000001 0000", inner_ip()));
    assert_memory_equal(packet.source_mac, source_mac, 6);
}

static void linux_cooked_frames_of_other_hardware_are_read(void **state)
{
    (void)state;
    struct packet packet =
        expect_inner(113, before("0000 0020 0014 0102030405060708 0800", inner_ip()));
    assert_false(packet.has_mac);
    expect_inner(276, before("0800 0000 00000002 fffe 04 00 0000000000000000", inner_ip()));
    packet =
        expect_inner(113, before("0000 0001 0006 020000000001 0000 8100 002a 0800", inner_ip()));
    assert_int_equal(packet.vlan, 42);
    expect_inner(113,
                 before("0000 0001 0006 020000000001 0000 0004 aaaa03 000000 0800", inner_ip()));
    expect_inner(113, before("0000 030a 0000 0000000000000000 6558", inner_ethernet()));
    expect_skip(113, before("0004 0338 0000 0000000000000000 0000", zeros(40)), SKIP_NOT_IP);
}

static void raw_ip_is_told_by_its_version(void **state)
{
    (void)state;
    static const uint16_t types[] = {101, 12, 14, 228};
    for (size_t i = 0; i < 4; i++)
        assert_false(expect_inner(types[i], inner_ip()).has_mac);
    struct bytes six = ipv6(6, tcp());
    assert_int_equal(expect_packet(229, &six).ip_version, 6);
    assert_int_equal(expect_packet(101, &six).ip_version, 6);
    expect_skip(101, zeros(40), SKIP_IP_BAD);
    expect_skip(229, inner_ip(), SKIP_IP_BAD);
}

static void bsd_loopback_is_read_in_both_byte_orders(void **state)
{
    (void)state;
    static const uint16_t types[] = {0, 108};
    static const char *const families[] = {"1e000000", "0000001e", "18000000", "1c000000",
                                           "0a000000"};
    for (size_t t = 0; t < 2; t++) {
        expect_inner(types[t], before("02000000", inner_ip()));
        expect_inner(types[t], before("00000002", inner_ip()));
        for (size_t i = 0; i < 5; i++) {
            struct bytes frame = before(families[i], ipv6(6, tcp()));
            assert_int_equal(expect_packet(types[t], &frame).ip_version, 6);
        }
        expect_skip(types[t], before("07000000", inner_ip()), SKIP_NOT_IP);
    }
}

static void ppp_and_cisco_hdlc_lines_are_read(void **state)
{
    (void)state;
    expect_inner(9, before("ff03 0021", inner_ip()));
    expect_inner(9, before("0021", inner_ip()));
    expect_inner(50, before("ff03 21", inner_ip()));
    expect_inner(50, before("0f00 0800", inner_ip()));
    expect_inner(104, before("8f00 0800", inner_ip()));
    expect_inner(104, before("0f00 8847 00010140", inner_ip()));
    expect_inner(204, before("01 ff03 0021", inner_ip()));
    expect_inner(166, before("00 03 0021", inner_ip()));
    expect_inner(9, before("ff03 0281 00010140", inner_ip()));
    expect_skip(104, before("8f00 8035", zeros(20)), SKIP_NOT_IP);
    struct bytes six = before("ff03 0057", ipv6(6, tcp()));
    assert_int_equal(expect_packet(9, &six).ip_version, 6);
}

static void firewall_logs_are_read(void **state)
{
    (void)state;
    expect_inner(117, join(set_u8(set_u8(zeros(64), 0, 61), 1, 2), inner_ip()));
    expect_inner(109, before("02000000 00000001 00000000", inner_ip()));
    struct bytes payload = before("0000 0009", inner_ip());
    struct bytes big =
        join(hex("02 00 0001 0008 0001 08000000"), set_u16(payload, 0, payload.size));
    expect_inner(239, big);
    payload.at[0] = (uint8_t)payload.size;
    payload.at[1] = 0;
    payload.at[2] = 9;
    payload.at[3] = 0;
    expect_inner(239, join(hex("02 00 0001 0500 0a00 61000000"), payload));
}

static struct bytes pktap1(uint32_t link_type, struct bytes packet)
{
    struct bytes header = zeros(108);
    header.at[0] = 108;
    header.at[4] = 1;
    header.at[8] = (uint8_t)link_type;
    memcpy(header.at + 12, "en0", 3);
    header.at[36] = 2;
    header.at[52] = 0x39;
    header.at[53] = 0x30;
    memcpy(header.at + 56, "apsd", 4);
    header.at[84] = 1;
    memcpy(header.at + 88, "launchd", 7);
    return join(header, packet);
}

static void a_junipers_own_header_is_read(void **state)
{
    (void)state;
    expect_inner(178, before("4d4743 01 ", inner_ethernet()));
    expect_inner(178, before("4d4743 81 0006 0101 0201 0302", inner_ethernet()));
    expect_inner(178, before("4d4743 82 0006 0101 0201 0302 02000000", inner_ip()));
    expect_skip(178, before("4d4744 01", inner_ethernet()), SKIP_LINK_BAD);
}

/* Bulk transfers: of usbmon, with its padding, of USBPcap, of macOS. */
static struct bytes usb(uint16_t link_type, struct bytes data)
{
    struct bytes header = zeros(link_type == 189   ? 48
                                : link_type == 220 ? 64
                                : link_type == 249 ? 27
                                                   : 32);
    header.at[link_type == 266 ? 2 : 0] = (uint8_t)header.size;
    header.at[link_type == 249 ? 22 : link_type == 266 ? 31 : 9] = link_type == 266 ? 2 : 3;
    return join(header, data);
}

static void ethernet_over_usb_is_found_by_what_it_carries(void **state)
{
    (void)state;
    static const uint16_t link_types[] = {189, 220, 249, 266};
    for (size_t i = 0; i < sizeof link_types / sizeof link_types[0]; i++) {
        uint16_t link_type = link_types[i];
        expect_inner(link_type, usb(link_type, inner_ethernet()));
        expect_inner(link_type, usb(link_type, before("0000", inner_ethernet()))); /* iPhone */
        expect_inner(link_type, usb(link_type, join(inner_ethernet(), zeros(1)))); /* padded */
        expect_skip(link_type, usb(link_type, zeros(31)), SKIP_NOT_IP);
        expect_skip(link_type, usb(link_type, zeros(0)), SKIP_NOT_IP);
        struct bytes other = usb(link_type, inner_ethernet());
        other.at[link_type == 249 ? 22 : link_type == 266 ? 31 : 9] = 1;
        expect_skip(link_type, other, SKIP_NOT_IP);
    }
}

static void the_network_classes_of_usb_are_read(void **state)
{
    (void)state;
    struct bytes rndis = zeros(44);
    rndis.at[0] = 1;
    rndis.at[8] = 36;
    expect_inner(220, usb(220, join(rndis, inner_ethernet())));
    struct bytes ncm = hex("4e434d48 0c00 0100 5b00 0c00 4e434d30 1000 0000 1c00 3b00 0000 0000");
    expect_inner(220, usb(220, join(ncm, inner_ethernet())));
    ncm.at[10] = 0xff;
    expect_skip(220, usb(220, join(ncm, inner_ethernet())), SKIP_NOT_IP);
}

static void pktap_names_the_process(void **state)
{
    (void)state;
    static const uint16_t types[] = {258, 149};
    for (size_t i = 0; i < 2; i++) {
        struct packet packet = expect_inner(types[i], pktap1(1, inner_ethernet()));
        assert_string_equal(packet.process.name, "apsd");
        assert_int_equal(packet.process.id, 12345);
        expect_macs(&packet);
        expect_inner(types[i], pktap1(12, inner_ip()));
    }
    struct bytes delegated = pktap1(1, inner_ethernet());
    memset(delegated.at + 56, 0, 17);
    struct packet packet = expect_inner(258, delegated);
    assert_string_equal(packet.process.name, "launchd");
    assert_int_equal(packet.process.id, 1);
}

static void a_pktap_name_ends_with_its_field_and_is_printable(void **state)
{
    (void)state;
    struct bytes frame = pktap1(1, inner_ethernet());
    memset(frame.at + 56, 'a', 17);
    assert_string_equal(expect_inner(258, frame).process.name, "aaaaaaaaaaaaaaaaa");
    memcpy(frame.at + 56, "a\x1b[2J", 6);
    assert_string_equal(expect_inner(258, frame).process.name, "a\\x1b[2J");
}

static void a_pktap_name_outlives_its_frame(void **state)
{
    (void)state;
    struct bytes frame = pktap1(1, inner_ethernet());
    const char *name = expect_inner(258, frame).process.name;
    memcpy(frame.at + 56, "mail", 4);
    const char *other = expect_inner(258, frame).process.name;
    assert_string_equal(name, "apsd");
    assert_string_equal(other, "mail");
    assert_ptr_equal(name, expect_inner(258, pktap1(1, inner_ethernet())).process.name);
}

static void process_names_beyond_the_cap_are_left_out(void **state)
{
    (void)state;
    static struct bytes frame;
    frame = pktap1(1, inner_ethernet());
    struct frame view = frame_over(258, frame.at, frame.size, frame.size);
    struct packet packet;
    for (int i = 0; i < 1100; i++) {
        frame.at[56] = (uint8_t)('a' + i % 20);
        frame.at[57] = (uint8_t)('a' + i / 20 % 20);
        frame.at[58] = (uint8_t)('a' + i / 400);
        assert_int_equal(dissect_frame(&view, &packet), SKIP_NONE);
        assert_int_equal(packet.process.id, 12345);
    }
    assert_null(packet.process.name);
    assert_string_equal(expect_inner(258, pktap1(1, inner_ethernet())).process.name, "apsd");
}

static void pktap_version_2_is_read(void **state)
{
    (void)state;
    struct bytes header = zeros(48);
    header.at[0] = 48;
    header.at[4] = 40;
    header.at[6] = 1;
    header.at[28] = 99;
    header.at[38] = 0x08;
    memcpy(header.at + 40, "apsd", 5);
    struct packet packet = expect_inner(258, join(header, inner_ethernet()));
    assert_string_equal(packet.process.name, "apsd");
    assert_int_equal(packet.process.id, 99);
    header.at[4] = 200;
    assert_null(expect_inner(258, join(header, inner_ethernet())).process.name);
}

static void a_private_link_type_is_not_taken_for_pktap(void **state)
{
    (void)state;
    expect_skip(149, zeros(200), SKIP_LINK_TYPE);
    expect_skip(149, set_u8(pktap1(1, inner_ethernet()), 8, 250), SKIP_LINK_TYPE);
    expect_skip(258, set_u8(pktap1(1, inner_ethernet()), 4, 0), SKIP_NOT_IP);
}

static void pktap_in_pktap_ends(void **state)
{
    (void)state;
    struct bytes header = zeros(48);
    header.at[0] = 48;
    header.at[6] = 2; /* 258 */
    header.at[7] = 1;
    header.at[38] = 0x08;
    struct bytes frame = inner_ethernet();
    for (int i = 0; i < 12; i++)
        frame = join(header, frame);
    expect_skip(258, frame, SKIP_TOO_DEEP);
}

#define SNAP_IP "aaaa03 000000 0800"

static void expect_radio(struct bytes frame)
{
    struct packet packet = expect_inner(105, frame);
    expect_macs(&packet);
}

static void clear_80211_data_frames_are_read(void **state)
{
    (void)state;
    /* to, from, and between access points; QoS; QoS with HT control */
    expect_radio(
        before("0801 0000 0a0000000009 020000000001 020000000002 1000" SNAP_IP, inner_ip()));
    expect_radio(
        before("0802 0000 020000000002 0a0000000009 020000000001 1000" SNAP_IP, inner_ip()));
    expect_radio(before(
        "0803 0000 0a0000000009 0a0000000008 020000000002 1000 020000000001" SNAP_IP, inner_ip()));
    expect_radio(
        before("8801 0000 0a0000000009 020000000001 020000000002 1000 0000" SNAP_IP, inner_ip()));
    expect_inner(
        105, before("8881 0000 0a0000000009 020000000001 020000000002 1000 0000 00000000" SNAP_IP,
                    inner_ip()));
}

static void an_aggregate_gives_its_first_frame(void **state)
{
    (void)state;
    struct bytes inside = before(SNAP_IP, inner_ip());
    struct bytes first = join(set_u16(hex(MACS "0000"), 12, inside.size), inside);
    struct packet packet =
        expect_inner(105, join(hex("8802 0000 0a0000000002 0a0000000009 0a0000000009 1000 8000"),
                               join(first, zeros(30))));
    expect_macs(&packet);
}

static void other_80211_frames_are_skipped_by_reason(void **state)
{
    (void)state;
    expect_skip(105, before("0841 0000", zeros(60)), SKIP_ENCRYPTED);
    expect_skip(105, before("8000 0000", zeros(60)), SKIP_NOT_IP);
    expect_skip(105, before("c801 0000", zeros(60)), SKIP_NOT_IP);
    expect_skip(105, before("0901 0000", zeros(60)), SKIP_LINK_BAD);
    expect_skip(105, before("0801 0000", set_u8(zeros(60), 18, 0x11)), SKIP_FRAGMENT);
}

static struct bytes radio_frame(void)
{
    return before("0801 0000 0a0000000009 020000000001 020000000002 1000" SNAP_IP, inner_ip());
}

static void radio_headers_are_passed(void **state)
{
    (void)state;
    expect_inner(127, before("00 00 0800 00000000", radio_frame()));
    expect_inner(127, join(before("00 00 0900 02000000 10", radio_frame()), zeros(4)));
    expect_inner(127, before("00 00 1100 03000000 0102030405060708 00", radio_frame()));
    expect_inner(
        127, before("00 00 1900 03000080 00000000 00000000 0102030405060708 00", radio_frame()));
    expect_skip(127, before("00 00 0900 02000000 40", radio_frame()), SKIP_LINK_BAD);
    expect_inner(192, before("00 00 0800 69000000", radio_frame()));
    expect_inner(163, before("80211001 00000010 0000000000000000", radio_frame()));
    expect_inner(119, before("80211001 00000010 0000000000000000", radio_frame()));
    expect_inner(119, before("44000000 10000000 0000000000000000", radio_frame()));
    expect_inner(119, before("00000044 00000010 0000000000000000", radio_frame()));
}

static void a_padded_80211_header_is_passed(void **state)
{
    (void)state;
    expect_inner(127, before("00 00 0900 02000000 20 8801 0000 0a0000000009 020000000001 "
                             "020000000002 1000 0000 0000" SNAP_IP,
                             inner_ip()));
}

static void unknown_link_types_are_said_to_be(void **state)
{
    (void)state;
    static const uint16_t unknown[] = {2, 147, 150, 277, 300, 65535};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_false(dissect_knows_link_type(unknown[i]));
        expect_skip(unknown[i], inner_ethernet(), SKIP_LINK_TYPE);
    }
    assert_true(dissect_knows_link_type(1));
    assert_true(dissect_knows_link_type(276));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_ethernet_has_macs_and_no_lane),
        cmocka_unit_test(zero_macs_are_not_known_macs),
        cmocka_unit_test(ethernet_padding_is_not_payload),
        cmocka_unit_test(every_tag_kind_is_passed_and_the_innermost_vlan_kept),
        cmocka_unit_test(a_priority_tag_is_no_lane),
        cmocka_unit_test(lanes_differ_by_vlan_and_by_stacking),
        cmocka_unit_test(nine_vlan_tags_are_too_deep),
        cmocka_unit_test(vendor_tags_are_passed),
        cmocka_unit_test(time_stamps_of_switches_and_taps_are_passed),
        cmocka_unit_test(a_service_header_says_what_it_carries),
        cmocka_unit_test(macsec_is_encrypted_unless_it_only_authenticates),
        cmocka_unit_test(a_provider_backbone_carries_the_customers_frame),
        cmocka_unit_test(mpls_carries_ip_or_a_pseudowire),
        cmocka_unit_test(seventeen_labels_are_too_deep),
        cmocka_unit_test(pppoe_sessions_carry_ppp),
        cmocka_unit_test(a_session_bounds_the_packet_inside),
        cmocka_unit_test(llc_and_snap_frames_are_read),
        cmocka_unit_test(a_chain_of_snap_headers_is_too_deep),
        cmocka_unit_test(frames_that_are_not_ip_are_told_apart_from_bad_ones),
        cmocka_unit_test(linux_cooked_frames_name_the_sender),
        cmocka_unit_test(linux_cooked_frames_of_other_hardware_are_read),
        cmocka_unit_test(raw_ip_is_told_by_its_version),
        cmocka_unit_test(bsd_loopback_is_read_in_both_byte_orders),
        cmocka_unit_test(ppp_and_cisco_hdlc_lines_are_read),
        cmocka_unit_test(firewall_logs_are_read),
        cmocka_unit_test(a_junipers_own_header_is_read),
        cmocka_unit_test(ethernet_over_usb_is_found_by_what_it_carries),
        cmocka_unit_test(the_network_classes_of_usb_are_read),
        cmocka_unit_test(pktap_names_the_process),
        cmocka_unit_test(a_pktap_name_ends_with_its_field_and_is_printable),
        cmocka_unit_test(a_pktap_name_outlives_its_frame),
        cmocka_unit_test(pktap_version_2_is_read),
        cmocka_unit_test(a_private_link_type_is_not_taken_for_pktap),
        cmocka_unit_test(pktap_in_pktap_ends),
        cmocka_unit_test(clear_80211_data_frames_are_read),
        cmocka_unit_test(an_aggregate_gives_its_first_frame),
        cmocka_unit_test(other_80211_frames_are_skipped_by_reason),
        cmocka_unit_test(radio_headers_are_passed),
        cmocka_unit_test(a_padded_80211_header_is_passed),
        cmocka_unit_test(unknown_link_types_are_said_to_be),
        cmocka_unit_test(process_names_beyond_the_cap_are_left_out), /* fills the cap: last */
    };
    return cmocka_run_group_tests_name("link layers", tests, NULL, NULL);
}
