/* Rows, columns, order and filter of the screen.
 *
 * See top_table.h. Each view is a table of columns, a function that fills a row's cells and one
 * that compares two rows by a column. Deliberately leaves colour and drawing to top_draw.c. */
#include "top_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define REST 255

static const struct top_column finding_columns[] = {
    {"LAST", 8, 5, false},    {"SEV", 4, 9, false}, {"FINDING", 26, 10, false},
    {"CLIENT", 39, 8, false}, {"SEEN", 6, 4, true}, {"SURE", 8, 3, false},
    {"WHAT", REST, 7, false},
};
static const struct top_column device_columns[] = {
    {"DEVICE", 39, 10, false}, {"VERDICT", 8, 9, false}, {"WORKS ON", 14, 7, false},
    {"SESSIONS", 8, 5, true},  {"LAST", 8, 6, false},    {"WHY", REST, 8, false},
};
static const struct top_column session_columns[] = {
    {"LAST", 8, 6, false},  {"CLIENT", 39, 10, false}, {"SERVER", 45, 8, false},
    {"ROLE", 15, 4, false}, {"STATE", 13, 9, false},   {"AGE", 8, 5, true},
    {"UP", 6, 3, true},     {"DOWN", 6, 3, true},      {"NAME", REST, 7, false},
};

static const struct view {
    const struct top_column *columns;
    size_t count;
} views[TOP_VIEW_COUNT] = {
    [TOP_FINDINGS] = {finding_columns, sizeof finding_columns / sizeof *finding_columns},
    [TOP_DEVICES] = {device_columns, sizeof device_columns / sizeof *device_columns},
    [TOP_SESSIONS] = {session_columns, sizeof session_columns / sizeof *session_columns},
};

const struct top_column *top_columns(enum top_view view, size_t *count)
{
    *count = views[view].count;
    return views[view].columns;
}

/* ---- words ---- */

/* "15:04:05" of a time of day, UTC. */
static void put_clock(char cell[TOP_CELL_SIZE], int64_t time_ns)
{
    char time[CLOCK_TEXT_SIZE];
    clock_text(time_ns, time);
    const char *at = strchr(time, 'T');
    snprintf(cell, TOP_CELL_SIZE, "%.8s", at ? at + 1 : "-");
}

