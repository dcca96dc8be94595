/* What breaks on the way behind the mirror, one thing at a time, and what must be found then.
 *
 * Of tests/fleet; one row of fault.def each. Deliberately acts on packets as a box does, which
 * knows only what passes it. */
#ifndef APNSCOPE_TESTS_FLEET_FAULT_H
#define APNSCOPE_TESTS_FLEET_FAULT_H

#include "line.h"

enum box_kind {
    BOX_NONE,                 /* packets go from end to end */
    BOX_PASSES,               /* the box answers in the server's name, and lets TLS through */
    BOX_INSPECTS,             /* it speaks TLS 1.3 with a certificate of its own */
    BOX_SHOWS_ITS_CERTIFICATE /* the same with TLS 1.2 */
};

enum proxy_kind { PROXY_NONE, PROXY_PASSES, PROXY_DENIES };

struct fault {
    const char *name;
    const char *code;      /* the finding that must be there */
    const char *also;      /* those that may, for the same devices: words */
    const char *instead;   /* what may stand in its place; NULL: nothing */
    uint16_t bites_needed; /* a device that was bitten less often need not be found */
    bool (*can_hit)(const struct device *device);
    /* May the packet pass? NULL: all may. */
    bool (*lets_up)(struct line *line, const struct segment *segment);
    bool (*lets_down)(struct line *line, const struct segment *segment);
    enum box_kind box;
    double loss;      /* of each packet; 0: the ordinary one */
    bool server_cuts; /* a limit of minutes on each session */
    bool blocks_dns;
    bool leads_away;     /* DNS does, to a box that passes on what comes */
    bool mistrusts;      /* the MDM server has an old store of authorities */
    bool is_called;      /* from Apple's addresses */
    uint16_t tries_port; /* by hand; 0: none */
    enum proxy_kind proxy;
    bool hits_servers; /* the MDM servers, and no device */
    bool whole_site;   /* a finding about the site, and every device is hit */
    bool whole_kind;   /* a finding about devices, and all that can be are hit */
};

extern const struct fault faults[];
extern const size_t fault_count;

const struct fault *fault_named(const char *name);

#endif
