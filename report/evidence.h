/* The evidence column of a finding (a JSON document), read back. */
#ifndef APNSCOPE_REPORT_EVIDENCE_H
#define APNSCOPE_REPORT_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum { EVIDENCE_FRAMES_MAX = 64 };

struct view_frame {
    int64_t number;
    int64_t time_ns; /* TIME_UNKNOWN: not stored */
    char *shows;     /* may be "" */
};

struct view_evidence {
    char *reasoning; /* never NULL */
    char *limits;    /* never NULL */
    char *kind;      /* what the block goes by; "": not a block. Never NULL, as the next three */
    char *side;      /* where its author stands */
    char *place;     /* the same as a sentence, with the reason */
    char *mac;       /* of its packets, where Apple's come from another */
    struct view_frame frames[EVIDENCE_FRAMES_MAX];
    size_t frame_count;
};

/* Reads what it understands; a NULL, foreign or damaged document is evidence without frames. */
void view_evidence_read(struct view_evidence *evidence, const char *json);
void view_evidence_free(struct view_evidence *evidence);

#endif
