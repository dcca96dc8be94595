/* Apple's servers by the network that a firewall's list would name: /16 of IPv4, /48 of IPv6. */
#ifndef APNSCOPE_DETECT_NETWORKS_H
#define APNSCOPE_DETECT_NETWORKS_H

#include "base/address.h"
#include "detect/judge.h"
#include "site.h"

/* The courier sessions on `port` by network, in the order of their first session; at most
 * NETWORKS_MAX. Returns how many. */
uint32_t networks_gather(const struct site *site, uint16_t port,
                         struct network networks[NETWORKS_MAX]);

#endif
