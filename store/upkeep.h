/* What a live run asks of the writer besides rows: its quality so far, findings taken back, old rows
 * deleted.
 *
 * Private to store/. Orders travel through the queue like rows and are carried out in the same
 * transactions, so that they are never ahead of the rows before them. */
#ifndef APNSCOPE_STORE_UPKEEP_H
#define APNSCOPE_STORE_UPKEEP_H

#include <stdint.h>

#include "model/capture_quality.h"
#include "row_writer.h"

enum upkeep_what { UPKEEP_QUALITY, UPKEEP_WITHDRAW, UPKEEP_RETAIN };

struct upkeep_order {
    enum upkeep_what what;
    union {
        struct capture_quality quality;
        uint64_t finding_number;
        struct {
            int64_t before_ns; /* INT64_MIN: whatever their age */
            int64_t bytes_max; /* 0: whatever their size */
        } retain;
    } is;
};

/* SQLite result codes. */
int upkeep_carry_out(struct row_writer *writer, const struct upkeep_order *order);

#endif
