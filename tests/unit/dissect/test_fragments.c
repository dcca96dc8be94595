/* Datagrams in pieces are put together; what overlaps is not believed; memory and patience end. */
#include "base/clock.h"
#include "base/reader.h"
#include "dissect/fragments.h"
#include "test_dissect_frames.h"

static struct fragments *fragments;
static int64_t now_ns;
static uint64_t frame_number;
static struct packet told;

static int begin(void **state)
{
    (void)state;
    fragments = fragments_new();
    now_ns = 1000 * NS_PER_S;
    frame_number = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    fragments_free(fragments);
    return 0;
}

/* From an allocation of exactly its size; packets' bytes must not be needed any longer. */
static enum skip_reason take_cut(struct bytes bytes, size_t captured)
{
    uint8_t *copy = malloc(captured ? captured : 1);
    struct packet packet;
    assert_non_null(copy);
    memcpy(copy, bytes.at, captured);
    struct frame frame = frame_over(RAW, copy, captured, bytes.size);
    frame.number = ++frame_number;
    frame.time_ns = now_ns;
    assert_int_equal(dissect_frame(&frame, &packet), SKIP_NONE);
    assert_int_equal(packet.kind, PACKET_FRAGMENT);
    enum skip_reason reason = fragments_take(fragments, &packet, &told);
    if (reason == SKIP_NONE) {
        static uint8_t kept[70000];
        assert_true(told.payload_captured <= told.payload_size);
        memcpy(kept, told.payload, told.payload_captured);
        told.payload = kept;
        assert_int_equal(told.frame, frame_number);
        assert_int_equal(told.time_ns, now_ns);
    }
    free(copy);
    return reason;
}

static enum skip_reason take(struct bytes bytes)
{
    return take_cut(bytes, bytes.size);
}

static void expect_waits(struct bytes bytes)
{
    assert_int_equal(take(bytes), SKIP_FRAGMENT);
}

static void expect_told(struct bytes bytes, uint32_t sequence, const char *payload)
{
    assert_int_equal(take(bytes), SKIP_NONE);
    assert_int_equal(told.kind, PACKET_TCP);
    assert_int_equal(told.sequence, sequence);
    assert_int_equal(told.payload_size, strlen(payload));
    assert_int_equal(told.payload_captured, strlen(payload));
    assert_memory_equal(told.payload, payload, strlen(payload));
}

static void expect_counts(uint64_t refused, uint64_t incomplete)
{
    struct fragment_counts counts = fragments_count(fragments);
    assert_int_equal(counts.refused, refused);
    assert_int_equal(counts.incomplete, incomplete);
}

/* SYN PSH FIN ACK (as no stack sends it) with this payload, sequence number 1000. */
static struct bytes segment(const char *payload)
{
    struct bytes text = {.size = strlen(payload)};
    memcpy(text.at, payload, text.size);
    return join(hex("c350 1467 000003e8 00000007 501b 2000 0000 0000"), text);
}

static struct bytes slice(struct bytes datagram, size_t from, size_t size)
{
    struct bytes part = {.size = size};
    assert_true(from + size <= datagram.size);
    memcpy(part.at, datagram.at + from, size);
    return part;
}

/* A part of a datagram; `size` 0: to its end. */
static struct bytes part4(uint16_t id, uint8_t protocol, struct bytes datagram, size_t from,
                          size_t size)
{
    bool more = size != 0;
    struct bytes packet = ipv4(protocol, slice(datagram, from, more ? size : datagram.size - from));
    packet = set_u16(packet, 4, id);
    return set_u16(packet, 6, (more ? 0x2000 : 0) | from / 8);
}

static struct bytes part6(uint16_t id, uint8_t next, struct bytes datagram, size_t from,
                          size_t size)
{
    bool more = size != 0;
    struct bytes header = hex("00 00 0000 0000 0000");
    header.at[0] = next;
    header = set_u16(header, 2, from | more);
    header = set_u16(header, 6, id);
    return ipv6(44, join(header, slice(datagram, from, more ? size : datagram.size - from)));
}

static const char text[] = "the first part, the second part, and the rest of the payload";

static void a_segment_is_told_when_it_is_whole(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    expect_waits(part4(7, 6, whole, 0, 40));
    expect_waits(part4(7, 6, whole, 40, 16));
    expect_told(part4(7, 6, whole, 56, 0), 1000, text);
    assert_int_equal(told.tcp_flags, TCP_SYN | TCP_FIN | TCP_PSH | TCP_ACK);
    assert_false(told.is_fragment);
    assert_int_equal(told.ip_version, 4);
    assert_int_equal(told.ttl, 64);
    assert_int_equal(told.source_port, 50000);
    expect_address(&told.source, "10.1.2.3");
    expect_counts(0, 0);
}

