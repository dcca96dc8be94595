/* Characters of stored text, and whether a reader's screen may be given them as they are. */
#ifndef APNSCOPE_REPORT_VISIBLE_H
#define APNSCOPE_REPORT_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct visible {
    uint32_t code; /* Unicode scalar value; the byte itself where it is not valid UTF-8 */
    uint8_t size;  /* bytes in the text, at least 1 */
    bool is_valid; /* well-formed UTF-8 (RFC 3629) */
    bool is_plain; /* valid, and neither moves a cursor nor hides or turns what is beside it */
};

/* The character at `at`, which must not point at the terminating NUL. */
struct visible visible_at(const char *at);

/* Writes text for a terminal or a plain file: what is not plain becomes \xNN, byte by byte. */
void visible_put(FILE *out, const char *text);
void visible_put_bytes(FILE *out, const char *text, size_t size);

/* Likewise for readers who have ASCII alone: the signs that this program adds to names become ASCII
 * of the same width. */
void visible_put_ascii(FILE *out, const char *text, size_t size);

/* visible_put into `out`, whole characters as far as they fit; returns it. */
char *visible_text(char *out, size_t size, const char *text);

/* Columns that visible_put uses, one for each character. */
size_t visible_columns(const char *text, size_t size);

#endif
