/* Filter expressions of pcap-filter(7) over frames.
 *
 * The only place of the program that sees libpcap's compiler. An expression is compiled once for
 * each link type that turns up. Frames of a link type that libpcap cannot filter never match and
 * are counted; PKTAP frames are filtered by the frame inside. Deliberately adds nothing to the
 * language: as in tcpdump, `tcp port 5223` does not match frames with a VLAN tag. */
#ifndef APNSCOPE_CAPTURE_FILTER_H
#define APNSCOPE_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "model/frame.h"

struct filter;

/* False with libpcap's complaint when the expression is valid neither for Ethernet nor for raw
 * IP. */
MUST_USE bool filter_compile(struct filter **filter, const char *expression, struct fault *fault);
void filter_free(struct filter *filter); /* NULL is fine */

/* Not const: remembers programs for new link types. */
bool filter_matches(struct filter *filter, const struct frame *frame);

/* Frames that did not match because libpcap cannot filter their link type. */
uint64_t filter_unfiltered(const struct filter *filter);

#endif
