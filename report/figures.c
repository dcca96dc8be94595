/* Gathers what the pictures show while the view reads its rows.
 *
 * Part of the view. Of each code of findings the first session whose packets are kept is drawn,
 * beside a healthy session of its kind. Deliberately draws nothing and judges nothing. */
#include "figures.h"
#include "evidence.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "model/apple.h"
#include "view.h"

enum { NEXT_LOOKED_FOR = 4 };

const uint16_t figure_ports[FIGURE_PORTS] = {5223, 443, 2197};

static const int64_t life_ends_ns[FIGURE_LIVES - 1] = {
    1 * NS_PER_S,   10 * NS_PER_S,   60 * NS_PER_S,   300 * NS_PER_S,
    900 * NS_PER_S, 1800 * NS_PER_S, 3600 * NS_PER_S, 14400 * NS_PER_S};
const char *const figure_life_labels[FIGURE_LIVES] = {"< 1 s",     "1-10 s",   "10-60 s",
                                                      "1-5 min",   "5-15 min", "15-30 min",
                                                      "30-60 min", "1-4 h",    "> 4 h"};

static const int64_t delay_ends_us[FIGURE_DELAYS - 1] = {1000,  5000,   10000,  20000,
                                                         50000, 100000, 200000, 500000};
const char *const figure_delay_labels[FIGURE_DELAYS] = {"< 1 ms",     "1-5 ms",     "5-10 ms",
                                                        "10-20 ms",   "20-50 ms",   "50-100 ms",
                                                        "100-200 ms", "200-500 ms", "> 500 ms"};

static const int64_t silence_ends_s[FIGURE_SILENCES - 1] = {120, 300, 600, 900, 1200, 1860, 3600};
const char *const figure_silence_labels[FIGURE_SILENCES] = {
    "1-2 min", "2-5 min", "5-10 min", "10-15 min", "15-20 min", "20-31 min", "31-60 min", "> 1 h"};

const char *const figure_life_end_words[LIFE_END_COUNT] = {[LIFE_CLIENT] = "the device closed",
                                                           [LIFE_SERVER] = "the server closed",
                                                           [LIFE_CUT] = "cut or died of silence",
                                                           [LIFE_OPEN] =
                                                               "open when the capture ended"};

static bool is_text(const char *text, const char *wanted)
{
    return text && strcmp(text, wanted) == 0;
}

/* --- which ladders ------------------------------------------------------------------------ */

static bool note_steps(void *context, const void *any)
{
    const struct step_row *row = any;
    struct figures *figures = context;
    if (figures->with_steps_count &&
        figures->with_steps[figures->with_steps_count - 1] == row->flow_id)
        return true;
    if (row->number > 1 || !ladder_has_beginning(row))
        return true;
    if (figures->with_steps_count == figures->with_steps_room)
        figures->with_steps = gather_grow(figures->with_steps, &figures->with_steps_room,
                                          sizeof *figures->with_steps);
    figures->with_steps[figures->with_steps_count++] = row->flow_id;
    return true;
}

