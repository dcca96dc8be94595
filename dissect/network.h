/* IPv4 and IPv6 headers, and what they carry.
 *
 * Private to dissect/. Fragments are not put together here: fragments.h does that, for whoever
 * takes packets in order. */
#ifndef APNSCOPE_DISSECT_NETWORK_H
#define APNSCOPE_DISSECT_NETWORK_H

#include "walk.h"

/* IANA, "Assigned Internet Protocol Numbers". */
enum ip_protocol {
    PROTOCOL_HOP_BY_HOP = 0,
    PROTOCOL_ICMP = 1,
    PROTOCOL_IPV4 = 4,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_DCCP = 33,
    PROTOCOL_IPV6 = 41,
    PROTOCOL_ROUTING = 43,
    PROTOCOL_FRAGMENT = 44,
    PROTOCOL_GRE = 47,
    PROTOCOL_ESP = 50,
    PROTOCOL_AH = 51,
    PROTOCOL_ICMPV6 = 58,
    PROTOCOL_NO_NEXT = 59,
    PROTOCOL_DESTINATION = 60,
    PROTOCOL_ETHERIP = 97,
    PROTOCOL_L2TP = 115,
    PROTOCOL_SCTP = 132,
    PROTOCOL_MOBILITY = 135,
    PROTOCOL_UDPLITE = 136,
    PROTOCOL_MPLS = 137,
    PROTOCOL_HIP = 139,
    PROTOCOL_SHIM6 = 140,
    PROTOCOL_ETHERNET = 143
};

enum { IPV4_HEADER_SIZE = 20, IPV6_HEADER_SIZE = 40 };

enum skip_reason network_ip(struct walk *walk); /* by the version in the first four bits */
enum skip_reason network_ipv4(struct walk *walk);
enum skip_reason network_ipv6(struct walk *walk);

/* Goes on behind an IP header, walk->ip: at its extension headers or at what it carries. */
enum skip_reason network_resume(struct walk *walk, uint8_t protocol);

/* Passes the extension headers that begin with `*protocol` and leaves the first other one there.
 * Stops behind the header of a fragment. Serves the quotes of ICMP errors too. */
enum skip_reason network_pass_extensions(struct walk *walk, uint8_t *protocol, bool *is_fragment);

/* The size of the IP packet that begins here by its own header, or 0 if what begins here is not
 * one that could be inside this layer. For places where IP is only guessed at. */
uint32_t network_plausible_size(const struct walk *walk);

/* What dissect.c's common path takes: no options, no fragment, TCP inside, lengths in order. The
 * walk is at TCP then; otherwise it has not moved. */
static inline bool network_take_common_ipv4(struct walk *walk)
{
    if (!walk_has(walk, IPV4_HEADER_SIZE))
        return false;
    const uint8_t *ip = walk->at;
    uint32_t total = load_u16(ip + 2);
    if (ip[0] != 0x45 || ip[9] != PROTOCOL_TCP || (load_u16(ip + 6) & 0x3fff) ||
        total < IPV4_HEADER_SIZE)
        return false;
    walk->ip = ip;
    walk_bound(walk, total);
    walk_skip(walk, IPV4_HEADER_SIZE);
    return true;
}

static inline bool network_take_common_ipv6(struct walk *walk)
{
    if (!walk_has(walk, IPV6_HEADER_SIZE))
        return false;
    const uint8_t *ip = walk->at;
    uint32_t payload = load_u16(ip + 4);
    if (ip[0] >> 4 != 6 || ip[6] != PROTOCOL_TCP || payload == 0)
        return false;
    walk->ip = ip;
    walk_bound(walk, IPV6_HEADER_SIZE + payload);
    walk_skip(walk, IPV6_HEADER_SIZE);
    return true;
}

#endif
