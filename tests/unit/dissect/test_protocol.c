/* Tests of dissect/protocol.c: what nDPI is made to say of the first packets of a flow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "dissect/protocol.h"

static struct names *names;
static struct protocol_engine *engine;

static int open_engine(void **state)
{
    (void)state;
    names = names_new(1 << 20);
    engine = protocol_engine_new(names);
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    protocol_engine_free(engine);
    names_free(names);
    return 0;
}

struct hello {
    uint8_t bytes[4096];
    uint32_t size;
};

static void u8(struct hello *hello, unsigned value)
{
    hello->bytes[hello->size++] = (uint8_t)value;
}

static void u16(struct hello *hello, unsigned value)
{
    u8(hello, value >> 8);
    u8(hello, value & 0xff);
}

static void text(struct hello *hello, const char *string)
{
    memcpy(hello->bytes + hello->size, string, strlen(string));
    hello->size += (uint32_t)strlen(string);
}

static void put_u16_at(struct hello *hello, uint32_t at, uint32_t value)
{
    hello->bytes[at] = (uint8_t)(value >> 8);
    hello->bytes[at + 1] = (uint8_t)value;
}

/* A ClientHello for that host, made longer by a key share of `share` bytes. */
static struct hello client_hello(const char *host, unsigned share)
{
    struct hello hello = {.size = 0};
    unsigned length = (unsigned)strlen(host);
    u8(&hello, 22);
    u16(&hello, 0x0301);
    u16(&hello, 0); /* record size, later */
    u16(&hello, 0x0100);
    u16(&hello, 0); /* message size, later */
    u16(&hello, 0x0303);
    for (unsigned i = 0; i < 32; i++)
        u8(&hello, i * 7);
    u8(&hello, 0);
    u16(&hello, 4);
    u16(&hello, 0x1301);
    u16(&hello, 0xc02b);
    u16(&hello, 0x0100);
    uint32_t extensions = hello.size;
    u16(&hello, 0);
    u16(&hello, 0); /* server_name */
    u16(&hello, length + 5);
    u16(&hello, length + 3);
    u8(&hello, 0);
    u16(&hello, length);
    text(&hello, host);
    u16(&hello, 43); /* supported_versions */
    u16(&hello, 3);
    u8(&hello, 2);
    u16(&hello, 0x0304);
    u16(&hello, 51); /* key_share */
    u16(&hello, share + 6);
    u16(&hello, share + 4);
    u16(&hello, 0x11ec);
    u16(&hello, share);
    for (unsigned i = 0; i < share; i++)
        u8(&hello, i);
    put_u16_at(&hello, extensions, hello.size - extensions - 2);
    put_u16_at(&hello, 3, hello.size - 5);
    put_u16_at(&hello, 7, hello.size - 9);
    return hello;
}

static struct packet packet_to(const char *server, uint16_t port, const void *bytes, uint32_t size)
{
    struct packet packet = {.kind = PACKET_TCP,
                            .ttl = 64,
                            .tcp_flags = TCP_PSH | TCP_ACK,
                            .source_port = 50123,
                            .destination_port = port,
                            .sequence = 1000,
                            .acknowledgement = 1,
                            .payload = bytes,
                            .payload_size = size,
                            .payload_captured = size,
                            .time_ns = INT64_C(1760000000) * NS_PER_S};
    assert_true(address_parse(server, &packet.destination));
    packet.ip_version = address_is_ipv4(&packet.destination) ? 4 : 6;
    assert_true(address_parse(packet.ip_version == 4 ? "10.0.0.7" : "fd00::7", &packet.source));
    return packet;
}

static struct packet text_to(const char *server, uint16_t port, const char *string)
{
    return packet_to(server, port, string, (uint32_t)strlen(string));
}

/* Feeds one packet; true when the answer is final. */
static bool observe(struct protocol_session **session, const struct packet *packet,
                    const char **protocol)
{
    const char *risks;
    bool done = protocol_observe(engine, session, packet, true, protocol, &risks);
    assert_int_equal(done, *session == NULL);
    if (risks)
        assert_null(strstr(risks, "port"));
    return done;
}

static void a_couriers_hello_is_known_from_one_packet(void **state)
{
    (void)state;
    static const char *const servers[] = {"17.57.144.20", "2620:149:a44::5"};
    static const uint16_t ports[] = {5223, 443};
    struct hello hello = client_hello("courier.push.apple.com", 32);
    for (unsigned i = 0; i < 4; i++) {
        struct packet packet = packet_to(servers[i / 2], ports[i % 2], hello.bytes, hello.size);
        struct protocol_session *session = NULL;
        const char *protocol;
        assert_true(observe(&session, &packet, &protocol));
        assert_string_equal(protocol, "TLS.ApplePush");
    }
}

static void a_hello_in_two_segments_is_known_too(void **state)
{
    (void)state;
    struct hello hello = client_hello("courier.push.apple.com", 1216);
    struct packet first = packet_to("17.57.144.20", 5223, hello.bytes, 1200);
    struct packet second = packet_to("17.57.144.20", 5223, hello.bytes + 1200, hello.size - 1200);
    second.sequence = first.sequence + 1200;
    struct protocol_session *session = NULL;
    const char *protocol;
    assert_false(observe(&session, &first, &protocol));
    assert_false(observe(&session, &first, &protocol)); /* retransmitted */
    assert_true(observe(&session, &second, &protocol));
    assert_string_equal(protocol, "TLS.ApplePush");
}

