/* Headers, checksums and link layers of built packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/support/wire.h"

static struct address address_of(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static void an_ipv4_header_has_the_checksum_of_its_words(void **state)
{
    /* The worked example of RFC 1071's family: 192.168.0.1 to 192.168.0.199, UDP. */
    struct ip_header ip = {
        .source = address_of("192.168.0.1"), .destination = address_of("192.168.0.199"), .ttl = 64};
    struct bytes out = {0};
    uint8_t payload[87] = {0};
    (void)state;
    wire_udp(&out, &ip, 1, 2, payload, sizeof payload);
    static const uint8_t wanted[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                     0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
    assert_memory_equal(out.at, wanted, sizeof wanted);
    bytes_free(&out);
}

static void a_wrong_checksum_is_made_only_when_asked_for(void **state)
{
    struct ip_header ip = {.source = address_of("::1"), .destination = address_of("::2"), .ttl = 1};
    struct tcp_header tcp = {.source_port = 1, .destination_port = 2, .flags = 2};
    struct bytes right = {0};
    struct bytes wrong = {0};
    (void)state;
    wire_tcp(&right, &ip, &tcp, NULL, 0);
    tcp.wrong_checksum = true;
    wire_tcp(&wrong, &ip, &tcp, NULL, 0);
    assert_int_equal(right.size, 60);
    assert_memory_equal(right.at, wrong.at, 56);
    assert_memory_not_equal(right.at + 56, wrong.at + 56, 2);
    bytes_free(&right);
    bytes_free(&wrong);
}

static void each_link_layer_has_its_size_and_says_what_follows(void **state)
{
    static const struct {
        const char *name;
        uint16_t link_type;
        size_t size;
        size_t type_offset; /* of 0x0800; 0: none */
    } rows[] = {{"ethernet", 1, 14, 12}, {"raw", 101, 0, 0}, {"sll", 113, 16, 14},
                {"sll2", 276, 20, 0},    {"null", 0, 4, 0},  {"pktap", 258, 122, 120}};
    struct link_header link = {.ether_type = 0x0800};
    uint8_t packet[100] = {0x45};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes out = {0};
        uint16_t link_type;
        assert_true(wire_link_type(rows[i].name, &link_type));
        assert_int_equal(link_type, rows[i].link_type);
        wire_frame(&out, link_type, &link, packet, sizeof packet);
        assert_int_equal(out.size, rows[i].size + sizeof packet);
        assert_int_equal(out.at[rows[i].size], 0x45);
        if (rows[i].type_offset)
            assert_memory_equal(out.at + rows[i].type_offset, "\x08\x00", 2);
        bytes_free(&out);
    }
    uint16_t link_type;
    assert_false(wire_link_type("token-ring", &link_type));
}

static void short_ethernet_frames_are_padded_and_tags_nest(void **state)
{
    struct link_header link = {.ether_type = 0x86dd, .vlan = 200, .outer_vlan = 100};
    uint8_t packet[10] = {0};
    struct bytes out = {0};
    (void)state;
    wire_frame(&out, LINK_ETHERNET, &link, packet, sizeof packet);
    assert_int_equal(out.size, 60);
    assert_memory_equal(out.at + 12, "\x88\xa8\x00\x64\x81\x00\x00\xc8\x86\xdd", 10);
    bytes_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv4_header_has_the_checksum_of_its_words),
        cmocka_unit_test(a_wrong_checksum_is_made_only_when_asked_for),
        cmocka_unit_test(each_link_layer_has_its_size_and_says_what_follows),
        cmocka_unit_test(short_ethernet_frames_are_padded_and_tags_nest),
    };
    return cmocka_run_group_tests_name("support wire", tests, NULL, NULL);
}
