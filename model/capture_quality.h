/* What the capture itself can and cannot support: counted while reading, judged by detect/. */
#ifndef APNSCOPE_MODEL_CAPTURE_QUALITY_H
#define APNSCOPE_MODEL_CAPTURE_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/vocabulary.h"

enum { CAPTURE_DAMAGE_SIZE = 256 };

struct capture_quality {
    uint64_t frames;
    uint64_t bytes;               /* captured */
    uint64_t skipped[SKIP_COUNT]; /* by reason */
    uint64_t frames_cut;          /* captured_size < original_size */
    uint64_t push_frames_cut;     /* of them, in tracked sessions, where payload was wanted */
    uint64_t dropped_kernel;      /* as the capture's statistics say */
    uint64_t dropped_interface;
    uint64_t dropped_queue;       /* live: the program had no room for them */
    bool drops_known;             /* the capture carried statistics */
    uint64_t stray_times;         /* frames whose time is far from that of all around: damaged */
    uint64_t backward_steps;      /* other frames whose time is before the one before them */
    int64_t largest_step_back_ns;
    int64_t first_ns;             /* lowest time, strays left out; TIME_UNKNOWN without frames */
    int64_t last_ns;              /* highest time, likewise */
    int64_t end_ns;               /* of the last frame, likewise */
    uint32_t smallest_snap;       /* 0: unlimited */
    bool truncated;               /* the file ends in the middle, or is damaged */
    char damage[CAPTURE_DAMAGE_SIZE]; /* where and how, with offset and frame; "" */

    uint64_t flows_tracked;       /* counted by track/ */
    uint64_t flows_up_only;       /* at least 3 packets, all from the client */
    uint64_t flows_down_only;
    uint64_t flows_evicted;       /* given up because the table was full */
    uint64_t attempts_summed;     /* half-open attempts beyond the cap, kept as sums */
    uint64_t other_apple;         /* other Apple sessions: counted, not stored */
    uint64_t session_packets;     /* TCP packets of tracked flows, copies left out */
    uint64_t duplicates;          /* packets seen twice */
    uint64_t flows_translated;    /* sessions captured on both sides of a NAT, counted once */
    uint64_t gap_bytes;           /* acknowledged, never captured */
    uint64_t fragments_refused;   /* datagrams whose fragments overlap or contradict each other */
    uint64_t fragments_incomplete; /* datagrams of which a fragment is missing or was cut */

    uint64_t findings_not_kept;  /* by detect/: beyond DETECT_FINDINGS_MAX, in counts only */
    uint64_t devices_early;       /* judged before the end to make room */
    uint64_t rule_states_lost;    /* rules that had to forget a device */
};

/* Packets that reached the capturing machine and are not in the capture. */
static inline uint64_t capture_quality_drops(const struct capture_quality *quality)
{
    return quality->dropped_kernel + quality->dropped_interface + quality->dropped_queue;
}

#endif
