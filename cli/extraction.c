/* What is behind a session or a finding: 5-tuples, frame ranges, and notes for the frames that
 * prove something.
 *
 * Between the database and the capture, for extract.c. Of a finding about a device all sessions
 * that it counts are taken: those of its client and port within its time. Deliberately reads no
 * capture itself. */
#include "extraction.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dissect/dissect.h"
#include "report/frames.h"
#include "store/archive.h"

struct plan {
    struct extraction *extraction;
    const int64_t *flow_ids, *finding_ids;
    size_t flow_id_count, finding_id_count;
    size_t findings_found;
    struct wanted { /* sessions that a finding counts */
        char *client;
        int64_t flow_id, port, first_ns, last_ns;
    } * wanted;
    size_t wanted_count;
    size_t flows_found; /* of flow_ids */
    bool is_mixed;
};

static void *grow(void *items, size_t count, size_t size)
{
    void *more = realloc(items, (count + 1) * size);
    assert(more);
    return more;
}

static char *copy(const char *text)
{
    char *own = text ? strdup(text) : NULL;
    assert(own || !text);
    return own;
}

static bool holds(const int64_t *ids, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

static void note_run(struct plan *plan, int64_t run_id)
{
    if (plan->extraction->run_id && plan->extraction->run_id != run_id)
        plan->is_mixed = true;
    plan->extraction->run_id = run_id;
}

/* --- findings ----------------------------------------------------------------------------- */

struct noting {
    struct extraction *extraction;
    const struct finding_row *finding;
};

static void add_note(void *context, int64_t frame, const char *shows)
{
    struct noting *noting = context;
    struct extraction *extraction = noting->extraction;
    char *text = NULL;
    int length =
        asprintf(&text, "apnscope, finding %" PRId64 " (%s): %s [frame %" PRId64 " of the capture]",
                 noting->finding->id, noting->finding->code, shows, frame);
    assert(length > 0);
    extraction->notes = grow(extraction->notes, extraction->note_count, sizeof *extraction->notes);
    extraction->notes[extraction->note_count++] =
        (struct extracted_note){.frame = (uint64_t)frame, .text = text};
}

static void want_sessions(struct plan *plan, const struct finding_row *row)
{
    plan->wanted = grow(plan->wanted, plan->wanted_count, sizeof *plan->wanted);
    bool is_wide = row->client_ip && row->server_port != ROW_NULL;
    plan->wanted[plan->wanted_count++] =
        (struct wanted){.client = is_wide ? copy(row->client_ip) : NULL,
                        .flow_id = row->flow_id,
                        .port = row->server_port,
                        .first_ns = row->first_ns,
                        .last_ns = row->last_ns};
}

static bool take_finding(void *context, const struct finding_row *row)
{
    struct plan *plan = context;
    bool is_asked = holds(plan->finding_ids, plan->finding_id_count, row->id);
    bool is_about = holds(plan->flow_ids, plan->flow_id_count, row->flow_id);
    if (!is_asked && !is_about)
        return true;
    struct noting noting = {plan->extraction, row};
    report_each_frame(row->evidence, add_note, &noting);
    if (is_asked) {
        plan->findings_found++;
        note_run(plan, row->run_id);
        want_sessions(plan, row);
    }
    return true;
}

/* --- sessions ----------------------------------------------------------------------------- */

static bool is_counted(const struct plan *plan, const struct flow_row *row)
{
    for (size_t i = 0; i < plan->wanted_count; i++) {
        const struct wanted *wanted = &plan->wanted[i];
        if (wanted->flow_id == row->id)
            return true;
        if (wanted->client && row->client_ip && strcmp(wanted->client, row->client_ip) == 0 &&
            wanted->port == row->server_port && row->run_id == plan->extraction->run_id &&
            row->started_ns <= wanted->last_ns && row->last_ns >= wanted->first_ns)
            return true;
    }
    return false;
}

static bool take_flow(void *context, const struct flow_row *row)
{
    struct plan *plan = context;
    struct extraction *extraction = plan->extraction;
    struct extracted_flow flow = {.client_port = (uint16_t)row->client_port,
                                  .server_port = (uint16_t)row->server_port,
                                  .first_frame = (uint64_t)row->first_frame,
                                  .last_frame = (uint64_t)row->last_frame};
    bool is_asked = holds(plan->flow_ids, plan->flow_id_count, row->id);
    if (!is_asked && !is_counted(plan, row))
        return true;
    if (is_asked) {
        plan->flows_found++;
        note_run(plan, row->run_id);
    }
    if (!row->client_ip || !row->server_ip || !address_parse(row->client_ip, &flow.client) ||
        !address_parse(row->server_ip, &flow.server))
        return true;
    extraction->flows = grow(extraction->flows, extraction->flow_count, sizeof *extraction->flows);
    extraction->flows[extraction->flow_count++] = flow;
    return true;
}

static bool take_run(void *context, const struct run_row *row)
{
    struct extraction *extraction = context;
    extraction->source = copy(row->source);
    extraction->sha256 = copy(row->sha256);
    extraction->fingerprint = copy(row->fingerprint);
    return false;
}

/* --- the plan ----------------------------------------------------------------------------- */

static int by_frame(const void *a, const void *b)
{
    uint64_t left = ((const struct extracted_note *)a)->frame;
    uint64_t right = ((const struct extracted_note *)b)->frame;
    return (left > right) - (left < right);
}

static bool look_up(struct plan *plan, struct archive *archive, const char *database,
                    struct fault *fault)
{
    const struct archive_range all = {.all_runs = true};
    struct extraction *extraction = plan->extraction;
    if (!archive_findings(archive, &all, take_finding, plan, fault) ||
        !archive_flows(archive, &all, take_flow, plan, fault))
        return false;
    if (plan->findings_found < plan->finding_id_count)
        return fault_set(fault,
                         "%s: not every finding asked for is there; `apnscope show "
                         "findings --all-runs` lists them",
                         database);
    if (plan->flows_found < plan->flow_id_count)
        return fault_set(fault,
                         "%s: not every session asked for is there; `apnscope show flows "
                         "--all-runs` lists them",
                         database);
    if (plan->is_mixed)
        return fault_set(fault,
                         "%s: what is asked for comes from several runs, and so from several "
                         "captures; extract it run by run",
                         database);
    const struct archive_range run = {.run_id = extraction->run_id};
    if (!archive_runs(archive, &run, take_run, extraction, fault))
        return false;
    if (extraction->note_count)
        qsort(extraction->notes, extraction->note_count, sizeof *extraction->notes, by_frame);
    return true;
}

bool extraction_plan(struct extraction *extraction, const char *database, const int64_t *flow_ids,
                     size_t flow_id_count, const int64_t *finding_ids, size_t finding_id_count,
                     struct fault *fault)
{
    struct archive *archive;
    *extraction = (struct extraction){0};
    struct plan plan = {.extraction = extraction,
                        .flow_ids = flow_ids,
                        .flow_id_count = flow_id_count,
                        .finding_ids = finding_ids,
                        .finding_id_count = finding_id_count};
    if (!archive_open(&archive, database, fault))
        return false;
    bool is_planned = look_up(&plan, archive, database, fault);
    archive_close(archive);
    for (size_t i = 0; i < plan.wanted_count; i++)
        free(plan.wanted[i].client);
    free(plan.wanted);
    if (!is_planned)
        extraction_free(extraction);
    return is_planned;
}

void extraction_free(struct extraction *extraction)
{
    for (size_t i = 0; i < extraction->note_count; i++)
        free(extraction->notes[i].text);
    free(extraction->notes);
    free(extraction->flows);
    free(extraction->source);
    free(extraction->sha256);
    free(extraction->fingerprint);
    *extraction = (struct extraction){0};
}

/* --- packets ------------------------------------------------------------------------------ */

static bool is_of(const struct extracted_flow *flow, const struct address *source,
                  uint16_t source_port, const struct address *destination,
                  uint16_t destination_port)
{
    bool is_up = source_port == flow->client_port && destination_port == flow->server_port &&
                 address_equal(source, &flow->client) && address_equal(destination, &flow->server);
    bool is_down = source_port == flow->server_port && destination_port == flow->client_port &&
                   address_equal(source, &flow->server) &&
                   address_equal(destination, &flow->client);
    return is_up || is_down;
}

bool extraction_takes(const struct extraction *extraction, const struct packet *packet)
{
    struct quoted_packet quoted;
    bool is_error = packet->kind == PACKET_ICMP_ERROR && dissect_icmp_quote(packet, &quoted);
    if (packet->kind != PACKET_TCP && !is_error)
        return false;
    for (size_t i = 0; i < extraction->flow_count; i++) {
        const struct extracted_flow *flow = &extraction->flows[i];
        if (packet->frame < flow->first_frame || (!is_error && packet->frame > flow->last_frame))
            continue;
        if (is_error ? is_of(flow, &quoted.source, quoted.source_port, &quoted.destination,
                             quoted.destination_port)
                     : is_of(flow, &packet->source, packet->source_port, &packet->destination,
                             packet->destination_port))
            return true;
    }
    return false;
}

const char *extraction_note(const struct extraction *extraction, uint64_t frame)
{
    struct extracted_note key = {.frame = frame};
    const struct extracted_note *note =
        extraction->note_count ? bsearch(&key, extraction->notes, extraction->note_count,
                                         sizeof *extraction->notes, by_frame)
                               : NULL;
    return note ? note->text : NULL;
}
