/* Small counters that stop at their end instead of beginning anew. */
#ifndef APNSCOPE_BASE_COUNTER_H
#define APNSCOPE_BASE_COUNTER_H

#include <stdint.h>

static inline void counter_up(uint16_t *counter)
{
    *counter = (uint16_t)(*counter + (*counter < UINT16_MAX));
}

#endif
