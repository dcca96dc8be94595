/* ICMP errors and the packets they quote, whole and cut. */
#include "test_dissect_frames.h"

static struct bytes router_says(const char *header, struct bytes quote)
{
    return outer_ipv4(1, before(header, quote));
}

static struct bytes router6_says(const char *header, struct bytes quote)
{
    return ipv6(58, before(header, quote));
}

/* A SYN as in a quote. */
static struct bytes syn(void)
{
    return hex("c350 1467 01020304 00000000 5002 2000 0000 0000");
}

static void an_unreachable_error_quotes_the_syn(void **state)
{
    (void)state;
    struct bytes frame = router_says("03 0d 0000 00000000", ipv4(6, syn()));
    struct packet packet = expect_packet(RAW, &frame);
    assert_int_equal(packet.kind, PACKET_ICMP_ERROR);
    assert_int_equal(packet.icmp_type, 3);
    assert_int_equal(packet.icmp_code, 13);
    assert_int_equal(packet.icmp_mtu, 0);
    expect_address(&packet.source, "192.0.2.1");
    struct quoted_packet quoted;
    assert_true(dissect_icmp_quote(&packet, &quoted));
    expect_address(&quoted.source, "10.1.2.3");
    expect_address(&quoted.destination, "17.57.144.20");
    assert_int_equal(quoted.source_port, 50000);
    assert_int_equal(quoted.destination_port, 5223);
    assert_int_equal(quoted.sequence, 0x01020304);
    assert_int_equal(quoted.ttl, 64);
    assert_int_equal(quoted.protocol, 6);
    assert_true(quoted.has_sequence);
    assert_true(quoted.is_syn);
}

static bool quote(struct bytes frame, struct quoted_packet *quoted)
{
    struct packet packet = expect_packet(RAW, &frame);
    assert_int_equal(packet.kind, PACKET_ICMP_ERROR);
    return dissect_icmp_quote(&packet, quoted);
}

static void a_quote_of_eight_bytes_has_no_flags(void **state)
{
    (void)state;
    struct quoted_packet quoted;
    struct bytes short_quote = ipv4(6, syn());
    short_quote.size = 20 + 8;
    assert_true(quote(router_says("03 01 0000 00000000", short_quote), &quoted));
    assert_true(quoted.has_sequence);
    assert_false(quoted.is_syn);
    short_quote.size = 20 + 4;
    assert_true(quote(router_says("03 01 0000 00000000", short_quote), &quoted));
    assert_false(quoted.has_sequence);
    short_quote.size = 20 + 3;
    assert_false(quote(router_says("03 01 0000 00000000", short_quote), &quoted));
    short_quote.size = 19;
    assert_false(quote(router_says("03 01 0000 00000000", short_quote), &quoted));
}

static void a_quoted_packet_that_is_no_syn_is_not_called_one(void **state)
{
    (void)state;
    struct quoted_packet quoted;
    assert_true(
        quote(router_says("03 01 0000 00000000", ipv4(6, set_u8(syn(), 13, 0x12))), &quoted));
    assert_false(quoted.is_syn);
    assert_true(
        quote(router_says("03 03 0000 00000000", ipv4(17, udp(50000, 53, zeros(10)))), &quoted));
    assert_int_equal(quoted.destination_port, 53);
    assert_false(quoted.has_sequence);
}

static void quoted_options_and_extension_headers_are_passed(void **state)
{
    (void)state;
    struct quoted_packet quoted;
    struct bytes options = join(set_u8(ipv4(6, zeros(0)), 0, 0x46), hex("94040000"));
    assert_true(quote(router_says("0b 00 0000 00000000", join(options, syn())), &quoted));
    assert_int_equal(quoted.destination_port, 5223);
    struct bytes six = ipv6(60, before("06 00 000000000000", syn()));
    assert_true(quote(router6_says("01 01 0000 00000000", six), &quoted));
    assert_int_equal(quoted.destination_port, 5223);
    assert_int_equal(quoted.protocol, 6);
    assert_int_equal(quoted.ttl, 57);
    assert_true(quoted.is_syn);
    expect_address(&quoted.destination, "2620:149:a44::2");
}

