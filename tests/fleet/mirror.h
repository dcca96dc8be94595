/* The mirror port: what passes it becomes frames of a capture file.
 *
 * Of tests/fleet. It may deliver each frame twice, and late: the time of a frame is when it was
 * delivered, as a capturing machine stamps it. It may be a poor one, which shows one direction
 * only, loses frames or cuts them, or whose clock is set. Deliberately harms nobody: what is lost
 * here arrived all the same. */
#ifndef APNSCOPE_TESTS_FLEET_MIRROR_H
#define APNSCOPE_TESTS_FLEET_MIRROR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "agenda.h"
#include "draw.h"
#include "support/bytes.h"
#include "support/wire.h"

enum copies { COPIES_NONE, COPIES_SAME, COPIES_ROUTED, COPIES_TRANSLATED, COPIES_COUNT };

struct mirror {
    FILE *out;
    int64_t start_ns;    /* since the epoch */
    enum copies copies;  /* ROUTED: once on each side of a router; TRANSLATED: of a NAT */
    int64_t delay_ns;    /* the longest */
    double delayed_part; /* of the frames */
    bool hides[2];       /* by enum direction */
    double lost_part;    /* of the frames */
    uint32_t snap_size;  /* 0: frames are whole */
    int64_t set_ns;      /* when the clock is set back; since the start */
    int64_t set_back_ns; /* by that much; 0: it is not */
    struct draw draw;
    struct agenda waiting; /* frames that are delivered later */
    uint64_t frames;
};

void mirror_begin(struct mirror *mirror);
/* A packet that passes at `at_ns`; its bytes are freed. */
void mirror_see(struct mirror *mirror, int64_t at_ns, const struct link_header *link,
                struct bytes *packet);
/* Nothing will pass before `now_ns` any more: writes what has been delivered by then. */
void mirror_write(struct mirror *mirror, int64_t now_ns);
/* Writes the rest. False: the file could not be written. */
bool mirror_end(struct mirror *mirror);

#endif
