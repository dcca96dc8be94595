/* Sessions whose packets come in more than one lane: what belongs together, and what must not.
 *
 * A lane is a VLAN or a tunnel (model/packet.h). Equal addresses in two lanes are two devices, as
 * on a trunk of several customers. But a mirror also shows one session in two lanes: its two
 * directions in different VLANs (asymmetric paths, or one side of a trunk untagged), or each packet
 * twice, before and behind a router or a bridging firewall. Such a packet proves by its numbers
 * that it belongs: it continues the session's sequence and acknowledgement numbers, or equals a
 * packet of it that came a moment before. Deliberately learns per session, never that two lanes are
 * one network: the next address in them may be two devices again. */
#ifndef APNSCOPE_TRACK_LANES_H
#define APNSCOPE_TRACK_LANES_H

#include "tracker.h"

/* The session in another lane to which the packet belongs, the packet's lane now added to its own;
 * NULL: none. To be asked where there is none in the packet's own lane. */
struct flow *lanes_find(struct tracker *tracker, const struct packet *packet, uint64_t hash);

/* The session of which an ICMP error in another lane quotes a packet; NULL: none. */
struct flow *lanes_find_quoted(struct tracker *tracker, const struct packet *quoted);

/* A packet of the session was a copy: its lane, where it is another one, carries copies. */
void lanes_note_copy(struct flow *flow, const struct packet *packet);

/* A packet of the session in a lane that is known to carry copies, with nothing that tells a copy
 * from another packet (a bare ACK without timestamps or IP identification). */
bool lanes_says_copy(const struct flow *flow, const struct packet *packet);

#endif