static void plain_http_is_named(void **state)
{
    (void)state;
    struct packet packet =
        text_to("17.57.144.20", 5223, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    struct protocol_session *session = NULL;
    const char *protocol;
    assert_true(observe(&session, &packet, &protocol));
    assert_non_null(strstr(protocol, "HTTP"));
}

static void an_address_alone_does_not_make_a_protocol(void **state)
{
    (void)state;
    struct packet packet = text_to("17.57.144.20", 5223, "SSH-2.0-OpenSSH_9.2p1\r\n");
    struct protocol_session *session = NULL;
    const char *protocol;
    unsigned fed = 1;
    while (!observe(&session, &packet, &protocol) && fed < 100) {
        packet.sequence += packet.payload_size;
        fed++;
    }
    assert_int_equal(fed, 8);
    assert_null(protocol);
}

static void a_session_begun_before_the_capture_is_named_by_its_records(void **state)
{
    (void)state;
    static const uint8_t record[37] = {23, 3, 3, 0, 32};
    struct packet packet = packet_to("17.57.144.20", 5223, record, sizeof record);
    struct protocol_session *session = NULL;
    const char *protocol;
    assert_true(observe(&session, &packet, &protocol));
    assert_string_equal(protocol, "ApplePush");
}

static void a_flow_that_ends_early_lets_go_without_a_name(void **state)
{
    (void)state;
    struct packet packet = text_to("52.1.2.3", 5223, "hello");
    struct protocol_session *session = NULL;
    const char *protocol, *risks;
    assert_false(observe(&session, &packet, &protocol));
    protocol_finish(engine, &session, &protocol, &risks);
    assert_null(session);
    assert_null(protocol);
    assert_null(risks);
    protocol_finish(engine, &session, &protocol, &risks);
    assert_null(session);
}

static void packets_without_payload_take_no_session(void **state)
{
    (void)state;
    struct packet packet = packet_to("17.57.144.20", 5223, NULL, 0);
    struct protocol_session *session = NULL;
    const char *protocol, *risks;
    assert_false(protocol_observe(engine, &session, &packet, true, &protocol, &risks));
    assert_null(session);
}

static void a_missing_name_is_a_risk_the_port_is_none(void **state)
{
    (void)state;
    struct hello hello = client_hello("", 32);
    /* without server_name: turn the extension's type into one that nobody knows */
    hello.bytes[5 + 4 + 2 + 32 + 1 + 2 + 4 + 2 + 2 + 1] = 0xfe;
    struct packet packet = packet_to("203.0.113.9", 5223, hello.bytes, hello.size);
    struct protocol_session *session = NULL;
    const char *protocol, *risks;
    assert_true(protocol_observe(engine, &session, &packet, true, &protocol, &risks));
    assert_string_equal(protocol, "TLS");
    assert_non_null(risks);
    assert_non_null(strstr(risks, "tls-missing-sni"));
    assert_null(strstr(risks, "port"));
}

static void beyond_the_cap_flows_stay_unlabelled(void **state)
{
    (void)state;
    enum { CAP = 4096 };
    static struct protocol_session *sessions[CAP];
    struct packet packet = text_to("52.1.2.3", 5223, "hello");
    const char *protocol, *risks;
    for (unsigned i = 0; i < CAP; i++)
        assert_false(observe(&sessions[i], &packet, &protocol));
    struct protocol_session *session = NULL;
    assert_true(observe(&session, &packet, &protocol));
    assert_null(protocol);
    for (unsigned i = 0; i < CAP; i++)
        protocol_finish(engine, &sessions[i], &protocol, &risks);
    assert_false(observe(&session, &packet, &protocol));
    protocol_finish(engine, &session, &protocol, &risks);
}

static void every_cut_and_flipped_byte_of_a_hello_is_harmless(void **state)
{
    (void)state;
    struct hello hello = client_hello("courier.push.apple.com", 32);
    const char *protocol, *risks;
    for (uint32_t at = 0; at < hello.size; at++) {
        struct hello changed = hello;
        changed.bytes[at] ^= 0xff;
        struct packet whole = packet_to("17.57.144.20", 5223, changed.bytes, changed.size);
        struct packet cut = packet_to("17.57.144.20", 443, hello.bytes, at);
        cut.payload_size = hello.size;
        struct protocol_session *session = NULL;
        if (!protocol_observe(engine, &session, &whole, true, &protocol, &risks))
            protocol_finish(engine, &session, &protocol, &risks);
        if (!protocol_observe(engine, &session, &cut, true, &protocol, &risks))
            protocol_finish(engine, &session, &protocol, &risks);
        assert_null(session);
    }
}

static void the_library_says_its_version(void **state)
{
    (void)state;
    assert_non_null(strchr(protocol_library_version(), '.'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_couriers_hello_is_known_from_one_packet),
        cmocka_unit_test(a_hello_in_two_segments_is_known_too),
        cmocka_unit_test(plain_http_is_named),
        cmocka_unit_test(an_address_alone_does_not_make_a_protocol),
        cmocka_unit_test(a_session_begun_before_the_capture_is_named_by_its_records),
        cmocka_unit_test(a_flow_that_ends_early_lets_go_without_a_name),
        cmocka_unit_test(packets_without_payload_take_no_session),
        cmocka_unit_test(a_missing_name_is_a_risk_the_port_is_none),
        cmocka_unit_test(beyond_the_cap_flows_stay_unlabelled),
        cmocka_unit_test(every_cut_and_flipped_byte_of_a_hello_is_harmless),
        cmocka_unit_test(the_library_says_its_version),
    };
    return cmocka_run_group_tests_name("dissect/protocol", tests, open_engine, close_engine);
}
