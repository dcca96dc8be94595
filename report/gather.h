/* How the view gathers rows while it reads them. */
#ifndef APNSCOPE_REPORT_GATHER_H
#define APNSCOPE_REPORT_GATHER_H

#include "view.h"

/* `items` with room for more (doubled; *room counts items). */
void *gather_grow(void *items, size_t *room, size_t item_size);
/* A copy to be freed; of NULL: "". */
char *gather_copy(const char *string);
/* Widens a time span; ROW_NULL widens nothing. */
void gather_span(int64_t *first_ns, int64_t *last_ns, int64_t from_ns, int64_t to_ns);
void gather_name(struct view_names *names, const char *name);
/* In order, each once. */
void gather_names_sort(struct view_names *names);
/* Once they are in order. */
bool gather_has_name(const struct view_names *names, const char *name);
void gather_names_free(struct view_names *names);

/* For gate_read of findings; the context is the view. */
bool gather_finding(void *context, const void *any);
/* Once all are read: names sorted, groups by weight. */
void gather_order(struct view *view);
/* "Nothing works" says no more than that the other faults of a client are all of its ways. */
bool gather_is_consequence(const struct view_group *group);
void gather_group_free(struct view_group *group);

#endif
