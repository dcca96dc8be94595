/* The tracker's time, and which sessions are over by it. */
#ifndef APNSCOPE_TRACK_EXPIRY_H
#define APNSCOPE_TRACK_EXPIRY_H

#include "tracker.h"

/* A packet of ours has this time: sessions that have been silent for too long by then are closed.
 * Time is that of packets of ours, so that neither the size of a batch nor foreign traffic changes
 * what is judged when. */
void expiry_advance(struct tracker *tracker, int64_t time_ns);

#endif
