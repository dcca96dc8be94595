/* What a silence did to a session: for the rule about idle time-outs.
 *
 * track/ opens one when a session that works is silent for IDLE_LEAST_NS, and drops it when both
 * sides speak again: then the silence is only counted as survived. Frame 0: not seen. */
#ifndef APNSCOPE_MODEL_IDLE_EVIDENCE_H
#define APNSCOPE_MODEL_IDLE_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "model/flow_evidence.h"

/* Shorter than any idle timer of a firewall's or NAT's for established TCP (RFC 5382 REQ-5 asks
 * for two hours and four minutes; the shortest in use are a minute or more). */
#define IDLE_LEAST_NS (60 * NS_PER_S)

enum idle_shape {
    IDLE_UNDECIDED,  /* the silence was broken; what follows is awaited */
    IDLE_UNANSWERED, /* the client's packets after it were repeated in vain */
    IDLE_RESET,      /* they were answered by a reset */
    IDLE_MISSED,     /* the client gave up waiting; the server was ahead by bytes never seen */
    IDLE_UNHEARD     /* the server's bytes passed, repeatedly, and the client never had them */
};

struct idle_evidence {
    struct proof before;   /* the last packet before the silence */
    struct proof breaker;  /* the first one after it */
    struct proof last_try; /* the last packet of the side that broke it */
    struct proof answer;   /* what came back from the server's side; frame 0: nothing */
    uint32_t missed_size;  /* bytes of the server's that the client never had */
    uint32_t up_next;      /* the client's next sequence number before it broke the silence */
    uint32_t said_size;    /* bytes of the client's since then, in all */
    uint32_t last_size;    /* of them, in its last words */
    uint16_t tries;        /* packets of the side that broke it, without an answer */
    uint8_t shape;         /* enum idle_shape */
    bool server_broke_it;
    bool client_closes; /* the client's FIN is among what it said after the silence */
};

/* To the nearest second. */
static inline uint32_t idle_silence_s(const struct idle_evidence *idle)
{
    int64_t silence_ns = idle->breaker.time_ns - idle->before.time_ns;
    int64_t seconds = (silence_ns + NS_PER_S / 2) / NS_PER_S;
    return seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

#endif
