/* What the screen of a live run knows: findings, devices, sessions, the latest state.
 *
 * Private to feed/. One flat struct, so that a pause is a copy of it. Bounded: where there is no
 * room, what is over and old makes some. */
#ifndef APNSCOPE_FEED_TOP_MODEL_H
#define APNSCOPE_FEED_TOP_MODEL_H

#include "records.h"

enum {
    TOP_FINDINGS_MAX = 1024,
    TOP_DEVICES_MAX = 4096,
    TOP_SESSIONS_MAX = 4096,
    TOP_NOTICES_MAX = 16
};

struct top_finding {
    struct finding finding;
    bool is_withdrawn; /* then `why` */
    char why[160];
};

/* Names are kept for the whole run. */
struct top_session {
    uint64_t number;
    struct address client_ip, server_ip;
    uint16_t client_port, server_port;
    uint8_t role, outcome, ended_by;
    bool is_over;
    int64_t started_ns, last_ns;
    uint64_t packets_up, packets_down, bytes_up, bytes_down;
    int32_t rtt_server_us;
    const char *name; /* SNI or the host of a CONNECT; NULL: none */
    const char *issuer;
};

struct top_model {
    struct top_finding findings[TOP_FINDINGS_MAX];
    size_t finding_count;
    struct device_record devices[TOP_DEVICES_MAX];
    size_t device_count;
    struct top_session sessions[TOP_SESSIONS_MAX];
    size_t session_count;
    struct notice notices[TOP_NOTICES_MAX]; /* a ring */
    uint64_t notice_count;
    uint64_t given_up;         /* rows that made room for others */
    struct feed_report report; /* now_ns 0: none yet */
};

/* `kind` is an enum record_kind. */
void top_model_take(struct top_model *model, enum record_kind kind, const void *record);
/* The latest; NULL: none. */
const struct notice *top_model_notice(const struct top_model *model, uint64_t back);

#endif
