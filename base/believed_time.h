/* Which of a capture's times to believe, each held against the times around it.
 *
 * Frames come in the order in which they passed, so their times go on in small steps: a little back
 * where several queues or interfaces deliver, ahead by as long as nothing happened. One that is
 * further off is doubted until the next one has come: a clock that was set, or a long silence,
 * shows in the frames that follow as well; a damaged time stands alone. Used by capture/ for when a
 * capture begins and ends, and by track/ for everything that is measured. Keeps no state: those who
 * ask know the level, the last time believed. */
#ifndef APNSCOPE_BASE_BELIEVED_TIME_H
#define APNSCOPE_BASE_BELIEVED_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* Queues and interfaces deliver within milliseconds of each other. */
#define BELIEVED_BACK_NS NS_PER_S
/* A silence that is longer costs nothing but waiting for the next frame. */
#define BELIEVED_AHEAD_NS (60 * NS_PER_S)
/* Two damaged times in a row are seldom within days of each other; what is further off than any
 * silence needs one that is as near as that. */
#define BELIEVED_NEAR_NS (7 * 24 * 3600 * NS_PER_S)
/* A frame after which nothing comes is believed so far from the level: the longest silence that
 * sessions survive. */
#define BELIEVED_ALONE_NS (4 * 3600 * NS_PER_S)

/* a - b, or the farthest that can be said: times of damaged captures may be any number. */
static inline int64_t time_between(int64_t b_ns, int64_t a_ns)
{
    int64_t difference;
    if (__builtin_sub_overflow(a_ns, b_ns, &difference))
        return a_ns < b_ns ? INT64_MIN : INT64_MAX;
    return difference;
}

/* The time needs no second look. */
static inline bool time_goes_on(int64_t level_ns, int64_t time_ns)
{
    int64_t step_ns = time_between(level_ns, time_ns);
    return step_ns >= -BELIEVED_BACK_NS && step_ns <= BELIEVED_AHEAD_NS;
}

static inline bool time_is_within(int64_t a_ns, int64_t b_ns, int64_t limit_ns)
{
    int64_t distance = time_between(a_ns, b_ns);
    return distance <= limit_ns && distance >= -limit_ns;
}

static inline bool time_may_stand_alone(int64_t level_ns, int64_t time_ns)
{
    return time_is_within(level_ns, time_ns, BELIEVED_ALONE_NS);
}

/* The next time that came bears out the doubted one: it goes on from there and not from the level.
 */
static inline bool time_bears_out(int64_t level_ns, int64_t doubted_ns, int64_t next_ns)
{
    bool is_near = time_is_within(level_ns, doubted_ns, BELIEVED_NEAR_NS) ||
                   time_is_within(doubted_ns, next_ns, BELIEVED_NEAR_NS);
    bool follows = time_between(doubted_ns, next_ns) >= -BELIEVED_BACK_NS;
    bool was_ahead = doubted_ns > level_ns;
    return is_near && follows && (was_ahead || time_between(level_ns, next_ns) < -BELIEVED_BACK_NS);
}

/* 1990 to 2100: for the first time of all, which has no level to be held against. */
static inline bool time_is_of_this_world(int64_t time_ns)
{
    return time_ns >= INT64_C(631152000) * NS_PER_S && time_ns < INT64_C(4102444800) * NS_PER_S;
}

#endif
