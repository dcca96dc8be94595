/* The published words as tables, each filled from its .def file.
 *
 * Of model/, used by every stage that writes a word down. Deliberately no parsing of words back:
 * what reads a database reads the names themselves. */
#include "model/vocabulary.h"

#include <assert.h>
#include <stddef.h>

struct word {
    const char *name;
    const char *meaning;
};

#define WORD_ROW(constant, name, meaning) [constant] = {name, meaning},

static const struct word roles[ROLE_COUNT] = {
#define ROLE WORD_ROW
#include "model/role.def"
#undef ROLE
};

static const struct word paths[PATH_COUNT] = {
#define PATH WORD_ROW
#include "model/path.def"
#undef PATH
};

static const struct word outcomes[OUTCOME_COUNT] = {
#define OUTCOME WORD_ROW
#include "model/outcome.def"
#undef OUTCOME
};

static const struct word endings[ENDED_COUNT] = {
#define ENDING WORD_ROW
#include "model/ending.def"
#undef ENDING
};

static const struct word kinds[BLOCK_KIND_COUNT] = {
#define BLOCK WORD_ROW
#include "model/block_kind.def"
#undef BLOCK
};

static const struct word sides[SIDE_COUNT] = {
#define SIDE WORD_ROW
#include "model/blocker_side.def"
#undef SIDE
};

static const struct word steps[STEP_WHAT_COUNT] = {
#define STEP(constant, name, meaning, label) [constant] = {name, meaning},
#include "model/step.def"
#undef STEP
};

static const char *const step_labels[STEP_WHAT_COUNT] = {
#define STEP(constant, name, meaning, label) [constant] = label,
#include "model/step.def"
#undef STEP
};

static const struct word skip_reasons[SKIP_COUNT] = {
#define SKIP WORD_ROW
#include "model/skip_reason.def"
#undef SKIP
};

static const char *const requirement_titles[REQUIREMENT_COUNT] = {
#define REQUIREMENT(constant, title) [constant] = title,
#include "model/requirement.def"
#undef REQUIREMENT
};

/* "R" and the row's number. */
static const char *const requirement_names[] = {"R0", "R1", "R2", "R3", "R4",
                                                "R5", "R6", "R7", "R8", "R9"};
_Static_assert(sizeof requirement_names / sizeof requirement_names[0] == REQUIREMENT_COUNT,
               "each requirement has a published code");

static const char *const severity_names[SEVERITY_COUNT] = {
    [SEVERITY_INFO] = "info", [SEVERITY_WARN] = "warn", [SEVERITY_FAIL] = "fail"};

static const char *const confidence_names[CONFIDENCE_COUNT] = {[CONFIDENCE_POSSIBLE] = "possible",
                                                               [CONFIDENCE_LIKELY] = "likely",
                                                               [CONFIDENCE_CERTAIN] = "certain"};

static const char *const scope_names[SCOPE_COUNT] = {
    [SCOPE_FLOW] = "flow", [SCOPE_DEVICE] = "device", [SCOPE_SITE] = "site"};

static const char *const device_role_names[DEVICE_ROLE_COUNT] = {
    [DEVICE_ROLE_DEVICE] = "device", [DEVICE_ROLE_MDM_SERVER] = "mdm-server"};

static const char *const verdict_names[VERDICT_COUNT] = {[VERDICT_UNKNOWN] = "unknown",
                                                         [VERDICT_WORKS] = "works",
                                                         [VERDICT_DEGRADED] = "degraded",
                                                         [VERDICT_BROKEN] = "broken"};

static const char *const status_names[STATUS_COUNT] = {[STATUS_NOT_OBSERVED] = "not-observed",
                                                       [STATUS_PASS] = "pass",
                                                       [STATUS_WARN] = "warn",
                                                       [STATUS_FAIL] = "fail"};

static const char *const run_state_names[RUN_STATE_COUNT] = {[RUN_RUNNING] = "running",
                                                             [RUN_COMPLETE] = "complete",
                                                             [RUN_TRUNCATED] = "truncated",
                                                             [RUN_INTERRUPTED] = "interrupted"};

/* A value outside its enum is impossible: it would have to come from outside the program. */
#define WORD_FUNCTIONS(noun, type, words, count)                                                   \
    const char *noun##_name(type value)                                                            \
    {                                                                                              \
        assert((unsigned)value < (count));                                                         \
        return words[value].name;                                                                  \
    }                                                                                              \
    const char *noun##_meaning(type value)                                                         \
    {                                                                                              \
        assert((unsigned)value < (count));                                                         \
        return words[value].meaning ? words[value].meaning : "not known";                          \
    }

WORD_FUNCTIONS(role, enum flow_role, roles, ROLE_COUNT)
WORD_FUNCTIONS(path, enum flow_path, paths, PATH_COUNT)
WORD_FUNCTIONS(outcome, enum flow_outcome, outcomes, OUTCOME_COUNT)
WORD_FUNCTIONS(ending, enum flow_ending, endings, ENDED_COUNT)
WORD_FUNCTIONS(block_kind, enum block_kind, kinds, BLOCK_KIND_COUNT)
WORD_FUNCTIONS(side, enum blocker_side, sides, SIDE_COUNT)
WORD_FUNCTIONS(step, enum step_what, steps, STEP_WHAT_COUNT)
WORD_FUNCTIONS(skip_reason, enum skip_reason, skip_reasons, SKIP_COUNT)

#define NAME_FUNCTION(function, type, names, count)                                                \
    const char *function(type value)                                                               \
    {                                                                                              \
        assert((unsigned)value < (count));                                                         \
        return names[value];                                                                       \
    }

NAME_FUNCTION(step_label, enum step_what, step_labels, STEP_WHAT_COUNT)
NAME_FUNCTION(severity_name, enum severity, severity_names, SEVERITY_COUNT)
NAME_FUNCTION(confidence_name, enum confidence, confidence_names, CONFIDENCE_COUNT)
NAME_FUNCTION(scope_name, enum finding_scope, scope_names, SCOPE_COUNT)
NAME_FUNCTION(device_role_name, enum device_role, device_role_names, DEVICE_ROLE_COUNT)
NAME_FUNCTION(verdict_name, enum device_verdict, verdict_names, VERDICT_COUNT)
NAME_FUNCTION(status_name, enum requirement_status, status_names, STATUS_COUNT)
NAME_FUNCTION(requirement_name, enum requirement_code, requirement_names, REQUIREMENT_COUNT)
NAME_FUNCTION(requirement_title, enum requirement_code, requirement_titles, REQUIREMENT_COUNT)
NAME_FUNCTION(run_state_name, enum run_state, run_state_names, RUN_STATE_COUNT)
