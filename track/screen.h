/* Which packets can be ours, by what they show themselves; tracker_screen is in track.h. */
#ifndef APNSCOPE_TRACK_SCREEN_H
#define APNSCOPE_TRACK_SCREEN_H

#include "tracker.h"

enum { DNS_PORT = 53 };

/* The first payload bytes of a foreign session that may name a push host: a ClientHello with such
 * a name, one that goes on in the next segment, or a CONNECT. */
bool screen_may_name_push_host(const struct tracker *tracker, const struct packet *packet);

bool screen_is_dns_over_tcp(const struct packet *packet);

/* The SYN with which a client opens a session. */
static inline bool screen_opens(const struct packet *packet)
{
    return (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

#endif
