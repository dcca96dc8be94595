/* Counts with their nouns.
 *
 * Base of every sentence that counts. Deliberately free of locale: the same numbers give the same
 * bytes on every machine. */
#include "base/count.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void add_digits(struct text *out, int64_t count)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRId64, count);
    int first = digits[0] == '-' ? 1 : 0;
    for (int i = 0; i < length; i++) {
        if (i > first && (length - i) % 3 == 0)
            text_add(out, ",");
        text_add_bytes(out, digits + i, 1);
    }
}

static void add_noun(struct text *out, int64_t count, const char *noun)
{
    const char *plural = strchr(noun, '|');
    if (!plural)
        text_format(out, count == 1 ? "%s" : "%ss", noun);
    else if (count == 1)
        text_add_bytes(out, noun, (size_t)(plural - noun));
    else
        text_add(out, plural + 1);
}

const char *count_digits(int64_t count, char text[COUNT_TEXT_SIZE])
{
    struct text out = text_over(text, COUNT_TEXT_SIZE);
    add_digits(&out, count);
    return text;
}

const char *count_noun(int64_t count, const char *noun, char text[COUNT_TEXT_SIZE])
{
    struct text out = text_over(text, COUNT_TEXT_SIZE);
    add_noun(&out, count, noun);
    return text;
}

const char *count_text(int64_t count, const char *noun, char text[COUNT_TEXT_SIZE])
{
    struct text out = text_over(text, COUNT_TEXT_SIZE);
    add_digits(&out, count);
    text_add(&out, " ");
    add_noun(&out, count, noun);
    return text;
}
