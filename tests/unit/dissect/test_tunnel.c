/* Tunnels: the innermost packet is found, guesses are only believed when they hold up, and the
 * lane is made of what both directions share. */
#include "test_dissect_frames.h"

static struct packet expect_gre(const char *header, struct bytes inside)
{
    return expect_inner(RAW, outer_ipv4(47, before(header, inside)));
}

static void gre_is_read_with_every_flag(void **state)
{
    (void)state;
    assert_int_equal(expect_gre("0000 0800", inner_ip()).lane, 0);
    expect_gre("8000 0800 00000000", inner_ip());
    expect_gre("1000 0800 00000001", inner_ip());
    assert_int_not_equal(expect_gre("2000 0800 00000007", inner_ip()).lane, 0);
    expect_gre("b000 0800 00000000 00000007 00000001", inner_ip());
    expect_gre("4000 0800 00000000 0800 00 04 0a000001 0000 00 00", inner_ip());
    expect_gre("0000 8847 00010140", inner_ip());
    expect_gre("0000 6558", inner_ethernet());
    expect_skip(RAW, outer_ipv4(47, before("0002 0800", inner_ip())), SKIP_TRANSPORT_BAD);
    expect_skip(RAW, outer_ipv4(47, hex("0000 0000")), SKIP_NOT_IP);
}

static void an_nvgre_lane_leaves_out_the_flow(void **state)
{
    (void)state;
    uint32_t one = expect_gre("2000 6558 00123401", inner_ethernet()).lane;
    uint32_t other = expect_gre("2000 6558 001234fe", inner_ethernet()).lane;
    uint32_t network = expect_gre("2000 6558 00123501", inner_ethernet()).lane;
    assert_int_equal(one, other);
    assert_int_not_equal(one, network);
}

static void pptp_carries_ppp_and_its_call_is_no_lane(void **state)
{
    (void)state;
    struct bytes ppp = before("ff03 0021", inner_ip());
    struct bytes header = set_u16(hex("3001 880b 0000 1234 00000001"), 4, ppp.size);
    assert_int_equal(expect_inner(RAW, outer_ipv4(47, join(header, ppp))).lane, 0);
    header = set_u16(hex("3081 880b 0000 1234 00000001 00000001"), 4, ppp.size);
    expect_inner(RAW, outer_ipv4(47, join(header, ppp)));
    expect_skip(RAW, outer_ipv4(47, hex("2081 880b 0000 1234 00000001")), SKIP_NOT_TCP);
}

static void erspan_of_all_three_types_is_read(void **state)
{
    (void)state;
    expect_gre("0000 88be", inner_ethernet());
    struct packet packet = expect_gre("1000 88be 00000001 1064 0001 00000000", inner_ethernet());
    assert_int_equal(packet.vlan, 100);
    uint32_t lane = packet.lane;
    assert_int_not_equal(lane, 0);
    packet = expect_gre("1000 88be 00000001 1065 0001 00000000", inner_ethernet());
    assert_int_not_equal(packet.lane, lane); /* other VLANs may use the same addresses */
    packet = expect_gre("1000 88be 00000001 1000 0001 00000000", inner_ethernet());
    assert_int_equal(packet.lane, 0);
    packet = expect_gre("1000 22eb 00000001 2064 0001 00000000 0000 0000", inner_ethernet());
    assert_int_equal(packet.vlan, 100);
    expect_gre("1000 22eb 00000001 2064 0001 00000000 0000 0001 0000000000000000",
               inner_ethernet());
    expect_gre("1000 22eb 00000001 2000 0001 00000000 0000 0800", inner_ip());
    expect_skip(RAW,
                outer_ipv4(47, before("1000 88be 00000001 3000000100000000", inner_ethernet())),
                SKIP_LINK_BAD);
}

static void redirected_web_traffic_is_read(void **state)
{
    (void)state;
    expect_gre("0000 883e", inner_ip());
    expect_gre("0000 883e 00000000", inner_ip());
}

static void an_access_points_gre_carries_80211(void **state)
{
    (void)state;
    expect_gre("0000 8240 0801 0000 0a0000000009 020000000001 020000000002 1000 "
               "aaaa03 000000 0800",
               inner_ip());
}

static void mikrotik_gre_carries_ethernet(void **state)
{
    (void)state;
    struct bytes header = set_u16(hex("2001 6400 0000 0100"), 4, inner_ethernet().size);
    expect_inner(RAW, outer_ipv4(47, join(header, inner_ethernet())));
}

