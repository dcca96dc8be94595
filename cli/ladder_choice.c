/* Which sessions' packets are stored: those a finding rests on, some of each kind of failure, and
 * the healthy examples.
 *
 * Where track/ (what happened) and detect/ (what it means) meet. A bounded choice, so that a
 * network where everything fails does not write every packet down. Deliberately does not wait for
 * the end of the run: a finding that is made later of a session that worked has no ladder. */
#include "ladder_choice.h"

static bool has_failed(const struct flow_record *flow)
{
    switch ((enum flow_outcome)flow->outcome) {
    case OUTCOME_UNKNOWN:
    case OUTCOME_ESTABLISHED:
    case OUTCOME_MIDSTREAM:
    case OUTCOME_ONE_SIDED:
    case OUTCOME_UNFINISHED:
        return false;
    default:
        return true;
    }
}

static bool take(uint16_t *count, uint16_t cap)
{
    if (*count >= cap)
        return false;
    (*count)++;
    return true;
}

bool ladder_choice_takes(struct ladder_choice *choice, const struct flow_record *flow,
                         const struct flow_steps *steps, bool is_evidence)
{
    if (steps->is_example)
        return true;
    if (is_evidence && take(&choice->of_findings, LADDERS_OF_FINDINGS))
        return true;
    return has_failed(flow) &&
           take(&choice->of_kind[flow->outcome][flow->role][flow->server_port == 5223],
                LADDERS_OF_A_KIND);
}
