/* From a session's number within the run to its row's place in the table.
 *
 * Private to store/. Sessions are numbered when they begin and written when they end; were the
 * number the key, rows would be pushed all over the B-tree, each into another page. So the key
 * counts arrivals, and this map remembers them: 4 bytes a session, touched as numbers come. */
#ifndef APNSCOPE_STORE_FLOW_IDS_H
#define APNSCOPE_STORE_FLOW_IDS_H

#include <stdbool.h>
#include <stdint.h>

/* Of 64 MiB. A session with a higher number has the number for its place: correct, and no place of
 * another, for fewer rows than numbers came before; only slower to write. */
enum { FLOW_IDS_MAX = 16 << 20 };

struct flow_ids {
    uint32_t *place; /* by number - 1; 0: none */
    uint32_t last;   /* place given */
};

bool flow_ids_init(struct flow_ids *ids); /* false: no memory */
void flow_ids_free(struct flow_ids *ids);

/* The session's place, from 1; a new one where it has none. `number` counts from 1. */
int64_t flow_ids_place(struct flow_ids *ids, uint64_t number);
/* 0: it has none yet, or a number beyond the map. */
int64_t flow_ids_find(const struct flow_ids *ids, uint64_t number);
/* Takes a place back that was given after `last`; then `last` may be set back. */
void flow_ids_take_back(struct flow_ids *ids, uint64_t number, uint32_t last);

#endif
