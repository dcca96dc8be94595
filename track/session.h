/* A tracked session, packet by packet: the parts of session_*.c, each named by what it keeps.
 *
 * `session_take` is the whole way of a packet; the other functions are its steps, or what track.c
 * does with a session besides. */
#ifndef APNSCOPE_TRACK_SESSION_H
#define APNSCOPE_TRACK_SESSION_H

#include "tracker.h"

/* ---- session_find.c ---- */

/* The session that a packet belongs to, found or begun; NULL: none of ours. `hash` is the packet's
 * flow_hash. */
struct flow *session_find(struct tracker *tracker, const struct packet *packet, uint64_t hash);

/* ---- session.c ---- */

/* Takes a packet of a tracked session. */
void session_take(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                  enum direction direction);
/* The session is over: judged, told, and gone from the table. */
void session_finish(struct tracker *tracker, struct flow *flow, enum outcome_cause cause);

/* Tells that it was opened, once: at the first sign that it is more than a lone SYN, of which
 * floods are made. */
void session_tell_opened(struct tracker *tracker, struct flow *flow);

/* ---- session_role.c ---- */

/* It becomes ours: it gets its number, role and path. */
void session_adopt(struct tracker *tracker, struct flow *flow, enum flow_role role,
                   enum scope_reason reason);
/* Packets of it do not show by their addresses that they are ours: have them looked up. */
void session_watch(struct tracker *tracker, struct flow *flow);
/* What its conversation taught (bits of enum conversation_news) settles what it is, and is told. */
void session_take_news(struct tracker *tracker, struct flow *flow, unsigned news, uint64_t frame);
/* It ends without having shown a name: ours or not by its address and its timing. */
void session_settle_unnamed(struct tracker *tracker, struct flow *flow);

/* ---- session_counts.c ---- */

void session_count(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                   enum direction direction);
/* A packet that was taken already, captured elsewhere. */
void session_take_copy(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                       enum direction direction);

/* A packet of a session of STANDING_BEYOND: only how long to wait for more follows from it. */
void session_pass_beyond(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                         enum direction direction);

/* ---- session_tcp.c ---- */

/* The state that follows from the packet's flags. */
void session_follow_flags(struct flow *flow, const struct packet *packet,
                          enum direction direction);

void session_follow_lifecycle(struct tracker *tracker, struct flow *flow,
                              const struct packet *packet, enum direction direction);
/* Returns what kind of segment it is. */
enum segment_kind session_follow_sequence(struct tracker *tracker, struct flow *flow,
                                          const struct packet *packet, enum direction direction);

/* ---- session_icmp.c ---- */

/* An ICMP error quotes a packet of the session. */
void session_take_icmp(struct tracker *tracker, struct flow *flow, const struct packet *packet,
                       bool quotes_client, bool quotes_syn);

#endif
