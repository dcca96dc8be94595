/* Tests of dissect/dns.c: messages are built byte by byte, and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dissect/dns.h"

struct wire {
    uint8_t bytes[8192];
    size_t size;
};

enum { RESPONSE = 0x8180, QUERY = 0x0100 };

static void u8(struct wire *wire, unsigned value)
{
    wire->bytes[wire->size++] = (uint8_t)value;
}

static void u16(struct wire *wire, unsigned value)
{
    u8(wire, value >> 8);
    u8(wire, value & 0xff);
}

static void u32(struct wire *wire, uint32_t value)
{
    u16(wire, value >> 16);
    u16(wire, value & 0xffff);
}

/* Labels of "a.b.c"; without the root. */
static void labels(struct wire *wire, const char *name)
{
    while (*name) {
        size_t length = strcspn(name, ".");
        u8(wire, (unsigned)length);
        memcpy(wire->bytes + wire->size, name, length);
        wire->size += length;
        name += length + (name[length] == '.');
    }
}

static void name(struct wire *wire, const char *text)
{
    labels(wire, text);
    u8(wire, 0);
}

static void pointer(struct wire *wire, size_t offset)
{
    u16(wire, 0xc000 | (unsigned)offset);
}

static struct wire message(unsigned flags, unsigned answers, const char *question, unsigned type)
{
    struct wire wire = {.size = 0};
    u16(&wire, 0xbeef);
    u16(&wire, flags);
    u16(&wire, 1);
    u16(&wire, answers);
    u16(&wire, 0);
    u16(&wire, 0);
    name(&wire, question);
    u16(&wire, type);
    u16(&wire, 1);
    return wire;
}

/* Type, class, TTL, size of what follows. */
static void record(struct wire *wire, unsigned type, uint32_t ttl_s, unsigned size)
{
    u16(wire, type);
    u16(wire, 1);
    u32(wire, ttl_s);
    u16(wire, size);
}

static void ipv4(struct wire *wire, unsigned a, unsigned b, unsigned c, unsigned d)
{
    u8(wire, a);
    u8(wire, b);
    u8(wire, c);
    u8(wire, d);
}

static void cname(struct wire *wire, const char *owner, const char *target)
{
    name(wire, owner);
    record(wire, DNS_CNAME, 60, (unsigned)strlen(target) + 2);
    name(wire, target);
}

static void a_record(struct wire *wire, const char *owner, unsigned last, uint32_t ttl_s)
{
    name(wire, owner);
    record(wire, DNS_A, ttl_s, 4);
    ipv4(wire, 17, 57, 144, last);
}

static bool read_wire(const struct wire *wire, struct dns_message *read)
{
    /* a copy of the exact size, so that a sanitizer sees a byte too many */
    uint8_t *exact = test_malloc(wire->size ? wire->size : 1);
    memcpy(exact, wire->bytes, wire->size);
    bool done = dns_read(exact, wire->size, read);
    test_free(exact);
    return done;
}

static void assert_address(const struct dns_message *read, unsigned at, const char *expected)
{
    char text[ADDRESS_TEXT_SIZE];
    assert_true(at < read->address_count);
    assert_string_equal(address_text(&read->addresses[at], text), expected);
}

static void a_query_gives_its_name_and_type(void **state)
{
    (void)state;
    struct wire wire = message(QUERY, 0, "7-Courier.PUSH.apple.com", DNS_AAAA);
    struct dns_message read;
    assert_true(read_wire(&wire, &read));
    assert_false(read.is_response);
    assert_int_equal(read.id, 0xbeef);
    assert_int_equal(read.type, DNS_AAAA);
    assert_string_equal(read.name, "7-courier.push.apple.com");
    assert_string_equal(read.canonical, "");
    assert_int_equal(read.address_count, 0);
}

static void a_chain_of_aliases_is_followed_in_any_order(void **state)
{
    (void)state;
    struct wire wire = message(RESPONSE, 5, "36-courier.push.apple.com", DNS_A);
    a_record(&wire, "pop.push-apple.com.akadns.net", 1, 30);
    cname(&wire, "36.courier-push-apple.com.akadns.net", "POP.push-apple.com.akadns.net");
    a_record(&wire, "pop.push-apple.com.akadns.net", 2, 20);
    a_record(&wire, "elsewhere.example", 9, 1);
    cname(&wire, "36-courier.push.apple.com", "36.courier-push-apple.com.akadns.net");
    struct dns_message read;
    assert_true(read_wire(&wire, &read));
    assert_true(read.is_response);
    assert_false(read.answers_cut);
    assert_string_equal(read.canonical, "pop.push-apple.com.akadns.net");
    assert_int_equal(read.address_count, 2);
    assert_address(&read, 0, "17.57.144.1");
    assert_address(&read, 1, "17.57.144.2");
    assert_int_equal(read.lowest_ttl_s, 20);
}

