/* Filter expressions of pcap-filter(7) over frames, or over the IP packets inside them.
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

/* As filter_compile, for packets alone: refuses what speaks of link headers (`ether host`, `vlan`,
 * `mpls`), which are gone by then. */
MUST_USE bool filter_compile_packets(struct filter **filter, const char *expression,
                                     struct fault *fault);

/* Whether filter_compile_packets takes it; NULL, no expression, is fine. */
MUST_USE bool filter_check_packets(const char *expression, struct fault *fault);

/* Not const: remembers programs for new link types. */
bool filter_matches(struct filter *filter, const struct frame *frame);

/* Over the IP packet at `ip`, of which `captured` bytes of `size` are there. */
bool filter_matches_packet(struct filter *filter, const uint8_t *ip, uint32_t captured,
                           uint32_t size);

/* Frames that did not match because libpcap cannot filter their link type. */
uint64_t filter_unfiltered(const struct filter *filter);

#endif
