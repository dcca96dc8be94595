/* What is APNs: addresses, ports, learned addresses, and the memory of each client's last tries.
 *
 * wire.md section 1: address and port decide on 5223, names only confirm; on 443 only a name, an
 * ALPN, a learned courier address or the timing of a fallback makes a session APNs. */
#ifndef APNSCOPE_TRACK_SCOPE_H
#define APNSCOPE_TRACK_SCOPE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/pool.h"
#include "base/table.h"
#include "flow.h"
#include "model/apple.h"
#include "model/dns_message.h"
#include "model/packet.h"
#include "track/track.h"

enum {
    SCOPE_LEARNED_CAP = 1 << 16,
    SCOPE_CLIENTS_CAP = 1 << 18,
    SCOPE_WATCH_SLOTS = 1 << 16
};

/* Fallback: wire.md section 3. The 443 SYN follows a failure on 5223 within this time. */
#define SCOPE_FALLBACK_NS (60 * NS_PER_S)

struct scope {
    const struct track_options *options;
    struct pool learned;       /* address -> role, from DNS and from sessions that spoke APNs */
    struct table learned_table;
    struct pool clients;       /* last tries on 5223 */
    struct table client_table;
    uint32_t client_oldest;    /* recycled in order of creation once the cap is reached */
    uint16_t watch[SCOPE_WATCH_SLOTS]; /* a counting filter over addresses; a full counter stays */
    uint64_t watch_changes;            /* grows with every address added */
    uint64_t watched_count;            /* additions that were not taken back */
};

void scope_init(struct scope *scope, const struct track_options *options);
void scope_free(struct scope *scope);

bool scope_added_apple(const struct scope *scope, const struct address *address);

static inline bool scope_is_apple(const struct scope *scope, const struct address *address)
{
    return apple_owns(address) ||
           (scope->options->apple_net_count && scope_added_apple(scope, address));
}

/* Inside the network: the user's prefixes, or by default whatever talks with Apple from the other
 * side. */
bool scope_is_home(const struct scope *scope, const struct address *address);

/* Ports of model/push_port.def. */
static inline bool scope_is_push_port(uint16_t port)
{
    return port == 443 || port == 5223 || (port >= 2195 && port <= 2197);
}

/* The role that a push port implies; 443 implies none. */
enum flow_role scope_port_role(uint16_t port);

/* Addresses outside Apple's ranges whose packets must be looked up: of sessions of ours, of
 * ClientHellos that are not complete yet, and learned ones. A counting filter: it may say yes
 * wrongly, which costs a look-up, never no. */
void scope_watch(struct scope *scope, const struct address *address);
void scope_unwatch(struct scope *scope, const struct address *address);

static inline uint16_t scope_watch_slot(const struct address *address)
{
    uint64_t upper, lower;
    memcpy(&upper, address->byte, 8);
    memcpy(&lower, address->byte + 8, 8);
    return (uint16_t)((lower ^ upper * UINT64_C(0x9e3779b97f4a7c15)) *
                          UINT64_C(0xd6e8feb86659fd93) >>
                      48);
}

/* The slots of two addresses in one word, and whether either of them is watched. */
static inline uint64_t scope_watch_key(const struct address *a, const struct address *b)
{
    return (uint64_t)scope_watch_slot(a) << 16 | scope_watch_slot(b);
}

static inline bool scope_watches(const struct scope *scope, uint64_t key)
{
    return scope->watch[(uint16_t)(key >> 16)] || scope->watch[(uint16_t)key];
}

static inline bool scope_watched(const struct scope *scope, const struct address *address)
{
    return scope->watch[scope_watch_slot(address)] != 0;
}

void scope_learn(struct scope *scope, const struct address *address, enum flow_role role,
                 enum scope_reason reason);
/* ROLE_UNKNOWN where nothing was learned; *reason says from what. */
enum flow_role scope_learned(const struct scope *scope, const struct address *address,
                             enum scope_reason *reason);

/* The client's tries on 5223, for telling a fallback from other Apple HTTPS. */
void scope_note_try(struct scope *scope, const struct flow *flow, int64_t now_ns);
void scope_note_success(struct scope *scope, const struct flow *flow);
/* Asked at a 443 session's first SYN: does it follow a failure on 5223 of the same client, to
 * an address where couriers live (Apple's published list, or the /16 just tried)? */
bool scope_is_fallback(const struct scope *scope, const struct flow_record *record);

/* What the ClientHello makes of a flow: its role, or ROLE_UNKNOWN for other traffic. */
enum flow_role scope_role_by_hello(const struct scope *scope, const struct flow *flow,
                                   enum scope_reason *reason);
/* What a session that showed no name is by its address or its timing. */
enum flow_role scope_role_without_name(const struct scope *scope, const struct flow *flow,
                                       enum scope_reason *reason);
/* The role of a host name, the user's push domains included. */
enum flow_role scope_role_by_name(const struct scope *scope, const char *host);

#endif
