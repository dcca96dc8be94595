/* A finding: what a detector says, with its evidence. The row of the `finding` table. */
#ifndef APNSCOPE_MODEL_FINDING_H
#define APNSCOPE_MODEL_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "model/vocabulary.h"

enum {
    FINDING_SUMMARY_SIZE = 400,
    FINDING_REASONING_SIZE = 600,
    FINDING_FILTER_SIZE = 240,
    FINDING_LIMIT_SIZE = 240,
    FINDING_PLACE_SIZE = 240,
    FINDING_FRAMES_MAX = 12
};

/* Where a fault stands when the finding names nobody. */
enum fault_place {
    PLACE_UNKNOWN,
    PLACE_ON_THE_WAY,  /* silence: somewhere between the capture point and Apple */
    PLACE_AT_RESOLVER, /* a DNS server, before any connection */
    PLACE_AT_SERVER,   /* the MDM server itself */
    PLACE_IN_OTHERS    /* a consequence: the other findings of the device say where */
};

/* One frame that the finding rests on, and what it shows ("SYN", "RST, TTL 63"). */
struct finding_frame {
    uint64_t number;
    int64_t time_ns;
    char shows[56];
};

struct finding {
    uint64_t number;           /* within the run, from 1 */
    const char *code;          /* static: the detector's */
    enum severity severity;
    enum confidence confidence;
    enum finding_scope scope;
    uint64_t flow_number;      /* the first flow it rests on; 0: none */
    uint64_t device_number;    /* device_record.number, told before it; 0: none, or not known */
    struct address client_ip;  /* unspecified: none */
    struct address server_ip;
    uint32_t lane;
    uint16_t server_port;      /* 0: none */
    int64_t first_ns;
    int64_t last_ns;
    uint32_t count;            /* how many times it was seen */
    struct address blocker_ip; /* unspecified: not known */
    int16_t blocker_hops;      /* from the capture point; -1: not known */
    uint8_t blocker_mac[6];    /* of its packets, where Apple's come from another */
    bool has_blocker_mac;      /* until it is told: there is one to compare */
    bool blocker_mac_differs;  /* within the session itself */
    bool blocker_is_far;       /* it answered from where Apple's servers are */
    bool came_through_proxy;   /* that the client asked for it: `server_ip` */
    bool was_not_passed_on;    /* its flow's SYN was captured, but not behind a router or NAT */
    bool is_before_capture;    /* between the client and the capture point, which saw it pass */
    enum block_kind kind;      /* what the block goes by; BLOCK_NONE: not a block */
    enum blocker_side side;    /* where its author stands; told with the reason in `place` */
    char place[FINDING_PLACE_SIZE]; /* one sentence; "" while not told */
    char summary[FINDING_SUMMARY_SIZE];     /* one sentence: what, who, where */
    char reasoning[FINDING_REASONING_SIZE]; /* one or two sentences: why that follows */
    char limits[FINDING_LIMIT_SIZE];        /* capture facts that limit it; "" */
    char display_filter[FINDING_FILTER_SIZE]; /* Wireshark's syntax */
    struct finding_frame frames[FINDING_FRAMES_MAX];
    uint8_t frame_count;
};

#endif
