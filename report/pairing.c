/* Sessions of two capture points of one path, held against each other.
 *
 * A router that only translates addresses leaves the ClientHello's random and the client's initial
 * sequence number as they are; whoever terminates TLS in between sends a ClientHello of his own.
 * Deliberately decides nothing about a session that began before or after the outer capture. */
#include "pairing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/table.h"
#include "model/vocabulary.h"
#include "store/archive.h"

/* Two sessions that are one, or take each other's place, begin so close together, once the
 * difference of the clocks is known; before that, clocks may be this far apart. */
#define TOGETHER_NS (5 * NS_PER_S)
#define CLOCKS_NS   (300 * NS_PER_S)
/* A proxy opens its own session after the client's, at most so much later. */
#define TAKES_OVER_NS (3 * NS_PER_S)
/* A capture begins before its first packet, and what is dropped on the way is not in the outer one:
 * it is taken to have run since a device's whole attempt (30 s) and a little before. */
#define BEGAN_BEFORE_NS (60 * NS_PER_S)

/* ---- reading ---- */

static void copy(char *to, size_t size, const char *from)
{
    size_t length = from ? strlen(from) : 0;
    length = length < size ? length : size - 1;
    memcpy(to, from ? from : "", length);
    to[length] = '\0';
}

static bool add_session(void *context, const struct flow_row *row)
{
    struct point *point = context;
    if ((point->count & (point->count - 1)) == 0) {
        size_t room = point->count ? point->count * 2 : 1;
        struct session *more = realloc(point->sessions, room * sizeof *more);
        if (!more)
            return false;
        point->sessions = more;
    }
    struct session *session = &point->sessions[point->count++];
    *session = (struct session){.id = row->id,
                                .isn = row->client_isn,
                                .started_ns = row->started_ns,
                                .client_port = (uint16_t)row->client_port,
                                .server_port = (uint16_t)row->server_port};
    copy(session->client, sizeof session->client, row->client_ip);
    copy(session->server, sizeof session->server, row->server_ip);
    copy(session->random, sizeof session->random, row->hello_random);
    copy(session->outcome, sizeof session->outcome, row->outcome);
    return true;
}

static bool take_run(void *context, const struct run_row *row)
{
    struct point *point = context;
    point->first_ns = row->first_ns;
    point->last_ns = row->last_ns;
    return true;
}

static int by_start(const void *a, const void *b)
{
    const struct session *one = a, *two = b;
    if (one->started_ns != two->started_ns)
        return one->started_ns < two->started_ns ? -1 : 1;
    return (one->id > two->id) - (one->id < two->id);
}

bool point_read(struct point *point, const char *path, struct fault *fault)
{
    struct archive *archive = NULL;
    memset(point, 0, sizeof *point);
    if (!archive_open(&archive, path, fault))
        return false;
    bool read = archive_runs(archive, NULL, take_run, point, fault) &&
                archive_flows(archive, NULL, add_session, point, fault);
    archive_close(archive);
    if (read && point->count)
        qsort(point->sessions, point->count, sizeof *point->sessions, by_start);
    return read;
}

void point_free(struct point *point)
{
    free(point->sessions);
    memset(point, 0, sizeof *point);
}

/* ---- pairing ---- */

static void pair(struct session *inner, struct session *outer, enum fate fate)
{
    inner->fate = (uint8_t)fate;
    inner->other = outer;
    outer->is_taken = true;
}

static uint64_t random_hash(const char *random)
{
    return hash_bytes(random, strlen(random), 0x70616972);
}

static bool has_random(const void *context, uint32_t item, const void *random)
{
    const struct point *point = context;
    return strcmp(point->sessions[item].random, random) == 0;
}

static void pair_by_random(struct point *inside, struct point *outside)
{
    struct table table;
    table_init(&table, (uint32_t)outside->count);
    for (size_t i = 0; i < outside->count; i++) {
        const char *random = outside->sessions[i].random;
        uint64_t hash = random_hash(random);
        if (random[0] && table_find(&table, hash, has_random, outside, random) == TABLE_NONE)
            table_insert(&table, hash, (uint32_t)i);
    }
    for (size_t i = 0; i < inside->count; i++) {
        struct session *inner = &inside->sessions[i];
        uint32_t at = inner->random[0] ? table_find(&table, random_hash(inner->random), has_random,
                                                    outside, inner->random)
                                       : TABLE_NONE;
        if (at != TABLE_NONE && !outside->sessions[at].is_taken)
            pair(inner, &outside->sessions[at], FATE_PASSED);
    }
    table_free(&table);
}

