/* The one door through which rows come into a report.
 *
 * Between the store's archive and everything in this folder, so that what is done to every row is
 * done in one place. Deliberately has no opinion on what a row means. */
#include "gate.h"

#include <assert.h>
#include <stdlib.h>

struct gate {
    struct archive *archive;
};

bool gate_open(struct gate **out, const struct report_options *options, struct fault *fault)
{
    struct archive *archive;
    *out = NULL;
    if (!archive_open(&archive, options->database, fault))
        return false;
    struct gate *gate = calloc(1, sizeof *gate);
    assert(gate);
    gate->archive = archive;
    *out = gate;
    return true;
}

void gate_close(struct gate *gate)
{
    if (!gate)
        return;
    archive_close(gate->archive);
    free(gate);
}

bool gate_read(struct gate *gate, enum row_kind kind, const struct archive_range *range,
               row_each each, void *context, struct fault *fault)
{
    return row_tables[kind].read(gate->archive, range, each, context, fault);
}
