/* Frames to packets: the entrance, and the common path.
 *
 * Almost every frame of a mirror port is Ethernet, perhaps with a VLAN tag, then IP without
 * options, then TCP. That path is straight-line here, a few loads behind one length check per
 * header; anything else takes the general way, from its link type's step on, and gives the same
 * answer (tests/unit/dissect/test_dissect.c holds the two against each other). Deliberately does
 * not decide what is interesting: that is track/'s first step. */
#include "dissect/dissect.h"

#include "link.h"
#include "network.h"
#include "transport.h"

enum { LINK_TYPE_ETHERNET = 1 };

/* Ethernet with at most one VLAN tag. False: the walk may have moved and is of no more use. */
static inline bool take_common_ethernet(struct walk *walk, uint16_t *type)
{
    enum { TAGGED_SIZE = ETHERNET_HEADER_SIZE + VLAN_TAG_SIZE };
    if (!walk_has(walk, TAGGED_SIZE))
        return false;
    walk->destination_mac = walk->at;
    walk->source_mac = walk->at + MAC_SIZE;
    *type = load_u16(walk->at + 12);
    if (*type == ETHERTYPE_VLAN) {
        link_take_vlan(walk, load_u16(walk->at + 14));
        *type = load_u16(walk->at + 16);
        walk_skip(walk, TAGGED_SIZE);
    } else {
        walk_skip(walk, ETHERNET_HEADER_SIZE);
    }
    return true;
}

static inline bool take_common(struct walk *walk)
{
    uint16_t type = 0;
    if (!take_common_ethernet(walk, &type))
        return false;
    if (type == ETHERTYPE_IPV4)
        return network_take_common_ipv4(walk);
    return type == ETHERTYPE_IPV6 && network_take_common_ipv6(walk);
}

/* Not inlined, so that the common path's walk stays in registers. */
static __attribute__((noinline)) enum skip_reason dissect_general(const struct frame *frame,
                                                                  struct packet *packet)
{
    struct walk walk = walk_over(frame, packet);
    walk_step step = link_step_of(frame->link_type);
    return step ? step(&walk) : SKIP_LINK_TYPE;
}

enum skip_reason dissect_frame(const struct frame *frame, struct packet *packet)
{
    if (frame->link_type == LINK_TYPE_ETHERNET) {
        struct walk walk = walk_over(frame, packet);
        if (take_common(&walk))
            return transport_tcp(&walk);
    }
    return dissect_general(frame, packet);
}

bool dissect_knows_link_type(uint16_t link_type)
{
    return link_step_of(link_type) != NULL;
}
