/* Reading the machine's clocks. See now.h. Deliberately the one place that converts a timespec to
 * nanoseconds. */
#include "base/now.h"

#include <time.h>

#include "base/clock.h"

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t now_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t now_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
