/* One APNs session: every fact of it that leaves track/.
 *
 * The row of the database's `flow` table, and the evidence that detectors judge. "Up" is from the
 * client to the server, "down" the other way. Unknown is explicit: TIME_UNKNOWN, -1 for durations
 * and TTLs, 0 for frames, NULL for names. Names point into the run's kept names. */
#ifndef APNSCOPE_MODEL_FLOW_RECORD_H
#define APNSCOPE_MODEL_FLOW_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/clock.h"
#include "model/certificate_facts.h"
#include "model/flow_evidence.h"
#include "model/idle_evidence.h"
#include "model/vocabulary.h"

enum direction { UP, DOWN }; /* client to server, server to client */

/* What happened inside a flow; evidence for detectors. FLOW_SAW(bit, meaning) */
enum flow_saw {
    SAW_SYN = 1 << 0,             /* the capture holds the opening SYN */
    SAW_SYN_ACK = 1 << 1,
    SAW_HANDSHAKE = 1 << 2,       /* the client acknowledged the SYN-ACK */
    SAW_UP = 1 << 3,              /* any packet from the client */
    SAW_DOWN = 1 << 4,            /* any packet from the server (not ICMP, not a mere RST) */
    SAW_CLIENT_HELLO = 1 << 5,
    SAW_SERVER_HELLO = 1 << 6,
    SAW_HELLO_RETRY = 1 << 7,
    SAW_CERTIFICATE = 1 << 8,
    SAW_APPLICATION_UP = 1 << 9,  /* application data after the handshake, beyond a lone alert */
    SAW_APPLICATION_DOWN = 1 << 10,
    SAW_CONNECT_MESSAGE = 1 << 11, /* an upward record or burst of >= 400 bytes after the handshake */
    SAW_FATAL_ALERT_UP = 1 << 12, /* clear, or the 24-byte encrypted record followed by closing */
    SAW_FATAL_ALERT_DOWN = 1 << 13,
    SAW_ALERT_ENCRYPTED = 1 << 14, /* the upward alert was inferred from its size */
    SAW_NOT_TLS = 1 << 15,        /* the first payload is neither TLS nor CONNECT */
    SAW_ONLY_TLS13_OFFERED = 1 << 16,
    SAW_FIN_UP = 1 << 17,
    SAW_FIN_DOWN = 1 << 18,
    SAW_RST_UP = 1 << 19,
    SAW_RST_DOWN = 1 << 20,
    SAW_ICMP = 1 << 21,           /* an ICMP error quotes a packet of this flow */
    SAW_GAP_UP = 1 << 22,         /* acknowledged bytes that the capture does not hold */
    SAW_GAP_DOWN = 1 << 23,
    SAW_CUT_PAYLOAD = 1 << 24,    /* the snap length cut bytes that would have been read */
    SAW_SERVER_DATA = 1 << 25,    /* any payload byte from the server */
    SAW_RESUMPTION = 1 << 26,     /* PSK or session resumption: no certificate is expected */
    SAW_ZERO_WINDOW = 1 << 27,
    SAW_KEEPALIVE = 1 << 28,      /* TCP keepalive probes, RFC 9293 section 3.8.4 */
    SAW_ICMP_TOO_BIG = 1 << 29,
    SAW_FINISHED_UP = 1 << 30     /* the client finished the TLS handshake: it accepted the server */
};

/* How the flow was recognised as APNs: the strongest reason, for the report. */
enum scope_reason {
    SCOPE_BY_NONE,
    SCOPE_BY_PORT,     /* Apple address and push port */
    SCOPE_BY_NAME,     /* SNI is a push host */
    SCOPE_BY_ALPN,     /* ALPN apns-* */
    SCOPE_BY_DNS,      /* the address was learned from a DNS answer for a push name */
    SCOPE_BY_COURIER,  /* the address is a courier's: it spoke APNs in another session */
    SCOPE_BY_CONNECT,  /* CONNECT to a push host */
    SCOPE_BY_FALLBACK  /* 443 right after a failure on 5223, by the same device */
};

