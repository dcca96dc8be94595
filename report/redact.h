/* Reports for strangers: addresses, names and MACs replaced by pseudonyms.
 *
 * The same database gives the same pseudonyms, in every format and for every range. Apple's own
 * addresses and names stay: they identify nobody, and say what was tried. */
#ifndef APNSCOPE_REPORT_REDACT_H
#define APNSCOPE_REPORT_REDACT_H

#include "rows.h"

struct redactor;

struct redactor *redactor_new(void);
void redactor_free(struct redactor *redactor);

/* The columns of such rows in which it may find what identifies anybody; NULL behind the last. */
const char *const *redactor_columns(const struct redactor *redactor, enum row_kind kind);

/* A copy of the row without what identifies people or places; valid until the next call of the
 * same kind. */
const void *redactor_row(struct redactor *redactor, enum row_kind kind, const void *row);

#endif
