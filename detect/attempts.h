/* Attempts that failed, as the rules about ports and ClientHellos weigh them; shared by
 * detect/rules/port_*.c and those about hellos. */
#ifndef APNSCOPE_DETECT_ATTEMPTS_H
#define APNSCOPE_DETECT_ATTEMPTS_H

#include "detect/judge.h"

enum { ATTEMPT_CASES = 3 };

/* Failed attempts of one device by one way. */
struct attempt_case {
    struct address server; /* of the first */
    int64_t first_ns;
    int64_t last_ns;
    uint16_t attempts; /* 0: this place is free */
    uint16_t port;
    uint8_t way;
    bool several_servers;
    bool only_ipv6;
    bool connects;     /* TCP was accepted: only what was said on it failed */
    bool says_no_name; /* nor was anything said yet that a filter by name could go by */
    bool is_near;      /* answered from nearer than Apple: by the network's own box */
    bool is_far;       /* answered from where Apple is */
};

struct attempts {
    struct attempt_case cases[ATTEMPT_CASES];
};

/* Adds the flow; NULL when all cases are taken by other ways. */
struct attempt_case *attempts_note(struct attempts *attempts, const struct flow_record *flow);

/* How sure it is that the network, and not chance, makes this device fail there; false: a healthy
 * network can look like this, stay silent. */
bool attempts_weigh(const struct judge *judge, const struct attempt_case *attempt_case,
                    enum confidence *confidence);

/* Appends to finding->reasoning what the comparison with other sessions says; replaces what an
 * earlier call appended. */
void attempts_compare(const struct judge *judge, const struct attempt_case *attempt_case,
                      struct finding *finding);

/* At the end of the capture: weighs each case again, in the light of all that followed. */
void attempts_review(struct judge *judge, const struct attempts *attempts);

/* The same; where another rule stands by a finding with that code about the same port, which is the
 * better name for what happened, this rule's is withdrawn. */
void attempts_review_unless(struct judge *judge, const struct attempts *attempts,
                            const char *better_code);

/* Weighs the case, and drafts a finding about the event's flow; false: stay silent, or the count
 * is all that was missing. attempts_raise compares and raises it, once its summary and the lead of
 * its reasoning are written. `attempt_case` may be NULL: too many ways to remember. */
bool attempts_draft(struct judge *judge, const struct attempt_case *attempt_case,
                    const struct event *event, struct finding *finding);
void attempts_raise(struct judge *judge, const struct attempt_case *attempt_case,
                    struct finding *finding);

/* The flow is an attempt on a port of today's APNs at an address of Apple's: what the port rules
 * are about. 2195 and 2196 are legacy-provider-port's. */
bool is_attempt_at_apple(const struct flow_record *flow);

#endif
