/* The clocks of the machine, as the program keeps time (clock.h).
 *
 * For what concerns the run and not the traffic: when it began, deadlines, progress, when a
 * sentence was told. Read by cli/ and feed/ only, which the lint sees to: judgement runs on the
 * time of packets. */
#ifndef APNSCOPE_BASE_NOW_H
#define APNSCOPE_BASE_NOW_H

#include <stdint.h>

int64_t now_wall_ns(void);      /* since the epoch; may be set back */
int64_t now_monotonic_ns(void); /* since some moment; never goes back */

#endif
