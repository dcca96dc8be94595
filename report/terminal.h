/* Text for terminals: wrapped, aligned, coloured where wanted, and safe. */
#ifndef APNSCOPE_REPORT_TERMINAL_H
#define APNSCOPE_REPORT_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

#include "model/vocabulary.h"
#include "view.h"

enum tone { TONE_NONE, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_QUIET, TONE_STRONG };

struct terminal {
    FILE *out;
    unsigned width; /* columns, at least 40 */
    bool has_colour;
    bool has_unicode;
    bool is_ascii; /* what this program adds to names is ASCII */
};

struct terminal terminal_over(FILE *out, const struct report_options *options);

/* Text that cannot move the cursor, as wide as it is long by visible_columns. */
void terminal_put(const struct terminal *terminal, const char *text, size_t size);

/* A word in a tone, padded with blanks to `columns` (longer words are not cut). */
void terminal_cell(const struct terminal *terminal, enum tone tone, const char *text,
                   unsigned columns);

/* A paragraph broken at blanks. `used` columns of its first line are already written; further lines
 * start at column `indent`. Ends with a newline. */
void terminal_wrap(const struct terminal *terminal, unsigned used, unsigned indent,
                   const char *text);

/* "  label   text", the text wrapped at column `indent`. */
void terminal_field(const struct terminal *terminal, unsigned indent, const char *label,
                    const char *text);
void terminal_heading(const struct terminal *terminal, const char *text);

enum tone tone_of_status(enum requirement_status status);
enum tone tone_of_severity(enum severity severity);
enum tone tone_of_verdict(enum view_verdict verdict);
enum tone tone_of_device(enum device_verdict verdict);

#endif
