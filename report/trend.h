/* Before and after a change: what worked for whom, by port. */
#ifndef APNSCOPE_REPORT_TREND_H
#define APNSCOPE_REPORT_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "store/archive.h"

enum { TREND_PORTS = 3, TREND_SENTENCE_SIZE = 320 };
enum trend_side { TREND_BEFORE, TREND_AFTER, TREND_SIDES };

struct trend_counts {
    uint64_t devices, devices_worked; /* that tried the port; of them, for which it worked */
    uint64_t worked, failed;          /* sessions */
};

struct trend_client;

/* Zeroed: not asked for. */
struct trend {
    bool is_asked;
    int64_t change_ns;
    struct trend_counts at[TREND_PORTS][TREND_SIDES];
    struct trend_client *clients;
    size_t client_count, client_room;
    struct table table;
    char sentence[TREND_SENTENCE_SIZE]; /* "Since the change at ..., TCP 5223 works for ..." */
};

/* change_ns 0 or ROW_NULL: not asked for. */
void trend_begin(struct trend *trend, int64_t change_ns);
/* `site`: a number; equal addresses of two sites are two devices. */
void trend_take_flow(struct trend *trend, const struct flow_row *row, uint64_t site);
void trend_end(struct trend *trend, int64_t fault_last_ns);
void trend_free(struct trend *trend);

#endif