static void compressed_names_are_followed(void **state)
{
    (void)state;
    struct wire wire = message(RESPONSE, 2, "1-courier.push.apple.com", DNS_AAAA);
    pointer(&wire, 12);
    record(&wire, DNS_CNAME, 60, 2 + 2);
    size_t target = wire.size;
    labels(&wire, "x");
    pointer(&wire, 12 + 10); /* "push.apple.com" of the question */
    pointer(&wire, target);
    record(&wire, DNS_AAAA, 77, 16);
    for (unsigned i = 0; i < 16; i++)
        u8(&wire, i == 0 ? 0x26 : i == 1 ? 0x20 : i == 15 ? 5 : 0);
    struct dns_message read;
    assert_true(read_wire(&wire, &read));
    assert_false(read.answers_cut);
    assert_string_equal(read.canonical, "x.push.apple.com");
    assert_int_equal(read.address_count, 1);
    assert_address(&read, 0, "2620::5");
    assert_int_equal(read.lowest_ttl_s, 77);
}

static void a_pointer_to_itself_or_forward_ends(void **state)
{
    (void)state;
    struct wire wire = message(RESPONSE, 1, "a.b", DNS_A);
    size_t here = wire.size;
    pointer(&wire, here);
    record(&wire, DNS_A, 1, 4);
    ipv4(&wire, 1, 2, 3, 4);
    struct dns_message read;
    assert_true(read_wire(&wire, &read));
    assert_int_equal(read.address_count, 0);

    struct wire loop = message(QUERY, 0, "", DNS_A);
    loop.size = 12;
    labels(&loop, "a");
    pointer(&loop, 12); /* back to the label that leads here */
    u16(&loop, DNS_A);
    u16(&loop, 1);
    assert_false(read_wire(&loop, &read));
}

static void aliases_in_a_circle_give_no_address(void **state)
{
    (void)state;
    struct wire wire = message(RESPONSE, 3, "a.push.apple.com", DNS_A);
    cname(&wire, "a.push.apple.com", "b.push.apple.com");
    cname(&wire, "b.push.apple.com", "a.push.apple.com");
    a_record(&wire, "a.push.apple.com", 1, 1);
    struct dns_message read;
    assert_true(read_wire(&wire, &read));
    assert_true(read.answers_cut);
    assert_int_equal(read.address_count, 0);
}

static void hints_of_a_service_record_are_addresses(void **state)
{
    (void)state;
    struct wire wire = message(RESPONSE, 1, "1-courier.push.apple.com", DNS_HTTPS);
    pointer(&wire, 12);
    record(&wire, DNS_HTTPS, 300, 2 + 1 + 4 + 3 + 4 + 8 + 4 + 16);
    u16(&wire, 1); /* priority */
    u8(&wire, 0);  /* target: the owner */
    u16(&wire, 1); /* alpn */
    u16(&wire, 3);
    u8(&wire, 2);
    u8(&wire, 'h');
    u8(&wire, '2');
    u16(&wire, 4);
    u16(&wire, 8);
    ipv4(&wire, 17, 1, 1, 1);
    ipv4(&wire, 17, 1, 1, 2);
    u16(&wire, 6);
    u16(&wire, 16);
    for (unsigned i = 0; i < 16; i++)
        u8(&wire, i);
    struct dns_message read;
    assert_true(read_wire(&wire, &read));
    assert_false(read.answers_cut);
    assert_int_equal(read.address_count, 3);
    assert_address(&read, 0, "17.1.1.1");
    assert_address(&read, 1, "17.1.1.2");
    assert_address(&read, 2, "1:203:405:607:809:a0b:c0d:e0f");
    assert_int_equal(read.lowest_ttl_s, 300);
}

static void rcode_and_truncation_are_told(void **state)
{
    (void)state;
    struct wire wire = message(RESPONSE | 0x0200 | DNS_NXDOMAIN, 0, "push.apple.com", DNS_TXT);
    struct dns_message read;
    assert_true(read_wire(&wire, &read));
    assert_true(read.is_truncated);
    assert_int_equal(read.rcode, DNS_NXDOMAIN);
    assert_int_equal(read.type, DNS_TXT);
}

static void every_cut_of_an_answer_is_harmless_and_told(void **state)
{
    (void)state;
    struct wire wire = message(RESPONSE, 3, "1-courier.push.apple.com", DNS_A);
    size_t question_end = wire.size;
    cname(&wire, "1-courier.push.apple.com", "x.push.apple.com");
    a_record(&wire, "x.push.apple.com", 1, 5);
    a_record(&wire, "x.push.apple.com", 2, 6);
    struct dns_message read;
    for (size_t size = wire.size; size-- > 0;) {
        struct wire cut = wire;
        cut.size = size;
        bool done = read_wire(&cut, &read);
        assert_int_equal(done, size >= question_end);
        if (done)
            assert_true(read.answers_cut);
    }
    assert_true(read_wire(&wire, &read));
    assert_false(read.answers_cut);
}