/* What a filter that names ports leaves of a capture. */
static void first_fragments_that_stay_alone_are_told_by_themselves(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    expect_waits(part4(1, 6, whole, 0, 40));
    now_ns += FRAGMENTS_PATIENCE_NS + 1;
    expect_told(part4(2, 6, whole, 0, 40), 1000, "the first part, the ");
    assert_true(told.is_fragment);
    expect_told(part6(3, 6, whole, 0, 48), 1000, "the first part, the second p");
    expect_waits(part6(3, 6, whole, 0, 48)); /* its copy */
    struct bytes message = udp(53, 40000, join(hex("1234 8180"), zeros(60)));
    expect_waits(part4(4, 17, message, 0, 24));
    struct bytes frame = ethernet(0x0800, ipv4(6, segment(text)));
    struct bytes tunnel = udp(40000, 4789, before("08000000 000123 00", frame));
    assert_int_equal(take(part4(5, 17, tunnel, 0, 80)), SKIP_NONE);
    assert_int_equal(told.payload_size, strlen(text));
    assert_int_equal(told.payload_captured, 10);
    expect_counts(0, 5);
    expect_waits(part4(6, 6, whole, 40, 0)); /* so there are others after all */
    expect_waits(part4(7, 6, whole, 0, 40));
    expect_told(part4(7, 6, whole, 40, 0), 1000, text);
}

static void the_order_of_fragments_does_not_matter(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    expect_waits(part4(8, 6, whole, 56, 0));
    expect_waits(part4(8, 6, whole, 40, 16));
    expect_told(part4(8, 6, whole, 0, 40), 1000, text);
    assert_int_equal(told.tcp_flags, TCP_SYN | TCP_FIN | TCP_PSH | TCP_ACK);
    expect_waits(part6(9, 6, whole, 56, 0));
    expect_waits(part6(9, 6, whole, 0, 40));
    expect_told(part6(9, 6, whole, 40, 16), 1000, text);
    assert_int_equal(told.ip_version, 6);
    expect_counts(0, 0);
}

static void the_header_before_a_whole_datagram_is_as_it_was_sent(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    expect_waits(part4(8, 6, whole, 40, 0));
    assert_int_equal(take(part4(8, 6, whole, 0, 40)), SKIP_NONE);
    assert_int_equal(load_u16(told.ip + 2), 20 + whole.size);
    assert_int_equal(load_u16(told.ip + 6), 0);
    expect_waits(part6(9, 6, whole, 40, 0));
    assert_int_equal(take(part6(9, 6, whole, 0, 40)), SKIP_NONE);
    assert_int_equal(load_u16(told.ip + 4), whole.size);
    assert_int_equal(told.ip[6], 6);
}

static void a_tcp_header_in_two_parts_is_told_when_it_is_whole(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    expect_waits(part4(7, 6, whole, 0, 8));
    expect_told(part4(7, 6, whole, 8, 0), 1000, text);
}

static void a_dns_message_waits_for_its_rest(void **state)
{
    (void)state;
    struct bytes message = udp(53, 40000, join(hex("1234 8180"), zeros(60)));
    expect_waits(part4(7, 17, message, 0, 24));
    assert_int_equal(take(part4(7, 17, message, 24, 0)), SKIP_NONE);
    assert_int_equal(told.kind, PACKET_DNS);
    assert_int_equal(told.payload_size, 64);
}

static void a_tunnel_packet_in_pieces_gives_what_is_inside(void **state)
{
    (void)state;
    struct bytes frame = ethernet(0x0800, ipv4(6, segment(text)));
    struct bytes tunnel = udp(40000, 4789, before("08000000 000123 00", frame));
    expect_waits(part4(7, 17, tunnel, 0, 80));
    expect_told(part4(7, 17, tunnel, 80, 0), 1000, text);
    assert_int_not_equal(told.lane, 0);
    assert_true(told.has_mac);
    expect_address(&told.destination, "17.57.144.20");
}

static void fragments_inside_a_fragmented_tunnel_packet_are_put_together(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    struct bytes first = part4(7, 6, whole, 0, 40), second = part4(7, 6, whole, 40, 0);
    expect_waits(set_u8(part4(1, 4, first, 0, 32), 15, 9)); /* another source: the tunnel's */
    expect_waits(set_u8(part4(1, 4, first, 32, 0), 15, 9));
    expect_waits(set_u8(part4(2, 4, second, 32, 0), 15, 9));
    expect_told(set_u8(part4(2, 4, second, 0, 32), 15, 9), 1000, text);
}

static struct bytes capwap(const char *header, struct bytes part)
{
    return outer_udp(5247, before(header, part));
}

