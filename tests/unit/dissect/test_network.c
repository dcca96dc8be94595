/* IPv4 and IPv6: options, extension headers, fragments, lengths that lie or are missing. */
#include "test_dissect_frames.h"

static void an_ipv4_packet_with_options_is_read(void **state)
{
    (void)state;
    struct bytes packet = inner_ip();
    struct bytes payload = tcp();
    struct bytes header = packet;
    header.size = 20;
    header = set_u8(header, 0, 0x47);
    header = set_u16(header, 2, 28 + payload.size);
    expect_inner(RAW, join(join(header, hex("9404 0000 01010100")), payload));
}

static void a_length_of_zero_is_taken_from_the_frame(void **state)
{
    (void)state;
    struct packet packet = expect_inner(ETHERNET, ethernet(0x0800, set_u16(inner_ip(), 2, 0)));
    assert_true(packet.length_from_frame);
    assert_false(expect_inner(ETHERNET, inner_ethernet()).length_from_frame);
    struct bytes six = ethernet(0x86dd, set_u16(ipv6(6, tcp()), 4, 0));
    packet = expect_packet(ETHERNET, &six);
    assert_true(packet.length_from_frame);
    assert_int_equal(packet.payload_size, 5);
}

static void a_check_sequence_is_not_payload_even_without_a_length(void **state)
{
    (void)state;
    struct bytes bytes = join(ethernet(0x0800, set_u16(inner_ip(), 2, 0)), hex("deadbeef"));
    struct frame frame = frame_over(ETHERNET, bytes.at, bytes.size, bytes.size);
    frame.fcs_size = 4;
    struct packet packet;
    assert_int_equal(dissect_frame(&frame, &packet), SKIP_NONE);
    assert_int_equal(packet.payload_size, 5);
    frame.original_size += 100; /* cut in front of the check sequence */
    assert_int_equal(dissect_frame(&frame, &packet), SKIP_NONE);
    assert_int_equal(packet.payload_size, 105);
    assert_int_equal(packet.payload_captured, 9);
}

static void ipv4_headers_that_contradict_themselves_are_bad(void **state)
{
    (void)state;
    expect_skip(ETHERNET, ethernet(0x0800, set_u8(inner_ip(), 0, 0x44)), SKIP_IP_BAD);
    expect_skip(ETHERNET, ethernet(0x0800, set_u8(inner_ip(), 0, 0x65)), SKIP_IP_BAD);
    expect_skip(ETHERNET, ethernet(0x0800, set_u16(inner_ip(), 2, 19)), SKIP_IP_BAD);
    expect_skip(ETHERNET, ethernet(0x86dd, inner_ip()), SKIP_IP_BAD);
}

static void a_cut_ip_header_is_told_from_a_bad_one(void **state)
{
    (void)state;
    struct bytes frame = inner_ethernet();
    assert_int_equal(dissect_cut(ETHERNET, &frame, 33, frame.size), SKIP_IP_CUT);
    assert_int_equal(dissect_cut(ETHERNET, &frame, 33, 33), SKIP_IP_BAD);
    struct bytes six = ethernet(0x86dd, ipv6(6, tcp()));
    assert_int_equal(dissect_cut(ETHERNET, &six, 53, six.size), SKIP_IP_CUT);
}

static struct packet expect_fragment(uint16_t link_type, struct bytes bytes,
                                     enum fragment_kind kind)
{
    static struct bytes kept;
    kept = bytes;
    struct packet packet = expect_packet(link_type, &kept);
    assert_int_equal(packet.kind, PACKET_FRAGMENT);
    assert_int_equal(packet.fragment_kind, kind);
    assert_int_equal(packet.tcp_flags, 0);
    return packet;
}

static void a_fragment_is_a_packet_of_its_own_kind(void **state)
{
    (void)state;
    static const uint16_t fields[] = {0x2000, 0x2001, 0x00b9};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct packet packet = expect_fragment(
            ETHERNET, ethernet(0x0800, set_u16(inner_ip(), 6, fields[i])), FRAGMENT_IPV4);
        assert_int_equal(packet.payload_size, tcp().size);
        assert_ptr_equal(packet.payload, packet.ip + 20);
        assert_int_equal(packet.depth, 0);
        assert_true(packet.has_mac);
    }
    struct packet inside =
        expect_fragment(RAW, outer_ipv4(4, set_u16(inner_ip(), 6, 0x2000)), FRAGMENT_IPV4);
    assert_int_equal(inside.depth, 1);
    expect_address(&inside.source, "10.1.2.3");
}

static struct packet expect_ipv6(struct bytes bytes)
{
    static struct bytes kept;
    kept = bytes;
    struct packet packet = expect_packet(RAW, &kept);
    assert_int_equal(packet.kind, PACKET_TCP);
    assert_int_equal(packet.ip_version, 6);
    expect_address(&packet.source, "2001:db8::1");
    expect_address(&packet.destination, "2620:149:a44::2");
    assert_int_equal(packet.ttl, 57);
    assert_int_equal(packet.ip_id, 0);
    assert_int_equal(packet.destination_port, 5223);
    assert_int_equal(packet.payload_size, 5);
    return packet;
}

