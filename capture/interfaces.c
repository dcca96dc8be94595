/* Which interfaces can be captured on, as libpcap lists them. Opens none of them. */
#include "interfaces.h"

#include <pcap/pcap.h>

bool capture_interfaces(void (*each)(void *context, const struct capture_interface *interface),
                        void *context, struct fault *fault)
{
    char reason[PCAP_ERRBUF_SIZE];
    pcap_if_t *all;
    if (pcap_findalldevs(&all, reason) != 0)
        return fault_set(fault,
                         "the interfaces cannot be listed: %s; try it as root or with "
                         "CAP_NET_RAW",
                         reason);
    for (const pcap_if_t *one = all; one; one = one->next) {
        struct capture_interface interface = {.name = one->name,
                                              .description = one->description,
                                              .is_up = one->flags & PCAP_IF_UP,
                                              .is_loopback = one->flags & PCAP_IF_LOOPBACK};
        each(context, &interface);
    }
    pcap_freealldevs(all);
    return true;
}
