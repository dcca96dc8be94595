/* The packet ladder of a session, free of any format: what passed, when, which way, how far.
 *
 * Drawn as SVG, in terminals and in Markdown from the same rungs. */
#ifndef APNSCOPE_REPORT_LADDER_H
#define APNSCOPE_REPORT_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence.h"
#include "gate.h"

enum { LADDER_RUNGS_MAX = 56, LADDER_LABEL_SIZE = 112 };

enum rung_kind {
    RUNG_PACKET,
    RUNG_NOTE /* no packet: silence, packets left out, how it ended */
};

struct rung {
    enum rung_kind kind;
    bool is_up;       /* from the client */
    bool is_foreign;  /* sent by neither end: an ICMP error */
    bool is_bad;      /* what broke the session */
    bool is_proof;    /* a finding names this frame */
    int64_t after_ns; /* since the session's first packet; ROW_NULL: not known */
    int64_t frame;    /* ROW_NULL: not known */
    int64_t ttl;      /* ROW_NULL: not known */
    char label[LADDER_LABEL_SIZE];
};

struct ladder {
    int64_t flow_id;
    bool is_from_packets; /* else from the record: no frames, few times */
    struct rung rungs[LADDER_RUNGS_MAX];
    size_t count;
};

/* What the ladder of one session is made of; strings are its own. */
struct ladder_parts {
    struct flow_row *flow;
    struct step_row *steps[LADDER_RUNGS_MAX];
    size_t step_count;
    struct flow_row *next; /* the session that the same client tried next; NULL: none seen */
};

/* Is it where the session's packets begin, or were those before it not kept? */
bool ladder_has_beginning(const struct step_row *first);

/* The steps of parts->flow; none where only the end of it was kept. */
MUST_USE bool ladder_read_steps(struct ladder_parts *parts, struct gate *gate, struct fault *fault);
/* The session that its client began within a minute of its failure; for failed sessions. */
MUST_USE bool ladder_read_next(struct ladder_parts *parts, struct gate *gate, struct fault *fault);
void ladder_parts_free(struct ladder_parts *parts);

/* `proof` may be NULL. */
void ladder_build(struct ladder *ladder, const struct ladder_parts *parts,
                  const struct view_evidence *proof);

/* Leaves the first rungs, and a note of how many there are more. */
void ladder_cut(struct ladder *ladder, size_t count);

/* What a session looks like that works: a drawing from rules, of no capture. */
void ladder_reference(struct ladder *ladder);

/* "+1.0 s", "0": when a rung stands, "" where that is not known. */
const char *ladder_time(const struct rung *rung, char text[DURATION_TEXT_SIZE + 1]);

#endif
