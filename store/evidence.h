/* A finding's evidence as JSON text, for the column finding.evidence.
 *
 * Private to store/. The keys are published in docs/schema.md. */
#ifndef APNSCOPE_STORE_EVIDENCE_H
#define APNSCOPE_STORE_EVIDENCE_H

#include "model/finding.h"

/* Every byte of every sentence written as \u00NN, or made printable and its backslash escaped, and
 * what stands around them. */
enum {
    EVIDENCE_FRAME_SIZE = 128 + 6 * (int)sizeof((struct finding_frame *)0)->shows,
    EVIDENCE_TEXT_SIZE = FINDING_FRAMES_MAX * EVIDENCE_FRAME_SIZE +
                         6 * (FINDING_REASONING_SIZE + FINDING_LIMIT_SIZE + FINDING_PLACE_SIZE) + 256
};

/* Compact JSON. */
const char *evidence_text(const struct finding *finding, char text[EVIDENCE_TEXT_SIZE]);

#endif