static void quotes_without_ports_are_refused(void **state)
{
    (void)state;
    struct quoted_packet quoted;
    struct bytes later = set_u16(ipv4(6, syn()), 6, 0x0010);
    assert_false(quote(router_says("03 01 0000 00000000", later), &quoted));
    assert_false(quote(router_says("03 01 0000 00000000", ipv4(1, zeros(8))), &quoted));
    assert_false(quote(router_says("03 01 0000 00000000", zeros(40)), &quoted));
    assert_false(quote(router_says("03 01 0000 00000000", zeros(0)), &quoted));
    assert_false(quote(router6_says("01 01 0000 00000000", ipv6(50, syn())), &quoted));
    struct bytes first = ipv6(44, before("06 00 0001 00000007", syn())); /* offset 0, more follow */
    assert_true(quote(router6_says("01 01 0000 00000000", first), &quoted));
    struct bytes rest = ipv6(44, before("06 00 0008 00000007", syn())); /* from byte 8 on */
    assert_false(quote(router6_says("01 01 0000 00000000", rest), &quoted));
}

static void a_too_big_error_tells_the_mtu(void **state)
{
    (void)state;
    struct bytes frame = router_says("03 04 0000 0000 0578", ipv4(6, syn()));
    assert_int_equal(expect_packet(RAW, &frame).icmp_mtu, 1400);
    frame = router6_says("02 00 0000 00000500", ipv6(6, syn()));
    assert_int_equal(expect_packet(RAW, &frame).icmp_mtu, 1280);
    frame = router_says("0c 00 0000 00000578", ipv4(6, syn()));
    assert_int_equal(expect_packet(RAW, &frame).icmp_mtu, 0);
}

static void extensions_behind_the_quote_are_left_out(void **state)
{
    (void)state;
    struct bytes padded = join(ipv4(6, syn()), zeros(88));
    struct bytes frame = router_says("0b 00 0000 00 20 0000", join(padded, hex("2000 0000 aabb")));
    assert_int_equal(expect_packet(RAW, &frame).payload_size, 128);
    frame = router6_says("03 00 0000 08 000000", join(ipv6(6, syn()), zeros(10)));
    assert_int_equal(expect_packet(RAW, &frame).payload_size, 64);
    frame = router_says("04 00 0000 00 02 0000", ipv4(6, syn())); /* unused there: RFC 792 */
    assert_int_equal(expect_packet(RAW, &frame).payload_size, 40);
}

static void errors_are_told_from_other_messages(void **state)
{
    (void)state;
    static const uint8_t errors[] = {3, 4, 11, 12};
    for (size_t i = 0; i < 4; i++) {
        struct bytes frame =
            set_u8(router_says("00 00 0000 00000000", ipv4(6, syn())), 20, errors[i]);
        assert_int_equal(expect_packet(RAW, &frame).icmp_type, errors[i]);
        frame = set_u8(router6_says("00 00 0000 00000000", ipv6(6, syn())), 40, (uint8_t)(i + 1));
        assert_int_equal(expect_packet(RAW, &frame).icmp_type, i + 1);
    }
    static const uint8_t others[] = {0, 5, 8, 9, 13, 40};
    for (size_t i = 0; i < 6; i++)
        expect_skip(RAW, set_u8(router_says("00 00 0000 00000000", ipv4(6, syn())), 20, others[i]),
                    SKIP_NOT_TCP);
    expect_skip(RAW, router6_says("80 00 0000 00000000", zeros(10)), SKIP_NOT_TCP);
    expect_skip(RAW, router6_says("87 00 0000 00000000", zeros(16)), SKIP_NOT_TCP);
    expect_skip(RAW, outer_ipv4(1, hex("03 01 0000")), SKIP_TRANSPORT_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unreachable_error_quotes_the_syn),
        cmocka_unit_test(a_quote_of_eight_bytes_has_no_flags),
        cmocka_unit_test(a_quoted_packet_that_is_no_syn_is_not_called_one),
        cmocka_unit_test(quoted_options_and_extension_headers_are_passed),
        cmocka_unit_test(quotes_without_ports_are_refused),
        cmocka_unit_test(a_too_big_error_tells_the_mtu),
        cmocka_unit_test(extensions_behind_the_quote_are_left_out),
        cmocka_unit_test(errors_are_told_from_other_messages),
    };
    return cmocka_run_group_tests_name("ICMP errors", tests, NULL, NULL);
}
