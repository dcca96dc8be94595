/* Records and messages of one direction, however the stream is cut into pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "tls_builder.h"
#include "tls_recorded.h"

enum { CAP = 1 << 22 };

static struct wire wire, body, message;
static struct transcript whole, parts;
static struct tls_buffers *buffers;

static int set_up(void **state)
{
    (void)state;
    buffers = tls_buffers_new(CAP);
    wire.size = body.size = message.size = 0;
    memset(&whole, 0, sizeof whole);
    memset(&parts, 0, sizeof parts);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tls_buffers_free(buffers);
    return 0;
}

static void clear(struct transcript *transcript)
{
    transcript->length = 0;
    transcript->items = 0;
    transcript->text[0] = '\0';
}

/* From memory of exactly that size, so that a sanitizer sees a read beyond it. */
static void feed_piece(struct tls_stream *stream, const uint8_t *bytes, size_t size,
                       struct transcript *transcript)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    tls_feed(stream, buffers, copy, size, write_down, transcript);
    free(copy);
}

static const char *kinds_of(const struct wire *fed)
{
    struct tls_stream stream = {0};
    clear(&whole);
    tls_feed(&stream, buffers, fed->at, fed->size, write_kinds, &whole);
    tls_close(&stream, buffers);
    return whole.text;
}

static void put_client_hello(struct wire *out)
{
    static const uint16_t ciphers[] = {0x1301, 0xc02b};
    struct wire *hello = &body;
    begin_client_hello(hello, 0x0303, ciphers, 2);
    size_t extensions = open_length(hello, 2);
    put_server_name(hello, "courier.push.apple.com");
    close_length(hello, extensions, 2);
    put_message(out, 1, hello->at, hello->size);
}

/* Everything that may stand in a stream, fragmented in every way that is allowed. */
static void put_difficult_flight(struct wire *out)
{
    static const uint8_t random[40] = {0x91, 0x7, 0xff, 0x10};
    message.size = 0;
    put_client_hello(&message);
    put_message(&message, 0, NULL, 0); /* HelloRequest: no body */
    put_message(&message, 16, random, sizeof random);
    put_client_hello(&message);
    size_t third = message.size / 3;
    put_record(out, 22, message.at, 2);
    put_record(out, 21, "\1\144", 2);
    put_record(out, 22, message.at + 2, 3);
    put_record(out, 22, NULL, 0);
    put_record(out, 21, "\2", 1);
    put_record(out, 24, random, 21);
    put_record(out, 22, message.at + 5, third);
    put_record(out, 21, "\60", 1);
    put_record(out, 22, message.at + 5 + third, message.size - 5 - third);
    put_record(out, 20, "\1", 1);
    put_record(out, 22, random, sizeof random);
    put_record(out, 22, random, 3);
    put_record(out, 21, random, 26);
    put_record(out, 23, NULL, 0);
    put_record(out, 23, random, 40);
    message.size = 0;
    put_client_hello(&message);
    put_record(out, 22, message.at, 7);
    put_record(out, 22, message.at + 7, message.size - 7);
    put_record(out, 99, random, 40);
    put_record(out, 22, message.at, message.size);
}

struct flight {
    const char *name;
    const uint8_t *bytes;
    size_t size;
};

static size_t all_flights(struct flight flights[8])
{
    wire.size = 0;
    put_difficult_flight(&wire);
    const struct flight all[] = {
        {"TLS 1.2 up", tls12_up, sizeof tls12_up},
        {"TLS 1.2 down", tls12_down, sizeof tls12_down},
        {"retry up", retry_up, sizeof retry_up},
        {"retry down", retry_down, sizeof retry_down},
        {"rejected up", rejected_up, sizeof rejected_up},
        {"difficult", wire.at, wire.size},
    };
    memcpy(flights, all, sizeof all);
    return sizeof all / sizeof *all;
}

static void read_whole(const struct flight *flight)
{
    struct tls_stream stream = {0};
    clear(&whole);
    feed_piece(&stream, flight->bytes, flight->size, &whole);
    tls_close(&stream, buffers);
    assert_true(whole.items > 0);
}

