/* Half-open attempts beyond the table's cap, summed by server prefix, port, outcome and minute.
 *
 * Fed by session.c when an attempt must make room. Keeps no client: who took part in a flood
 * is not worth a row each. */
#include "attempts.h"

#include <string.h>

static const int64_t minute_ns = 60 * NS_PER_S;

void attempts_init(struct attempts *attempts)
{
    *attempts = (struct attempts){0};
    pool_init(&attempts->sums, sizeof(struct attempt_sum), ATTEMPT_SUMS_CAP);
    table_init(&attempts->table, 64);
}

void attempts_free(struct attempts *attempts)
{
    table_free(&attempts->table);
    pool_free(&attempts->sums);
}

static struct prefix server_prefix(const struct address *server)
{
    struct prefix prefix = {.base = *server, .bits = address_is_ipv4(server) ? 112 : 48};
    memset(prefix.base.byte + prefix.bits / 8, 0, 16 - prefix.bits / 8);
    return prefix;
}

static bool sum_same(const void *context, uint32_t item, const void *key)
{
    const struct attempt_sum *sum =
        (const struct attempt_sum *)pool_at((const struct pool *)context, item);
    const struct attempt_sum *wanted = (const struct attempt_sum *)key;
    return sum->server_port == wanted->server_port && sum->outcome == wanted->outcome &&
           sum->minute_ns == wanted->minute_ns &&
           address_equal(&sum->server_prefix.base, &wanted->server_prefix.base);
}

static uint64_t sum_hash(const struct attempt_sum *sum)
{
    uint64_t rest =
        (uint64_t)sum->minute_ns ^ (uint64_t)sum->server_port << 40 ^ (uint64_t)sum->outcome << 56;
    return hash_bytes(sum->server_prefix.base.byte, 16, rest);
}

void attempts_add(struct attempts *attempts, const struct flow_record *record)
{
    struct attempt_sum key = {.server_prefix = server_prefix(&record->server_ip),
                              .server_port = record->server_port,
                              .outcome = (enum flow_outcome)record->outcome,
                              .minute_ns = record->started_ns - record->started_ns % minute_ns};
    uint64_t hash = sum_hash(&key);
    uint32_t id = table_find(&attempts->table, hash, sum_same, &attempts->sums, &key);
    struct attempt_sum *sum;
    if (id != TABLE_NONE) {
        sum = (struct attempt_sum *)pool_at(&attempts->sums, id);
    } else if ((sum = (struct attempt_sum *)pool_take(&attempts->sums, &id))) {
        *sum = key;
        table_insert(&attempts->table, hash, id);
    } else {
        attempts->unsummed++;
        return;
    }
    sum->attempts++;
    sum->syns += record->syn_count;
}

void attempts_each(const struct attempts *attempts,
                   void (*each)(void *context, const struct attempt_sum *sum), void *context)
{
    for (uint32_t id = 0; id < attempts->sums.touched; id++)
        each(context, (const struct attempt_sum *)pool_at(&attempts->sums, id));
}
