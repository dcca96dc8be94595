/* The findings of a run: merged, bounded, put in order; part of the engine. */
#ifndef APNSCOPE_DETECT_FINDINGS_H
#define APNSCOPE_DETECT_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/table.h"
#include "model/finding.h"

struct kept_finding {
    struct finding finding;
    uint16_t rule; /* place of its detector in the list */
    bool is_withdrawn;
};

struct findings {
    struct pool pool;
    struct table table;
    struct table by_flow; /* by the number of the session it rests on */
    uint64_t beyond_cap;
};

/* What makes two findings one. */
struct finding_key {
    struct address client; /* unspecified for site scope */
    struct address server; /* unspecified for device scope */
    uint32_t lane;
    uint16_t port;
    uint16_t rule;
};

void findings_init(struct findings *findings, uint32_t cap);
void findings_free(struct findings *findings);
struct finding_key finding_key_of(const struct finding *finding, uint16_t rule);
struct kept_finding *findings_find(const struct findings *findings, const struct finding_key *key);
/* Does one rest on that session first of all? */
bool findings_rest_on(const struct findings *findings, uint64_t flow_number);
/* Merges or adds; false when it could only be counted. */
bool findings_raise(struct findings *findings, const struct finding *finding, uint16_t rule);

/* The same again: counts it and widens the time, and the filter where it is another flow. */
void finding_widen(struct finding *finding, int64_t first_ns, int64_t last_ns, uint32_t count,
                   uint64_t flow_number);

static inline bool findings_are_full(const struct findings *findings)
{
    return findings->pool.taken >= findings->pool.cap;
}

static inline uint32_t findings_count(const struct findings *findings)
{
    return findings->pool.taken; /* never given back: ids are [0, count) */
}

static inline struct kept_finding *findings_at(const struct findings *findings, uint32_t id)
{
    return pool_at(&findings->pool, id);
}

/* The ids of those that stand, by first time, code, client, port; `count` of them. Caller frees. */
uint32_t *findings_sorted(const struct findings *findings, uint32_t *count);

#endif
