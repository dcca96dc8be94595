/* Port tests and calls, some minutes after a device came. Of tests/fleet. */
#include "stray.h"

#include "courier.h"
#include "fault.h"

enum { SYN = 0x02, RST = 0x04, ACK = 0x10, SERVICE_PORT = 62078 };

static void show(struct device *device, struct station *from, struct station *to,
                 const struct tcp_header *tcp, int64_t at_ns)
{
    struct ip_header ip = station_ip(from, &to->address);
    struct link_header link = station_link(from, to, from == &device->v4);
    struct bytes packet = {0};
    wire_tcp(&packet, &ip, tcp, NULL, 0);
    mirror_see(&device->fleet->mirror, at_ns, &link, &packet);
}

/* A SYN from Apple's addresses, which the device refuses. */
static void call(struct device *device)
{
    struct fleet *fleet = device->fleet;
    struct station *caller = fleet->servers + draw_between(&device->draw, 0, SERVERS_V4);
    struct tcp_header syn = {.source_port = (uint16_t)draw_between(&device->draw, 1024, 65535),
                             .destination_port = SERVICE_PORT,
                             .sequence = (uint32_t)draw_bits(&device->draw),
                             .window = 65535,
                             .flags = SYN};
    struct tcp_header refusal = {.source_port = SERVICE_PORT,
                                 .destination_port = syn.source_port,
                                 .acknowledgement = syn.sequence + 1,
                                 .flags = RST | ACK};
    show(device, caller, &device->v4, &syn, fleet->now_ns);
    show(device, &device->v4, caller, &refusal, fleet->now_ns + 2 * device->near_ns);
}

static void happen(void *subject, const uint64_t detail[3])
{
    struct device *device = subject;
    const struct fault *fault = device->fleet->fault;
    (void)detail;
    if (!device->is_on_air || device->fleet->now_ns < 0)
        return;
    if (fault->is_called)
        call(device);
    else
        courier_try_by_hand(device, fault->tries_port);
}

void stray_begin(struct device *device)
{
    const struct fault *fault = device->is_hit ? device->fleet->fault : NULL;
    if (fault && (fault->is_called || fault->tries_port))
        fleet_later(device->fleet, draw_between(&device->draw, 1, 60) * MINUTE_NS, happen, device,
                    0);
}
