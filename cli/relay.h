/* What the tracker says, taken from one thread to another.
 *
 * Between track/ and what follows it (detect/, the store's queue). Shared, the tracker's thread
 * only copies what is said into blocks, and a thread of the relay's own has it told to the sinks in
 * the same order: so the results are those of one thread. Not shared, the sinks are called at once.
 * Bounded: where the sinks fall behind, the tracker waits. Deliberately understands nothing of what
 * it carries beyond what must be copied along. */
#ifndef APNSCOPE_CLI_RELAY_H
#define APNSCOPE_CLI_RELAY_H

#include <stdint.h>

#include "model/event.h"
#include "model/run_record.h"
#include "model/step.h"

struct relay;

/* As in struct track_options; none is NULL. */
struct relay_sinks {
    void *context;
    uint32_t events; /* bits 1 << enum event_kind: others are nobody's concern */
    event_sink event;
    void (*flow_done)(void *context, const struct flow_record *flow);
    void (*steps_done)(void *context, const struct flow_record *flow,
                       const struct flow_steps *steps);
    void (*attempts_done)(void *context, const struct attempt_sum *sum);
};

struct relay *relay_new(const struct relay_sinks *sinks);
void relay_free(struct relay *relay); /* what was not told yet is dropped; NULL is fine */

/* From here on the sinks are called by the relay's thread, until relay_end. Where no thread can be
 * had, by the caller's as before. */
void relay_share(struct relay *relay);
/* Everything said so far has been told; the sinks are the caller's again. */
void relay_end(struct relay *relay);

/* The tracker's sinks; the context is the relay. */
void relay_event(void *relay, const struct event *event);
void relay_flow(void *relay, const struct flow_record *flow);
void relay_steps(void *relay, const struct flow_record *flow, const struct flow_steps *steps);
void relay_attempts(void *relay, const struct attempt_sum *sum);

#endif
