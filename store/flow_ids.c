/* The places of sessions, in memory that is only used as far as numbers have come.
 *
 * Deliberately not rebuilt from a file: it belongs to the run that is being written. */
#include "flow_ids.h"

#include <assert.h>
#include <stddef.h>
#include <sys/mman.h>

static const size_t map_size = (size_t)FLOW_IDS_MAX * sizeof(uint32_t);

bool flow_ids_init(struct flow_ids *ids)
{
    void *map = mmap(NULL, map_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *ids = (struct flow_ids){.place = map == MAP_FAILED ? NULL : map};
    return ids->place != NULL;
}

void flow_ids_free(struct flow_ids *ids)
{
    if (ids->place)
        munmap(ids->place, map_size);
    ids->place = NULL;
}

int64_t flow_ids_place(struct flow_ids *ids, uint64_t number)
{
    assert(number > 0 && number <= INT64_MAX);
    if (number > FLOW_IDS_MAX)
        return (int64_t)number;
    uint32_t *place = &ids->place[number - 1];
    if (*place == 0)
        *place = ++ids->last;
    return *place;
}

int64_t flow_ids_find(const struct flow_ids *ids, uint64_t number)
{
    return number > 0 && number <= FLOW_IDS_MAX ? ids->place[number - 1] : 0;
}

void flow_ids_take_back(struct flow_ids *ids, uint64_t number, uint32_t last)
{
    if (number > 0 && number <= FLOW_IDS_MAX && ids->place[number - 1] > last)
        ids->place[number - 1] = 0;
}
