/* Time as text and back.
 *
 * Base of everything, used at the edges only. The calendar is computed here rather than by
 * gmtime_r, which may read the time zone's file, something the sandbox kills for. Deliberately
 * never asks what time it is. */
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SECONDS_PER_DAY = 86400, SECONDS_PER_HOUR = 3600, SECONDS_PER_MINUTE = 60 };

struct civil_date {
    int64_t year;
    unsigned month; /* 1..12 */
    unsigned day;   /* 1..31 */
};

/* Division that rounds down, so that times before 1970 come out right. */
static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* Proleptic Gregorian calendar in eras of 400 years that begin on 1 March, so that the leap day
 * is the last of its year. */
static int64_t days_from_civil(struct civil_date date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = floor_divide(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (((int64_t)date.month + 9) % 12) + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct civil_date civil_from_days(int64_t days)
{
    days += 719468;
    int64_t era = floor_divide(days, 146097);
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    struct civil_date date;
    date.day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    date.month = (unsigned)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    date.year = year_of_era + era * 400 + (date.month <= 2);
    return date;
}

const char *clock_text(int64_t time_ns, char text[CLOCK_TEXT_SIZE])
{
    if (time_ns == TIME_UNKNOWN) {
        memcpy(text, "unknown", sizeof "unknown");
        return text;
    }
    int64_t seconds = floor_divide(time_ns, NS_PER_S);
    int64_t days = floor_divide(seconds, SECONDS_PER_DAY);
    int64_t second_of_day = seconds - days * SECONDS_PER_DAY;
    struct civil_date date = civil_from_days(days);
    snprintf(text, CLOCK_TEXT_SIZE, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", (int)date.year,
             date.month, date.day, (int)(second_of_day / SECONDS_PER_HOUR),
             (int)(second_of_day / SECONDS_PER_MINUTE % 60), (int)(second_of_day % 60),
             (int)((time_ns % NS_PER_S + NS_PER_S) % NS_PER_S / NS_PER_MS));
    return text;
}

/* One decimal, left out where it is zero: "3.2 s", "30 s". */
static void tenths_text(const char *sign, uint64_t tenths, const char *unit, char *text)
{
    if (tenths % 10)
        snprintf(text, DURATION_TEXT_SIZE, "%s%" PRIu64 ".%" PRIu64 " %s", sign, tenths / 10,
                 tenths % 10, unit);
    else
        snprintf(text, DURATION_TEXT_SIZE, "%s%" PRIu64 " %s", sign, tenths / 10, unit);
}

/* Two units, the second with two digits and left out where it is zero. */
static void pair_text(const char *sign, uint64_t high, const char *high_unit, uint64_t low,
                      const char *low_unit, char *text)
{
    if (low)
        snprintf(text, DURATION_TEXT_SIZE, "%s%" PRIu64 " %s %02" PRIu64 " %s", sign, high,
                 high_unit, low, low_unit);
    else
        snprintf(text, DURATION_TEXT_SIZE, "%s%" PRIu64 " %s", sign, high, high_unit);
}

/* From a minute on; `seconds` is rounded already. */
static void long_duration_text(const char *sign, uint64_t seconds, char *text)
{
    if (seconds < SECONDS_PER_HOUR)
        pair_text(sign, seconds / 60, "min", seconds % 60, "s", text);
    else if (seconds < SECONDS_PER_DAY)
        pair_text(sign, seconds / SECONDS_PER_HOUR, "h", seconds / 60 % 60, "min", text);
    else
        pair_text(sign, seconds / SECONDS_PER_DAY, "d", seconds / SECONDS_PER_HOUR % 24, "h", text);
}

static uint64_t rounded(uint64_t value, uint64_t unit)
{
    return value / unit + (value % unit >= unit - unit / 2);
}

const char *duration_text(int64_t duration_ns, char text[DURATION_TEXT_SIZE])
{
    if (duration_ns == TIME_UNKNOWN) {
        memcpy(text, "unknown", sizeof "unknown");
        return text;
    }
    const char *sign = duration_ns < 0 ? "-" : "";
    uint64_t ns = duration_ns < 0 ? (uint64_t)-duration_ns : (uint64_t)duration_ns;
    /* Each test is on the rounded value, so that 999.9 ms is "1 s" and never "1000 ms". */
    if (ns < 1000)
        snprintf(text, DURATION_TEXT_SIZE, "%s%" PRIu64 " ns", sign, ns);
    else if (rounded(ns, 1000) < 1000)
        snprintf(text, DURATION_TEXT_SIZE, "%s%" PRIu64 " µs", sign, rounded(ns, 1000));
    else if (rounded(ns, 100000) < 100)
        tenths_text(sign, rounded(ns, 100000), "ms", text);
    else if (rounded(ns, 1000000) < 1000)
        snprintf(text, DURATION_TEXT_SIZE, "%s%" PRIu64 " ms", sign, rounded(ns, 1000000));
    else if (rounded(ns, 100000000) < 600)
        tenths_text(sign, rounded(ns, 100000000), "s", text);
    else
        long_duration_text(sign, rounded(ns, 1000000000), text);
    return text;
}

/* Exactly `digits` digits, or (digits 0) as many as are there; false without any or past the
 * range of seconds that nanoseconds can hold. */
static bool take_number(const char **at, size_t digits, int64_t *value)
{
    size_t taken = 0;
    for (*value = 0; **at >= '0' && **at <= '9' && (digits == 0 || taken < digits); taken++) {
        *value = *value * 10 + (*(*at)++ - '0');
        if (*value > INT64_MAX / NS_PER_S)
            return false;
    }
    return taken > 0 && (digits == 0 || taken == digits);
}

static bool take_char(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

/* ".5" as nanoseconds; digits past the ninth are dropped. Without a point: 0. */
static bool take_fraction(const char **at, int64_t *ns)
{
    *ns = 0;
    if (!take_char(at, '.'))
        return true;
    int64_t unit = NS_PER_S;
    const char *first = *at;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        unit /= 10;
        *ns += unit * (**at - '0');
    }
    return *at > first;
}

static bool take_date(const char **at, int64_t *days)
{
    int64_t year;
    int64_t month;
    int64_t day;
    if (!take_number(at, 4, &year) || !take_char(at, '-') || !take_number(at, 2, &month) ||
        !take_char(at, '-') || !take_number(at, 2, &day))
        return false;
    if (month < 1 || month > 12 || year < 1678 || year > 2261) /* what 64 bits of ns can hold */
        return false;
    struct civil_date date = {year, (unsigned)month, (unsigned)day};
    *days = days_from_civil(date);
    struct civil_date back = civil_from_days(*days); /* 30 February comes back as 2 March */
    return back.month == date.month && back.day == date.day;
}

/* "Z", "+02:00", "-0330", or nothing: how far local time is ahead of UTC. */
static bool take_offset(const char **at, int64_t *ahead_s)
{
    int64_t hours;
    int64_t minutes;
    *ahead_s = 0;
    bool is_behind = **at == '-';
    if (take_char(at, 'Z') || (!is_behind && **at != '+'))
        return true;
    (*at)++;
    if (!take_number(at, 2, &hours) || (take_char(at, ':'), !take_number(at, 2, &minutes)))
        return false;
    *ahead_s = hours * SECONDS_PER_HOUR + minutes * SECONDS_PER_MINUTE;
    if (is_behind)
        *ahead_s = -*ahead_s;
    return hours < 24 && minutes < 60;
}

/* "T12:00", "T12:00:30", "T12:00:30.5", each with or without an offset; nothing: midnight. */
static bool take_time_of_day(const char **at, int64_t *seconds, int64_t *ns)
{
    int64_t hour;
    int64_t minute;
    int64_t second = 0;
    *seconds = *ns = 0;
    if (!take_char(at, 'T') && !take_char(at, ' '))
        return true;
    if (!take_number(at, 2, &hour) || !take_char(at, ':') || !take_number(at, 2, &minute))
        return false;
    if (take_char(at, ':') && (!take_number(at, 2, &second) || !take_fraction(at, ns)))
        return false;
    int64_t ahead_s;
    if (!take_offset(at, &ahead_s))
        return false;
    *seconds = hour * SECONDS_PER_HOUR + minute * SECONDS_PER_MINUTE + second - ahead_s;
    return hour < 24 && minute < 60 && second < 61; /* a leap second is the next minute's first */
}

bool clock_parse(const char *text, int64_t *time_ns)
{
    const char *at = text;
    int64_t days;
    int64_t seconds;
    int64_t ns;
    if (take_date(&at, &days)) {
        if (!take_time_of_day(&at, &seconds, &ns) || *at)
            return false;
        *time_ns = (days * SECONDS_PER_DAY + seconds) * NS_PER_S + ns;
        return true;
    }
    at = text;
    if (!take_number(&at, 0, &seconds) || !take_fraction(&at, &ns) || *at)
        return false;
    if (seconds == INT64_MAX / NS_PER_S)
        return false;
    *time_ns = seconds * NS_PER_S + ns;
    return true;
}

bool duration_parse(const char *text, int64_t *duration_ns)
{
    static const struct {
        const char *suffix;
        int64_t unit_ns;
    } units[] = {
        {"", NS_PER_S},
        {"ms", NS_PER_MS},
        {"s", NS_PER_S},
        {"m", SECONDS_PER_MINUTE * NS_PER_S},
        {"h", SECONDS_PER_HOUR * NS_PER_S},
        {"d", SECONDS_PER_DAY * NS_PER_S},
    };
    const char *at = text;
    int64_t value;
    if (!take_number(&at, 0, &value))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(at, units[i].suffix) == 0) {
            if (value > INT64_MAX / units[i].unit_ns)
                return false;
            *duration_ns = value * units[i].unit_ns;
            return true;
        }
    return false;
}