struct flow_record {
    uint64_t number; /* within the run, from 1, in order of first packets */
    struct address client_ip;
    struct address server_ip;
    uint32_t lane;
    uint16_t client_port;
    uint16_t server_port;
    uint16_t vlan;
    uint8_t client_mac[6];
    uint8_t ip_version;
    bool has_client_mac;
    bool server_is_apple;      /* server_ip lies in Apple's ranges (NAT64 included) */
    uint8_t role;              /* enum flow_role */
    uint8_t path;              /* enum flow_path */
    uint8_t outcome;           /* enum flow_outcome */
    uint8_t ended_by;          /* enum flow_ending */
    uint8_t reason;            /* enum scope_reason */
    uint32_t saw;              /* enum flow_saw bits */
    uint32_t client_isn;       /* initial sequence number, where the SYN was seen */
    uint64_t hello_random;     /* first eight bytes of the ClientHello's random; 0: none seen */

    int64_t started_ns;
    int64_t established_ns;    /* the client's ACK of the SYN-ACK */
    int64_t last_ns;
    uint64_t first_frame;
    uint64_t last_frame;
    uint32_t syn_count;        /* SYNs of the client, retransmissions included */
    uint32_t retransmissions_up;
    uint32_t retransmissions_down;
    uint32_t out_of_order;
    uint64_t packets_up;
    uint64_t packets_down;
    uint64_t bytes_up;         /* TCP payload bytes on the wire */
    uint64_t bytes_down;
    uint32_t data_packets_up;
    uint32_t data_packets_down;
    uint32_t losses_up;        /* segments that were lost, sent again and acknowledged soon */
    uint32_t losses_down;
    int64_t last_syn_ns;
    int64_t hello_ns;          /* the ClientHello was complete */
    int64_t last_down_ns;      /* last packet from the server's side */
    const struct flow_evidence *evidence; /* of a young or reset session; NULL: none (any more) */
    const struct idle_evidence *idle; /* a silence that was not survived so far; NULL: none */

    int32_t rtt_server_us;     /* SYN to SYN-ACK, where the SYN was sent once */
    int32_t rtt_client_us;     /* SYN-ACK to ACK */
    int32_t tls_hello_us;      /* ClientHello complete to ServerHello */
    int16_t ttl_client;        /* of the client's first packet */
    int16_t ttl_server;        /* of the server's SYN-ACK, else its first packet with data or ACK */
    int16_t hops_server;       /* initial TTL (32, 64, 128, 255) - ttl_server */
    int16_t reset_ttl;         /* of the first RST from the server's side */
    uint16_t tls_version;      /* negotiated: 0x0303, 0x0304; 0: not known */
    uint16_t hello_segments;   /* segments that carried the ClientHello */
    uint32_t hello_size;       /* ClientHello message bytes */
    uint32_t survived_s;       /* the longest silence after which both sides spoke again */
    uint32_t survived_down_s;  /* of those that the server broke: no box makes a new entry of that */
    uint32_t lethal_s;         /* the silence after which it was found dead; 0: none */
    uint32_t largest_up;       /* largest run of upward bytes after the handshake before an answer */
    int16_t alert_up;          /* RFC 8446 section 6.2 description of the first fatal alert; -1 */
    int16_t alert_down;

    /* frames that prove things; 0: not seen */
    uint64_t syn_frame;        /* first SYN */
    uint64_t last_syn_frame;
    uint64_t syn_ack_frame;
    uint64_t hello_frame;      /* completes the ClientHello */
    uint64_t server_hello_frame;
    uint64_t certificate_frame;
    uint64_t alert_frame;
    uint64_t reset_frame;      /* first RST, either side */
    uint64_t icmp_frame;
    uint64_t proxy_frame;      /* the proxy's answer to CONNECT */
    int64_t reset_ns;
    int64_t icmp_ns;
    struct address icmp_source; /* unspecified: none */
    uint8_t reset_mac[6];
    bool reset_mac_differs : 1;   /* from what that side's other packets carry */
    bool has_reset_mac : 1;
    bool told_to_work : 1;        /* EVENT_FLOW_WORKS was told of it */
    bool speaks_from_farther : 1; /* the server's data, than its SYN-ACK: a SYN proxy answered for it */
    bool has_server_mac : 1;
    bool was_passed_on : 1;       /* its SYN was captured again behind a router or NAT */
    bool was_translated : 1;      /* of them, a NAT: under another address of the client's */
    uint8_t server_mac[6];     /* of the server's first packet that is no reset */
    uint8_t icmp_type;
    uint8_t icmp_code;
    int16_t icmp_ttl;          /* -1: none */
    uint16_t proxy_status;     /* HTTP status of the CONNECT's answer; 0: none */
    int32_t process_id;        /* -1: not known */

