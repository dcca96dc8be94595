/* Packets and frames as they look on the wire: IP, TCP, UDP, ICMP, and the link layers.
 *
 * Of tests/support: below the scenario language, which says what is sent and when. Headers and
 * checksums are right unless a scenario asks for a wrong one. Deliberately keeps no state. */
#ifndef APNSCOPE_TESTS_SUPPORT_WIRE_H
#define APNSCOPE_TESTS_SUPPORT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "bytes.h"

struct ip_header {
    struct address source;
    struct address destination;
    uint8_t protocol;
    uint8_t ttl;
    uint16_t id;       /* IPv4 */
    bool may_fragment; /* IPv4: DF is not set */
};

struct tcp_header {
    uint16_t source_port;
    uint16_t destination_port;
    uint32_t sequence;
    uint32_t acknowledgement;
    uint16_t window;
    uint8_t flags;
    const uint8_t *options; /* padded to a multiple of four here */
    size_t options_size;
    bool wrong_checksum;
};

void wire_tcp(struct bytes *out, const struct ip_header *ip, const struct tcp_header *tcp,
              const uint8_t *payload, size_t size);
void wire_udp(struct bytes *out, const struct ip_header *ip, uint16_t source_port,
              uint16_t destination_port, const uint8_t *payload, size_t size);

/* ICMP or ICMPv6 by the family of the addresses; `rest` is the word after the checksum. */
void wire_icmp(struct bytes *out, const struct ip_header *ip, uint8_t type, uint8_t code,
               uint32_t rest, const uint8_t *payload, size_t size);

/* The part of a packet that carries `size` bytes from `at` on of what its IP header carries (RFC
 * 791 section 3.2, RFC 8200 section 4.5). The packet has no IP options; `id` is for IPv6. */
void wire_fragment(struct bytes *out, const uint8_t *packet, size_t packet_size, size_t at,
                   size_t size, uint32_t id);

/* What a link layer adds to a packet. */
struct link_header {
    uint8_t source_mac[6];
    uint8_t destination_mac[6];
    uint16_t ether_type; /* 0x0800, 0x86dd, 0x0806 */
    uint16_t vlan;       /* 0: untagged */
    uint16_t outer_vlan; /* 0: no second tag */
    bool is_outgoing;    /* of the capturing machine (cooked and PKTAP links) */
    const char *process; /* PKTAP: "apsd"; NULL: none */
    int32_t process_id;
};

/* LINKTYPE_ values of https://www.tcpdump.org/linktypes.html that can be built. */
enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW = 101,
    LINK_SLL = 113,
    LINK_PKTAP = 258,
    LINK_SLL2 = 276
};

bool wire_link_type(const char *name, uint16_t *link_type);
void wire_frame(struct bytes *out, uint16_t link_type, const struct link_header *link,
                const uint8_t *packet, size_t size);

/* What a router does to an IP packet: one hop less (RFC 1812 section 5.3.1, RFC 8200 section 3). */
void wire_pass_router(uint8_t *packet, size_t size);

/* What a NAT does to the ends of a TCP packet over IPv4 without options (RFC 3022): the one inside,
 * its source where it is outgoing, gets that address and port. Others are left as they are. */
void wire_translate(uint8_t *packet, size_t size, bool is_outgoing, const uint8_t address[4],
                    uint16_t port);

#endif