static void ip_in_ip_is_read_in_all_four_ways(void **state)
{
    (void)state;
    expect_inner(RAW, outer_ipv4(4, inner_ip()));
    expect_inner(RAW, ipv6(4, inner_ip()));
    struct bytes six = outer_ipv4(41, ipv6(6, tcp()));
    assert_int_equal(expect_packet(RAW, &six).ip_version, 6);
    six = ipv6(41, ipv6(6, tcp()));
    assert_int_equal(expect_packet(RAW, &six).ip_version, 6);
    expect_inner(RAW, outer_ipv4(97, before("3000", inner_ethernet())));
    expect_inner(RAW, outer_ipv4(137, before("00010140", inner_ip())));
    expect_inner(RAW, ipv6(143, inner_ethernet()));
}

static void vxlan_carries_ethernet_and_its_network_is_a_lane(void **state)
{
    (void)state;
    static const uint16_t ports[] = {4789, 8472};
    for (size_t i = 0; i < 2; i++) {
        struct packet packet =
            expect_inner(RAW, outer_udp(ports[i], before("08000000 000123 00", inner_ethernet())));
        assert_true(packet.has_mac);
        assert_int_equal(packet.source_mac[5], 1);
        assert_int_not_equal(packet.lane, 0);
    }
    struct bytes tagged = before(MACS "8100 002a 0800", inner_ip());
    assert_int_equal(expect_inner(RAW, outer_udp(4789, before("88000000 000123 00", tagged))).vlan,
                     42);
}

static void a_udp_packet_on_a_tunnel_port_may_be_plain(void **state)
{
    (void)state;
    static const uint16_t ports[] = {1701, 2152, 3544, 4754, 4789, 4790,
                                     5247, 6081, 6635, 8472, 37008};
    struct bytes tls = hex("170303002000000000000000017a3b9c5d1e7f8091a2b3c4d5e6f708192a3b4c5d6e");
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        expect_skip(RAW, outer_udp(ports[i], zeros(100)), SKIP_NOT_TCP);
        expect_skip(RAW, outer_udp(ports[i], tls), SKIP_NOT_TCP);
        expect_skip(RAW, outer_udp(ports[i], zeros(0)), SKIP_NOT_TCP);
        expect_skip(RAW, outer_udp(ports[i], zeros(3)), SKIP_NOT_TCP);
    }
    struct bytes too_long = set_u16(inner_ethernet(), 16, 1500);
    expect_skip(RAW, outer_udp(4789, before("08000000 000123 00", too_long)), SKIP_NOT_TCP);
    struct bytes dead = set_u8(inner_ethernet(), 14 + 8, 0); /* TTL 0 leaves no host */
    expect_skip(RAW, outer_udp(4789, before("08000000 000123 00", dead)), SKIP_NOT_TCP);
    struct bytes other_type = ethernet(0x0806, inner_ip());
    expect_skip(RAW, outer_udp(4789, before("08000000 000123 00", other_type)), SKIP_NOT_TCP);
}

static void a_tunnel_cut_before_its_inner_header_says_so(void **state)
{
    (void)state;
    struct bytes frame = outer_udp(4789, before("08000000 000123 00", inner_ethernet()));
    assert_int_equal(dissect_cut(RAW, &frame, 54, frame.size), SKIP_IP_CUT);
}

static void vxlan_gpe_says_what_it_carries(void **state)
{
    (void)state;
    expect_inner(RAW, outer_udp(4790, before("0c000001 000123 00", inner_ip())));
    expect_inner(RAW, outer_udp(4790, before("0c000003 000123 00", inner_ethernet())));
    expect_inner(RAW, outer_udp(4790, before("08000000 000123 00", inner_ethernet())));
}

static void geneve_options_are_passed(void **state)
{
    (void)state;
    expect_inner(RAW, outer_udp(6081, before("0000 6558 000123 00", inner_ethernet())));
    expect_inner(
        RAW, outer_udp(6081, before("0200 6558 000123 00 0102 80 01 00000000", inner_ethernet())));
    expect_inner(RAW, outer_udp(6081, before("0000 0800 000123 00", inner_ip())));
}

static struct bytes gtp(const char *header, const char *extensions, struct bytes ip)
{
    struct bytes inside = join(hex(extensions), ip);
    return join(set_u16(hex(header), 2, inside.size), inside);
}

