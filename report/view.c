/* Loads what a report needs from the database and counts it.
 *
 * First half of the view; verdict.c turns the counts into sentences. Each table is read once, row
 * by row; only what is bounded is kept. Deliberately judges nothing that detect/ did not judge: a
 * session that failed is a count here, a fault is a finding. */
#include "view.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/table.h"
#include "gather.h"
#include "report/output.h"
#include "rows.h"
#include "sites.h"

/* --- runs --------------------------------------------------------------------------------- */

static bool load_run(void *context, const void *any)
{
    const struct run_row *row = any;
    struct view *view = context;
    view->runs = realloc(view->runs, (view->run_count + 1) * sizeof *view->runs);
    assert(view->runs);
    view->runs[view->run_count++] = row_copy(ROWS_RUN, row);
    gather_span(&view->first_ns, &view->last_ns, row->first_ns, row->last_ns);
    view->packets += row->packets > 0 ? (uint64_t)row->packets : 0;
    return true;
}

/* --- devices ------------------------------------------------------------------------------ */

/* Worst first; "not known" is no reason to look. */
static int urgency(enum device_verdict verdict)
{
    static const int order[VERDICT_COUNT] = {
        [VERDICT_BROKEN] = 3, [VERDICT_DEGRADED] = 2, [VERDICT_WORKS] = 1, [VERDICT_UNKNOWN] = 0};
    return order[verdict];
}

static bool lane_before(const struct view_lane *a, enum device_verdict verdict, int64_t sessions)
{
    if (urgency(a->verdict) != urgency(verdict))
        return urgency(a->verdict) > urgency(verdict);
    return a->sessions >= sessions;
}

static struct view_lane *lane_of(struct view *view, const char *ip)
{
    for (size_t i = 0; ip && i < view->lane_count; i++)
        if (strcmp(view->lanes[i].ip, ip) == 0)
            return &view->lanes[i];
    return NULL;
}

/* The timeline shows the devices in trouble first, then the busiest. */
static void offer_lane(struct view *view, const struct device_row *row, enum device_verdict verdict)
{
    if (!row->ip || row->sessions <= 0 || lane_of(view, row->ip))
        return;
    size_t at = view->lane_count;
    while (at > 0 && !lane_before(&view->lanes[at - 1], verdict, row->sessions))
        at--;
    if (at == VIEW_LANES)
        return;
    if (view->lane_count == VIEW_LANES)
        free(view->lanes[--view->lane_count].ip);
    memmove(&view->lanes[at + 1], &view->lanes[at],
            (view->lane_count - at) * sizeof view->lanes[0]);
    view->lanes[at] = (struct view_lane){
        .ip = gather_copy(row->ip), .verdict = verdict, .sessions = row->sessions};
    view->lane_count++;
}

/* The same address at two sites is two devices: `site` is 0 or the site's number. */
static void take_device(struct view *view, const struct device_row *row,
                        enum device_verdict verdict, uint64_t site)
{
    const char *ip = row->ip ? row->ip : "";
    const char *server = device_role_name(DEVICE_ROLE_MDM_SERVER);
    bool is_server = row->role && strcmp(row->role, server) == 0;
    if (is_server)
        gather_name(&view->servers, ip);
    if (view->seen_count == view->seen_room)
        view->seen = gather_grow(view->seen, &view->seen_room, sizeof *view->seen);
    view->seen[view->seen_count++] = (struct view_device){
        .hash = view->run_count > 1 ? hash_bytes(ip, strlen(ip), site) : view->seen_count,
        .role = is_server ? DEVICE_ROLE_MDM_SERVER : DEVICE_ROLE_DEVICE,
        .verdict = (uint8_t)verdict};
}

static bool load_device(void *context, const void *any)
{
    const struct device_row *row = any;
    struct view *view = context, *site = sites_of_run(view, row->run_id);
    enum device_verdict verdict = view_device_verdict(row->verdict);
    take_device(view, row, verdict, sites_number(view, site));
    if (site)
        take_device(site, row, verdict, 0);
    if (!view->options->range.is_brief)
        offer_lane(view, row, verdict);
    return true;
}

static int by_hash(const void *a, const void *b)
{
    const struct view_device *left = a, *right = b;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return urgency(right->verdict) - urgency(left->verdict);
}

static void count_devices(struct view *view)
{
    if (view->run_count > 1 && view->seen_count) /* of one run each row is a device of its own */
        qsort(view->seen, view->seen_count, sizeof *view->seen, by_hash);
    for (size_t i = 0; i < view->seen_count; i++) {
        const struct view_device *seen = &view->seen[i];
        if (i && seen[-1].hash == seen->hash)
            continue;
        view->devices[seen->role][seen->verdict]++;
        if (seen->role == DEVICE_ROLE_DEVICE)
            view->device_total++;
        else
            view->server_total++;
    }
    free(view->seen);
    view->seen = NULL;
}

/* --- flows -------------------------------------------------------------------------------- */

