/* Times and sizes as words for people; counts are base/count.h's. */
#ifndef APNSCOPE_REPORT_PHRASE_H
#define APNSCOPE_REPORT_PHRASE_H

#include <stdint.h>

enum { PHRASE_SIZE = 80 };

/* Each returns `text`, NUL-terminated. */
const char *phrase_moment(int64_t time_ns, char text[PHRASE_SIZE]); /* "2026-03-01 12:00:00 UTC" */
const char *phrase_moment_fine(int64_t time_ns,
                               char text[PHRASE_SIZE]);          /* "... 12:00:00.123 UTC" */
const char *phrase_bytes(int64_t bytes, char text[PHRASE_SIZE]); /* "2.5 GB" (10^9) */

#endif
