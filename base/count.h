/* Counts with their nouns, as people write them: "1 session", "12,345 sessions".
 *
 * The one place that knows plurals, for findings and reports alike. English only. */
#ifndef APNSCOPE_BASE_COUNT_H
#define APNSCOPE_BASE_COUNT_H

#include <stdint.h>

enum { COUNT_TEXT_SIZE = 80 };

/* "12,345". */
const char *count_digits(int64_t count, char text[COUNT_TEXT_SIZE]);

/* The noun for that count: "session" gives session or sessions, "box|boxes" box or boxes. Words
 * that follow the noun and agree with it may stand in both halves: "session was|sessions were". */
const char *count_noun(int64_t count, const char *noun, char text[COUNT_TEXT_SIZE]);

/* Both, with a blank between. */
const char *count_text(int64_t count, const char *noun, char text[COUNT_TEXT_SIZE]);

/* The same in the middle of an argument list; the text lives as long as the block around it. */
#define DIGITS(count)        count_digits((int64_t)(count), (char[COUNT_TEXT_SIZE]){0})
#define COUNTED(count, noun) count_text((int64_t)(count), noun, (char[COUNT_TEXT_SIZE]){0})

#endif
