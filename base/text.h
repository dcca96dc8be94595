/* A bounded text builder over the caller's buffer.
 *
 * Always NUL-terminated; what does not fit is cut at a UTF-8 boundary and `cut` is set. Never
 * allocates. Escaping for HTML, CSV, JSON or terminals is the writers' business, not this one's,
 * except for text_printable, which makes bytes from the wire safe to keep as a name. */
#ifndef APNSCOPE_BASE_TEXT_H
#define APNSCOPE_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *at;
    size_t size;
    size_t length;
    bool cut;
};

struct text text_over(char *buffer, size_t size); /* size >= 1; starts empty */
struct text text_after(char *buffer, size_t size); /* goes on behind the text that it holds */
void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const char *bytes, size_t count);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_format_list(struct text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void text_hex(struct text *text, const uint8_t *bytes, size_t count); /* lower case */

/* Copies a name that came off the wire: printable ASCII and valid UTF-8 stay; every other byte,
 * control characters and bidirectional marks become \xNN, so that the result is valid UTF-8 and
 * cannot move a cursor. Returns the length; the result is NUL-terminated and at most size - 1. */
size_t text_printable(char *out, size_t size, const uint8_t *bytes, size_t count);

/* ASCII only, locale-free. */
bool text_equal_nocase(const char *a, const char *b);
bool text_ends_with_nocase(const char *string, const char *suffix);

#endif
