/* The one door through which rows come into a report.
 *
 * Between the store's archive and everything in this folder, so that what is done to every row is
 * done in one place. Deliberately has no opinion on what a row means. */
#include "gate.h"

#include <assert.h>
#include <stdlib.h>

#include "redact.h"

struct gate {
    struct archive *archive;
    struct redactor *redactor; /* NULL: rows pass as they are */
};

struct passage { /* of one reading */
    struct gate *gate;
    enum row_kind kind;
    row_each each;
    void *context;
};

static bool pass_redacted(void *context, const void *row)
{
    const struct passage *passage = context;
    return passage->each(passage->context,
                         redactor_row(passage->gate->redactor, passage->kind, row));
}

static bool learn(void *context, const void *row)
{
    (void)context;
    (void)row;
    return true;
}

/* Shows the redactor all that it may know again, whatever will be asked for: in the order of
 * tables. Names and addresses stand in devices and sessions before findings speak of them. */
static bool learn_all(struct gate *gate, struct fault *fault)
{
    static const enum row_kind order[] = {ROWS_RUN, ROWS_DEVICE,  ROWS_FLOW,
                                          ROWS_DNS, ROWS_FINDING, ROWS_STEP};
    struct archive_range all = {.all_runs = true};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        all.columns = redactor_columns(gate->redactor, order[i]);
        if (!gate_read(gate, order[i], &all, learn, NULL, fault))
            return false;
    }
    return true;
}

bool gate_open(struct gate **out, const struct report_options *options, struct fault *fault)
{
    struct archive *archive;
    *out = NULL;
    if (!archive_open(&archive, options->database, fault))
        return false;
    struct gate *gate = calloc(1, sizeof *gate);
    assert(gate);
    gate->archive = archive;
    gate->redactor = options->redact ? redactor_new() : NULL;
    if (gate->redactor && !learn_all(gate, fault)) {
        gate_close(gate);
        return false;
    }
    *out = gate;
    return true;
}

void gate_close(struct gate *gate)
{
    if (!gate)
        return;
    redactor_free(gate->redactor);
    archive_close(gate->archive);
    free(gate);
}

bool gate_read(struct gate *gate, enum row_kind kind, const struct archive_range *range,
               row_each each, void *context, struct fault *fault)
{
    struct passage passage = {gate, kind, each, context};
    if (gate->redactor)
        return row_tables[kind].read(gate->archive, range, pass_redacted, &passage, fault);
    return row_tables[kind].read(gate->archive, range, each, context, fault);
}
