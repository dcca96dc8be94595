/* The kernel's filter, made from what the program looks at: an expression of pcap-filter(7).
 *
 * Beside capture/live.c, which gives it to the kernel, and `apnscope filter`, which prints it. Most
 * of a mirror port is nobody's business here; what the kernel drops costs the program nothing. The
 * expression is right for untagged, tagged, double-tagged and priority-tagged frames. It knows no
 * sessions: what only names a push host by its first bytes, at an address and a port where nobody
 * expects it, passes with those bytes alone (see scope_filter_follows). */
#ifndef APNSCOPE_CAPTURE_SCOPE_FILTER_H
#define APNSCOPE_CAPTURE_SCOPE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/text.h"
#include "model/packet.h"

enum { SCOPE_FILTER_SIZE = 32768, SCOPE_FILTER_PROXY_PORTS_MAX = 16 };

struct scope_filter {
    const struct prefix *apple_nets; /* besides the built-in ones */
    size_t apple_net_count;
    bool any_dns; /* other names than Apple's are push hosts: all of DNS */
    uint16_t proxy_ports[SCOPE_FILTER_PROXY_PORTS_MAX]; /* sessions there are followed whole */
    size_t proxy_port_count;
    const char *also;   /* an expression: those too; NULL: none */
    const char *filter; /* an expression: of all this, only those; NULL: all */
    bool decapsulate;   /* mirrored packets come inside tunnels: let tunnels pass */
    bool wide;          /* every TCP packet, all of DNS, all ICMP errors */
};

/* Ports where explicit proxies commonly listen. */
extern const uint16_t scope_filter_common_proxy_ports[2];

/* Writes the expression. `has_link_header`: the link type is Ethernet, so that there are tags and
 * types to look at. `text` should hold SCOPE_FILTER_SIZE bytes. */
void scope_filter_write(const struct scope_filter *scope, bool has_link_header, struct text *text);

/* Does the filter let all packets of the session pass that this one belongs to? Not so where only
 * its first bytes made it pass. */
bool scope_filter_follows(const struct scope_filter *scope, const struct packet *packet);

#endif