static void capwap_fragments_are_put_together(void **state)
{
    (void)state;
    struct bytes frame = ethernet(0x0800, ipv4(6, segment(text)));
    expect_waits(capwap("00 10 0080 0001 0000", slice(frame, 0, 24)));
    expect_waits(capwap("00 10 00c0 0001 0040", slice(frame, 64, frame.size - 64)));
    expect_told(capwap("00 10 0080 0001 0018", slice(frame, 24, 40)), 1000, text);
    expect_counts(0, 0);
}

static void copies_of_fragments_do_no_harm(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    expect_waits(part4(7, 6, whole, 0, 40));
    expect_waits(part4(7, 6, whole, 0, 40));
    expect_waits(set_u8(part4(7, 6, whole, 0, 40), 8, 63)); /* behind a router */
    assert_int_equal(take(part4(7, 6, whole, 40, 0)), SKIP_NONE);
    expect_waits(part4(7, 6, whole, 40, 0));
    expect_waits(part4(7, 6, whole, 0, 40));
    expect_counts(0, 0);
}

static void identifications_come_round_again(void **state)
{
    (void)state;
    struct bytes whole = segment(text),
                 other = segment("another one, as long as the other one was");
    expect_waits(part4(7, 6, whole, 0, 40));
    assert_int_equal(take(part4(7, 6, whole, 40, 0)), SKIP_NONE);
    expect_waits(part4(7, 6, other, 0, 40));
    expect_told(part4(7, 6, other, 40, 0), 1000, "another one, as long as the other one was");
    expect_counts(0, 0);
}

static void other_ends_and_protocols_are_other_datagrams(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    expect_waits(part4(7, 6, whole, 40, 0));
    expect_waits(part4(7, 132, whole, 0, 40));
    expect_waits(part4(8, 6, whole, 48, 0));
    expect_waits(set_u8(part4(7, 6, whole, 0, 40), 15, 4)); /* another source */
    expect_told(part4(7, 6, whole, 0, 40), 1000, text);
}

static void overlapping_fragments_are_refused(void **state)
{
    (void)state;
    struct bytes whole = segment(text), evil = segment(text);
    evil.at[44] ^= 1;
    expect_waits(part4(7, 6, whole, 0, 40));
    expect_waits(part4(7, 6, whole, 32, 24)); /* begins inside the first */
    expect_counts(1, 0);
    expect_waits(part4(7, 6, whole, 40, 0)); /* and nothing more of it is believed */
    expect_waits(part4(8, 6, whole, 0, 48));
    expect_waits(part4(8, 6, evil, 0, 48)); /* the same place, other bytes */
    expect_counts(2, 0);
    expect_waits(part6(9, 6, whole, 0, 48));
    expect_waits(part6(9, 6, whole, 40, 0));
    expect_counts(3, 0);
}

static void fragments_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    expect_waits(part4(1, 6, whole, 56, 0));
    expect_waits(part4(1, 6, whole, 48, 0)); /* overlaps the end */
    expect_counts(1, 0);
    expect_waits(part4(2, 6, slice(whole, 0, 64), 56, 0));
    expect_waits(part4(2, 6, whole, 64, 8)); /* beyond the end */
    expect_counts(2, 0);
    expect_waits(part4(3, 6, whole, 64, 8));
    expect_waits(part4(3, 6, slice(whole, 0, 64), 56, 0)); /* an end before it */
    assert_int_equal(take(part4(3, 6, whole, 0, 56)), SKIP_FRAGMENT);
    expect_counts(3, 0);
    expect_waits(part4(4, 6, whole, 40, 13)); /* no whole unit, but not the last */
    expect_counts(4, 0);
    expect_waits(set_u16(part4(5, 6, whole, 40, 0), 6, 0x1fff)); /* ends past 65535 */
    expect_counts(5, 0);
    expect_waits(set_u16(part4(6, 6, whole, 80, 0), 6, 0x0005)); /* empty */
    expect_counts(6, 0);
}

static void a_cut_fragment_tells_what_it_holds_and_ends_its_datagram(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    assert_int_equal(take_cut(part4(7, 6, whole, 0, 40), 54), SKIP_NONE);
    assert_int_equal(told.payload_size, 20);
    assert_int_equal(told.payload_captured, 14);
    expect_waits(part4(7, 6, whole, 40, 0));
    expect_counts(0, 1);
}