const char *top_size_text(uint64_t bytes, char text[16])
{
    static const char units[] = " KMGTPE";
    unsigned unit = 0;
    double value = (double)bytes;
    for (; value >= 1000 && units[unit + 1]; unit++)
        value /= 1024;
    if (!unit)
        snprintf(text, 16, "%" PRIu64, bytes);
    else
        snprintf(text, 16, value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
    return text;
}

/* "3:05", "2:05:09", "4d03h". */
static void put_age(char cell[TOP_CELL_SIZE], int64_t age_ns)
{
    int64_t s = age_ns > 0 ? age_ns / NS_PER_S : 0;
    if (s >= 24 * 3600)
        snprintf(cell, TOP_CELL_SIZE, "%" PRId64 "d%02dh", s / 86400, (int)(s / 3600 % 24));
    else if (s >= 3600)
        snprintf(cell, TOP_CELL_SIZE, "%d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60),
                 (int)(s % 60));
    else
        snprintf(cell, TOP_CELL_SIZE, "%d:%02d", (int)(s / 60), (int)(s % 60));
}

static void put_address(char cell[TOP_CELL_SIZE], const struct address *address)
{
    if (address_is_unspecified(address))
        snprintf(cell, TOP_CELL_SIZE, "-");
    else
        address_text(address, cell);
}

static void put_end(char cell[TOP_CELL_SIZE], const struct address *address, uint16_t port)
{
    char text[ADDRESS_TEXT_SIZE];
    snprintf(cell, TOP_CELL_SIZE, address_is_ipv4(address) ? "%s:%u" : "[%s]:%u",
             address_text(address, text), port);
}

static const char *or_dash(const char *text)
{
    return text && *text ? text : "-";
}

static const char *state_of(const struct top_session *session)
{
    enum flow_outcome outcome = (enum flow_outcome)session->outcome;
    bool is_open = !session->is_over && (outcome_works(outcome) || outcome == OUTCOME_UNFINISHED ||
                                         outcome == OUTCOME_UNKNOWN);
    return is_open ? "open" : or_dash(outcome_name(outcome));
}

/* ---- rows ---- */

static void fill_finding(struct top_row *row, const struct top_finding *shown)
{
    static const enum top_tone tones[SEVERITY_COUNT] = {
        [SEVERITY_INFO] = TOP_PLAIN, [SEVERITY_WARN] = TOP_WARN, [SEVERITY_FAIL] = TOP_BAD};
    const struct finding *finding = &shown->finding;
    put_clock(row->cells[0], finding->last_ns);
    snprintf(row->cells[1], TOP_CELL_SIZE, "%s",
             shown->is_withdrawn ? "gone" : severity_name(finding->severity));
    snprintf(row->cells[2], TOP_CELL_SIZE, "%s", finding->code);
    put_address(row->cells[3], &finding->client_ip);
    snprintf(row->cells[4], TOP_CELL_SIZE, "%" PRIu32, finding->count);
    snprintf(row->cells[5], TOP_CELL_SIZE, "%s", confidence_name(finding->confidence));
    row->rest = shown->is_withdrawn ? shown->why : finding->summary;
    row->tone = shown->is_withdrawn ? TOP_DIM : tones[finding->severity];
}

static void fill_device(struct top_row *row, const struct device_record *device)
{
    static const enum top_tone tones[VERDICT_COUNT] = {[VERDICT_UNKNOWN] = TOP_PLAIN,
                                                       [VERDICT_WORKS] = TOP_GOOD,
                                                       [VERDICT_DEGRADED] = TOP_WARN,
                                                       [VERDICT_BROKEN] = TOP_BAD};
    put_address(row->cells[0], &device->ip);
    snprintf(row->cells[1], TOP_CELL_SIZE, "%s", verdict_name(device->verdict));
    snprintf(row->cells[2], TOP_CELL_SIZE, "%s", or_dash(device->works_on));
    snprintf(row->cells[3], TOP_CELL_SIZE, "%" PRIu32, device->sessions);
    put_clock(row->cells[4], device->last_ns);
    row->rest = device->reason;
    row->tone = tones[device->verdict];
}

static void fill_session(struct top_row *row, const struct top_session *session, int64_t now_ns)
{
    bool works = outcome_works((enum flow_outcome)session->outcome);
    bool is_open = outcome_is_unjudged((enum flow_outcome)session->outcome);
    put_clock(row->cells[0], session->last_ns);
    put_end(row->cells[1], &session->client_ip, session->client_port);
    put_end(row->cells[2], &session->server_ip, session->server_port);
    snprintf(row->cells[3], TOP_CELL_SIZE, "%s", or_dash(role_name((enum flow_role)session->role)));
    snprintf(row->cells[4], TOP_CELL_SIZE, "%s", state_of(session));
    put_age(row->cells[5], (session->is_over ? session->last_ns : now_ns) - session->started_ns);
    char size[16];
    snprintf(row->cells[6], TOP_CELL_SIZE, "%s", top_size_text(session->bytes_up, size));
    snprintf(row->cells[7], TOP_CELL_SIZE, "%s", top_size_text(session->bytes_down, size));
    row->rest = or_dash(session->name);
    row->tone = works ? (session->is_over ? TOP_DIM : TOP_GOOD) : is_open ? TOP_PLAIN : TOP_BAD;
}

void top_row_fill(struct top_row *row, const struct top_model *model, enum top_view view,
                  uint32_t number)
{
    memset(row->cells, 0, sizeof row->cells);
    switch (view) {
    case TOP_FINDINGS:
        fill_finding(row, &model->findings[number]);
        break;
    case TOP_DEVICES:
        fill_device(row, &model->devices[number]);
        break;
    case TOP_SESSIONS:
        fill_session(row, &model->sessions[number], model->report.now_ns);
        break;
    case TOP_VIEW_COUNT:
        break;
    }
}

/* ---- filter ---- */

static bool passes(const struct top_list *list, const struct top_model *model, uint32_t number)
{
    struct top_row row;
    if (!list->filter[0])
        return true;
    top_row_fill(&row, model, list->view, number);
    for (size_t i = 0; i < views[list->view].count; i++)
        if (strcasestr(row.cells[i], list->filter))
            return true;
    return strcasestr(row.rest, list->filter);
}

/* ---- order ---- */

static int by_number(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_address(const struct address *a, const struct address *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte);
}

/* What is worst or latest comes first. */
static int compare_findings(const struct top_finding *a, const struct top_finding *b, unsigned sort)
{
    const struct finding *left = &a->finding, *right = &b->finding;
    if (a->is_withdrawn != b->is_withdrawn && sort == 1)
        return a->is_withdrawn ? 1 : -1;
    switch (sort) {
    case 1:
        return by_number(right->severity, left->severity);
    case 2:
        return strcmp(left->code, right->code);
    case 3:
        return by_address(&left->client_ip, &right->client_ip);
    case 4:
        return by_number(right->count, left->count);
    case 5:
        return by_number(right->confidence, left->confidence);
    case 6:
        return strcmp(left->summary, right->summary);
    default:
        return by_number(right->last_ns, left->last_ns);
    }
}

static int compare_devices(const struct device_record *a, const struct device_record *b,
                           unsigned sort)
{
    switch (sort) {
    case 1:
        return by_number(b->verdict, a->verdict);
    case 2:
        return strcmp(a->works_on, b->works_on);
    case 3:
        return by_number(b->sessions, a->sessions);
    case 4:
        return by_number(b->last_ns, a->last_ns);
    case 5:
        return strcmp(a->reason, b->reason);
    default:
        return by_address(&a->ip, &b->ip);
    }
}

static int compare_sessions(const struct top_session *a, const struct top_session *b, unsigned sort)
{
    switch (sort) {
    case 1:
        return by_address(&a->client_ip, &b->client_ip);
    case 2:
        return by_address(&a->server_ip, &b->server_ip);
    case 3:
        return by_number(a->role, b->role);
    case 4:
        return strcmp(state_of(a), state_of(b));
    case 5:
        return by_number(a->started_ns, b->started_ns);
    case 6:
        return by_number((int64_t)b->bytes_up, (int64_t)a->bytes_up);
    case 7:
        return by_number((int64_t)b->bytes_down, (int64_t)a->bytes_down);
    case 8:
        return strcmp(or_dash(a->name), or_dash(b->name));
    default:
        return by_number(b->last_ns, a->last_ns);
    }
}

struct order {
    const struct top_model *model;
    const struct top_list *list;
};

/* Equal rows keep the order in which they came. */
static int compare(const void *a, const void *b, void *context)
{
    const struct order *order = (const struct order *)context;
    const struct top_model *model = order->model;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    unsigned sort = order->list->sort;
    int result = 0;
    if (order->list->view == TOP_FINDINGS)
        result = compare_findings(&model->findings[left], &model->findings[right], sort);
    else if (order->list->view == TOP_DEVICES)
        result = compare_devices(&model->devices[left], &model->devices[right], sort);
    else
        result = compare_sessions(&model->sessions[left], &model->sessions[right], sort);
    if (order->list->is_reversed)
        result = -result;
    return result ? result : by_number(left, right);
}

void top_list_fill(struct top_list *list, const struct top_model *model)
{
    const size_t counts[TOP_VIEW_COUNT] = {model->finding_count, model->device_count,
                                           model->session_count};
    const size_t count = counts[list->view];
    struct order order = {model, list};
    list->count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (passes(list, model, i))
            list->rows[list->count++] = i;
    if (list->count)
        qsort_r(list->rows, list->count, sizeof *list->rows, compare, &order);
}

/* ---- widths ---- */

static unsigned needed(const struct top_row *rows, size_t row_count, size_t column,
                       const struct top_column *of)
{
    enum { REST_LEAST = 28 };
    unsigned widest = (unsigned)strlen(of->title);
    if (of->widest == REST)
        return REST_LEAST;
    for (size_t i = 0; i < row_count; i++) {
        unsigned length = (unsigned)strlen(rows[i].cells[column]);
        widest = length > widest ? length : widest;
    }
    return widest < of->widest ? widest : of->widest;
}

static unsigned total(const unsigned *widths, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++)
        if (widths[i])
            sum += widths[i] + 1;
    return sum ? sum - 1 : 0;
}

/* Leaves out the column that is missed least; false: only the most important one is left, which is
 * cut if need be. */
static bool leave_one_out(const struct top_column *columns, unsigned *widths, size_t count)
{
    unsigned *least = NULL;
    uint8_t keep = 10;
    for (size_t i = 0; i < count; i++)
        if (widths[i] && columns[i].keep < keep) {
            least = &widths[i];
            keep = columns[i].keep;
        }
    if (least)
        *least = 0;
    return least != NULL;
}

void top_widths(enum top_view view, const struct top_row *rows, size_t row_count, unsigned width,
                unsigned widths[TOP_COLUMNS_MAX])
{
    const struct top_column *columns = views[view].columns;
    size_t count = views[view].count;
    for (size_t i = 0; i < count; i++)
        widths[i] = needed(rows, row_count, i, &columns[i]);
    while (total(widths, count) > width && leave_one_out(columns, widths, count))
        continue;
    unsigned used = total(widths, count);
    for (size_t i = 0; i < count; i++) {
        if (widths[i] && columns[i].widest == REST && used < width)
            widths[i] += width - used;
        else if (widths[i] > width)
            widths[i] = width;
    }
}
