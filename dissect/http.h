/* HTTP CONNECT and its answer (RFC 9110 section 9.3.6), read as bytes arrive. */
#ifndef APNSCOPE_DISSECT_HTTP_H
#define APNSCOPE_DISSECT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_HOST_SIZE = 272, HTTP_HEAD_MAX = 16384 };

static inline bool http_may_be_connect(const uint8_t *bytes, size_t size)
{
    static const uint8_t method[8] = {'C', 'O', 'N', 'N', 'E', 'C', 'T', ' '};
    return size >= 8 && __builtin_memcmp(bytes, method, 8) == 0;
}

/* One direction of a CONNECT exchange. Zero-initialised is fresh. Keeps the start line only. */
struct http_head {
    char line[HTTP_HOST_SIZE + 32];
    uint16_t line_have;
    bool line_done;
    bool done;      /* the empty line was seen: what follows is the tunnel */
    bool bad;       /* not an HTTP head, or longer than HTTP_HEAD_MAX */
    uint8_t newlines;
    uint32_t head_size;
};

/* Feeds bytes; returns how many belong to the head (the rest, if any, is the tunnel). */
size_t http_head_feed(struct http_head *head, const uint8_t *bytes, size_t size);

/* "7-courier.push.apple.com:443" of a finished request line; false where it is no CONNECT. The
 * host is printable and lower case; an IPv6 literal keeps its brackets. */
bool http_connect_target(const struct http_head *head, char host[HTTP_HOST_SIZE], uint16_t *port);

/* The status of a finished status line, 100..599; 0 where it is none. */
uint16_t http_status(const struct http_head *head);

#endif
