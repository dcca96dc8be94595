/* A machine on the network, as the mirror sees what it sends.
 *
 * Of tests/fleet. Deliberately has no behaviour: devices and couriers do. */
#ifndef APNSCOPE_TESTS_FLEET_STATION_H
#define APNSCOPE_TESTS_FLEET_STATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "support/wire.h"

struct station {
    struct address address;
    uint8_t mac[6];
    uint8_t ttl; /* as seen at the mirror */
    uint16_t next_id;
    bool counts_ids;           /* else 0, as stacks do where fragmentation is forbidden */
    bool timestamps;
    uint32_t clock_ms;
    uint16_t mss;
};

static inline struct ip_header station_ip(struct station *from, const struct address *to)
{
    struct ip_header ip = {.source = from->address, .destination = *to, .ttl = from->ttl};
    ip.id = from->counts_ids ? ++from->next_id : 0;
    return ip;
}

static inline struct link_header station_link(const struct station *from, const struct station *to,
                                              bool is_outgoing)
{
    struct link_header link = {.is_outgoing = is_outgoing, .process_id = -1};
    for (int i = 0; i < 6; i++) {
        link.source_mac[i] = from->mac[i];
        link.destination_mac[i] = to->mac[i];
    }
    link.ether_type = address_is_ipv4(&from->address) ? 0x0800 : 0x86dd;
    return link;
}

#endif
