/* Tests of dissect/http.c: CONNECT, its answer, and where the tunnel begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dissect/http.h"

static size_t feed(struct http_head *head, const char *text)
{
    return http_head_feed(head, (const uint8_t *)text, strlen(text));
}

/* Feeds a request line and says what it asks for. */
static bool target_of(const char *line, char host[HTTP_HOST_SIZE], uint16_t *port)
{
    struct http_head head = {0};
    feed(&head, line);
    feed(&head, "\r\n\r\n");
    return http_connect_target(&head, host, port);
}

static void assert_target(const char *line, const char *expected_host, uint16_t expected_port)
{
    char host[HTTP_HOST_SIZE];
    uint16_t port;
    assert_true(target_of(line, host, &port));
    assert_string_equal(host, expected_host);
    assert_int_equal(port, expected_port);
}

static void assert_no_target(const char *line)
{
    char host[HTTP_HOST_SIZE];
    uint16_t port;
    assert_false(target_of(line, host, &port));
    assert_string_equal(host, "");
    assert_int_equal(port, 0);
}

static uint16_t status_of(const char *line)
{
    struct http_head head = {0};
    feed(&head, line);
    feed(&head, "\r\n\r\n");
    return http_status(&head);
}

static void a_connect_names_host_and_port(void **state)
{
    (void)state;
    assert_target("CONNECT 7-courier.push.apple.com:443 HTTP/1.1", "7-courier.push.apple.com", 443);
    assert_target("CONNECT 7-Courier.PUSH.apple.com.:5223 HTTP/1.0", "7-courier.push.apple.com.",
                  5223);
    assert_target("CONNECT 17.57.144.20:443 HTTP/1.1", "17.57.144.20", 443);
    assert_target("CONNECT [2620:149:A44::5]:5223 HTTP/1.1", "[2620:149:a44::5]", 5223);
}

static void absurd_targets_are_none(void **state)
{
    (void)state;
    assert_no_target("CONNECT / HTTP/1.1");
    assert_no_target("CONNECT host HTTP/1.1");
    assert_no_target("CONNECT :443 HTTP/1.1");
    assert_no_target("CONNECT host: HTTP/1.1");
    assert_no_target("CONNECT host:0 HTTP/1.1");
    assert_no_target("CONNECT host:65536 HTTP/1.1");
    assert_no_target("CONNECT host:99999999999 HTTP/1.1");
    assert_no_target("CONNECT host:-1 HTTP/1.1");
    assert_no_target("CONNECT host:44x HTTP/1.1");
    assert_no_target("CONNECT user@push.apple.com:443 HTTP/1.1");
    assert_no_target("CONNECT a b:443 HTTP/1.1");
    assert_no_target("CONNECT [::1:443 HTTP/1.1");
    assert_no_target("CONNECT []:443 HTTP/1.1");
    assert_no_target("CONNECT [push.apple.com]:443 HTTP/1.1");
    assert_no_target("CONNECT 2620:149:a44::5:443 HTTP/1.1");
    assert_no_target("CONNECT p\xc3\xbcsh.apple.com:443 HTTP/1.1");
    assert_no_target("CONNECT host:443");
    assert_no_target("CONNECT host:443 HTTP/2.0");
    assert_no_target("CONNECT  HTTP/1.1");
    assert_no_target("GET http://host:443/ HTTP/1.1");
}

static void the_head_ends_at_the_empty_line_however_it_is_split(void **state)
{
    (void)state;
    static const char text[] =
        "CONNECT a.push.apple.com:443 HTTP/1.1\r\n"
        "Host: a.push.apple.com:443\r\nProxy-Authorization: Basic c2VjcmV0\r\n"
        "\r\n";
    const uint8_t *bytes = (const uint8_t *)text;
    size_t head_size = sizeof text - 1;
    for (size_t split = 0; split <= head_size; split++) {
        struct http_head head = {0};
        assert_int_equal(http_head_feed(&head, bytes, split), split);
        assert_int_equal(http_head_feed(&head, bytes + split, head_size - split),
                         head_size - split);
        assert_true(head.done);
        assert_false(head.bad);
        assert_int_equal(head.head_size, head_size);
        assert_string_equal(head.line, "CONNECT a.push.apple.com:443 HTTP/1.1");
    }
}

