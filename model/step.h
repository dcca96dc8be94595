/* The packets of a session that are worth drawing: its first ones and its last ones.
 *
 * Facts about packets, never their content. track/ keeps them while a session is young or in
 * trouble; which of them become rows of the table `step` is decided where the stages meet. */
#ifndef APNSCOPE_MODEL_STEP_H
#define APNSCOPE_MODEL_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/vocabulary.h"

enum { STEPS_FIRST = 16, STEPS_LAST = 8 };

struct flow_step {
    int64_t time_ns;
    uint64_t frame;
    uint32_t number;       /* its place among the packets of the session, from 1 */
    uint32_t payload_size; /* on the wire */
    uint8_t direction;     /* enum direction; of an ICMP error: of who is told */
    uint8_t tcp_flags;     /* enum tcp_flag bits; 0: an ICMP error */
    uint8_t ttl;
    uint8_t what;          /* enum step_what */
    bool is_repeat;        /* the same was sent before */
};

struct flow_steps {
    uint32_t id;          /* track's own */
    uint32_t first_count;
    uint32_t last_count;  /* ever put into the ring `last` */
    bool is_example;      /* the run's healthy session of its kind, kept for comparison */
    bool is_tail;         /* begun again when trouble came; what was before is not kept */
    struct flow_step first[STEPS_FIRST];
    struct flow_step last[STEPS_LAST];
};

/* How many steps are kept, and the one at `index`, in order of time. */
static inline size_t steps_count(const struct flow_steps *steps)
{
    return steps->first_count +
           (steps->last_count < STEPS_LAST ? steps->last_count : (size_t)STEPS_LAST);
}

static inline const struct flow_step *steps_at(const struct flow_steps *steps, size_t index)
{
    if (index < steps->first_count)
        return &steps->first[index];
    size_t oldest = steps->last_count < STEPS_LAST ? 0 : steps->last_count;
    return &steps->last[(oldest + index - steps->first_count) % STEPS_LAST];
}

#endif
