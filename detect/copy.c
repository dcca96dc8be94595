/* An engine made to know what another one knows.
 *
 * For live runs: what is found must be told while the run goes on, but rules weigh some things only
 * at the end of the capture. So a copy is shown that end, again and again, while the engine itself
 * goes on as if nothing had been asked. Rests on pools and tables that name their items by number:
 * nothing in them points into the engine. Deliberately copies all of it: what changed since the
 * last time is not worth knowing. */
#include <string.h>

#include "engine.h"

static bool copy_devices(struct devices *into, const struct devices *from)
{
    table_copy(&into->table, &from->table);
    into->proven = from->proven;
    into->unproven = from->unproven;
    return pool_copy(&into->pool, &from->pool);
}

static bool copy_findings(struct findings *into, const struct findings *from)
{
    table_copy(&into->table, &from->table);
    table_copy(&into->by_flow, &from->by_flow);
    into->beyond_cap = from->beyond_cap;
    return pool_copy(&into->pool, &from->pool);
}

static bool copy_site(struct site *into, const struct site *from)
{
    struct pool servers = into->servers;
    struct table server_table = into->server_table;
    table_copy(&server_table, &from->server_table);
    bool is_copied = pool_copy(&servers, &from->servers);
    *into = *from;
    into->servers = servers;
    into->server_table = server_table;
    return is_copied;
}

static bool copy_memory(struct memory *into, const struct memory *from)
{
    table_copy(&into->table, &from->table);
    into->refused = from->refused;
    return pool_copy(&into->pool, &from->pool);
}

bool engine_copy(struct engine *into, const struct engine *from)
{
    bool is_copied = copy_site(&into->site, &from->site) &&
                     copy_devices(&into->devices, &from->devices) &&
                     copy_findings(&into->findings, &from->findings) &&
                     pool_copy(&into->families.pool, &from->families.pool);
    table_copy(&into->families.table, &from->families.table);
    for (size_t i = 0; i < detector_count && is_copied; i++)
        is_copied = copy_memory(&into->memories[i], &from->memories[i]);
    memcpy(into->site_states, from->site_states, from->site_states_size);
    memcpy(into->apple_nets, from->apple_nets, sizeof into->apple_nets);
    into->apple_net_count = from->apple_net_count;
    into->quality = from->quality;
    into->has_quality = from->has_quality;
    into->devices_early = from->devices_early;
    return is_copied;
}
