/* Times and sizes as words for people.
 *
 * Under the view and its writers. Deliberately free of locale: the same database gives the same
 * bytes on every machine. */
#include "phrase.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* clock_text gives "2026-03-01T12:00:00.123Z"; people read it with blanks and UTC. */
static const char *moment(int64_t time_ns, bool is_fine, char text[PHRASE_SIZE])
{
    char iso[CLOCK_TEXT_SIZE];
    clock_text(time_ns, iso);
    char *separator = strchr(iso, 'T');
    char *point = strrchr(iso, '.');
    if (time_ns == TIME_UNKNOWN || !separator || !point) {
        snprintf(text, PHRASE_SIZE, "unknown");
        return text;
    }
    *separator = ' ';
    iso[strlen(iso) - 1] = '\0'; /* the Z */
    if (!is_fine)
        *point = '\0';
    snprintf(text, PHRASE_SIZE, "%s UTC", iso);
    return text;
}

const char *phrase_moment(int64_t time_ns, char text[PHRASE_SIZE])
{
    return moment(time_ns, false, text);
}

const char *phrase_moment_fine(int64_t time_ns, char text[PHRASE_SIZE])
{
    return moment(time_ns, true, text);
}

const char *phrase_bytes(int64_t bytes, char text[PHRASE_SIZE])
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 999.95 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        value /= 1000;
    snprintf(text, PHRASE_SIZE, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}
