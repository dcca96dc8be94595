/* The tracker's time, and which sessions are over by it.
 *
 * Called by track.c for each packet that is taken. Which of a packet's times to believe is
 * packet_time.c's question. */
#include "expiry.h"

#include "session.h"

/* Silence after which a flow is judged, by what it waits for. A SYN is repeated for up to 30 s by
 * devices (wire.md section 3); it, a FIN and a ClientHello are repeated with gaps of up to 64 s; an
 * established courier session is silent for up to 30 min and 35 s between heartbeats. */
static const int64_t patience_ns[WAIT_COUNT] = {
    [WAIT_HALF_OPEN] = 75 * NS_PER_S,
    [WAIT_IDLE] = 4 * 3600 * NS_PER_S,
    [WAIT_CLOSING] = 75 * NS_PER_S,
    [WAIT_LINGER] = 10 * NS_PER_S,
};

static int64_t patience_of(const struct tracker *tracker, int wait)
{
    bool is_given = wait == WAIT_IDLE && tracker->options.idle_limit_ns;
    return is_given ? tracker->options.idle_limit_ns : patience_ns[wait];
}

static void expire(struct tracker *tracker)
{
    for (int wait = 0; wait < WAIT_COUNT; wait++) {
        int64_t before_ns = time_between(patience_of(tracker, wait), tracker->now_ns);
        enum outcome_cause cause =
            wait == WAIT_HALF_OPEN || wait == WAIT_IDLE ? CAUSE_SILENT : CAUSE_ENDED;
        struct flow *flow;
        while ((flow = flow_table_silent(&tracker->flows, (enum lifecycle_wait)wait, before_ns)))
            session_finish(tracker, flow, cause);
    }
}

void expiry_advance(struct tracker *tracker, int64_t time_ns)
{
    /* Packets of several queues overtake each other by less. */
    const int64_t unnoticed_ns = NS_PER_MS;
    tracker->is_late = time_between(tracker->now_ns, time_ns) < -unnoticed_ns;
    if (time_ns > tracker->now_ns)
        tracker->now_ns = time_ns;
    if (tracker->now_ns >= tracker->next_expiry_ns) {
        expire(tracker);
        tracker->next_expiry_ns = tracker->now_ns + NS_PER_S;
    }
}
