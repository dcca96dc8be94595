/* Loads what a report needs from the database and counts it.
 *
 * First half of the view; verdict.c turns the counts into sentences. Each table is read once, row
 * by row; only what is bounded is kept. Deliberately judges nothing that detect/ did not judge: a
 * session that failed is a count here, a fault is a finding. */
#include "view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/table.h"
#include "gather.h"
#include "rows.h"

/* --- runs --------------------------------------------------------------------------------- */

static bool load_run(void *context, const void *any)
{
    const struct run_row *row = any;
    struct view *view = context;
    view->runs = realloc(view->runs, (view->run_count + 1) * sizeof *view->runs);
    assert(view->runs);
    view->runs[view->run_count++] = row_copy(ROWS_RUN, row);
    gather_span(&view->first_ns, &view->last_ns, row->first_ns, row->last_ns);
    return true;
}

/* --- devices ------------------------------------------------------------------------------ */

/* A device of several runs is one device, with the worst verdict it got. */
struct device_seen {
    uint64_t hash;
    uint8_t role, verdict;
};

struct device_load {
    struct view *view;
    struct device_seen *seen;
    size_t count, room;
};

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

static bool load_device(void *context, const void *any)
{
    const struct device_row *row = any;
    struct device_load *load = context;
    enum device_verdict verdict = view_device_verdict(row->verdict);
    const char *ip = row->ip ? row->ip : "";
    if (load->count == load->room)
        load->seen = gather_grow(load->seen, &load->room, sizeof *load->seen);
    const char *server = device_role_name(DEVICE_ROLE_MDM_SERVER);
    bool is_server = row->role && strcmp(row->role, server) == 0;
    load->seen[load->count++] = (struct device_seen){
        .hash = load->view->run_count > 1 ? hash_bytes(ip, strlen(ip), 0) : load->count,
        .role = is_server ? DEVICE_ROLE_MDM_SERVER : DEVICE_ROLE_DEVICE,
        .verdict = (uint8_t)verdict};
    offer_lane(load->view, row, verdict);
    return true;
}

static int by_hash(const void *a, const void *b)
{
    const struct device_seen *left = a, *right = b;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return urgency(right->verdict) - urgency(left->verdict);
}

static void count_devices(struct device_load *load)
{
    struct view *view = load->view;
    if (load->count)
        qsort(load->seen, load->count, sizeof *load->seen, by_hash);
    for (size_t i = 0; i < load->count; i++) {
        const struct device_seen *seen = &load->seen[i];
        if (i && seen[-1].hash == seen->hash)
            continue;
        view->devices[seen->role][seen->verdict]++;
        if (seen->role == DEVICE_ROLE_DEVICE)
            view->device_total++;
        else
            view->server_total++;
    }
    free(load->seen);
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
    view->courier_sessions += is_courier;
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

static bool load_flow(void *context, const void *any)
{
    const struct flow_row *row = any;
    struct view *view = context;
    enum view_heap heap = view_heap_of(row->outcome);
    view->sessions++;
    view->by_heap[heap]++;
    for (int i = 1; row->outcome && i < OUTCOME_COUNT; i++)
        if (strcmp(outcome_name((enum flow_outcome)i), row->outcome) == 0)
            view->by_outcome[i]++;
    count_port(view, row, heap);
    count_role(view, row, heap);
    figures_take_flow(view, row);
    trend_take_flow(&view->trend, row);
    struct view_lane *lane = lane_of(view, row->client_ip);
    if (lane)
        add_span(lane, row, heap);
    return true;
}

/* --- requirements, quality ---------------------------------------------------------------- */

/* Several runs: the worst status speaks; a pass outweighs "not observed". */
static bool load_requirement(void *context, const void *any)
{
    const struct requirement_row *row = any;
    struct view *view = context;
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
            requirement->summary = gather_copy(row->summary);
        }
        requirement->seen += row->seen > 0 ? row->seen : 0;
        requirement->failed += row->failed > 0 ? row->failed : 0;
    }
    return true;
}

static bool load_quality(void *context, const void *any)
{
    const struct quality_row *row = any;
    view_add_quality(context, row);
    return true;
}

static bool load_attempts(void *context, const void *any)
{
    const struct attempts_row *row = any;
    struct view *view = context;
    view->attempts_summed += row->attempts > 0 ? (uint64_t)row->attempts : 0;
    return true;
}

/* --- all of it ---------------------------------------------------------------------------- */

static void view_start(struct view *view, const struct report_options *options)
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
    trend_begin(&view->trend, options->change_ns);
}

static bool load_all(struct view *view, struct device_load *devices, struct fault *fault)
{
    struct gate *gate = view->gate;
    const struct archive_range *range = &view->options->range;
    return gate_read(gate, ROWS_RUN, range, load_run, view, fault) &&
           gate_read(gate, ROWS_DEVICE, range, load_device, devices, fault) &&
           gate_read(gate, ROWS_FINDING, range, gather_finding, view, fault) &&
           (gather_order(view), figures_begin(view, fault)) &&
           gate_read(gate, ROWS_FLOW, range, load_flow, view, fault) && figures_end(view, fault) &&
           gate_read(gate, ROWS_REQUIREMENT, range, load_requirement, view, fault) &&
           gate_read(gate, ROWS_ATTEMPTS, range, load_attempts, view, fault) &&
           gate_read(gate, ROWS_QUALITY, range, load_quality, view, fault);
}

bool view_load(struct view *view, const struct report_options *options, struct fault *fault)
{
    view_start(view, options);
    if (!gate_open(&view->gate, options, fault))
        return false;
    struct device_load devices = {.view = view};
    bool loaded = load_all(view, &devices, fault);
    count_devices(&devices);
    if (loaded && view->run_count == 0)
        loaded =
            fault_set(fault, "%s: no run matches; `apnscope show runs --db %s` lists what there is",
                      options->database, options->database);
    if (!loaded) {
        view_free(view);
        return false;
    }
    trend_end(&view->trend);
    view_judge(view);
    return true;
}

void view_free(struct view *view)
{
    for (size_t i = 0; i < view->run_count; i++)
        row_free(ROWS_RUN, view->runs[i]);
    free(view->runs);
    for (size_t i = 0; i < view->group_count; i++)
        gather_group_free(view->groups[i]);
    free(view->groups);
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
