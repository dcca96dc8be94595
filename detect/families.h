/* IPv4 beside IPv6: what one machine, or all behind one router, reaches by each; part of the
 * engine. A machine's two addresses have nothing in common but its MAC address. Bounded by
 * FAMILIES_MAX; beyond, machines are not compared. */
#ifndef APNSCOPE_DETECT_FAMILIES_H
#define APNSCOPE_DETECT_FAMILIES_H

#include "base/pool.h"
#include "base/table.h"
#include "detect/judge.h"

enum { FAMILIES_MAX = 1 << 14 };

struct families {
    struct pool pool;
    struct table table;
};

void families_init(struct families *families);
void families_free(struct families *families);
/* A session that works, or one that closed without (having been told to work before). */
void families_note(struct families *families, const struct flow_record *flow, bool works);
/* NULL: nothing is known of that machine and port. Without MAC addresses all are one. */
const struct family_pair *families_find(const struct families *families, const uint8_t *mac,
                                        uint32_t lane, uint16_t port);

#endif
