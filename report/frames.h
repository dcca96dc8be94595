/* The frames that a finding's evidence names, for whoever shows the packets themselves. */
#ifndef APNSCOPE_REPORT_FRAMES_H
#define APNSCOPE_REPORT_FRAMES_H

#include <stdint.h>

/* `evidence` as in the database; NULL or damaged: no frames. */
void report_each_frame(const char *evidence,
                       void (*each)(void *context, int64_t frame, const char *shows),
                       void *context);

#endif
