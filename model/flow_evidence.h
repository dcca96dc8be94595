/* What a young or reset session showed on the wire, beyond its record: for the rules about what
 * happens to ClientHellos, to the server's flight, and about resets.
 *
 * track/ keeps it from the SYN-ACK until the session works, and again from a reset on, in a pool
 * of its own, so that an idle session pays a pointer. Offsets count payload bytes of a side from
 * its SYN: 0 is the first byte. Not seen: frame 0, TIME_UNKNOWN, -1 for TTLs. */
#ifndef APNSCOPE_MODEL_FLOW_EVIDENCE_H
#define APNSCOPE_MODEL_FLOW_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

/* A frame that proves something. */
struct proof {
    uint64_t frame;
    int64_t time_ns;
};

/* The client's first bytes, and what became of them before the server said anything. */
struct hello_evidence {
    struct proof first;     /* its first segment */
    struct proof last;      /* its last new segment */
    struct proof repeat;    /* the last time that bytes of it were sent again */
    struct proof acked;     /* the server's side acknowledged bytes of it */
    uint32_t size;          /* bytes sent before the server's first */
    uint32_t first_segment; /* bytes of the first segment */
    uint32_t told_size;     /* as its record's header tells; 0: it does not */
    uint32_t largest_segment;
    uint32_t acked_size; /* of them acknowledged before the server's first byte */
    uint16_t segments;
    uint16_t repeats;
    bool is_hello;       /* it begins as a ClientHello does */
    bool window_is_shut; /* the server's side takes no more, and had said nothing */
};

/* The server's first bytes: what arrived, what did not. */
struct flight_evidence {
    uint32_t contiguous; /* bytes that were seen in order from the first */
    uint32_t end;        /* one past the highest byte seen */
    uint32_t acked_size; /* the client has this much of it */
    uint32_t largest_segment;
    uint32_t beyond_start; /* where the first segment beyond the hole begins, while there is one */
    struct proof beyond;
    struct proof stuck;     /* the client's last word while it misses bytes */
    struct proof repeat;    /* the last large segment that was sent again */
    uint16_t large_repeats; /* segments of full size sent again */
    uint16_t stuck_acks;    /* how often the client said the same while bytes were missing */
};

/* What the server's side said to a ClientHello where that is text and no TLS, as web pages are. */
enum { ANSWER_TEXT_SIZE = 40 };
struct answer_evidence {
    struct proof proof;
    char text[ANSWER_TEXT_SIZE]; /* its first line, cut, printable; "" for every other answer */
};

/* SYN-ACKs that came again after the client had acknowledged them: that did not arrive, unless the
 * server waits for data before it believes in a connection. */
struct unheard_evidence {
    struct proof proof; /* of the last */
    uint16_t count;
};

enum cut_kind { CUT_BY_RESET, CUT_BY_FIN, CUT_BY_ALERT };

/* The first RST, FIN or TLS alert of the server's side while it had not said anything else. */
struct cut_evidence {
    struct proof proof;
    int32_t offset; /* of its sequence number: 0 where nothing of the server's was sent before */
    int16_t ttl;
    uint8_t kind; /* enum cut_kind */
};

enum reset_sign_place {
#define RESET_SIGN(constant, phrase) constant##_PLACE,
#include "model/reset_sign.def"
#undef RESET_SIGN
    RESET_SIGN_COUNT
};

enum reset_sign {
#define RESET_SIGN(constant, phrase) constant = 1 << constant##_PLACE,
#include "model/reset_sign.def"
#undef RESET_SIGN
};

/* The first RST of one side after the handshake, against what that side's packets showed before. */
struct reset_evidence {
    struct proof proof;
    struct proof went_on; /* the first packet of that side that a reset peer does not send */
    int64_t silence_ns;   /* since that side's packet before it; TIME_UNKNOWN: none */
    int64_t answer_ns;    /* since the other side's last new data; TIME_UNKNOWN: none */
    uint32_t next;        /* that side's next sequence number when it came */
    uint32_t acked;       /* what that side had acknowledged by then, at most */
    bool knows_acked;
    uint32_t highest; /* sequence number of the furthest RST */
    int16_t ttl;
    int16_t peer_ttl_low; /* of that side's other packets */
    int16_t peer_ttl_high;
    int16_t hops;      /* of its sender, by the TTL */
    int16_t peer_hops; /* of the nearest of that side's packets */
    uint16_t count;    /* RSTs of that side */
    uint16_t signs;    /* enum reset_sign */
    bool after_close;  /* a FIN or a RST of the other side came before */
};

struct flow_evidence {
    bool has_opening; /* the SYN-ACK was seen, and the rest counts from there */
    uint16_t mss_up;  /* announced by the client in its SYN; 0: not known */
    uint16_t mss_down;
    int64_t last_up_ns; /* the client's last packet that is no RST */
    struct hello_evidence hello;
    struct flight_evidence flight;
    struct answer_evidence answer;
    struct unheard_evidence unheard;
    struct cut_evidence cut;
    struct proof too_big; /* an ICMP error "too big" about the server's packets or the client's */
    struct address too_big_source;
    uint32_t too_big_mtu;
    bool too_big_of_server;         /* it quotes a packet of the server's */
    struct reset_evidence reset[2]; /* by enum direction of its alleged sender */
};

/* Its TTL says the reset is another's, and so does something that TTLs do not depend on: prefers
 * missing one to inventing one. */
static inline bool reset_is_forged(const struct reset_evidence *reset)
{
    const unsigned distance = RESET_NEARER | RESET_OTHER_DISTANCE;
    const unsigned proofs = RESET_PEER_WENT_ON | RESET_SERIES;
    if (!reset->proof.frame)
        return false;
    if (reset->signs & RESET_NEARER && reset->signs & (proofs | RESET_TOO_FAST))
        return true;
    return (reset->signs & distance) && (reset->signs & proofs) == proofs;
}

#endif