static void gtp_carries_ip_and_its_endpoint_is_no_lane(void **state)
{
    (void)state;
    struct packet packet =
        expect_inner(RAW, outer_udp(2152, gtp("30 ff 0000 00000001", "", inner_ip())));
    assert_int_equal(packet.lane, 0);
    expect_inner(RAW, outer_udp(2152, gtp("32 ff 0000 00000001", "0001 00 00", inner_ip())));
    expect_inner(RAW,
                 outer_udp(2152, gtp("34 ff 0000 00000001", "0000 00 85 01 0001 00", inner_ip())));
    struct bytes six = outer_udp(2152, gtp("30 ff 0000 00000001", "", ipv6(6, tcp())));
    assert_int_equal(expect_packet(RAW, &six).ip_version, 6);
    expect_skip(RAW, outer_udp(2152, gtp("32 01 0000 00000000", "0001 00 00", zeros(0))),
                SKIP_NOT_TCP);
    expect_skip(RAW,
                outer_udp(2152, gtp("34 ff 0000 00000001", "0000 00 85 00 0001 00", inner_ip())),
                SKIP_NOT_TCP);
}

static void capwap_carries_80211_in_either_byte_order(void **state)
{
    (void)state;
    expect_inner(RAW, outer_udp(5247, before("00 10 0300 0000 0000 0801 0000 0a0000000009 "
                                             "020000000001 020000000002 1000 aaaa03 000000 0800",
                                             inner_ip())));
    expect_inner(RAW, outer_udp(5247, before("00 20 0320 0000 0000 04 bf230000 000000 "
                                             "1108 2c00 0a0000000009 020000000001 020000000002 "
                                             "7630 aaaa03 000000 0800",
                                             inner_ip())));
    expect_inner(RAW, outer_udp(5247, before("00 10 0200 0000 0000", inner_ethernet())));
    expect_skip(RAW, outer_udp(5247, before("01000000 17feff 0001", zeros(30))), SKIP_ENCRYPTED);
    expect_skip(RAW, outer_udp(5247, before("00 10 0208 0000 0000", zeros(30))), SKIP_NOT_TCP);
    struct bytes part = outer_udp(5247, before("00 10 0380 0001 0008", zeros(30)));
    struct packet packet = expect_packet(RAW, &part);
    assert_int_equal(packet.kind, PACKET_FRAGMENT);
    assert_int_equal(packet.fragment_kind, FRAGMENT_CAPWAP);
    assert_int_equal(packet.payload_size, 38);
}

static void teredo_carries_ipv6(void **state)
{
    (void)state;
    static const char *const headers[] = {"", "0000 1234 01020304",
                                          "0001 00 00 0102030405060708 00",
                                          "0001 00 00 0102030405060708 00 0000 1234 01020304"};
    for (size_t i = 0; i < 4; i++) {
        struct bytes frame = outer_udp(3544, before(headers[i], ipv6(6, tcp())));
        assert_int_equal(expect_packet(RAW, &frame).ip_version, 6);
        frame = outer_ipv4(17, udp(3544, 50001, before(headers[i], ipv6(6, tcp()))));
        assert_int_equal(expect_packet(RAW, &frame).ip_version, 6);
    }
}

static void l2tp_sessions_are_found_by_what_they_carry(void **state)
{
    (void)state;
    static const char *const cookies[] = {"", "deadbeef", "deadbeefcafebabe",
                                          "deadbeefcafebabe 40000001"};
    for (size_t i = 0; i < 4; i++) {
        struct bytes session = join(hex(cookies[i]), inner_ethernet());
        expect_inner(RAW, outer_ipv4(115, before("00000001", session)));
        expect_inner(RAW, outer_udp(1701, before("0003 0000 00000001", session)));
    }
    expect_inner(RAW, outer_udp(1701, before("0002 0001 0002 ff03 0021", inner_ip())));
    expect_inner(
        RAW, outer_udp(1701, before("4a02 0000 0001 0002 0001 0001 0002 0000 0021", inner_ip())));
    expect_skip(RAW, outer_ipv4(115, before("00000000", inner_ethernet())), SKIP_NOT_TCP);
    expect_skip(RAW, outer_ipv4(115, before("00000001 0000", inner_ethernet())), SKIP_NOT_TCP);
}

