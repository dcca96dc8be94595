/* A TCP connection between a device and a server, on a path that loses packets.
 *
 * Of tests/fleet. Both ends are honest: they repeat what was not acknowledged, keep what comes
 * early, answer what belongs to no connection with a reset. The mirror is between them, near the
 * device; behind it, a box may interfere (fault.h). Deliberately without congestion control: a
 * courier says little. */
#ifndef APNSCOPE_TESTS_FLEET_LINE_H
#define APNSCOPE_TESTS_FLEET_LINE_H

#include "fleet.h"

/* What the ends say to one another; one saying may take several segments. */
enum saying {
    SAY_OPEN, /* the handshake of TCP is done; heard by both */
    SAY_HELLO,
    SAY_FLIGHT,
    SAY_FINISHED,
    SAY_SERVER_FINISHED,
    SAY_CONNECT,
    SAY_ANSWER,
    SAY_HEARTBEAT,
    SAY_PUSH,
    SAY_RECEIPT,
    SAY_ALERT,
    SAY_ASK_PROXY,
    SAY_PROXY_ANSWER,
    SAY_FIN
};

enum end_cause { CAUSE_RESET, CAUSE_NO_ANSWER };

enum { KEPT_MAX = 16, SAYINGS_MAX = 16, EARLY_MAX = 16 };

struct segment {
    uint32_t sequence;
    uint16_t size;
    uint8_t flags;
    uint8_t saying;
    uint8_t piece; /* of its saying, from 0 */
    uint8_t sends;
    uint8_t *payload;
};

struct party {
    struct station *station;
    uint16_t port;
    uint32_t first;
    uint32_t next;     /* of what it says next */
    uint32_t oldest;   /* not acknowledged */
    uint32_t expected; /* of what it hears next */
    uint32_t echo;     /* the other's newest timestamp */
    int64_t passed_ns; /* its last packet at the mirror: packets do not overtake */
    int64_t came_ns;   /* the last packet that came to it */
    struct segment kept[KEPT_MAX];
    struct {
        uint32_t end;
        uint8_t saying;
    } sayings[SAYINGS_MAX]; /* not yet heard by the other */
    struct {
        uint32_t first, end;
    } early[EARLY_MAX];
    uint32_t timer; /* only the newest counts */
    uint8_t kept_count, saying_count, early_count;
    uint8_t tries;
    uint8_t tries_max;
    uint8_t repeats; /* acknowledgements of the same byte */
    bool is_open;    /* knows of the connection */
    bool is_gone;    /* knows no more of it: answers with a reset */
    bool has_closed; /* sent its FIN */
    bool was_closed; /* heard the other's */
};

struct line {
    struct fleet *fleet;
    struct device *device;
    struct party party[2]; /* by enum direction: of what each sends */
    int64_t near_ns;       /* mirror to device, one way */
    int64_t far_ns;        /* mirror to server, one way */
    void (*heard)(struct line *line, enum direction way, enum saying saying);
    void (*over)(struct line *line, enum direction whose, enum end_cause cause);
    /* the box behind the mirror */
    int64_t box_last_ns; /* when it saw the last packet of the connection */
    bool box_bit;        /* it has done harm */
    bool box_cuts;       /* and lets nothing pass any more */
    bool box_swallowed;  /* something for a device that was there */
};

void line_open(struct line *line); /* the device's SYN */
void line_say(struct line *line, enum direction way, enum saying saying, struct bytes *payload);
void line_close(struct line *line, enum direction way); /* a FIN after all that was said */
/* A reset of the party's own; `terse` as Apple's stacks send it for a socket that is no more. */
void line_reset(struct line *line, enum direction way, bool terse);
/* The party says no more, and nobody is told. */
void line_forget(struct line *line, enum direction way);
/* Packets in somebody's name, from the box; delivered to the other end. */
void line_forge_reset(struct line *line, enum direction claimed, uint32_t ahead, uint8_t ttl,
                      bool answers_syn);
/* "Communication administratively prohibited", from the router, about the device's SYN. */
void line_forge_prohibited(struct line *line);

#endif
