/* The TCP lifecycle of a flow: states, stimuli and what each state waits for. */
#ifndef APNSCOPE_TRACK_LIFECYCLE_H
#define APNSCOPE_TRACK_LIFECYCLE_H

#include <stdint.h>
#include <stdio.h>

/* What a flow in a state is waiting for; each has its own limit of silence (flow_table.h). */
enum lifecycle_wait { WAIT_HALF_OPEN, WAIT_IDLE, WAIT_CLOSING, WAIT_LINGER, WAIT_COUNT };

enum lifecycle_state {
#define STATE(constant, name, meaning, wait) constant,
#include "lifecycle.def"
#undef STATE
    STATE_COUNT
};

enum lifecycle_stimulus {
#define STIMULUS(constant, meaning) constant,
#include "lifecycle.def"
#undef STIMULUS
    STIMULUS_COUNT
};

/* The next state; the same one where the table has no row. */
enum lifecycle_state lifecycle_next(enum lifecycle_state state, enum lifecycle_stimulus stimulus);
enum lifecycle_wait lifecycle_wait(enum lifecycle_state state);
const char *lifecycle_name(enum lifecycle_state state);

/* The table as a Mermaid state diagram, for ARCHITECTURE.md (a test compares them). */
void lifecycle_print_diagram(FILE *out);

#endif
