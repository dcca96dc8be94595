/* Numbers, times and counted things as words for people. */
#ifndef APNSCOPE_REPORT_PHRASE_H
#define APNSCOPE_REPORT_PHRASE_H

#include <stdint.h>

enum { PHRASE_SIZE = 80 };

/* Each returns `text`, NUL-terminated. */
const char *phrase_count(int64_t count, char text[PHRASE_SIZE]);    /* "12,345" */
const char *phrase_moment(int64_t time_ns, char text[PHRASE_SIZE]); /* "2026-03-01 12:00:00 UTC" */
const char *phrase_moment_fine(int64_t time_ns,
                               char text[PHRASE_SIZE]);          /* "... 12:00:00.123 UTC" */
const char *phrase_bytes(int64_t bytes, char text[PHRASE_SIZE]); /* "2.5 GB" (10^9) */
/* "1 session", "12 sessions": adds the s. */
const char *phrase_things(int64_t count, const char *thing, char text[PHRASE_SIZE]);

#endif