static int by_id(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool has_steps(const struct figures *figures, int64_t flow_id)
{
    return figures->with_steps_count &&
           bsearch(&flow_id, figures->with_steps, figures->with_steps_count,
                   sizeof *figures->with_steps, by_id);
}

/* The surest finding of which packets are kept, else the surest that names a session. */
static const struct finding_row *finding_to_draw(const struct figures *figures,
                                                 const struct view_group *group)
{
    const struct finding_row *second_best = NULL;
    for (size_t i = 0; i < group->kept_count; i++) {
        const struct finding_row *finding = group->kept[i];
        if (finding->flow_id == ROW_NULL)
            continue;
        if (has_steps(figures, finding->flow_id))
            return finding;
        if (!second_best)
            second_best = finding;
    }
    return second_best;
}

static void choose_ladders(struct view *view)
{
    struct figures *figures = &view->figures;
    for (size_t i = 0; i < view->group_count && figures->ladder_count < FIGURE_LADDERS; i++) {
        const struct view_group *group = view->groups[i];
        const struct finding_row *finding = finding_to_draw(figures, group);
        if (finding && group->severity != SEVERITY_INFO)
            figures->ladders[figures->ladder_count++] =
                (struct figure_ladder){.group = group, .finding = finding};
    }
}

bool figures_begin(struct view *view, struct fault *fault)
{
    struct figures *figures = &view->figures;
    figures->apple_hops = figures->client_hops = -1;
    if (view->options->range.is_brief)
        return true;
    if (!gate_read(view->gate, ROWS_STEP, &view->options->range, note_steps, figures, fault))
        return false;
    choose_ladders(view);
    return true;
}

static enum healthy_kind kind_of(const struct flow_row *row)
{
    if (is_text(row->role, role_name(ROLE_PROXY)))
        return HEALTHY_PROXY;
    if (is_text(row->role, role_name(ROLE_PROVIDER)))
        return HEALTHY_PROVIDER;
    return row->server_port == 5223 ? HEALTHY_5223 : HEALTHY_443;
}

static void keep_for_ladders(struct figures *figures, const struct flow_row *row)
{
    for (size_t i = 0; i < figures->ladder_count; i++)
        if (figures->ladders[i].finding->flow_id == row->id)
            figures->ladders[i].parts.flow = row_copy(ROWS_FLOW, row);
    struct ladder_parts *healthy = &figures->healthy[kind_of(row)];
    if (!healthy->flow && view_heap_of(row->outcome) == HEAP_WORKED && has_steps(figures, row->id))
        healthy->flow = row_copy(ROWS_FLOW, row);
}

/* --- networks ----------------------------------------------------------------------------- */

/* What a firewall's list names: /16 of IPv4, /48 of IPv6 (in the 16-byte form). */
static struct prefix network_of(const struct address *ip)
{
    struct prefix prefix = {*ip, address_is_ipv4(ip) ? 96 + 16 : 48};
    memset(prefix.base.byte + prefix.bits / 8, 0, sizeof prefix.base.byte - prefix.bits / 8);
    return prefix;
}

static struct figure_network *find_network(struct figures *figures, const struct address *ip)
{
    struct prefix prefix = network_of(ip);
    for (size_t i = 0; i < figures->network_count; i++)
        if (figures->networks[i].prefix.bits == prefix.bits &&
            address_equal(&figures->networks[i].prefix.base, &prefix.base))
            return &figures->networks[i];
    if (figures->network_count == FIGURE_NETWORKS)
        return NULL;
    struct figure_network *network = &figures->networks[figures->network_count++];
    *network = (struct figure_network){.prefix = prefix};
    return network;
}

static void take_network(struct figures *figures, const struct flow_row *row)
{
    struct address ip;
    enum view_heap heap = view_heap_of(row->outcome);
    bool is_push =
        is_text(row->role, role_name(ROLE_COURIER)) || is_text(row->role, role_name(ROLE_PROVIDER));
    if (heap == HEAP_UNJUDGED || !is_push || !row->server_ip ||
        !address_parse(row->server_ip, &ip) || !apple_owns(&ip))
        return;
    ip = apple_plain_address(&ip);
    for (int port = 0; port < FIGURE_PORTS; port++) {
        struct figure_network *network =
            row->server_port == figure_ports[port] ? find_network(figures, &ip) : NULL;
        if (network)
            (heap == HEAP_WORKED ? network->worked : network->failed)[port]++;
    }
}

/* --- distances, lives, delays ------------------------------------------------------------- */

/* Median of a histogram; -1: nothing in it. */
static int median(const uint64_t at[256])
{
    uint64_t all = 0, below = 0;
    for (int i = 0; i < 256; i++)
        all += at[i];
    for (int i = 0; i < 256 && all; i++) {
        below += at[i];
        if (2 * below >= all)
            return i;
    }
    return -1;
}

static void take_distances(struct figures *figures, const struct flow_row *row)
{
    bool is_direct = is_text(row->path, path_name(PATH_DIRECT));
    if (is_direct && view_heap_of(row->outcome) == HEAP_WORKED && row->hops_server >= 0 &&
        row->hops_server < 256)
        figures->apple_at[row->hops_server]++;
    if (row->ttl_client > 0 && row->ttl_client < 256) {
        int64_t ttl = row->ttl_client;
        figures->client_at[(ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255) - ttl]++;
    }
}

static enum life_end end_of(const struct flow_row *row)
{
    static const struct {
        enum flow_ending ending;
        enum life_end end;
    } ends[] = {{ENDED_CLIENT_FIN, LIFE_CLIENT}, {ENDED_CLIENT_RESET, LIFE_CLIENT},
                {ENDED_SERVER_FIN, LIFE_SERVER}, {ENDED_SERVER_RESET, LIFE_CUT},
                {ENDED_FORGED_RESET, LIFE_CUT},  {ENDED_IDLE_TIMEOUT, LIFE_CUT},
                {ENDED_NO_ANSWER, LIFE_CUT},     {ENDED_CAPTURE_END, LIFE_OPEN}};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (is_text(row->ended_by, ending_name(ends[i].ending)))
            return ends[i].end;
    return LIFE_OPEN;
}

static int bucket_of(int64_t value, const int64_t *ends, int count)
{
    int bucket = 0;
    while (bucket < count && value >= ends[bucket])
        bucket++;
    return bucket;
}

static void take_times(struct figures *figures, const struct flow_row *row)
{
    if (view_heap_of(row->outcome) != HEAP_WORKED)
        return;
    if (row->started_ns != ROW_NULL && row->last_ns != ROW_NULL)
        figures->lives[bucket_of(row->last_ns - row->started_ns, life_ends_ns, FIGURE_LIVES - 1)]
                      [end_of(row)]++;
    const int64_t delays[DELAY_COUNT] = {row->rtt_server_us, row->tls_hello_us};
    for (int kind = 0; kind < DELAY_COUNT; kind++)
        if (delays[kind] >= 0)
            figures->delays[bucket_of(delays[kind], delay_ends_us, FIGURE_DELAYS - 1)][kind]++;
}

static void take_silences(struct figures *figures, const struct flow_row *row)
{
    const int64_t silences_s[SILENCE_COUNT] = {row->silence_survived_s, row->silence_lethal_s};
    for (int kind = 0; kind < SILENCE_COUNT; kind++)
        if (silences_s[kind] > 0)
            figures->silences[bucket_of(silences_s[kind], silence_ends_s, FIGURE_SILENCES - 1)]
                             [kind]++;
    if (row->silence_survived_s > figures->longest_survived_s)
        figures->longest_survived_s = row->silence_survived_s;
    if (row->silence_lethal_s > 0 &&
        (!figures->shortest_lethal_s || row->silence_lethal_s < figures->shortest_lethal_s))
        figures->shortest_lethal_s = row->silence_lethal_s;
}

void figures_take_flow(struct view *view, const struct flow_row *row)
{
    struct figures *figures = &view->figures;
    take_distances(figures, row);
    if (view->options->range.is_brief)
        return;
    keep_for_ladders(figures, row);
    take_network(figures, row);
    take_times(figures, row);
    take_silences(figures, row);
}

/* --- blockers ----------------------------------------------------------------------------- */

static bool same_place(const struct figure_blocker *blocker, const struct finding_row *finding)
{
    if (blocker->ip && finding->blocker_ip)
        return strcmp(blocker->ip, finding->blocker_ip) == 0;
    return !blocker->ip == !finding->blocker_ip && blocker->hops == finding->blocker_hops;
}

static void add_blocker(struct figures *figures, const struct view_group *group,
                        const struct finding_row *finding)
{
    for (size_t i = 0; i < figures->blocker_count; i++)
        if (same_place(&figures->blockers[i], finding)) {
            figures->blockers[i].findings++;
            return;
        }
    if (figures->blocker_count == FIGURE_BLOCKERS)
        return;
    struct view_evidence evidence;
    view_evidence_read(&evidence, finding->evidence);
    figures->blockers[figures->blocker_count++] =
        (struct figure_blocker){.ip = finding->blocker_ip ? gather_copy(finding->blocker_ip) : NULL,
                                .hops = finding->blocker_hops,
                                .side = gather_copy(evidence.side),
                                .group = group,
                                .findings = 1};
    view_evidence_free(&evidence);
}

static void gather_blockers(struct view *view)
{
    for (size_t i = 0; i < view->group_count; i++) {
        const struct view_group *group = view->groups[i];
        for (size_t k = 0; k < group->kept_count && group->severity == SEVERITY_FAIL; k++)
            if (group->kept[k]->blocker_ip || group->kept[k]->blocker_hops >= 0)
                add_blocker(&view->figures, group, group->kept[k]);
    }
}

/* --- the end ------------------------------------------------------------------------------ */

/* A session does not stand beside itself. */
static bool is_another(const struct flow_row *healthy, const struct flow_row *flow)
{
    return healthy && healthy->id != flow->id;
}

static enum healthy_kind healthy_beside(const struct figures *figures, const struct flow_row *flow)
{
    static const enum healthy_kind others[] = {HEALTHY_5223, HEALTHY_443, HEALTHY_PROVIDER};
    enum healthy_kind kind = kind_of(flow);
    if (is_another(figures->healthy[kind].flow, flow))
        return kind;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (is_another(figures->healthy[others[i]].flow, flow))
            return others[i];
    return HEALTHY_COUNT;
}

/* A finding may rest on a session outside the range: then there is nothing to draw. */
static void drop_empty_ladders(struct figures *figures)
{
    size_t kept = 0;
    for (size_t i = 0; i < figures->ladder_count; i++)
        if (figures->ladders[i].parts.flow)
            figures->ladders[kept++] = figures->ladders[i];
    figures->ladder_count = kept;
}

static int by_prefix(const void *a, const void *b)
{
    const struct figure_network *left = a, *right = b;
    return memcmp(&left->prefix, &right->prefix, sizeof left->prefix);
}

bool figures_end(struct view *view, struct fault *fault)
{
    struct figures *figures = &view->figures;
    figures->apple_hops = median(figures->apple_at);
    figures->client_hops = median(figures->client_at);
    if (view->options->range.is_brief)
        return true;
    gather_blockers(view);
    drop_empty_ladders(figures);
    if (figures->network_count)
        qsort(figures->networks, figures->network_count, sizeof figures->networks[0], by_prefix);
    for (size_t i = 0; i < figures->ladder_count; i++) {
        struct figure_ladder *ladder = &figures->ladders[i];
        ladder->beside = healthy_beside(figures, ladder->parts.flow);
        if (!ladder_read_steps(&ladder->parts, view->gate, fault) ||
            (i < NEXT_LOOKED_FOR && !ladder_read_next(&ladder->parts, view->gate, fault)))
            return false;
    }
    for (int kind = 0; kind < HEALTHY_COUNT; kind++)
        if (figures->healthy[kind].flow &&
            !ladder_read_steps(&figures->healthy[kind], view->gate, fault))
            return false;
    return true;
}

const struct figure_ladder *figures_ladder_of(const struct figures *figures,
                                              const struct view_group *group)
{
    for (size_t i = 0; i < figures->ladder_count; i++)
        if (figures->ladders[i].group == group)
            return &figures->ladders[i];
    return NULL;
}

void figures_free(struct figures *figures)
{
    for (size_t i = 0; i < figures->ladder_count; i++)
        ladder_parts_free(&figures->ladders[i].parts);
    for (int kind = 0; kind < HEALTHY_COUNT; kind++)
        ladder_parts_free(&figures->healthy[kind]);
    for (size_t i = 0; i < figures->blocker_count; i++) {
        free(figures->blockers[i].ip);
        free(figures->blockers[i].side);
    }
    free(figures->with_steps);
    *figures = (struct figures){0};
}
