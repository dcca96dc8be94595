/* The first seconds of a live run: does the mirror show what it should?
 *
 * Fed with the packets that were taken, by cli/live_run.c; says its observations in one plain line
 * each. Judges the mirror, never the network. */
#ifndef APNSCOPE_CLI_SELF_CHECK_H
#define APNSCOPE_CLI_SELF_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/speaker.h"
#include "capture/live.h"
#include "model/capture_quality.h"
#include "model/packet.h"

enum { SELF_CHECK_VLANS = 8 };

struct self_check {
    uint64_t packets; /* TCP */
    uint64_t to_apple, from_apple;
    uint64_t tagged;
    uint16_t vlans[SELF_CHECK_VLANS];
    unsigned vlan_count; /* of those kept */
    uint64_t merged;     /* larger than an Ethernet frame: put together by the capturing host */
    uint64_t checksums, checksums_wrong, checksums_wrong_up;
};

void self_check_take(struct self_check *check, const struct packet *packet);

void self_check_tell(const struct self_check *check, const struct capture_quality *quality,
                     const struct live_statistics *interfaces, size_t interface_count,
                     bool is_decapsulating, const struct speaker *speaker);

#endif