static int by_value(const void *a, const void *b)
{
    const int64_t *one = a, *two = b;
    return (*one > *two) - (*one < *two);
}

/* The median difference of the two clocks; 0 where no session came through. */
static int64_t clock_difference(const struct point *inside)
{
    int64_t *differences = calloc(inside->count ? inside->count : 1, sizeof *differences);
    int64_t median = 0;
    size_t count = 0;
    for (size_t i = 0; differences && i < inside->count; i++)
        if (inside->sessions[i].other)
            differences[count++] =
                inside->sessions[i].other->started_ns - inside->sessions[i].started_ns;
    if (count) {
        qsort(differences, count, sizeof *differences, by_value);
        median = differences[count / 2];
    }
    free(differences);
    return median;
}

struct search {
    struct point *outside;
    int64_t earliest_ns, latest_ns; /* by the outer clock */
};

/* The first outer session that starts no earlier: sessions are in the order of their starts. */
static size_t first_from(const struct point *point, int64_t earliest_ns)
{
    size_t low = 0, high = point->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (point->sessions[middle].started_ns < earliest_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct session *find(const struct search *search, const struct session *inner,
                            bool (*fits)(const struct session *, const struct session *))
{
    for (size_t i = first_from(search->outside, search->earliest_ns); i < search->outside->count;
         i++) {
        struct session *outer = &search->outside->sessions[i];
        if (outer->started_ns > search->latest_ns)
            break;
        if (!outer->is_taken && fits(inner, outer))
            return outer;
    }
    return NULL;
}

static bool is_same_server(const struct session *inner, const struct session *outer)
{
    return inner->server_port == outer->server_port && strcmp(inner->server, outer->server) == 0;
}

static bool has_same_opening(const struct session *inner, const struct session *outer)
{
    return inner->isn >= 0 && inner->isn == outer->isn && is_same_server(inner, outer);
}

static bool takes_its_place(const struct session *inner, const struct session *outer)
{
    return is_same_server(inner, outer) && outer->random[0] && inner->random[0] &&
           strcmp(inner->random, outer->random) != 0;
}

/* The same opening with another ClientHello, or without one. */
static enum fate fate_of_opening(const struct session *inner, const struct session *outer)
{
    if (!inner->random[0])
        return FATE_PASSED;
    return outer->random[0] ? FATE_TERMINATED : FATE_HELLO_LOST;
}

static bool is_covered(const struct point *outside, int64_t start_ns)
{
    return start_ns >= outside->first_ns - BEGAN_BEFORE_NS &&
           start_ns + TOGETHER_NS <= outside->last_ns;
}

/* Nothing stopped it: it went another way than past the outer point. */
static bool worked(const struct session *session)
{
    return strcmp(session->outcome, outcome_name(OUTCOME_ESTABLISHED)) == 0;
}

static void decide(struct session *inner, struct point *outside, int64_t later_ns,
                   bool clocks_known)
{
    int64_t start_ns = inner->started_ns + later_ns;
    int64_t reach_ns = clocks_known ? TOGETHER_NS : CLOCKS_NS;
    struct search opening = {outside, start_ns - reach_ns, start_ns + reach_ns};
    struct session *outer = find(&opening, inner, has_same_opening);
    if (outer) {
        pair(inner, outer, fate_of_opening(inner, outer));
        return;
    }
    struct search place = {outside, start_ns - NS_PER_S / 2, start_ns + TAKES_OVER_NS};
    outer = find(&place, inner, takes_its_place);
    if (outer)
        pair(inner, outer, FATE_TERMINATED);
    else if (inner->isn >= 0 && is_covered(outside, start_ns) && !worked(inner))
        inner->fate = FATE_VANISHED;
}

int64_t pairing_decide(struct point *inside, struct point *outside)
{
    pair_by_random(inside, outside);
    int64_t later_ns = clock_difference(inside);
    bool clocks_known = false;
    for (size_t i = 0; i < inside->count && !clocks_known; i++)
        clocks_known = inside->sessions[i].other != NULL;
    for (size_t i = 0; i < inside->count; i++)
        if (!inside->sessions[i].other)
            decide(&inside->sessions[i], outside, later_ns, clocks_known);
    return later_ns;
}