static void what_follows_the_head_belongs_to_the_tunnel(void **state)
{
    (void)state;
    struct http_head head = {0};
    static const char answer[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    static const char both[] = "HTTP/1.1 200 Connection established\r\n\r\n\x16\x03\x01";
    assert_int_equal(feed(&head, both), sizeof answer - 1);
    assert_true(head.done);
    assert_int_equal(feed(&head, "\x16\x03\x01"), 0);
    assert_int_equal(http_status(&head), 200);
}

static void bare_line_feeds_end_lines_too(void **state)
{
    (void)state;
    struct http_head head = {0};
    assert_int_equal(feed(&head, "\r\nHTTP/1.0 407 Proxy Authentication Required\nA: b\n\nX"), 51);
    assert_true(head.done);
    assert_int_equal(http_status(&head), 407);
}

static void a_status_is_three_digits_of_a_status_line(void **state)
{
    (void)state;
    assert_int_equal(status_of("HTTP/1.1 503 Service Unavailable"), 503);
    assert_int_equal(status_of("HTTP/1.1 200"), 200);
    assert_int_equal(status_of("HTTP/1.1 200 "), 200);
    assert_int_equal(status_of("HTTP/1.0 403 \xe6\x8b\x92"), 403);
    assert_int_equal(status_of("HTTP/1.1 2000 OK"), 0);
    assert_int_equal(status_of("HTTP/1.1 20 OK"), 0);
    assert_int_equal(status_of("HTTP/1.1 099 OK"), 0);
    assert_int_equal(status_of("HTTP/1.1 600 OK"), 0);
    assert_int_equal(status_of("HTTP/1.1  200 OK"), 0);
    assert_int_equal(status_of("CONNECT a:443 HTTP/1.1"), 0);
    assert_int_equal(status_of("ICY 200 OK"), 0);
}

static void other_protocols_are_not_heads(void **state)
{
    (void)state;
    static const char *const others[] = {"\x16\x03\x01\x02", "SSH-2.0-OpenSSH_9.2\r\n", "\x05\x01",
                                         "220 mail ESMTP\r\n", "CONNECT a:443 HTTP/1.\r\n"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct http_head head = {0};
        feed(&head, others[i]);
        assert_true(head.bad);
        assert_false(head.done);
        assert_int_equal(feed(&head, "more"), 0);
    }
    struct http_head head = {0};
    http_head_feed(&head, (const uint8_t *)"HTTP/1.1 200 OK\r\nA: \0", 21);
    assert_true(head.bad);
}

static void a_line_too_long_keeps_its_beginning_only(void **state)
{
    (void)state;
    struct http_head request = {0};
    feed(&request, "CONNECT ");
    for (unsigned i = 0; i < 400; i++)
        feed(&request, "a");
    feed(&request, ".push.apple.com:443 HTTP/1.1\r\n");
    assert_true(request.bad);

    struct http_head answer = {0};
    feed(&answer, "HTTP/1.1 502 ");
    for (unsigned i = 0; i < 400; i++)
        feed(&answer, "reason");
    feed(&answer, "\r\n\r\n");
    assert_true(answer.done);
    assert_int_equal(http_status(&answer), 502);
}

static void a_head_without_end_is_given_up(void **state)
{
    (void)state;
    struct http_head head = {0};
    feed(&head, "HTTP/1.1 200 OK\r\n");
    size_t fed = 0;
    for (unsigned i = 0; i < 4000 && !head.bad; i++)
        fed += feed(&head, "Header: x\r\n");
    assert_true(head.bad);
    assert_true(fed <= HTTP_HEAD_MAX);
    assert_int_equal(http_status(&head), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connect_names_host_and_port),
        cmocka_unit_test(absurd_targets_are_none),
        cmocka_unit_test(the_head_ends_at_the_empty_line_however_it_is_split),
        cmocka_unit_test(what_follows_the_head_belongs_to_the_tunnel),
        cmocka_unit_test(bare_line_feeds_end_lines_too),
        cmocka_unit_test(a_status_is_three_digits_of_a_status_line),
        cmocka_unit_test(other_protocols_are_not_heads),
        cmocka_unit_test(a_line_too_long_keeps_its_beginning_only),
        cmocka_unit_test(a_head_without_end_is_given_up),
    };
    return cmocka_run_group_tests_name("dissect/http", tests, NULL, NULL);
}