static void count_port(struct view *view, const struct flow_row *row, enum view_heap heap)
{
    if (row->role && strcmp(row->role, role_name(ROLE_INBOUND)) == 0)
        return;
    for (size_t i = 0; i < VIEW_PORTS; i++)
        if (view->ports[i].port == row->server_port)
            view->ports[i].sessions[heap]++;
}

static void count_role(struct view *view, const struct flow_row *row, enum view_heap heap)
{
    bool is_courier = row->role && strcmp(row->role, role_name(ROLE_COURIER)) == 0;
    bool is_proxied = row->role && strcmp(row->role, role_name(ROLE_PROXY)) == 0;
    view->courier_worked += (is_courier || is_proxied) && heap == HEAP_WORKED;
    view->proxied += is_proxied;
}

static void add_span(struct view_lane *lane, const struct flow_row *row, enum view_heap heap)
{
    if (lane->span_count == VIEW_SPANS_MAX || row->started_ns == ROW_NULL) {
        lane->spans_left_out++;
        return;
    }
    if (!lane->spans)
        lane->spans = calloc(VIEW_SPANS_MAX, sizeof *lane->spans);
    assert(lane->spans);
    struct view_span *span = &lane->spans[lane->span_count++];
    *span = (struct view_span){.id = row->id,
                               .started_ns = row->started_ns,
                               .last_ns =
                                   row->last_ns > row->started_ns ? row->last_ns : row->started_ns,
                               .port = row->server_port,
                               .heap = heap};
    strncpy(span->outcome, row->outcome ? row->outcome : "", sizeof span->outcome - 1);
}

static void count_flow(struct view *view, const struct flow_row *row, enum view_heap heap)
{
    view->sessions++;
    view->by_heap[heap]++;
    for (int i = 1; row->outcome && i < OUTCOME_COUNT; i++)
        if (strcmp(outcome_name((enum flow_outcome)i), row->outcome) == 0)
            view->by_outcome[i]++;
    count_port(view, row, heap);
    count_role(view, row, heap);
}

static bool load_flow(void *context, const void *any)
{
    const struct flow_row *row = any;
    struct view *view = context, *site = sites_of_run(view, row->run_id);
    enum view_heap heap = view_heap_of(row->outcome);
    count_flow(view, row, heap);
    if (site)
        count_flow(site, row, heap);
    figures_take_flow(view, row);
    trend_take_flow(&view->trend, row, sites_number(view, site));
    struct view_lane *lane = lane_of(view, row->client_ip);
    if (lane)
        add_span(lane, row, heap);
    return true;
}

/* --- findings ----------------------------------------------------------------------------- */

static bool load_finding(void *context, const void *any)
{
    const struct finding_row *row = any;
    struct view *view = context, *site = sites_of_run(view, row->run_id);
    gather_finding(view, row);
    if (site)
        gather_finding(site, row);
    return true;
}

/* --- requirements, quality ---------------------------------------------------------------- */

/* Of several runs the summary of the worst stands, and says whose it is. */
static char *summary_of(const struct view *view, const struct requirement_row *row,
                        const char *place)
{
    char *summary;
    const char *said = row->summary ? row->summary : "";
    if (view->run_count < 2 || !said[0])
        return gather_copy(said);
    int length = place ? asprintf(&summary, "At %s: %s", place, said)
                       : asprintf(&summary, "Run %" PRId64 ": %s", row->run_id, said);
    assert(length >= 0);
    return summary;
}

/* Several runs: the worst status speaks; a pass outweighs "not observed". */
static void take_requirement(struct view *view, const struct requirement_row *row,
                             const char *place)
{
    for (int code = 0; code < REQUIREMENT_COUNT; code++) {
        struct view_requirement *requirement = &view->requirements[code];
        if (!row->code || strcmp(row->code, requirement_name((enum requirement_code)code)) != 0)
            continue;
        int status = STATUS_COUNT - 1;
        while (status > 0 && strcmp(status_name((enum requirement_status)status),
                                    row->status ? row->status : "") != 0)
            status--;
        if (!requirement->summary || status > (int)requirement->status) {
            requirement->status = (enum requirement_status)status;
            free(requirement->summary);
            requirement->summary = summary_of(view, row, place);
        }
        requirement->seen += row->seen > 0 ? row->seen : 0;
        requirement->failed += row->failed > 0 ? row->failed : 0;
    }
}

static bool load_requirement(void *context, const void *any)
{
    const struct requirement_row *row = any;
    struct view *view = context, *site = sites_of_run(view, row->run_id);
    take_requirement(view, row, site ? sites_name(site) : NULL);
    if (site)
        take_requirement(site, row, NULL);
    return true;
}

static bool load_quality(void *context, const void *any)
{
    const struct quality_row *row = any;
    view_add_quality(context, row);
    return true;
}

static bool load_skipped(void *context, const void *any)
{
    const struct skipped_row *row = any;
    struct view *view = context;
    for (int reason = 1; row->reason && row->count > 0 && reason < SKIP_COUNT; reason++)
        if (strcmp(skip_reason_name((enum skip_reason)reason), row->reason) == 0)
            view->skipped[reason] += (uint64_t)row->count;
    return true;
}