static void gre_over_udp_is_read(void **state)
{
    (void)state;
    expect_inner(RAW, outer_udp(4754, before("0000 0800", inner_ip())));
    expect_inner(RAW, outer_udp(4754, before("2000 6558 00123400", inner_ethernet())));
}

static void eight_tunnels_are_followed_and_nine_are_too_deep(void **state)
{
    (void)state;
    struct bytes frame = inner_ip();
    for (int i = 0; i < 8; i++)
        frame = outer_ipv4(4, frame);
    expect_inner(RAW, frame);
    expect_skip(RAW, outer_ipv4(4, frame), SKIP_TOO_DEEP);
}

static void a_fragmented_tunnel_packet_is_a_fragment(void **state)
{
    (void)state;
    struct bytes whole = outer_udp(4789, before("08000000 000123 00", inner_ethernet()));
    whole = set_u16(whole, 6, 0x2000);
    struct packet packet = expect_packet(RAW, &whole);
    assert_int_equal(packet.kind, PACKET_FRAGMENT);
    expect_address(&packet.source, "192.0.2.1");
}

static void a_sniffers_stream_is_read(void **state)
{
    (void)state;
    expect_inner(RAW, outer_udp(37008, before("01 00 0001 01", inner_ethernet())));
    expect_inner(RAW, outer_udp(37008, before("01 00 0001 00 0a 01 c4 01", inner_ethernet())));
    expect_inner(RAW, outer_udp(37008, before("01 00 0012 01 0801 0000 0a0000000009 020000000001 "
                                              "020000000002 1000 aaaa03 000000 0800",
                                              inner_ip())));
    expect_skip(RAW, outer_udp(37008, before("01 04 0001 01", inner_ethernet())), SKIP_NOT_TCP);
    expect_skip(RAW, outer_udp(37008, hex("01 00 0001 0a ff 00")), SKIP_NOT_TCP);
}

static void mpls_over_udp_is_read(void **state)
{
    (void)state;
    expect_inner(RAW, outer_udp(6635, before("00010040 00020140", inner_ip())));
    expect_skip(RAW, outer_udp(6635, before("00010040", zeros(40))), SKIP_NOT_TCP);
}

static void a_tunnel_that_is_not_believed_leaves_no_lane(void **state)
{
    (void)state;
    struct bytes dns = hex("1234 0100 0001 0000 0000 0000 00 0001 0001");
    struct bytes frame = outer_ipv4(17, udp(53, 4789, dns));
    struct packet packet = expect_packet(RAW, &frame);
    assert_int_equal(packet.kind, PACKET_DNS);
    assert_int_equal(packet.lane, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gre_is_read_with_every_flag),
        cmocka_unit_test(an_nvgre_lane_leaves_out_the_flow),
        cmocka_unit_test(pptp_carries_ppp_and_its_call_is_no_lane),
        cmocka_unit_test(erspan_of_all_three_types_is_read),
        cmocka_unit_test(redirected_web_traffic_is_read),
        cmocka_unit_test(an_access_points_gre_carries_80211),
        cmocka_unit_test(mikrotik_gre_carries_ethernet),
        cmocka_unit_test(ip_in_ip_is_read_in_all_four_ways),
        cmocka_unit_test(vxlan_carries_ethernet_and_its_network_is_a_lane),
        cmocka_unit_test(a_udp_packet_on_a_tunnel_port_may_be_plain),
        cmocka_unit_test(a_tunnel_cut_before_its_inner_header_says_so),
        cmocka_unit_test(vxlan_gpe_says_what_it_carries),
        cmocka_unit_test(geneve_options_are_passed),
        cmocka_unit_test(gtp_carries_ip_and_its_endpoint_is_no_lane),
        cmocka_unit_test(capwap_carries_80211_in_either_byte_order),
        cmocka_unit_test(teredo_carries_ipv6),
        cmocka_unit_test(l2tp_sessions_are_found_by_what_they_carry),
        cmocka_unit_test(gre_over_udp_is_read),
        cmocka_unit_test(eight_tunnels_are_followed_and_nine_are_too_deep),
        cmocka_unit_test(a_fragmented_tunnel_packet_is_a_fragment),
        cmocka_unit_test(a_sniffers_stream_is_read),
        cmocka_unit_test(mpls_over_udp_is_read),
        cmocka_unit_test(a_tunnel_that_is_not_believed_leaves_no_lane),
    };
    return cmocka_run_group_tests_name("tunnels", tests, NULL, NULL);
}
