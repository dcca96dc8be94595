/* What the files that make ECS objects share.
 *
 * Private to feed/. */
#ifndef APNSCOPE_FEED_ECS_PARTS_H
#define APNSCOPE_FEED_ECS_PARTS_H

#include "ecs.h"

/* event.kind, .category, .type, .action and .dataset, with ECS's allowed values where it has some.
 */
struct ecs_kind {
    const char *kind;
    const char *category;
    const char *type;
    const char *second_type; /* NULL: none */
    const char *action;
    const char *dataset;
};

json_t *ecs_begin(const struct ecs_writer *writer, const struct ecs_kind *kind, int64_t time_ns);
/* source.ip, destination.ip, network.type, related.ip; an unspecified address is left out. */
void ecs_put_network(json_t *object, const struct address *client, const struct address *server);

json_t *ecs_flow(const struct ecs_writer *writer, const struct flow_record *flow);
/* NULL unless an interval is over. */
json_t *ecs_report(const struct ecs_writer *writer, const struct feed_report *report);

#endif
