/* What became of a ClientHello: shared by the rules about hellos that get no answer. */
#ifndef APNSCOPE_DETECT_HELLO_H
#define APNSCOPE_DETECT_HELLO_H

#include "attempts.h"
#include "detect/judge.h"

enum hello_fate {
    HELLO_NOT_JUDGED,
    HELLO_ANSWERED, /* by a record of the server's */
    HELLO_CUT,      /* RST, FIN or another's alert in the server's name came straight after it */
    HELLO_STALLED   /* nothing came for at least 5 s, and the client was still there */
};

/* Of a session that has closed. */
enum hello_fate hello_fate(const struct flow_record *flow);

/* What cut the hello off came from nearer than the SYN-ACK; sooner than the server can answer. */
bool cut_is_nearer(const struct flow_record *flow);
bool cut_is_too_fast(const struct flow_record *flow);

/* The head of a rule about hellos with that fate: at the end of the capture its findings are
 * reviewed (large-hello-blocked is the better name), and of other events true says that one such
 * session has closed. */
bool hello_is_due(struct judge *judge, const struct attempts *attempts, const struct event *event,
                  enum hello_fate fate);

/* It does not fit one segment: a post-quantum key share. */
bool hello_is_large(const struct flow_record *flow);

/* The server's side shut its window before the client could send the whole. */
bool hello_is_begun(const struct flow_record *flow);

/* "a ClientHello of 1789 bytes in 2 segments for courier.push.apple.com" */
void hello_name(const struct flow_record *flow, char *text, size_t size);
/* The frames: SYN-ACK, the hello's first segment, its last repetition. */
void hello_show(const struct flow_record *flow, struct finding *finding);

/* When the SYN-ACK came. */
int64_t syn_ack_ns(const struct flow_record *flow);

#endif