    const char *sni;           /* as sent, without a trailing dot */
    const char *alpn;          /* offered, comma separated */
    const char *alpn_chosen;   /* by the server, where visible */
    const char *ja3;
    const char *ja4;
    const char *connect_host;  /* host:port of the CONNECT */
    const struct certificate_facts *certificate;
    const char *ndpi_protocol;
    const char *ndpi_risks;
    const char *process_name;
};

/* Hops between a sender and the capture point: stacks start at 32, 64, 128 or 255, and a path is
 * shorter than 32 hops (wire.md section 5). */
static inline int16_t ttl_hops(int16_t ttl)
{
    return (int16_t)((ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255) - ttl);
}

/* A TTL that may be guessed wrongly: from an initial 255, which home routers and virtual machines
 * write into genuine resets too (wire.md section 5), unless its alleged sender starts there itself.
 * `peer_ttl` is of that one's other packets; negative: not known. */
static inline bool ttl_is_doubtful(int16_t ttl, int16_t peer_ttl)
{
    return ttl > 128 && peer_ttl <= 128;
}

/* The SYN was answered from so near and so soon, by the one who speaks afterwards. */
static inline bool flow_is_answered_within(const struct flow_record *flow, int16_t hops,
                                           int32_t time_us)
{
    return flow->hops_server >= 0 && flow->hops_server <= hops && flow->rtt_server_us >= 0 &&
           flow->rtt_server_us <= time_us && !flow->speaks_from_farther;
}

/* So much nearer than `other` that route changes and load balancing, which move a server by a few
 * hops, do not explain it. Both known (not negative). */
static inline bool hops_are_nearer(int16_t hops, int16_t other)
{
    int difference = other - hops;
    return difference > 3 || (difference == 3 && 2 * hops <= other);
}

/* A record with every field at its "unknown". */
struct flow_record flow_record_blank(void);

/* The server's side ended it, or somebody in its name. */
static inline bool flow_is_ended_by_server(const struct flow_record *flow)
{
    return flow->ended_by == ENDED_SERVER_FIN || flow->ended_by == ENDED_SERVER_RESET ||
           flow->ended_by == ENDED_FORGED_RESET;
}

/* The server's certificate went by in the clear (before TLS 1.3: RFC 5246 section 7.3), and the
 * capture does not hold it: cut by the snap length, or lost. It may have been Apple's, or not. */
static inline bool flow_hides_certificate(const struct flow_record *flow)
{
    return flow->tls_version && flow->tls_version < 0x0304 &&
           !(flow->saw & (SAW_CERTIFICATE | SAW_RESUMPTION)) &&
           flow->saw & (SAW_CUT_PAYLOAD | SAW_GAP_DOWN);
}

/* A server older than TLS 1.3 answered a hello that offers nothing else (RFC 8446 section 4.2.1
 * forbids it to one that knows 1.3), and it is not seen to be Apple's, nor hidden who it is: with its
 * own version, or with the alert protocol_version, as OpenSSL does. */
static inline bool flow_is_downgraded(const struct flow_record *flow)
{
    enum { PROTOCOL_VERSION = 70 }; /* RFC 8446 section 6 */
    bool is_older = flow->saw & SAW_SERVER_HELLO
                        ? flow->tls_version && flow->tls_version < 0x0304
                        : flow->alert_down == PROTOCOL_VERSION;
    return flow->saw & SAW_ONLY_TLS13_OFFERED && is_older &&
           !certificate_is_genuine(flow->certificate) && !flow_hides_certificate(flow);
}

/* A session that came up and carried what APNs carries. */
static inline bool flow_works(const struct flow_record *flow)
{
    return outcome_works(flow->outcome);
}

#endif
