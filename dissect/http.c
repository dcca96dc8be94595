/* HTTP CONNECT and its answer: start lines, and where the head ends and the tunnel begins.
 *
 * Fed by track/ with the bytes of one direction in whatever pieces they arrive. Deliberately keeps
 * no header field: credentials for the proxy stand there. */
#include "dissect/http.h"

#include <string.h>

#include "base/address.h"

/* A line of this many bytes did not fit: `line` holds its beginning. */
enum { LINE_CUT = sizeof((struct http_head *)0)->line };

static const char version_prefix[] = "HTTP/1."; /* RFC 9112 section 2.3 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The start line must be one: "HTTP/1.x ..." (RFC 9112 section 4) or "... HTTP/1.x" (section 3). */
static bool line_is_http(const struct http_head *head)
{
    size_t prefix = sizeof version_prefix - 1;
    size_t length = strlen(head->line);
    if (strncmp(head->line, version_prefix, prefix) == 0)
        return true;
    if (head->line_have >= LINE_CUT || length < prefix + 2)
        return false;
    const char *tail = head->line + length - prefix - 1;
    return tail[-1] == ' ' && strncmp(tail, version_prefix, prefix) == 0 && is_digit(tail[prefix]);
}

static void line_end(struct http_head *head)
{
    size_t have = head->line_have < LINE_CUT ? head->line_have : LINE_CUT - 1;
    if (have > 0 && head->line[have - 1] == '\r')
        have--;
    head->line[have] = '\0';
    head->line_done = true;
    head->bad = !line_is_http(head);
}

/* One byte of the start line. Only printable bytes may stand in it: a reason phrase may hold
 * others than ASCII (RFC 9112 section 4), a control byte means that this is not HTTP. */
static void line_byte(struct http_head *head, uint8_t c)
{
    if (head->line_have == 0 && (c == '\r' || c == '\n'))
        return; /* RFC 9112 section 2.2: an empty line before the start line is ignored */
    if (c == '\n') {
        line_end(head);
        head->newlines = 1;
        return;
    }
    if ((c < 0x20 && c != '\r' && c != '\t') || c == 0x7f) {
        head->bad = true;
        return;
    }
    if (head->line_have < LINE_CUT - 1)
        head->line[head->line_have] = (char)c;
    if (head->line_have < LINE_CUT)
        head->line_have++;
}

/* One byte of the header fields: only ends of lines matter. A bare LF ends a line too (RFC 9112
 * section 2.2), and a CR counts for nothing. */
static void field_byte(struct http_head *head, uint8_t c)
{
    if (c == '\n')
        head->newlines++;
    else if (c != '\r')
        head->newlines = 0;
    head->done = head->newlines == 2;
    head->bad = c == '\0'; /* RFC 9110 section 5.5 */
}

size_t http_head_feed(struct http_head *head, const uint8_t *bytes, size_t size)
{
    size_t taken = 0;
    while (taken < size && !head->done && !head->bad) {
        uint8_t c = bytes[taken++];
        if (++head->head_size > HTTP_HEAD_MAX)
            head->bad = true;
        else if (head->line_done)
            field_byte(head, c);
        else
            line_byte(head, c);
    }
    return taken;
}

/* RFC 3986 section 3.2.2, reg-name: what may stand in a host name, and nothing that could make it
 * look like another part of a URI. */
static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c) || (c != '\0' && strchr("-._~%!$&'()*+,;=", c));
}

static bool host_is_valid(const char *host)
{
    size_t length = strlen(host);
    if (host[0] != '[') {
        size_t i = 0;
        while (is_host_byte(host[i]))
            i++;
        return length > 0 && i == length;
    }
    char literal[ADDRESS_TEXT_SIZE];
    if (length < 4 || length - 2 >= sizeof literal || host[length - 1] != ']')
        return false;
    memcpy(literal, host + 1, length - 2);
    literal[length - 2] = '\0';
    struct address address;
    return strchr(literal, ':') && address_parse(literal, &address);
}

/* 1..65535 written in digits only, up to `end`; 0 where it is none. */
static uint16_t parse_port(const char *at, const char *end)
{
    uint32_t port = 0;
    if (end - at < 1 || end - at > 5)
        return 0;
    for (; at < end; at++) {
        if (!is_digit(*at))
            return 0;
        port = port * 10 + (uint32_t)(*at - '0');
    }
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* RFC 9112 section 3.2.3, authority-form: host ":" port. A CONNECT without a port is none: there
 * is no default (RFC 9110 section 9.3.6). */
bool http_connect_target(const struct http_head *head, char host[HTTP_HOST_SIZE], uint16_t *port)
{
    static const char method[] = "CONNECT ";
    host[0] = '\0';
    *port = 0;
    if (!head->line_done || head->bad || strncmp(head->line, method, sizeof method - 1) != 0)
        return false;
    const char *target = head->line + sizeof method - 1;
    size_t length = strcspn(target, " ");
    const char *colon = memrchr(target, ':', length);
    if (!colon || (size_t)(colon - target) >= HTTP_HOST_SIZE)
        return false;
    size_t host_length = (size_t)(colon - target);
    for (size_t i = 0; i < host_length; i++)
        host[i] = target[i] >= 'A' && target[i] <= 'Z' ? (char)(target[i] + 32) : target[i];
    host[host_length] = '\0';
    *port = parse_port(colon + 1, target + length);
    if (*port != 0 && host_is_valid(host))
        return true;
    host[0] = '\0';
    *port = 0;
    return false;
}

/* RFC 9112 section 4: "HTTP/1.1 200 Connection established". */
uint16_t http_status(const struct http_head *head)
{
    size_t prefix = sizeof version_prefix - 1;
    const char *line = head->line;
    if (!head->line_done || head->bad || strncmp(line, version_prefix, prefix) != 0)
        return 0;
    const char *code = line + prefix + 2;
    if (!is_digit(line[prefix]) || line[prefix + 1] != ' ')
        return 0;
    if (!is_digit(code[0]) || !is_digit(code[1]) || !is_digit(code[2]))
        return 0;
    if (code[3] != ' ' && code[3] != '\0')
        return 0;
    uint16_t status = (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
    return status >= 100 && status <= 599 ? status : 0;
}
