/* When something happened, coarsely: bounded, and thinner the longer it gets; part of the engine. */
#ifndef APNSCOPE_DETECT_TIMELINE_H
#define APNSCOPE_DETECT_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

enum { TIMELINE_MAX = 64 };

struct timeline {
    uint32_t at_s[TIMELINE_MAX];
    uint32_t count;
    uint32_t spacing_s; /* moments closer than this to the newest are left out */
};

/* Moments come in order; one that is not later than the newest changes nothing. */
void timeline_note(struct timeline *timeline, uint32_t moment_s);
/* A moment that was kept lies between the two, or on them. */
bool timeline_has(const struct timeline *timeline, uint32_t from_s, uint32_t to_s);

#endif
