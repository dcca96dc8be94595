/* Who sent a reset, or closed in a server's name: shared by the rules about refused and cut
 * sessions. */
#ifndef APNSCOPE_DETECT_RESETS_H
#define APNSCOPE_DETECT_RESETS_H

#include "detect/judge.h"

/* Who sent, in Apple's name, what ended a session or refused it. */
struct sender {
    int16_t hops;       /* from the capture point; -1: not known */
    int16_t apple_hops; /* of the server's own packets, else of Apple's servers elsewhere; -1 */
    bool is_near;       /* nearer than Apple: another's doing */
    bool is_far;        /* where Apple is */
    bool is_doubtful;   /* its TTL does not tell (ttl_is_doubtful): neither of them is said */
};

/* The handshake was answered from nearer than Apple's servers are in other sessions, or from a hop
 * or two away within a millisecond: by a box. For naming it, not for finding it. */
bool is_answered_from_near(const struct judge *judge, const struct flow_record *flow);
/* Of the server-side RST or FIN of a session that has evidence. */
struct sender sender_of_end(const struct judge *judge, const struct flow_record *flow);
/* Of the RST that answered the SYN. */
struct sender sender_of_refusal(const struct judge *judge, const struct flow_record *flow);
/* "by a box 4 hops away (Apple is 12)", "from Apple's own distance (12 hops)", "in Apple's name".
 */
void sender_name(const struct sender *sender, char *text, size_t size);

/* What speaks against the reset's alleged sender, as sentences; "" where nothing does. */
void reset_explain(const struct flow_record *flow, enum direction direction, char *text,
                   size_t size);
/* The frames that show it: the reset, and the packet by which its alleged sender went on. */
void reset_show(const struct flow_record *flow, enum direction direction, struct finding *finding);

#endif
