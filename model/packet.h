/* One dissected packet: complete, in host order, lengths already checked.
 *
 * dissect/ fills it, track/ reads it; nobody downstream looks at lengths again. Pointers go into
 * the frame's bytes and live as long as the frame. Still "source" and "destination" here: who is
 * the client is known only past track/. */
#ifndef APNSCOPE_MODEL_PACKET_H
#define APNSCOPE_MODEL_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "model/frame.h"

enum packet_kind {
    PACKET_TCP,
    PACKET_DNS,       /* UDP from or to port 53; payload is the DNS message */
    PACKET_ICMP_ERROR, /* ICMP or ICMPv6 error; payload is the quote: see dissect_icmp_quote */
    PACKET_FRAGMENT   /* part of a datagram; payload is what the part holds: dissect/fragments.h */
};

/* RFC 1071, of the IP header and of what it carries; see dissect/checksum.h. */
enum packet_checksum {
    CHECKSUM_UNASKED,
    CHECKSUM_LEFT_OUT, /* nothing of it can be checked: cut, or left for a network card to fill in */
    CHECKSUM_RIGHT,
    CHECKSUM_WRONG
};

enum fragment_kind { FRAGMENT_IPV4, FRAGMENT_IPV6, FRAGMENT_CAPWAP };

/* RFC 9293 section 3.1 */
enum tcp_flag {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20
};

struct packet {
    enum packet_kind kind;
    uint8_t ip_version; /* 4 or 6 */
    uint8_t ttl;        /* or hop limit */
    uint8_t tcp_flags;
    uint8_t checksum;   /* enum packet_checksum: asked of wanted packets only */
    bool has_mac;
    bool is_fragment;   /* of a first fragment: the payload is a part of the whole */
    bool length_from_frame; /* IP length 0 (segmentation offload): taken from the frame's size */
    uint16_t ip_id;     /* IPv4 only */
    uint16_t source_port;
    uint16_t destination_port;
    uint16_t vlan;      /* innermost VLAN id; 0: none */
    uint16_t window;    /* as on the wire, unscaled */
    uint8_t source_mac[6];      /* of the innermost Ethernet-like header; zeros: not known */
    uint8_t destination_mac[6]; /* zeros: not known (Linux cooked names the sender only) */
    uint32_t lane;      /* VLAN and tunnel ids folded together: tells overlapping networks apart */
    uint32_t sequence;
    uint32_t acknowledgement;
    struct address source;
    struct address destination;

    /* The innermost IP header. Up to the payload and through it all stands in one piece, so that the
     * packet's captured bytes are payload + payload_captured - ip. */
    const uint8_t *ip;
    const uint8_t *payload;    /* of TCP, DNS, or the quoted packet of an ICMP error */
    uint32_t payload_size;     /* on the wire, from the headers' lengths */
    uint32_t payload_captured; /* bytes really at `payload`; <= payload_size */
    const uint8_t *tcp_options;
    uint8_t tcp_options_size;  /* bytes really at `tcp_options` */
    bool tcp_options_cut;      /* the snap length took some of them */

    uint8_t fragment_kind; /* PACKET_FRAGMENT only: enum fragment_kind */
    uint8_t depth;         /* PACKET_FRAGMENT only: encapsulations around it */

    uint8_t icmp_type; /* PACKET_ICMP_ERROR only */
    uint8_t icmp_code;
    uint32_t icmp_mtu; /* RFC 1191, RFC 8201: of "fragmentation needed" / "packet too big"; else 0 */

    uint64_t frame;
    int64_t time_ns;
    struct process process; /* the frame's, or the one that its PKTAP header names */
};

#endif
