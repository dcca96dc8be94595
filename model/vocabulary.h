/* The published words of the program, each from one table.
 *
 * A row of a .def file drives the enum, the name that goes into the database and the line of the
 * report's legend. Names are published: a row may be added, never renamed. Word 0 of each is
 * "not known" where the vocabulary has one, and has no name (NULL in the database). */
#ifndef APNSCOPE_MODEL_VOCABULARY_H
#define APNSCOPE_MODEL_VOCABULARY_H

#include <stdbool.h>

#define WORD_ENUM(constant, name, meaning) constant,

enum flow_role {
    ROLE_UNKNOWN,
#define ROLE WORD_ENUM
#include "model/role.def"
#undef ROLE
    ROLE_COUNT
};

enum flow_path {
#define PATH WORD_ENUM
#include "model/path.def"
#undef PATH
    PATH_COUNT
};

enum flow_outcome {
    OUTCOME_UNKNOWN,
#define OUTCOME WORD_ENUM
#include "model/outcome.def"
#undef OUTCOME
    OUTCOME_COUNT
};

enum flow_ending {
    ENDED_UNKNOWN,
#define ENDING WORD_ENUM
#include "model/ending.def"
#undef ENDING
    ENDED_COUNT
};

enum step_what {
    STEP_UNKNOWN,
#define STEP(constant, name, meaning, label) constant,
#include "model/step.def"
#undef STEP
    STEP_WHAT_COUNT
};

enum block_kind {
    BLOCK_NONE, /* not a block */
#define BLOCK WORD_ENUM
#include "model/block_kind.def"
#undef BLOCK
    BLOCK_KIND_COUNT
};

enum blocker_side {
    SIDE_NONE, /* not a block */
#define SIDE WORD_ENUM
#include "model/blocker_side.def"
#undef SIDE
    SIDE_COUNT
};

enum severity { SEVERITY_INFO, SEVERITY_WARN, SEVERITY_FAIL, SEVERITY_COUNT };
enum confidence { CONFIDENCE_POSSIBLE, CONFIDENCE_LIKELY, CONFIDENCE_CERTAIN, CONFIDENCE_COUNT };
enum finding_scope { SCOPE_FLOW, SCOPE_DEVICE, SCOPE_SITE, SCOPE_COUNT };
enum device_role { DEVICE_ROLE_DEVICE, DEVICE_ROLE_MDM_SERVER, DEVICE_ROLE_COUNT };

enum device_verdict {
    VERDICT_UNKNOWN,
    VERDICT_WORKS,
    VERDICT_DEGRADED,
    VERDICT_BROKEN,
    VERDICT_COUNT
};

enum requirement_status {
    STATUS_NOT_OBSERVED,
    STATUS_PASS,
    STATUS_WARN,
    STATUS_FAIL,
    STATUS_COUNT
};

enum requirement_code {
#define REQUIREMENT(constant, title) constant,
#include "model/requirement.def"
#undef REQUIREMENT
    REQUIREMENT_COUNT
};

enum skip_reason {
    SKIP_NONE,
#define SKIP WORD_ENUM
#include "model/skip_reason.def"
#undef SKIP
    SKIP_COUNT
};

enum run_state { RUN_RUNNING, RUN_COMPLETE, RUN_TRUNCATED, RUN_INTERRUPTED, RUN_STATE_COUNT };

#undef WORD_ENUM

/* Names as published ("courier", "no-answer", "R1" ...); NULL for word 0 "not known". */
const char *role_name(enum flow_role role);
const char *path_name(enum flow_path path);
const char *outcome_name(enum flow_outcome outcome);
const char *ending_name(enum flow_ending ending);
const char *step_name(enum step_what what);
const char *block_kind_name(enum block_kind kind);
const char *side_name(enum blocker_side side);
const char *severity_name(enum severity severity);
const char *confidence_name(enum confidence confidence);
const char *scope_name(enum finding_scope scope);
const char *device_role_name(enum device_role role);
const char *verdict_name(enum device_verdict verdict);
const char *status_name(enum requirement_status status);
const char *requirement_name(enum requirement_code code);
const char *requirement_title(enum requirement_code code);
const char *skip_reason_name(enum skip_reason reason);
const char *run_state_name(enum run_state state);

/* What each word means, for legends and generated docs; never NULL for a published word. */
const char *role_meaning(enum flow_role role);
const char *path_meaning(enum flow_path path);
const char *outcome_meaning(enum flow_outcome outcome);
const char *ending_meaning(enum flow_ending ending);
const char *step_meaning(enum step_what what);
const char *block_kind_meaning(enum block_kind kind);
const char *side_meaning(enum blocker_side side);
const char *step_label(enum step_what what); /* a few words, for drawings */
const char *skip_reason_meaning(enum skip_reason reason);

/* The session came up and carried what APNs carries. */
static inline bool outcome_works(enum flow_outcome outcome)
{
    return outcome == OUTCOME_ESTABLISHED || outcome == OUTCOME_MIDSTREAM;
}

/* Neither a success nor a failure. */
static inline bool outcome_is_unjudged(enum flow_outcome outcome)
{
    return outcome == OUTCOME_UNKNOWN || outcome == OUTCOME_UNFINISHED ||
           outcome == OUTCOME_ONE_SIDED;
}

#endif
