/* A conversation's own memory, and what its readers need of a packet. */
#ifndef APNSCOPE_TRACK_HEARING_H
#define APNSCOPE_TRACK_HEARING_H

#include "conversation.h"
#include "dissect/http.h"
#include "stream.h"

/* The client's records that are read before the ServerHello, which a mirror may deliver late. */
enum { HELD_RECORDS = 4 };

enum spoken { SPOKEN_UNKNOWN, SPOKEN_TLS, SPOKEN_CONNECT, SPOKEN_OTHER };

struct heads {
    struct http_head request;
    struct http_head answer;
};

struct conversation {
    struct stream streams[2];
    struct tls_stream tls[2];
    struct heads *heads; /* of a CONNECT; NULL otherwise */
    uint32_t heads_id;
    uint32_t id;
    struct protocol_session *protocol;
    uint32_t bytes;
    uint8_t spoken;
    uint16_t held[HELD_RECORDS]; /* sizes of records that wait for the ServerHello */
    uint8_t held_count;
    uint8_t up_records;  /* application-data records after the ServerHello, saturating */
    bool early_data;     /* the ClientHello announced it (RFC 8446 section 4.2.10) */
    bool labelled;       /* nDPI has answered */
    bool proxy_answered; /* the running CONNECT has its status */
    bool said_goodbye;   /* the client: a later record of an alert's size, close_notify mostly */
    bool tunnel;         /* the proxy said 2xx: TLS follows */
    bool from_syn;       /* the client's bytes are known from the first */
};

/* One packet's feeding: what the sinks need. */
struct hearing {
    struct conversation_desk *desk;
    struct flow *flow;
    struct conversation *talk;
    enum direction direction;
    int64_t now_ns;
    uint64_t frame;
    unsigned news;
};

/* hear_tls.c: bytes of TLS of the hearing's direction, in order. */
void hear_tls(struct hearing *hearing, const uint8_t *bytes, size_t size);
/* The ServerHello will never come: what waited for it counts as it is. */
void hear_tls_held(struct flow_record *record, struct conversation *talk, uint64_t frame);

/* hear_connect.c: bytes of a CONNECT, its answer, and the tunnel. */
void hear_connect(struct hearing *hearing, const uint8_t *bytes, size_t size);

#endif
