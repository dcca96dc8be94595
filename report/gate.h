/* The rows that a report is made of: an open database. */
#ifndef APNSCOPE_REPORT_SOURCE_H
#define APNSCOPE_REPORT_SOURCE_H

#include "report/report.h"
#include "rows.h"

struct gate;

MUST_USE bool gate_open(struct gate **gate, const struct report_options *options,
                        struct fault *fault);
void gate_close(struct gate *gate); /* NULL: nothing */

/* As archive_flows and its like, for any table; `each` gets the row's struct. */
MUST_USE bool gate_read(struct gate *gate, enum row_kind kind, const struct archive_range *range,
                        row_each each, void *context, struct fault *fault);

#endif
