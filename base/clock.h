/* Time as the program keeps it: integer nanoseconds since the epoch, UTC.
 *
 * All time in the pipeline comes from packets; the machine's clocks are in now.h. Formatting
 * happens at the edges (reports, terminal), never while packets are read. */
#ifndef APNSCOPE_BASE_CLOCK_H
#define APNSCOPE_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

/* "Not known": becomes NULL in the database. 0 is a real time (1970-01-01). */
#define TIME_UNKNOWN INT64_MIN

/* Times of damaged captures and absurd clocks are brought within (1823 to 2116): so a limit can be
 * added to any of them, and any two subtracted. */
#define TIME_LIMIT_NS ((INT64_C(1) << 62) - 1)

enum { CLOCK_TEXT_SIZE = 40, DURATION_TEXT_SIZE = 32 };

/* ISO 8601 with milliseconds and Z: "2026-03-01T12:00:00.123Z"; "unknown" for TIME_UNKNOWN. */
const char *clock_text(int64_t time_ns, char text[CLOCK_TEXT_SIZE]);

/* For people: "350 µs", "12 ms", "3.2 s", "30 min 35 s", "2 h 05 min", "3 d 04 h". */
const char *duration_text(int64_t duration_ns, char text[DURATION_TEXT_SIZE]);

/* "2026-03-01", "2026-03-01T12:00", "...:00Z", "...:00+02:00" (ISO 8601; UTC where no offset is
 * given), or seconds since the epoch ("1760000000.5"). */
bool clock_parse(const char *text, int64_t *time_ns);

/* "90", "90s", "30m", "1h", "2d". */
bool duration_parse(const char *text, int64_t *duration_ns);

#endif
