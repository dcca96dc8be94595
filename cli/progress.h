/* A progress bar with rate and time left, on a terminal. */
#ifndef APNSCOPE_CLI_PROGRESS_H
#define APNSCOPE_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    int64_t begun_ns;  /* monotonic */
    int64_t shown_ns;
    bool is_on;
    bool is_drawn;
};

/* On only when standard error is a terminal and `wanted`. */
struct progress progress_begin(bool wanted);
void progress_show(struct progress *progress, uint64_t done, uint64_t total, uint64_t frames);
/* Wipes the bar, so that what follows begins on a clean line. */
void progress_end(struct progress *progress);

#endif
