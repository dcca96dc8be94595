/* Which sessions' packets are stored for the packet ladder. */
#ifndef APNSCOPE_CLI_LADDER_CHOICE_H
#define APNSCOPE_CLI_LADDER_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/flow_record.h"
#include "model/step.h"

enum {
    LADDERS_OF_A_KIND = 32, /* failed sessions with the same outcome, role and port */
    LADDERS_OF_FINDINGS = 2000
};

/* Zeroed at first. */
struct ladder_choice {
    uint16_t of_kind[OUTCOME_COUNT][ROLE_COUNT][2];
    uint16_t of_findings;
};

/* Is this session's ladder to be stored? Counts it where it is. */
bool ladder_choice_takes(struct ladder_choice *choice, const struct flow_record *flow,
                         const struct flow_steps *steps, bool is_evidence);

#endif
