/* A detector: one rule, one file in detect/rules/.
 *
 * A rule is a const struct of words and one `observe` function over the events of track/. Its
 * memory (per flow, device or site) belongs to the engine and starts zeroed. A file dropped into
 * detect/rules/ is in the program, its list and its docs with no other edit; it must define
 * `const struct detector detector_<file name>` (port_refused.c -> detector_port_refused).
 *
 * Memory is taken only when a rule leaves something other than zeros in its state, so a rule costs
 * nothing for devices and flows that it has nothing to remember of. A flow's state ends with its
 * EVENT_FLOW_CLOSED. EVENT_CAPTURE_END reaches a site's rule once, and a device's rule once for
 * each device whose state is not zero: the time to weigh what was raised against all that followed.
 */
#ifndef APNSCOPE_DETECT_DETECTOR_H
#define APNSCOPE_DETECT_DETECTOR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/event.h"
#include "model/finding.h"

struct judge; /* the engine, as a rule sees it: detect/judge.h */

struct detector {
    const char *code;       /* published, kebab-case: "port-refused" */
    const char *title;      /* "Connection refused" */
    const char *meaning;    /* what it means for devices, one or two sentences */
    const char *rests_on;   /* the evidence it needs, and what would prove it wrong */
    const char *looks_like; /* what to look for in Wireshark */
    const char *innocent;   /* healthy things that resemble it, and why they do not fire */
    const char *remedy;     /* what a firewall team can act on */
    enum severity severity;
    enum block_kind kind;     /* what the block goes by, unless the finding says more; or none */
    enum fault_place place;   /* where it stands when the finding names nobody */
    enum finding_scope scope; /* what a finding is about; also whose memory `state` is */
    uint32_t requirements;    /* bits 1 << enum requirement_code that it counts against */
    bool is_of_its_port;      /* of R1, R2 and R6 only the one about the finding's port */
    bool recurs;              /* sessions that work meanwhile do not end it */
    uint32_t events;          /* bits 1 << enum event_kind that `observe` wants to see */
    size_t state_size;        /* bytes per flow, device (client address) or site; may be 0 */
    void (*observe)(struct judge *judge, void *state, const struct event *event);
};

#endif