static bool load_attempts(void *context, const void *any)
{
    const struct attempts_row *row = any;
    struct view *view = context, *site = sites_of_run(view, row->run_id);
    uint64_t attempts = row->attempts > 0 ? (uint64_t)row->attempts : 0;
    view->attempts_summed += attempts;
    if (site)
        site->attempts_summed += attempts;
    return true;
}

/* --- all of it ---------------------------------------------------------------------------- */

void view_begin(struct view *view, const struct report_options *options)
{
    static const struct view_port ports[] = {
#define PUSH_PORT(number, role, way, use)                                                          \
    {.port = (number),                                                                             \
     .is_retired = (role) == ROLE_LEGACY_PROVIDER,                                                 \
     .direction = (way),                                                                           \
     .purpose = (use)},
#include "model/push_port.def"
#undef PUSH_PORT
    };
    _Static_assert(sizeof ports == sizeof view->ports, "VIEW_PORTS counts model/push_port.def");
    *view = (struct view){.options = options,
                          .first_ns = TIME_UNKNOWN,
                          .last_ns = TIME_UNKNOWN,
                          .fault_first_ns = TIME_UNKNOWN,
                          .fault_last_ns = TIME_UNKNOWN};
    memcpy(view->ports, ports, sizeof ports);
    view->figures.apple_hops = view->figures.client_hops = -1;
}

static bool load_all(struct view *view, struct fault *fault)
{
    /* what load_device looks at: a device's reason is long, and searched where it is redacted */
    static const char *const of_devices[] = {"run_id", "ip", "role", "verdict", "sessions", NULL};
    struct gate *gate = view->gate;
    const struct archive_range *range = &view->options->range;
    struct archive_range devices = *range;
    devices.columns = of_devices;
    return gate_read(gate, ROWS_RUN, range, load_run, view, fault) && (sites_begin(view), true) &&
           gate_read(gate, ROWS_DEVICE, &devices, load_device, view, fault) &&
           gate_read(gate, ROWS_FINDING, range, load_finding, view, fault) &&
           (gather_order(view), figures_begin(view, fault)) &&
           gate_read(gate, ROWS_FLOW, range, load_flow, view, fault) && figures_end(view, fault) &&
           gate_read(gate, ROWS_REQUIREMENT, range, load_requirement, view, fault) &&
           gate_read(gate, ROWS_ATTEMPTS, range, load_attempts, view, fault) &&
           gate_read(gate, ROWS_SKIPPED, range, load_skipped, view, fault) &&
           gate_read(gate, ROWS_QUALITY, range, load_quality, view, fault);
}

bool view_load(struct view *view, const struct report_options *options, struct fault *fault)
{
    view_begin(view, options);
    if (!gate_open(&view->gate, options, fault))
        return false;
    trend_begin(&view->trend, options->change_ns);
    bool loaded = load_all(view, fault);
    count_devices(view);
    for (size_t i = 0; i < view->site_count; i++)
        count_devices(&view->sites[i]);
    if (loaded && view->run_count == 0)
        loaded =
            fault_set(fault, "%s: no run matches; `apnscope show runs --db %s` lists what there is",
                      options->database, options->database);
    if (!loaded) {
        view_free(view);
        return false;
    }
    trend_end(&view->trend, view->fault_last_ns);
    sites_end(view);
    view_judge(view);
    return true;
}

void view_free(struct view *view)
{
    sites_free(view);
    for (size_t i = 0; i < view->run_count; i++)
        row_free(ROWS_RUN, view->runs[i]);
    free(view->runs);
    for (size_t i = 0; i < view->group_count; i++)
        gather_group_free(view->groups[i]);
    free(view->groups);
    gather_names_free(&view->servers);
    gather_names_free(&view->affected);
    figures_free(&view->figures);
    trend_free(&view->trend);
    for (int i = 0; i < REQUIREMENT_COUNT; i++)
        free(view->requirements[i].summary);
    for (size_t i = 0; i < view->lane_count; i++) {
        free(view->lanes[i].ip);
        free(view->lanes[i].spans);
    }
    for (size_t i = 0; i < view->quality_count; i++)
        free(view->quality[i].value);
    for (size_t i = 0; i < view->limit_count; i++)
        free(view->limits[i]);
    gate_close(view->gate);
    *view = (struct view){0};
}

bool view_write(const struct report_options *options, const char *path,
                bool (*put)(FILE *out, const struct view *view, struct fault *fault),
                struct fault *fault)
{
    struct view view;
    struct output output;
    if (!view_load(&view, options, fault))
        return false;
    bool is_written = output_open(&output, path, fault);
    if (is_written && put(output.file, &view, fault)) {
        is_written = output_commit(&output, fault);
    } else if (is_written) {
        output_abandon(&output);
        is_written = false;
    }
    view_free(&view);
    return is_written;
}