static void other_than_one_question_is_no_message_of_ours(void **state)
{
    (void)state;
    struct wire wire = message(QUERY, 0, "push.apple.com", DNS_A);
    struct dns_message read;
    wire.bytes[5] = 0;
    assert_false(read_wire(&wire, &read));
    wire.bytes[5] = 2;
    assert_false(read_wire(&wire, &read));
    wire.bytes[5] = 1;
    assert_true(read_wire(&wire, &read));
    wire.bytes[2] = 0x28; /* UPDATE, RFC 2136 */
    assert_false(read_wire(&wire, &read));
}

static void a_dot_inside_a_label_cannot_pass_for_two_labels(void **state)
{
    (void)state;
    struct wire wire = message(QUERY, 0, "", DNS_A);
    wire.size = 12;
    u8(&wire, 14);
    memcpy(wire.bytes + wire.size, "push.apple.com", 14);
    wire.size += 14;
    u8(&wire, 1);
    u8(&wire, 0x1b);
    u8(&wire, 0);
    u16(&wire, DNS_A);
    u16(&wire, 1);
    struct dns_message read;
    assert_true(read_wire(&wire, &read));
    assert_string_equal(read.name, "push\\x2eapple\\x2ecom.\\x1b");
}

static void a_name_too_long_when_escaped_is_refused_not_cut(void **state)
{
    (void)state;
    struct wire wire = message(QUERY, 0, "", DNS_A);
    wire.size = 12;
    for (unsigned label = 0; label < 2; label++) {
        u8(&wire, 60);
        for (unsigned i = 0; i < 60; i++)
            u8(&wire, 0xff);
    }
    name(&wire, "push.apple.com");
    u16(&wire, DNS_A);
    u16(&wire, 1);
    struct dns_message read;
    assert_false(read_wire(&wire, &read));
}

static void more_addresses_than_fit_are_told(void **state)
{
    (void)state;
    struct wire wire = message(RESPONSE, 40, "1-courier.push.apple.com", DNS_A);
    for (unsigned i = 0; i < 40; i++)
        a_record(&wire, "1-courier.push.apple.com", i, 9);
    struct dns_message read;
    assert_true(read_wire(&wire, &read));
    assert_int_equal(read.address_count, DNS_ADDRESSES_MAX);
    assert_true(read.answers_cut);
}

static void an_address_of_another_size_is_none(void **state)
{
    (void)state;
    struct wire wire = message(RESPONSE, 1, "a.push.apple.com", DNS_A);
    name(&wire, "a.push.apple.com");
    record(&wire, DNS_A, 9, 3);
    u8(&wire, 17);
    u16(&wire, 0x0101);
    struct dns_message read;
    assert_true(read_wire(&wire, &read));
    assert_int_equal(read.address_count, 0);
    assert_true(read.answers_cut);
}

static void a_ttl_with_its_top_bit_set_is_zero(void **state)
{
    (void)state;
    struct wire wire = message(RESPONSE, 1, "a.push.apple.com", DNS_A);
    a_record(&wire, "a.push.apple.com", 1, UINT32_C(0x80000005));
    struct dns_message read;
    assert_true(read_wire(&wire, &read));
    assert_int_equal(read.address_count, 1);
    assert_int_equal(read.lowest_ttl_s, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_gives_its_name_and_type),
        cmocka_unit_test(a_chain_of_aliases_is_followed_in_any_order),
        cmocka_unit_test(compressed_names_are_followed),
        cmocka_unit_test(a_pointer_to_itself_or_forward_ends),
        cmocka_unit_test(aliases_in_a_circle_give_no_address),
        cmocka_unit_test(hints_of_a_service_record_are_addresses),
        cmocka_unit_test(rcode_and_truncation_are_told),
        cmocka_unit_test(every_cut_of_an_answer_is_harmless_and_told),
        cmocka_unit_test(other_than_one_question_is_no_message_of_ours),
        cmocka_unit_test(a_dot_inside_a_label_cannot_pass_for_two_labels),
        cmocka_unit_test(a_name_too_long_when_escaped_is_refused_not_cut),
        cmocka_unit_test(more_addresses_than_fit_are_told),
        cmocka_unit_test(an_address_of_another_size_is_none),
        cmocka_unit_test(a_ttl_with_its_top_bit_set_is_zero),
    };
    return cmocka_run_group_tests_name("dissect/dns", tests, NULL, NULL);
}
