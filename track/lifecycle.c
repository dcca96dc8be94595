/* The TCP lifecycle of a flow, from lifecycle.def.
 *
 * Called by track/flow.c for every packet of a tracked flow. Decides nothing about outcomes: a
 * state says only which packets were seen, track/outcome.c says what that means. */
#include "lifecycle.h"

/* Next state plus one; 0 is "stay". */
static const uint8_t steps[STATE_COUNT][STIMULUS_COUNT] = {
#define STEP(state, stimulus, next) [state][stimulus] = (next) + 1,
#include "lifecycle.def"
#undef STEP
};

static const uint8_t waits[STATE_COUNT] = {
#define STATE(constant, name, meaning, wait) [constant] = wait,
#include "lifecycle.def"
#undef STATE
};

static const char *const names[STATE_COUNT] = {
#define STATE(constant, name, meaning, wait) [constant] = name,
#include "lifecycle.def"
#undef STATE
};

static const char *const stimuli[STIMULUS_COUNT] = {
#define STIMULUS(constant, meaning) [constant] = meaning,
#include "lifecycle.def"
#undef STIMULUS
};

enum lifecycle_state lifecycle_next(enum lifecycle_state state, enum lifecycle_stimulus stimulus)
{
    uint8_t next = steps[state][stimulus];
    return next ? (enum lifecycle_state)(next - 1) : state;
}

enum lifecycle_wait lifecycle_wait(enum lifecycle_state state)
{
    return (enum lifecycle_wait)waits[state];
}

const char *lifecycle_name(enum lifecycle_state state)
{
    return names[state];
}

void lifecycle_print_diagram(FILE *out)
{
    fputs("stateDiagram-v2\n", out);
    for (int state = 0; state < STATE_COUNT; state++)
        for (int stimulus = 0; stimulus < STIMULUS_COUNT; stimulus++)
            if (steps[state][stimulus])
                fprintf(out, "    %s --> %s: %s\n", names[state], names[steps[state][stimulus] - 1],
                        stimuli[stimulus]);
}
