/* A finding's evidence as JSON text, for the column finding.evidence.
 *
 * Private to store/. The keys are published in docs/schema.md. */
#ifndef APNSCOPE_STORE_EVIDENCE_H
#define APNSCOPE_STORE_EVIDENCE_H

#include "model/finding.h"

/* Compact JSON, to be freed with evidence_free; NULL where memory is short. */
char *evidence_text(const struct finding *finding);
void evidence_free(char *text);

#endif
