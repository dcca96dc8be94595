/* Findings by code, and the small tools with which the view gathers rows.
 *
 * Part of the view, called by view.c while it reads. A code's findings become one group: counted in
 * full, kept up to VIEW_KEPT. Deliberately judges nothing: severity and confidence are detect/'s.
 */
#include "gather.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rows.h"

void *gather_grow(void *items, size_t *room, size_t item_size)
{
    *room = *room ? 2 * *room : 16;
    void *more = realloc(items, *room * item_size);
    assert(more);
    return more;
}

char *gather_copy(const char *string)
{
    char *own = strdup(string ? string : "");
    assert(own);
    return own;
}

/* --- names -------------------------------------------------------------------------------- */

void gather_name(struct view_names *names, const char *name)
{
    if (names->count == names->room)
        names->at = gather_grow(names->at, &names->room, sizeof *names->at);
    names->at[names->count++] = gather_copy(name);
}

static int by_text(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b); /* 10.0.0.9 before 10.0.0.10 */
}

void gather_names_sort(struct view_names *names)
{
    if (names->count)
        qsort(names->at, names->count, sizeof *names->at, by_text);
    size_t kept = 0;
    for (size_t i = 0; i < names->count; i++)
        if (kept && strcmp(names->at[kept - 1], names->at[i]) == 0)
            free(names->at[i]);
        else
            names->at[kept++] = names->at[i];
    names->count = kept;
}

bool gather_has_name(const struct view_names *names, const char *name)
{
    return names->count && bsearch(&name, names->at, names->count, sizeof *names->at, by_text);
}

void gather_names_free(struct view_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->at[i]);
    free(names->at);
}

void gather_span(int64_t *first_ns, int64_t *last_ns, int64_t from_ns, int64_t to_ns)
{
    if (from_ns != ROW_NULL && (*first_ns == TIME_UNKNOWN || from_ns < *first_ns))
        *first_ns = from_ns;
    if (to_ns != ROW_NULL && to_ns > *last_ns) /* TIME_UNKNOWN is the lowest integer */
        *last_ns = to_ns;
}

/* --- findings ----------------------------------------------------------------------------- */

const struct report_code *report_code_of(const struct report_catalogue *catalogue, const char *code)
{
    for (size_t i = 0; code && i < catalogue->count; i++)
        if (strcmp(catalogue->codes[i].code, code) == 0)
            return &catalogue->codes[i];
    return NULL;
}

static struct view_group *group_of(struct view *view, const struct finding_row *row)
{
    const char *code = row->code ? row->code : "unnamed";
    for (size_t i = 0; i < view->group_count; i++)
        if (strcmp(view->groups[i]->code, code) == 0)
            return view->groups[i];
    view->groups = realloc(view->groups, (view->group_count + 1) * sizeof(struct view_group *));
    struct view_group *group = calloc(1, sizeof *group);
    assert(view->groups && group);
    group->code = gather_copy(code);
    group->first_ns = group->last_ns = TIME_UNKNOWN;
    group->about = report_code_of(&view->options->catalogue, code);
    view->groups[view->group_count++] = group;
    return group;
}

static bool is_before(const struct finding_row *a, const struct finding_row *b)
{
    enum confidence left = view_confidence(a->confidence), right = view_confidence(b->confidence);
    return left != right ? left > right : a->id < b->id;
}

/* Keeps the VIEW_KEPT surest; rows come by id, so equal ones stay in order. */
static void keep_finding(struct view_group *group, const struct finding_row *row)
{
    size_t at = group->kept_count;
    while (at > 0 && is_before(row, group->kept[at - 1]))
        at--;
    if (at == VIEW_KEPT)
        return;
    if (group->kept_count == VIEW_KEPT)
        row_free(ROWS_FINDING, group->kept[--group->kept_count]);
    memmove(&group->kept[at + 1], &group->kept[at],
            (group->kept_count - at) * sizeof(struct finding_row *));
    group->kept[at] = row_copy(ROWS_FINDING, row);
    group->kept_count++;
}

static void mark_port(struct view *view, int64_t port, enum severity severity)
{
    for (size_t i = 0; i < VIEW_PORTS; i++)
        if (view->ports[i].port == port) {
            view->ports[i].has_fail |= severity == SEVERITY_FAIL;
            view->ports[i].has_warn |= severity == SEVERITY_WARN;
        }
}

static bool is_of_site(const struct finding_row *row)
{
    return row->scope && strcmp(row->scope, scope_name(SCOPE_SITE)) == 0;
}

bool gather_finding(void *context, const void *any)
{
    const struct finding_row *row = any;
    struct view *view = context;
    struct view_group *group = group_of(view, row);
    enum severity severity = view_severity(row->severity);
    if (severity > group->severity || group->findings == 0)
        group->severity = severity;
    group->findings++;
    group->occurrences += row->count > 0 ? (uint64_t)row->count : 1;
    group->by_confidence[view_confidence(row->confidence)]++;
    gather_span(&group->first_ns, &group->last_ns, row->first_ns, row->last_ns);
    view->findings[severity]++;
    /* what is about the site as a whole may name somebody else's address there */
    bool is_of_client = row->client_ip && !is_of_site(row);
    if (is_of_client)
        gather_name(&group->who, row->client_ip);
    if (severity == SEVERITY_FAIL) {
        if (is_of_client)
            gather_name(&view->affected, row->client_ip);
        gather_span(&view->fault_first_ns, &view->fault_last_ns, row->first_ns, row->last_ns);
    }
    mark_port(view, row->server_port, severity);
    keep_finding(group, row);
    return true;
}

bool gather_is_consequence(const struct view_group *group)
{
    return strcmp(group->code, "courier-unreachable") == 0;
}

/* It rests on many devices' attempts, and explains what each of them met. */
static bool is_of_all(const struct view_group *group)
{
    return strcmp(group->code, "partial-reachability") == 0;
}

static int by_weight(const void *a, const void *b)
{
    const struct view_group *left = *(struct view_group *const *)a;
    const struct view_group *right = *(struct view_group *const *)b;
    if (left->severity != right->severity)
        return (int)right->severity - (int)left->severity;
    if (gather_is_consequence(left) != gather_is_consequence(right))
        return gather_is_consequence(left) ? 1 : -1;
    if (is_of_all(left) != is_of_all(right))
        return is_of_all(left) ? -1 : 1;
    if (left->who.count != right->who.count)
        return left->who.count > right->who.count ? -1 : 1;
    if (left->findings != right->findings)
        return left->findings > right->findings ? -1 : 1;
    return strcmp(left->code, right->code);
}

void gather_order(struct view *view)
{
    gather_names_sort(&view->servers);
    gather_names_sort(&view->affected);
    for (size_t i = 0; i < view->group_count; i++)
        gather_names_sort(&view->groups[i]->who);
    if (view->group_count)
        qsort(view->groups, view->group_count, sizeof(struct view_group *), by_weight);
}

void gather_group_free(struct view_group *group)
{
    for (size_t i = 0; i < group->kept_count; i++)
        row_free(ROWS_FINDING, group->kept[i]);
    gather_names_free(&group->who);
    free(group->code);
    free(group);
}
