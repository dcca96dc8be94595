/* Filter expressions over frames of several link types. */
#include "builder.h"
#include "capture/filter.h"

/* IPv4, TCP 10.0.0.1:1000 > 17.0.0.1:5223 */
static const uint8_t ip_packet[40] = {0x45, 0, 0, 40, 0,  0, 0, 0, 64, 6,    0,    0,
                                      10,   0, 0, 1,  17, 0, 0, 1, 3,  0xe8, 0x14, 0x67};

static struct frame frame_of(uint16_t link_type, uint8_t *bytes, const uint8_t *head,
                             uint32_t head_size)
{
    if (head_size)
        memcpy(bytes, head, head_size);
    memcpy(bytes + head_size, ip_packet, sizeof ip_packet);
    uint32_t size = head_size + (uint32_t)sizeof ip_packet;
    return (struct frame){
        .link_type = link_type, .captured_size = size, .original_size = size, .bytes = bytes};
}

static void the_same_expression_works_on_each_link_type(void **state)
{
    (void)state;
    static const uint8_t ethernet[14] = {[12] = 0x08};
    static const uint8_t null_head[4] = {2};
    uint8_t bytes[3][200];
    struct frame frames[] = {frame_of(1, bytes[0], ethernet, 14), frame_of(101, bytes[1], NULL, 0),
                             frame_of(0, bytes[2], null_head, 4)};
    struct filter *yes, *no;
    struct fault fault;
    assert_true(filter_compile(&yes, "tcp port 5223 and net 17.0.0.0/8", &fault));
    assert_true(filter_compile(&no, "tcp port 443", &fault));
    for (size_t i = 0; i < 3; i++) {
        assert_true(filter_matches(yes, &frames[i]));
        assert_false(filter_matches(no, &frames[i]));
    }
    filter_free(yes);
    filter_free(no);
}

static void pktap_is_filtered_by_the_frame_inside(void **state)
{
    (void)state;
    uint8_t head[108 + 14] = {108, [8] = 1, [108 + 12] = 0x08};
    uint8_t bytes[300];
    struct frame frame = frame_of(258, bytes, head, sizeof head);
    struct filter *filter;
    struct fault fault;
    assert_true(filter_compile(&filter, "tcp port 5223", &fault));
    assert_true(filter_matches(filter, &frame));
    assert_int_equal(filter_unfiltered(filter), 0);
    frame.captured_size = 10; /* cut in the header: not matched, counted */
    assert_false(filter_matches(filter, &frame));
    assert_int_equal(filter_unfiltered(filter), 1);
    filter_free(filter);
}

static void a_wrong_expression_is_refused_with_the_complaint(void **state)
{
    (void)state;
    struct filter *filter;
    struct fault fault;
    assert_false(filter_compile(&filter, "tcp prot 5223", &fault));
    assert_contains(fault.sentence, "tcp prot 5223");
    assert_contains(fault.sentence, "pcap-filter(7)");
    assert_null(filter);
    filter_free(NULL);
}

static void packets_are_filtered_without_their_link_headers(void **state)
{
    (void)state;
    struct filter *yes, *no;
    struct fault fault;
    assert_true(filter_compile_packets(&yes, "tcp dst port 5223 and host 17.0.0.1", &fault));
    assert_true(filter_compile_packets(&no, "ip6 or net 192.168.0.0/16", &fault));
    assert_true(filter_matches_packet(yes, ip_packet, sizeof ip_packet, sizeof ip_packet));
    assert_false(filter_matches_packet(no, ip_packet, sizeof ip_packet, sizeof ip_packet));
    assert_false(filter_matches_packet(yes, ip_packet, 20, sizeof ip_packet)); /* ports are cut */
    filter_free(yes);
    filter_free(no);
}

static void words_about_link_headers_are_refused_for_packets(void **state)
{
    (void)state;
    static const char *const wrong[] = {"vlan 7", "ether host 00:11:22:33:44:55", "mpls"};
    struct filter *filter;
    struct fault fault;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(filter_compile_packets(&filter, wrong[i], &fault));
        assert_contains(fault.sentence, wrong[i]);
        assert_contains(fault.sentence, "link headers");
        assert_null(filter);
    }
    assert_false(filter_compile_packets(&filter, "prot 7", &fault));
    assert_contains(fault.sentence, "pcap-filter(7)");
}

static void any_number_of_link_types_is_survived(void **state)
{
    (void)state;
    uint8_t bytes[100];
    struct filter *filter;
    struct fault fault;
    assert_true(filter_compile(&filter, "ip", &fault));
    for (unsigned type = 0; type < 400; type++) {
        struct frame frame = frame_of((uint16_t)type, bytes, NULL, 0);
        (void)filter_matches(filter, &frame);
    }
    assert_true(filter_unfiltered(filter) > 300);
    filter_free(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_expression_works_on_each_link_type),
        cmocka_unit_test(pktap_is_filtered_by_the_frame_inside),
        cmocka_unit_test(a_wrong_expression_is_refused_with_the_complaint),
        cmocka_unit_test(packets_are_filtered_without_their_link_headers),
        cmocka_unit_test(words_about_link_headers_are_refused_for_packets),
        cmocka_unit_test(any_number_of_link_types_is_survived),
    };
    return cmocka_run_group_tests_name("capture/filter", tests, NULL, remove_folder);
}
