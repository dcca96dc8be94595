/* Sessions of two capture points of one path, held against each other. */
#ifndef APNSCOPE_REPORT_PAIRING_H
#define APNSCOPE_REPORT_PAIRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/fault.h"

/* What became of a session between the two points. */
enum fate {
    FATE_UNKNOWN,    /* the outer capture does not cover its time or its way */
    FATE_PASSED,     /* the same session, unchanged but perhaps for its addresses */
    FATE_TERMINATED, /* another session took its place: TLS ends in between */
    FATE_HELLO_LOST, /* TCP came through, the ClientHello did not */
    FATE_VANISHED,   /* nothing of it came out */
    FATE_COUNT
};

struct session {
    char client[ADDRESS_TEXT_SIZE];
    char server[ADDRESS_TEXT_SIZE];
    char random[17]; /* "": no ClientHello was seen */
    char outcome[24];
    int64_t id;
    int64_t isn; /* negative: the SYN was not seen */
    int64_t started_ns;
    uint16_t client_port;
    uint16_t server_port;
    uint8_t fate;                /* enum fate, of inner sessions */
    bool is_taken;               /* of outer sessions: it is some inner one's */
    const struct session *other; /* the outer session; NULL: none */
};

struct point {
    struct session *sessions; /* by start */
    size_t count;
    int64_t first_ns; /* of the capture */
    int64_t last_ns;
};

/* Reads the newest run of a database. Free with point_free, also after a failure. */
MUST_USE bool point_read(struct point *point, const char *path, struct fault *fault);
void point_free(struct point *point);

/* Decides every inner session's fate. Returns how much later the outer clock shows the same moment.
 */
int64_t pairing_decide(struct point *inside, struct point *outside);

#endif
