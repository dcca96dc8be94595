/* Memory asked for before it is used, so that nobody waits for it.
 *
 * Base of everything. A hint: a wrong one costs a line of cache, never a result. Deliberately asks
 * for writing, because what is asked for here is about to be changed. */
#ifndef APNSCOPE_BASE_PREFETCH_H
#define APNSCOPE_BASE_PREFETCH_H

#include <stddef.h>

static inline void prefetch(const void *memory, size_t size)
{
    enum { CACHE_LINE = 64 };
    for (size_t at = 0; at < size; at += CACHE_LINE)
        __builtin_prefetch((const char *)memory + at, 1);
}

#endif