static void every_split_in_two_gives_the_same_items(void **state)
{
    struct flight flights[8];
    size_t count = all_flights(flights);
    (void)state;
    for (size_t f = 0; f < count; f++) {
        read_whole(&flights[f]);
        for (size_t cut = 0; cut <= flights[f].size; cut++) {
            struct tls_stream stream = {0};
            clear(&parts);
            feed_piece(&stream, flights[f].bytes, cut, &parts);
            feed_piece(&stream, flights[f].bytes + cut, flights[f].size - cut, &parts);
            tls_close(&stream, buffers);
            assert_string_equal(parts.text, whole.text);
        }
    }
    assert_int_equal(tls_buffers_refused(buffers), 0);
}

static void pieces_of_any_one_size_give_the_same_items(void **state)
{
    struct flight flights[8];
    size_t count = all_flights(flights);
    (void)state;
    for (size_t f = 0; f < count; f++) {
        read_whole(&flights[f]);
        for (size_t piece = 1; piece < 200; piece++) {
            struct tls_stream stream = {0};
            clear(&parts);
            for (size_t at = 0; at < flights[f].size; at += piece) {
                size_t left = flights[f].size - at;
                feed_piece(&stream, flights[f].bytes + at, left < piece ? left : piece, &parts);
            }
            tls_close(&stream, buffers);
            assert_string_equal(parts.text, whole.text);
        }
    }
}

static void every_truncation_gives_a_beginning_of_the_items(void **state)
{
    struct flight flights[8];
    size_t count = all_flights(flights);
    (void)state;
    for (size_t f = 0; f < count; f++) {
        read_whole(&flights[f]);
        for (size_t size = 0; size < flights[f].size; size++) {
            struct tls_stream stream = {0};
            clear(&parts);
            feed_piece(&stream, flights[f].bytes, size, &parts);
            tls_close(&stream, buffers);
            assert_int_equal(strncmp(parts.text, whole.text, parts.length), 0);
        }
    }
}

static void assert_kinds(const uint8_t *bytes, size_t size, const char *expected)
{
    wire.size = 0;
    put_bytes(&wire, bytes, size);
    assert_string_equal(kinds_of(&wire), expected);
}

static void a_tls12_session_is_read_until_it_is_encrypted(void **state)
{
    (void)state;
    assert_kinds(tls12_up, sizeof tls12_up,
                 "client-hello handshake ccs encrypted-handshake data encrypted-alert ");
    assert_kinds(tls12_down, sizeof tls12_down,
                 "server-hello certificate handshake handshake handshake ccs encrypted-handshake "
                 "data ");
}

static void a_rejected_certificate_shows_as_a_clear_alert(void **state)
{
    (void)state;
    assert_kinds(rejected_up, sizeof rejected_up, "client-hello alert ");
    struct tls_stream stream = {0};
    tls_feed(&stream, buffers, rejected_up, sizeof rejected_up, write_down, &parts);
    assert_non_null(strstr(parts.text, "alert v=0303 r=2 m=0 a=2/48\n"));
}

static void the_second_hello_after_a_retry_is_read_behind_the_compatibility_record(void **state)
{
    (void)state;
    assert_kinds(retry_up, sizeof retry_up, "client-hello ccs client-hello data data data ");
    assert_kinds(retry_down, sizeof retry_down,
                 "server-hello ccs server-hello data data data data data data data ");
}

static void a_server_hello_of_tls13_marks_its_own_direction(void **state)
{
    struct tls_stream down = {0};
    struct tls_stream older = {0};
    (void)state;
    tls_feed(&down, buffers, retry_down, sizeof retry_down, write_down, &parts);
    tls_feed(&older, buffers, tls12_down, sizeof tls12_down, write_down, &parts);
    assert_true(down.tls13);
    assert_false(older.tls13);
    assert_true(older.ciphered);
}

static void with_tls13_known_a_change_cipher_spec_means_nothing(void **state)
{
    struct tls_stream stream = {.tls13 = true};
    (void)state;
    put_record(&wire, 20, "\1", 1);
    put_client_hello(&message);
    put_record(&wire, 22, message.at, message.size);
    tls_feed(&stream, buffers, wire.at, wire.size, write_kinds, &parts);
    assert_string_equal(parts.text, "ccs client-hello ");
    assert_false(stream.ciphered);
}

