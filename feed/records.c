/* A sink that copies what it is told into a mailbox.
 *
 * See records.h. Deliberately formats nothing: that is done on the output's thread. */
#include "records.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/now.h"
#include "base/text.h"

struct records {
    struct records_output output;
    const struct feed_origin *origin;
    struct mailbox *mailbox;
};

static void put(void *context, enum record_kind kind, const void *record, size_t size)
{
    mailbox_put(((struct records *)context)->mailbox, kind, record, size);
}

static bool start(void *context, struct fault *fault)
{
    return mailbox_start(((struct records *)context)->mailbox, fault);
}

static void on_finding(void *context, const struct finding *finding, bool is_new)
{
    put(context, is_new ? RECORD_FINDING : RECORD_CHANGED, finding, sizeof *finding);
}

static void on_withdrawn(void *context, const struct finding *finding)
{
    put(context, RECORD_WITHDRAWN, finding, sizeof *finding);
}

static void on_device(void *context, const struct device_record *device, enum device_verdict before)
{
    struct device_change change = {*device, before};
    put(context, RECORD_DEVICE, &change, sizeof change);
}

static void on_session(void *context, const struct flow_record *flow)
{
    put(context, RECORD_SESSION, flow, sizeof *flow);
}

static void on_flow(void *context, const struct flow_record *flow)
{
    put(context, RECORD_FLOW, flow, sizeof *flow);
}

static void on_report(void *context, const struct feed_report *report)
{
    struct records *records = (struct records *)context;
    if (records->output.wanted & 1u << RECORD_REPORT)
        put(context, RECORD_REPORT, report, sizeof *report);
    mailbox_tell(records->mailbox, records->origin);
}

static void on_notice(void *context, const char *line)
{
    struct notice notice = {.time_ns = now_wall_ns()};
    struct text text = text_over(notice.line, sizeof notice.line);
    text_add(&text, line);
    put(context, RECORD_NOTICE, &notice, sizeof notice);
}

static void on_reopen(void *context)
{
    put(context, RECORD_REOPEN, "", 1);
}

static void on_close(void *context)
{
    struct records *records = (struct records *)context;
    mailbox_close(records->mailbox, records->origin);
    records->output.close(records->output.context);
    free(records);
}

bool records_open(struct feed_sink *sink, const struct records_output *output,
                  const struct feed_origin *origin, struct mailbox **mailbox, struct fault *fault)
{
    struct mailbox_reader reader = {.name = output->name,
                                    .size = output->queue_size,
                                    .context = output->context,
                                    .take = output->take,
                                    .rest = output->rest};
    unsigned wanted = output->wanted;
    if (!mailbox_open(mailbox, &reader, fault)) {
        output->close(output->context);
        return false;
    }
    struct records *records = (struct records *)calloc(1, sizeof *records);
    assert(records);
    *records = (struct records){.output = *output, .origin = origin, .mailbox = *mailbox};
    *sink = (struct feed_sink){
        .context = records, .start = start, .report = on_report, .close = on_close};
    if (wanted & (1u << RECORD_FINDING | 1u << RECORD_CHANGED))
        sink->finding = on_finding;
    if (wanted & 1u << RECORD_WITHDRAWN)
        sink->withdrawn = on_withdrawn;
    if (wanted & 1u << RECORD_DEVICE)
        sink->device = on_device;
    if (wanted & 1u << RECORD_SESSION)
        sink->session = on_session;
    if (wanted & 1u << RECORD_FLOW)
        sink->flow = on_flow;
    if (wanted & 1u << RECORD_NOTICE)
        sink->notice = on_notice;
    if (wanted & 1u << RECORD_REOPEN)
        sink->reopen = on_reopen;
    return true;
}
