/* The stage on which a scenario plays: its hosts, its flows, and the frames sent so far.
 *
 * Of tests/support, private: between the language (scenario_parse.c, verbs.c, macros.c) and the
 * packets (wire.c). Deliberately no text is read here. */
#ifndef APNSCOPE_TESTS_SUPPORT_STAGE_H
#define APNSCOPE_TESTS_SUPPORT_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "wire.h"

enum way { UPWARD, DOWNWARD, NO_WAY }; /* client to server, server to client, neither */

enum id_habit { ID_RUNNING, ID_ZERO, ID_RANDOM };

struct host {
    char *name;
    struct address address;
    uint8_t mac[6]; /* as seen at the capture point */
    uint8_t ttl;    /* initial */
    uint8_t hops;   /* to the capture point */
    enum id_habit id_habit;
    uint16_t next_id;
    bool timestamps;
    uint32_t clock_ms; /* of its TCP timestamps, at the start of the scenario */
    uint16_t mss;
    uint8_t window_scale;
    uint64_t seed;
    uint16_t next_port; /* of its UDP queries */
};

struct range {
    uint32_t first;
    uint32_t end;
};

/* What one line of the play sent, kept so that it can be sent again. */
struct segment {
    uint32_t sequence;
    uint8_t flags;
    uint8_t *payload;
    size_t size;
};

struct utterance {
    char *verb;
    struct segment *segments;
    size_t count;
};

enum { EARLY_RANGES_MAX = 32 };

/* One end of a TCP connection: what it sent, and how much of that has reached the other end. */
struct side {
    struct host *host;
    uint16_t port;
    uint16_t vlan; /* of what it sends, as captured */
    uint16_t outer_vlan;
    uint32_t first_sequence;              /* of its SYN */
    uint32_t next;                        /* sequence number of what it sends next */
    uint32_t delivered;                   /* all before this has reached the other end */
    struct range early[EARLY_RANGES_MAX]; /* reached it too, beyond a gap */
    size_t early_count;
    bool started; /* a SYN was sent, or the flow began before the scenario */
    bool syn_had_timestamps;
    uint16_t announced_mss;
    uint32_t last_timestamp; /* newest that reached the other end */
    struct utterance *said;
    size_t said_count;
    uint8_t *last_packet; /* IP packet, for ICMP errors to quote */
    size_t last_packet_size;
};

struct flow {
    char *name;
    struct side side[2];   /* by enum way */
    int64_t rtt_ns;        /* capture point to server and back */
    int64_t client_rtt_ns; /* capture point to client and back */
    char *process;
    int32_t process_id;
    int64_t last_ns;
    uint64_t seed;
    uint8_t session_id[32]; /* of the last ClientHello, for the ServerHello to echo */
    uint8_t session_id_size;
    bool was_retried;       /* the last ServerHello was a HelloRetryRequest */
    unsigned hello_version; /* negotiated by the last ServerHello: 0x0303, 0x0304 */
};

/* How one line departs from the ordinary. Zero-initialised by shape_ordinary. */
struct shape {
    int ttl;          /* as seen; -1: the host's */
    int id;           /* -1: by the host's habit */
    int64_t window;   /* -1 */
    int64_t mss;      /* announced in a SYN; -1: the host's */
    int64_t sequence; /* with sequence_mode */
    int64_t acknowledgement;
    enum number_mode {
        NUMBER_ORDINARY,
        NUMBER_SHIFTED,
        NUMBER_FROM_START
    } sequence_mode,
        acknowledgement_mode;
    unsigned split;      /* pieces of equal size; 0: by the MSS */
    size_t segment_size; /* 0: by the MSS */
    int only_segment;    /* of an utterance said again, from 1; 0: all */
    bool unseen;         /* reaches its peer, not the capture */
    bool dropped;        /* reaches the capture, not its peer */
    bool forged;         /* sent by neither end */
    bool wrong_checksum;
    unsigned copies;         /* further frames with the same bytes */
    size_t fragment_size;    /* IP payload bytes of each fragment; 0: in one piece */
    unsigned lost_fragment;  /* is not captured, from 1; 0: none */
    bool fragments_reversed; /* the last one first */
    bool fragments_overlap;  /* the second one begins with the last bytes of the first, changed */
    int64_t delay_ns;        /* captured so much later than sent */
    int64_t stamp_ns;        /* its time in the capture is wrong by so much */
    bool has_mac;
    uint8_t mac[6];
    bool has_vlan;
    uint16_t vlan;
    uint16_t outer_vlan;
};

struct staged_frame {
    int64_t time_ns;  /* since the scenario's start: when it passes the capture point */
    int64_t shift_ns; /* of the capture's clock */
    size_t order;
    enum way way;
    struct link_header link;
    uint8_t *packet;
    size_t size;
    unsigned line;
};

struct dns_memory { /* the last query between two hosts */
    const struct host *client;
    const struct host *resolver;
    uint16_t id;
    uint16_t port;
    uint16_t type;
    char *name;
};

struct stage {
    struct host **hosts;
    size_t host_count;
    struct flow **flows;
    size_t flow_count;
    struct staged_frame *frames;
    size_t frame_count;
    struct dns_memory *queries;
    size_t query_count;
    int64_t now_ns;  /* time of the line being played */
    int64_t last_ns; /* time of the last packet of the line */
    int64_t clock_shift_ns;
    uint16_t vlan; /* of flows that name none */
    uint16_t outer_vlan;
    int64_t routed_ns; /* each packet once more behind a router, so much later; 0: no */
    int64_t copied_ns; /* the same, but nothing in it changed except its VLAN */
    bool has_copy_vlan;
    uint16_t copy_vlan; /* of either */
    uint16_t copy_outer_vlan;
    unsigned line;
};

void stage_clear(struct stage *stage);
struct host *stage_host(const struct stage *stage, const char *name);
struct flow *stage_flow(const struct stage *stage, const char *name);
struct host *stage_add_host(struct stage *stage, const char *name, const struct address *address);
struct flow *stage_add_flow(struct stage *stage, const char *name, struct host *client,
                            uint16_t client_port, struct host *server, uint16_t server_port);

/* A host's next IP identification and the IP header of a packet of its. */
struct ip_header stage_ip_header(struct host *from, const struct address *to,
                                 const struct shape *shape);
/* Puts a packet before the capture at stage->now_ns + shape->delay_ns; takes the packet's bytes. */
void stage_emit(struct stage *stage, struct bytes *packet, enum way way,
                const struct link_header *link, const struct shape *shape);
/* Link header from one host to another. */
struct link_header stage_link(const struct host *from, const struct host *to,
                              const struct shape *shape);

struct shape shape_ordinary(void);

/* conversation.c: sends `size` bytes in as many segments as the MSS asks for, the last with
 * `flags`, at stage->now_ns; remembers them under `verb`. */
void conversation_say(struct stage *stage, struct flow *flow, enum way way, const char *verb,
                      uint8_t flags, const uint8_t *payload, size_t size,
                      const struct shape *shape);
/* The last utterance of that verb (NULL: of any) once more; false: there is none. */
bool conversation_repeat(struct stage *stage, struct flow *flow, enum way way, const char *verb,
                         const struct shape *shape);
/* A keepalive probe: one byte before the next, RFC 9293 section 3.8.4. */
void conversation_probe(struct stage *stage, struct flow *flow, enum way way,
                        const struct shape *shape);

#endif