static void an_encrypted_message_is_not_taken_for_a_hello(void **state)
{
    /* What a Finished may begin with: a nonce that counts, or bytes close to a hello's. */
    static const uint8_t heads[][8] = {{0, 0, 0, 0, 0, 0, 0, 0},     {0, 0, 0, 0, 0, 0, 0, 1},
                                       {1, 0, 0, 60, 9, 9, 0, 0},    {1, 0, 0, 4, 3, 3, 0, 0},
                                       {2, 0xff, 0, 60, 3, 3, 0, 0}, {20, 0, 0, 12, 3, 3, 0, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        wire.size = 0;
        put_record(&wire, 20, "\1", 1);
        put_record(&wire, 22, heads[i], sizeof heads[i]);
        assert_string_equal(kinds_of(&wire), "ccs encrypted-handshake ");
    }
}

static void a_handshake_record_after_application_data_is_encrypted(void **state)
{
    (void)state;
    put_record(&wire, 23, "0123456789", 10);
    put_record(&wire, 22, "\13\0\0\4\0\0\0\0\0", 9);
    assert_string_equal(kinds_of(&wire), "data encrypted-handshake ");
}

static void a_malformed_change_cipher_spec_changes_nothing(void **state)
{
    (void)state;
    put_record(&wire, 20, "\2", 1);
    put_record(&wire, 20, "\1\1", 2);
    put_record(&wire, 20, NULL, 0);
    put_client_hello(&message);
    put_record(&wire, 22, message.at, message.size);
    assert_string_equal(kinds_of(&wire), "ccs! ccs! client-hello ");
}

static void messages_share_records_and_records_share_messages(void **state)
{
    (void)state;
    put_difficult_flight(&wire);
    assert_string_equal(kinds_of(&wire),
                        "alert alert client-hello handshake handshake client-hello ccs "
                        "encrypted-handshake encrypted-handshake encrypted-alert data data "
                        "client-hello not-tls ");
}

static void an_alert_may_come_in_two_records(void **state)
{
    struct tls_stream stream = {0};
    (void)state;
    put_record(&wire, 21, "\2", 1);
    put_record(&wire, 21, "\50", 1);
    tls_feed(&stream, buffers, wire.at, wire.size, write_down, &parts);
    assert_string_equal(parts.text, "alert v=0303 r=1 m=0 a=2/40\n");
}

static void an_alert_is_clear_when_it_has_no_room_for_a_tag(void **state)
{
    static const uint8_t bytes[64] = {2, 40, 1, 0};
    struct tls_stream stream = {.ciphered = true};
    (void)state;
    put_record(&wire, 21, bytes, 2);
    put_record(&wire, 21, bytes, 4);
    put_record(&wire, 21, bytes, 18);
    put_record(&wire, 21, bytes, 64);
    put_record(&wire, 21, "\377\50", 2);
    tls_feed(&stream, buffers, wire.at, wire.size, write_kinds, &parts);
    assert_string_equal(parts.text, "alert alert alert encrypted-alert encrypted-alert alert! ");
}

static void application_data_is_told_by_its_header_and_stepped_over(void **state)
{
    struct tls_stream stream = {0};
    (void)state;
    for (int i = 0; i < 3; i++) {
        memset(message.at, 0x16, 16384);
        put_record(&wire, 23, message.at, i == 1 ? 0 : 16384);
    }
    tls_feed(&stream, buffers, wire.at, 5, write_down, &parts);
    assert_string_equal(parts.text, "data v=0303 r=16384 m=0 a=0/0\n");
    tls_feed(&stream, buffers, wire.at + 5, 16380, write_down, &parts);
    assert_int_equal(parts.items, 1);
    tls_feed(&stream, buffers, wire.at + 16385, wire.size - 16385, write_down, &parts);
    assert_int_equal(parts.items, 3);
    assert_null(stream.message);
}

static void a_whole_message_is_read_where_it_lies(void **state)
{
    struct tls_buffers *none = tls_buffers_new(0);
    struct tls_stream stream = {0};
    (void)state;
    put_client_hello(&message);
    put_record(&wire, 22, message.at, message.size);
    tls_feed(&stream, none, wire.at, wire.size, write_kinds, &parts);
    tls_feed(&stream, none, wire.at, 9, write_kinds, &parts);
    tls_feed(&stream, none, wire.at + 9, wire.size - 9, write_kinds, &parts);
    assert_string_equal(parts.text, "client-hello client-hello ");
    assert_int_equal(tls_buffers_refused(none), 0);
    tls_buffers_free(none);
}

static void without_a_buffer_a_message_is_passed_over_and_counted(void **state)
{
    struct tls_buffers *none = tls_buffers_new(0);
    struct tls_stream stream = {0};
    (void)state;
    put_client_hello(&message);
    put_message(&message, 14, NULL, 0);
    put_record(&wire, 22, message.at, message.size);
    tls_feed(&stream, none, wire.at, 30, write_kinds, &parts);
    tls_feed(&stream, none, wire.at + 30, wire.size - 30, write_kinds, &parts);
    assert_string_equal(parts.text, "too-long handshake ");
    assert_int_equal(tls_buffers_refused(none), 1);
    tls_buffers_free(none);
}

static void a_message_beyond_the_limit_is_passed_over(void **state)
{
    struct tls_stream stream = {0};
    (void)state;
    memset(body.at, 0, 70000);
    put_message(&message, 11, body.at, 70000);
    put_message(&message, 14, NULL, 0);
    for (size_t at = 0; at < message.size; at += 16384) {
        size_t left = message.size - at;
        put_record(&wire, 22, message.at + at, left < 16384 ? left : 16384);
    }
    for (size_t at = 0; at < wire.size; at += 1448) {
        size_t left = wire.size - at;
        tls_feed(&stream, buffers, wire.at + at, left < 1448 ? left : 1448, write_kinds, &parts);
    }
    assert_string_equal(parts.text, "too-long handshake ");
    assert_int_equal(tls_buffers_refused(buffers), 0);
}

static void the_longest_message_is_read(void **state)
{
    struct tls_stream stream = {0};
    uint32_t der_size = TLS_MESSAGE_MAX - 6;
    (void)state;
    put_number(&body, 3, der_size + 3);
    put_number(&body, 3, der_size);
    memset(body.at + body.size, 0x30, der_size);
    put_message(&message, 11, body.at, TLS_MESSAGE_MAX);
    for (size_t at = 0; at < message.size; at += 16000) {
        size_t left = message.size - at;
        put_record(&wire, 22, message.at + at, left < 16000 ? left : 16000);
    }
    for (size_t at = 0; at < wire.size; at++)
        tls_feed(&stream, buffers, wire.at + at, 1, write_kinds, &parts);
    assert_string_equal(parts.text, "certificate ");
    assert_null(stream.message);
}

/* The beginning of a message of that size, so that it holds a buffer. */
static void hold_buffer(struct tls_stream *stream, uint32_t size)
{
    struct wire *part = &wire;
    memset(stream, 0, sizeof *stream);
    memset(body.at, 0, 64);
    part->size = message.size = 0;
    put_number(&message, 1, 1);
    put_number(&message, 3, size);
    put_bytes(&message, body.at, 20);
    put_record(part, 22, message.at, message.size);
    tls_feed(stream, buffers, part->at, part->size, write_kinds, &parts);
}

static void a_returned_buffer_is_the_next_to_be_borrowed(void **state)
{
    struct tls_stream first, second, third;
    (void)state;
    hold_buffer(&first, 500);
    hold_buffer(&second, 500);
    uint8_t *warm = first.message;
    assert_non_null(warm);
    assert_ptr_not_equal(warm, second.message);
    assert_int_equal(first.message_room, 4096);
    tls_close(&first, buffers);
    hold_buffer(&third, 600);
    assert_ptr_equal(third.message, warm);
    tls_close(&second, buffers);
    tls_close(&third, buffers);
}

static void long_messages_cannot_take_the_room_of_short_ones(void **state)
{
    static struct tls_stream many[CAP / TLS_MESSAGE_MAX];
    struct tls_stream ordinary;
    size_t held = 0;
    (void)state;
    for (; held < sizeof many / sizeof *many && tls_buffers_refused(buffers) == 0; held++)
        hold_buffer(&many[held], 60000);
    assert_int_equal(tls_buffers_refused(buffers), 1);
    hold_buffer(&ordinary, 1500);
    assert_non_null(ordinary.message);
    assert_int_equal(tls_buffers_refused(buffers), 1);
    tls_close(&ordinary, buffers);
    for (size_t i = 0; i < held; i++)
        tls_close(&many[i], buffers);
    hold_buffer(&ordinary, 60000);
    assert_non_null(ordinary.message);
    tls_close(&ordinary, buffers);
}

static void a_full_class_is_helped_out_by_the_next(void **state)
{
    static struct tls_stream many[CAP / 4096];
    size_t held = 0;
    (void)state;
    while (held < sizeof many / sizeof *many) {
        hold_buffer(&many[held++], 500);
        if (many[held - 1].message_room > 4096)
            break;
    }
    assert_int_equal(many[held - 1].message_room, 16384);
    for (size_t i = 0; i < held; i++)
        tls_close(&many[i], buffers);
}

static void application_data_ends_an_incomplete_message(void **state)
{
    struct tls_stream stream;
    (void)state;
    hold_buffer(&stream, 500);
    wire.size = 0;
    put_record(&wire, 23, "0123456789", 10);
    tls_feed(&stream, buffers, wire.at, wire.size, write_kinds, &parts);
    assert_string_equal(parts.text, "data ");
    assert_null(stream.message);
}

static void what_is_not_tls_is_told_once(void **state)
{
    static const char *const streams[] = {
        "GET / HTTP/1.1\r\n", "SSH-2.0-OpenSSH\r\n", "\26\2\1\0\20", "\26\3\1\377\377", "\31\3\3",
        "\200\106\1\3\1"};
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        struct tls_stream stream = {0};
        size_t size = i < 2 ? strlen(streams[i]) : i == 4 ? 3 : 5;
        clear(&parts);
        for (int times = 0; times < 3; times++)
            feed_piece(&stream, (const uint8_t *)streams[i], size, &parts);
        assert_string_equal(parts.text, "not-tls v=0000 r=0 m=0 a=0/0\n");
        assert_false(stream.started);
    }
}