static void patience_ends(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    expect_waits(part4(7, 6, whole, 40, 0));
    now_ns += FRAGMENTS_PATIENCE_NS + 1;
    expect_waits(part4(7, 6, whole, 0, 40));
    expect_counts(0, 2);       /* the old one, and the new one that still waits */
    now_ns -= 3600 * NS_PER_S; /* the clock was set */
    expect_waits(part4(7, 6, whole, 40, 0));
    expect_told(part4(7, 6, whole, 0, 40), 1000, text);
    expect_counts(0, 2);
    now_ns = INT64_MIN + 1;
    expect_waits(part4(9, 6, whole, 40, 0));
}

static void a_flood_costs_nothing_but_what_waits(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    expect_waits(part4(1, 6, whole, 40, 0));
    for (unsigned id = 2; id < 2 + 10 * FRAGMENTS_DATAGRAMS; id++) {
        now_ns += 1000;
        expect_waits(part4((uint16_t)id, 6, whole, 40, 16));
    }
    expect_counts(0, 1 + 10 * FRAGMENTS_DATAGRAMS);
    expect_waits(part4(2, 6, whole, 0, 40)); /* long forgotten */
    expect_waits(part4(1 + 10 * FRAGMENTS_DATAGRAMS, 6, whole, 0, 40));
    expect_told(part4(1 + 10 * FRAGMENTS_DATAGRAMS, 6, whole, 56, 0), 1000, text);
}

static void datagrams_that_are_done_make_room_first(void **state)
{
    (void)state;
    struct bytes whole = segment(text);
    expect_waits(part4(1, 6, whole, 40, 0));
    for (unsigned id = 2; id < 2 + 2 * FRAGMENTS_DATAGRAMS; id++) {
        now_ns += 1000;
        expect_waits(part4((uint16_t)id, 6, whole, 0, 40));
        assert_int_equal(take(part4((uint16_t)id, 6, whole, 40, 0)), SKIP_NONE);
    }
    expect_told(part4(1, 6, whole, 0, 40), 1000, text);
    expect_counts(0, 0);
}

/* 65,515 bytes in as many fragments as an Ethernet needs, from the back. */
static void the_largest_datagram_fits(void **state)
{
    (void)state;
    struct bytes piece = zeros(1480);
    enum { WHOLE = 65515, PARTS = WHOLE / 1480 + 1, LAST = WHOLE % 1480 };
    for (int i = PARTS - 1; i > 0; i--) {
        piece.size = i == PARTS - 1 ? LAST : 1480;
        struct bytes packet = set_u16(ipv4(6, piece), 4, 3);
        packet = set_u16(packet, 6, (i == PARTS - 1 ? 0 : 0x2000) | (size_t)i * 1480 / 8);
        expect_waits(packet);
    }
    struct bytes first = join(hex("c350 1467 000003e8 00000007 5010 2000 0000 0000"), zeros(1460));
    struct bytes packet = set_u16(set_u16(ipv4(6, first), 4, 3), 6, 0x2000);
    assert_int_equal(take(packet), SKIP_NONE);
    assert_int_equal(told.payload_size, WHOLE - 20);
    assert_int_equal(load_u16(told.ip + 2), 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_segment_is_told_when_it_is_whole, begin, end),
        cmocka_unit_test_setup_teardown(the_order_of_fragments_does_not_matter, begin, end),
        cmocka_unit_test_setup_teardown(the_header_before_a_whole_datagram_is_as_it_was_sent, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_tcp_header_in_two_parts_is_told_when_it_is_whole, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_dns_message_waits_for_its_rest, begin, end),
        cmocka_unit_test_setup_teardown(a_tunnel_packet_in_pieces_gives_what_is_inside, begin, end),
        cmocka_unit_test_setup_teardown(first_fragments_that_stay_alone_are_told_by_themselves,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            fragments_inside_a_fragmented_tunnel_packet_are_put_together, begin, end),
        cmocka_unit_test_setup_teardown(capwap_fragments_are_put_together, begin, end),
        cmocka_unit_test_setup_teardown(copies_of_fragments_do_no_harm, begin, end),
        cmocka_unit_test_setup_teardown(identifications_come_round_again, begin, end),
        cmocka_unit_test_setup_teardown(other_ends_and_protocols_are_other_datagrams, begin, end),
        cmocka_unit_test_setup_teardown(overlapping_fragments_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(fragments_that_contradict_each_other_are_refused, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_cut_fragment_tells_what_it_holds_and_ends_its_datagram,
                                        begin, end),
        cmocka_unit_test_setup_teardown(patience_ends, begin, end),
        cmocka_unit_test_setup_teardown(a_flood_costs_nothing_but_what_waits, begin, end),
        cmocka_unit_test_setup_teardown(datagrams_that_are_done_make_room_first, begin, end),
        cmocka_unit_test_setup_teardown(the_largest_datagram_fits, begin, end),
    };
    return cmocka_run_group_tests_name("fragments", tests, NULL, NULL);
}
