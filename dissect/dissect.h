/* Frames to packets: link layer, tunnels, IP, TCP, DNS, ICMP errors.
 *
 * First stage after capture/. Never fails and never logs: a strange frame is a counted skip
 * reason. Deliberately does not look at payloads; those are read by dissect/tls.h, dns.h, http.h,
 * and only of packets that track/ cares about. */
#ifndef APNSCOPE_DISSECT_DISSECT_H
#define APNSCOPE_DISSECT_DISSECT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/packet.h"
#include "model/vocabulary.h"

/* Fills `packet` and returns SKIP_NONE, or says why the frame was skipped (packet is then
 * undefined). The hot path: no allocation, no copying, no checksum. Ethernet, 802.1Q/QinQ, Linux
 * cooked 1 and 2, raw IP, BSD null/loop, PKTAP and what dissect/link_type.def lists; tunnels are
 * followed to the innermost packet. */
enum skip_reason dissect_frame(const struct frame *frame, struct packet *packet);

/* True when dissect_frame knows this LINKTYPE_. */
bool dissect_knows_link_type(uint16_t link_type);

/* RFC 9293 section 3.1, RFC 7323 (scale, timestamps), RFC 2018 (SACK), RFC 7413 (fast open). */
struct tcp_options {
    bool has_mss;
    bool has_window_scale;
    bool sack_permitted;
    bool has_timestamps;
    bool has_fast_open;
    bool malformed;
    uint8_t window_scale;
    uint16_t mss;
    uint32_t timestamp_value;
    uint32_t timestamp_echo;
};

/* Reads the options of a TCP packet; those before a malformed one are kept. */
struct tcp_options dissect_tcp_options(const struct packet *packet);

/* The packet that an ICMP error quotes (RFC 792, RFC 1812 section 4.3.2.3, RFC 4443 section 2.4):
 * addresses and ports as the sender of the quoted packet wrote them. */
struct quoted_packet {
    struct address source;
    struct address destination;
    uint16_t source_port;
    uint16_t destination_port;
    uint32_t sequence; /* meaningful with has_sequence */
    uint8_t protocol;  /* IPPROTO_TCP, IPPROTO_UDP ... */
    uint8_t ttl;
    bool has_sequence;
    bool is_syn;       /* TCP flags were quoted and SYN without ACK is set */
};

/* Reads the quote of a PACKET_ICMP_ERROR; false where addresses and ports are not all there. */
bool dissect_icmp_quote(const struct packet *packet, struct quoted_packet *quoted);

#endif
