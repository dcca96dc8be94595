/* Fuzz target of dissect/http.c: the first byte says where the rest is split. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dissect/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const struct http_head *head)
{
    char host[HTTP_HOST_SIZE];
    uint16_t port;
    bool is_connect = http_connect_target(head, host, &port);
    assert(is_connect == (port != 0) && is_connect == (host[0] != '\0'));
    for (const char *at = host; *at; at++)
        assert(*at > 0x20 && *at < 0x7f && !(*at >= 'A' && *at <= 'Z'));
    uint16_t status = http_status(head);
    assert(status == 0 || (status >= 100 && status <= 599));
    assert(!(is_connect && status));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    size_t rest = size - 1;
    size_t split = bytes[0] < rest ? bytes[0] : rest;
    bytes++;

    struct http_head whole = {0}, pieces = {0};
    size_t taken = http_head_feed(&whole, bytes, rest);
    size_t first = http_head_feed(&pieces, bytes, split);
    size_t second = http_head_feed(&pieces, bytes + split, rest - split);
    assert(first + second == taken && taken <= rest);
    assert(memcmp(whole.line, pieces.line, sizeof whole.line) == 0);
    assert(whole.line_have == pieces.line_have && whole.line_done == pieces.line_done);
    assert(whole.done == pieces.done && whole.bad == pieces.bad);
    assert(whole.head_size == pieces.head_size);
    assert(whole.done || whole.bad || taken == rest);
    check(&whole);
    return 0;
}
