/* Counts devices and sessions before and after a moment that the reader names.
 *
 * Part of the view. A session belongs to the time when it began; a device counts once a port and
 * side, as working when one session of it worked. Deliberately compares no rates: with few devices
 * they would only look exact. */
#include "trend.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/text.h"
#include "figures.h"
#include "gather.h"
#include "phrase.h"
#include "view.h"

enum { SEED = 0x7472656e };

struct trend_client { /* a device on one port and side */
    uint64_t hash;
    bool has_worked;
};

void trend_begin(struct trend *trend, int64_t change_ns)
{
    *trend =
        (struct trend){.is_asked = change_ns != 0 && change_ns != ROW_NULL, .change_ns = change_ns};
    if (trend->is_asked)
        table_init(&trend->table, 1024);
}

void trend_free(struct trend *trend)
{
    if (trend->is_asked)
        table_free(&trend->table);
    free(trend->clients);
    *trend = (struct trend){0};
}

static bool same_hash(const void *context, uint32_t item, const void *key)
{
    return ((const struct trend *)context)->clients[item].hash == *(const uint64_t *)key;
}

static struct trend_client *client_at(struct trend *trend, uint64_t hash, bool *is_new)
{
    uint32_t item = table_find(&trend->table, hash, same_hash, trend, &hash);
    *is_new = item == TABLE_NONE;
    if (!*is_new)
        return &trend->clients[item];
    if (trend->client_count == trend->client_room)
        trend->clients = gather_grow(trend->clients, &trend->client_room, sizeof *trend->clients);
    table_insert(&trend->table, hash, (uint32_t)trend->client_count);
    trend->clients[trend->client_count] = (struct trend_client){.hash = hash};
    return &trend->clients[trend->client_count++];
}

static void take(struct trend *trend, const struct flow_row *row, int port, uint64_t site,
                 bool has_worked)
{
    enum trend_side side = row->started_ns < trend->change_ns ? TREND_BEFORE : TREND_AFTER;
    struct trend_counts *counts = &trend->at[port][side];
    bool is_new;
    uint64_t seed = SEED + (site * TREND_PORTS + (uint64_t)port) * TREND_SIDES + side;
    uint64_t hash = hash_bytes(row->client_ip, strlen(row->client_ip), seed);
    struct trend_client *client = client_at(trend, hash, &is_new);
    counts->devices += is_new;
    counts->devices_worked += has_worked && !client->has_worked;
    client->has_worked |= has_worked;
    counts->worked += has_worked;
    counts->failed += !has_worked;
}

void trend_take_flow(struct trend *trend, const struct flow_row *row, uint64_t site)
{
    enum view_heap heap = view_heap_of(row->outcome);
    bool is_push = row->role && (strcmp(row->role, role_name(ROLE_COURIER)) == 0 ||
                                 strcmp(row->role, role_name(ROLE_PROVIDER)) == 0);
    if (!trend->is_asked || heap == HEAP_UNJUDGED || !is_push || !row->client_ip ||
        row->started_ns == ROW_NULL)
        return;
    for (int port = 0; port < TREND_PORTS; port++)
        if (row->server_port == figure_ports[port])
            take(trend, row, port, site, heap == HEAP_WORKED);
}

/* "412 of 412 devices" */
static void add_share(struct text *out, const struct trend_counts *counts)
{
    text_format(out, "for %s of %s", DIGITS(counts->devices_worked),
                COUNTED(counts->devices, "device"));
}

static void say_port(struct text *out, unsigned port, const struct trend_counts *before,
                     const struct trend_counts *after)
{
    if (after->devices) {
        text_format(out, " TCP %u works ", port);
        add_share(out, after);
        text_add(out, before->devices ? ", before " : ", before nobody tried it");
    } else {
        text_format(out, " nobody tried TCP %u, before it worked ", port);
    }
    if (before->devices)
        add_share(out, before);
}

void trend_end(struct trend *trend, int64_t fault_last_ns)
{
    struct text out = text_over(trend->sentence, sizeof trend->sentence);
    char moment[PHRASE_SIZE];
    bool is_first = true;
    if (!trend->is_asked)
        return;
    text_format(&out, "Since the change at %s", phrase_moment(trend->change_ns, moment));
    for (int port = 0; port < TREND_PORTS; port++) {
        const struct trend_counts *before = &trend->at[port][TREND_BEFORE];
        const struct trend_counts *after = &trend->at[port][TREND_AFTER];
        if (!before->devices && !after->devices)
            continue;
        text_add(&out, is_first ? "," : ";");
        say_port(&out, figure_ports[port], before, after);
        is_first = false;
    }
    text_add(&out, is_first ? " and before it no session was seen that can be judged." : ".");
    bool has_after = false;
    for (int port = 0; port < TREND_PORTS; port++)
        has_after |= trend->at[port][TREND_AFTER].devices > 0;
    if (fault_last_ns != TIME_UNKNOWN && fault_last_ns >= trend->change_ns)
        text_add(&out, " Faults were seen since then as well.");
    else if (fault_last_ns != TIME_UNKNOWN && has_after)
        text_add(&out, " Every fault that was found is older than the change.");
}
