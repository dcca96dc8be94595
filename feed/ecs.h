/* What happened, as JSON objects with the field names of the Elastic Common Schema.
 *
 * Private to feed/. ECS 8 (https://www.elastic.co/guide/en/ecs/8.11/); what it has no field for is
 * under "apnscope". docs/json-lines.md has the table. */
#ifndef APNSCOPE_FEED_ECS_H
#define APNSCOPE_FEED_ECS_H

#include <jansson.h>

#include "feed/sink.h"
#include "records.h"
#include "store/community_id.h"

struct ecs_writer {
    const struct feed_origin *origin;
    struct community_id *community; /* NULL: sessions have no Community ID */
};

/* The object of a record; NULL: there is nothing to tell of it. The caller's to free. */
json_t *ecs_object(const struct ecs_writer *writer, enum record_kind kind, const void *record);

#endif
