/* Half-open attempts beyond the table's cap, summed: a flood is numbers, not rows. */
#ifndef APNSCOPE_TRACK_ATTEMPTS_H
#define APNSCOPE_TRACK_ATTEMPTS_H

#include "base/pool.h"
#include "base/table.h"
#include "model/flow_record.h"
#include "model/run_record.h"

enum { ATTEMPT_SUMS_CAP = 1 << 14 };

struct attempts {
    struct pool sums; /* struct attempt_sum */
    struct table table;
    uint64_t unsummed; /* attempts beyond ATTEMPT_SUMS_CAP different sums */
};

void attempts_init(struct attempts *attempts);
void attempts_free(struct attempts *attempts);
/* Adds a judged attempt to its sum: server prefix (/16 or /48), port, outcome and minute. */
void attempts_add(struct attempts *attempts, const struct flow_record *record);
/* Gives every sum, in the order in which they began. */
void attempts_each(const struct attempts *attempts,
                   void (*each)(void *context, const struct attempt_sum *sum), void *context);

#endif