static void ipv6_extension_headers_are_passed(void **state)
{
    (void)state;
    static const struct {
        uint8_t next;
        const char *header;
    } headers[] = {
        {0, "06 00 010400000000"},                                     /* hop by hop */
        {43, "06 00 000000000000"},                                    /* routing */
        {60, "06 01 010400000000 0000000000000000"},                   /* destination options */
        {51, "06 04 0000 00000001 00000001 000000000000000000000000"}, /* authentication */
        {135, "06 00 000000000000"},                                   /* mobility */
        {139, "06 00 000000000000"},                                   /* host identity */
        {140, "06 00 000000000000"},                                   /* shim6 */
        {0, "2b 00 010400000000 3c 00 000000000000 06 00 010400000000"},
    };
    expect_ipv6(ipv6(6, tcp()));
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_false(
            expect_ipv6(ipv6(headers[i].next, before(headers[i].header, tcp()))).is_fragment);
}

static void ipv6_fragments_are_told_apart(void **state)
{
    (void)state;
    assert_false(expect_ipv6(ipv6(44, before("06 00 0000 00000001", tcp()))).is_fragment);
    struct packet packet =
        expect_fragment(RAW, ipv6(44, before("06 00 0001 00000001", tcp())), FRAGMENT_IPV6);
    assert_ptr_equal(packet.payload, packet.ip + 48);
    expect_fragment(RAW, ipv6(44, before("06 00 0009 00000001", tcp())), FRAGMENT_IPV6);
    expect_fragment(RAW, ipv6(0, before("2c 00 010400000000 06 00 0008 00000001", tcp())),
                    FRAGMENT_IPV6);
}

static void a_jumbo_payload_has_its_length_in_an_option(void **state)
{
    (void)state;
    struct bytes bytes = set_u16(ipv6(0, before("06 00 c204 00012345", tcp())), 4, 0);
    struct packet packet = expect_packet(RAW, &bytes);
    assert_int_equal(packet.payload_size, 0x12345 - 8 - 20);
    assert_int_equal(packet.payload_captured, 5);
    assert_false(packet.length_from_frame);
}

static void endless_extension_headers_are_bad(void **state)
{
    (void)state;
    struct bytes chain = before("06 00 000000000000", tcp());
    for (int i = 0; i < 12; i++)
        chain = before("3c 00 000000000000", chain);
    expect_skip(RAW, ipv6(60, chain), SKIP_IP_BAD);
    expect_skip(RAW, ipv6(60, before("06 ff 000000000000", tcp())), SKIP_IP_BAD);
}

static void authentication_is_passed_in_ipv4_too(void **state)
{
    (void)state;
    expect_inner(RAW,
                 ipv4(51, before("06 04 0000 00000001 00000001 000000000000000000000000", tcp())));
}

static void what_is_encrypted_or_of_another_kind_is_skipped_by_reason(void **state)
{
    (void)state;
    expect_skip(RAW, ipv4(50, zeros(40)), SKIP_ENCRYPTED);
    expect_skip(RAW, ipv6(50, zeros(40)), SKIP_ENCRYPTED);
    expect_skip(RAW, ipv4(132, zeros(40)), SKIP_NOT_TCP);
    expect_skip(RAW, ipv4(89, zeros(40)), SKIP_NOT_TCP);
    expect_skip(RAW, ipv6(59, zeros(0)), SKIP_NOT_TCP);
}

static void a_header_longer_than_the_frame_is_believed(void **state)
{
    (void)state;
    struct bytes bytes = set_u16(inner_ip(), 2, 1500);
    struct packet packet = expect_packet(RAW, &bytes);
    assert_int_equal(packet.payload_size, 1460);
    assert_int_equal(packet.payload_captured, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv4_packet_with_options_is_read),
        cmocka_unit_test(a_length_of_zero_is_taken_from_the_frame),
        cmocka_unit_test(a_check_sequence_is_not_payload_even_without_a_length),
        cmocka_unit_test(ipv4_headers_that_contradict_themselves_are_bad),
        cmocka_unit_test(a_cut_ip_header_is_told_from_a_bad_one),
        cmocka_unit_test(a_fragment_is_a_packet_of_its_own_kind),
        cmocka_unit_test(ipv6_extension_headers_are_passed),
        cmocka_unit_test(ipv6_fragments_are_told_apart),
        cmocka_unit_test(a_jumbo_payload_has_its_length_in_an_option),
        cmocka_unit_test(endless_extension_headers_are_bad),
        cmocka_unit_test(authentication_is_passed_in_ipv4_too),
        cmocka_unit_test(what_is_encrypted_or_of_another_kind_is_skipped_by_reason),
        cmocka_unit_test(a_header_longer_than_the_frame_is_believed),
    };
    return cmocka_run_group_tests_name("network layer", tests, NULL, NULL);
}
