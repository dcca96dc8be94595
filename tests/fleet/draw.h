/* Chance that is the same everywhere: one seed, one fleet.
 *
 * Of tests/fleet. SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). Deliberately not for secrets. */
#ifndef APNSCOPE_TESTS_FLEET_DRAW_H
#define APNSCOPE_TESTS_FLEET_DRAW_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

struct draw {
    uint64_t state;
};

static inline uint64_t draw_bits(struct draw *draw)
{
    uint64_t bits = (draw->state += UINT64_C(0x9e3779b97f4a7c15));
    bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
    return bits ^ bits >> 31;
}

static inline double draw_part(struct draw *draw) /* 0 <= x < 1 */
{
    return (double)(draw_bits(draw) >> 11) / 9007199254740992.0;
}

static inline bool draw_chance(struct draw *draw, double probability)
{
    return draw_part(draw) < probability;
}

static inline int64_t draw_between(struct draw *draw, int64_t low, int64_t high)
{
    return low + (int64_t)(draw_part(draw) * (double)(high - low));
}

/* Waiting times of what happens at random. */
static inline int64_t draw_wait(struct draw *draw, int64_t mean)
{
    return (int64_t)(-log(1.0 - draw_part(draw)) * (double)mean);
}

#endif