static void records_may_be_longer_before_tls13(void **state)
{
    static const uint8_t longest[] = {23, 3, 3, 0x48, 0x00}; /* 2^14 + 2048 */
    static const uint8_t longest13[] = {23, 3, 3, 0x41, 0x00};
    static const uint8_t too_long13[] = {23, 3, 3, 0x41, 0x01};
    struct tls_stream older = {0};
    struct tls_stream newer = {.tls13 = true};
    struct tls_stream strict = {.tls13 = true};
    (void)state;
    tls_feed(&older, buffers, longest, 5, write_kinds, &parts);
    tls_feed(&newer, buffers, longest13, 5, write_kinds, &parts);
    tls_feed(&strict, buffers, too_long13, 5, write_kinds, &parts);
    assert_string_equal(parts.text, "data data not-tls ");
}

static void a_stream_stays_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct tls_stream) <= 48);
}

#define SENTENCE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SENTENCE(every_split_in_two_gives_the_same_items),
        SENTENCE(pieces_of_any_one_size_give_the_same_items),
        SENTENCE(every_truncation_gives_a_beginning_of_the_items),
        SENTENCE(a_tls12_session_is_read_until_it_is_encrypted),
        SENTENCE(a_rejected_certificate_shows_as_a_clear_alert),
        SENTENCE(the_second_hello_after_a_retry_is_read_behind_the_compatibility_record),
        SENTENCE(a_server_hello_of_tls13_marks_its_own_direction),
        SENTENCE(with_tls13_known_a_change_cipher_spec_means_nothing),
        SENTENCE(an_encrypted_message_is_not_taken_for_a_hello),
        SENTENCE(a_handshake_record_after_application_data_is_encrypted),
        SENTENCE(a_malformed_change_cipher_spec_changes_nothing),
        SENTENCE(messages_share_records_and_records_share_messages),
        SENTENCE(an_alert_may_come_in_two_records),
        SENTENCE(an_alert_is_clear_when_it_has_no_room_for_a_tag),
        SENTENCE(application_data_is_told_by_its_header_and_stepped_over),
        SENTENCE(a_whole_message_is_read_where_it_lies),
        SENTENCE(without_a_buffer_a_message_is_passed_over_and_counted),
        SENTENCE(a_message_beyond_the_limit_is_passed_over),
        SENTENCE(the_longest_message_is_read),
        SENTENCE(a_returned_buffer_is_the_next_to_be_borrowed),
        SENTENCE(long_messages_cannot_take_the_room_of_short_ones),
        SENTENCE(a_full_class_is_helped_out_by_the_next),
        SENTENCE(application_data_ends_an_incomplete_message),
        SENTENCE(what_is_not_tls_is_told_once),
        SENTENCE(records_may_be_longer_before_tls13),
        SENTENCE(a_stream_stays_small),
    };
    return cmocka_run_group_tests_name("tls records", tests, NULL, NULL);
}
