/* ICMP and ICMPv6 errors. Private to dissect/; the quotes inside are read by
 * dissect_icmp_quote of dissect/dissect.h. Other ICMP messages are not ours. */
#ifndef APNSCOPE_DISSECT_ICMP_H
#define APNSCOPE_DISSECT_ICMP_H

#include "walk.h"

enum skip_reason icmp_error_ipv4(struct walk *walk);
enum skip_reason icmp_error_ipv6(struct walk *walk);

#endif
