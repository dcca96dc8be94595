/* DNS over UDP, as a device asks for "N-courier.push.apple.com", and an MDM server for the
 * provider. Of tests/fleet. */
#include "lookup.h"

#include <stdio.h>
#include <stdlib.h>

#include "fault.h"
#include "support/dns_payload.h"

enum {
    TRIES = 5,
    TYPE_A = 1,
    TYPE_TXT = 16,
    TYPE_AAAA = 28,
    RCODE_NXDOMAIN = 3,
    ANSWERS = 8,
    PORT_DNS = 53
};

struct question {
    struct device *device;
    void (*found)(struct device *device);
    void (*failed)(struct device *device);
    char name[64];
    char chain[128];
    uint16_t id;
    uint16_t port;
    uint8_t tries;
};

static bool is_blocked(const struct question *question)
{
    const struct fault *fault = question->device->fleet->fault;
    return fault && fault->blocks_dns && question->device->is_hit;
}

static bool is_led_away(const struct question *question)
{
    const struct fault *fault = question->device->fleet->fault;
    return fault && fault->leads_away && question->device->is_hit;
}

static void datagram(struct question *question, bool up, int64_t at_ns, struct bytes *message)
{
    struct fleet *fleet = question->device->fleet;
    struct station *device = &question->device->v4, *resolver = &fleet->resolver;
    struct station *from = up ? device : resolver, *to = up ? resolver : device;
    struct ip_header ip = station_ip(from, &to->address);
    struct link_header link = station_link(from, to, up);
    struct bytes packet = {0};
    wire_udp(&packet, &ip, up ? question->port : PORT_DNS, up ? PORT_DNS : question->port,
             message->at, message->size);
    bytes_free(message);
    mirror_see(&fleet->mirror, at_ns, &link, &packet);
}

static void ask(struct question *question, uint16_t type, int64_t at_ns)
{
    struct bytes message = {0};
    payload_dns_query(&message, (uint16_t)(question->id + type), question->name, type);
    datagram(question, true, at_ns, &message);
}

static void answer(struct question *question, uint16_t type, int64_t at_ns)
{
    struct device *device = question->device;
    struct bytes message = {0};
    struct dns_answer answer = {.id = (uint16_t)(question->id + type),
                                .name = question->name,
                                .type = type,
                                .record_ttl_s = 60,
                                .cname = question->chain};
    if (is_blocked(question)) {
        answer.rcode = RCODE_NXDOMAIN;
        answer.cname = NULL;
    } else if (is_led_away(question)) {
        answer.cname = NULL;
        if (type == TYPE_A)
            answer.addresses[answer.address_count++] = device->fleet->elsewhere.address;
    } else if (type == TYPE_A || device->has_v6) {
        const struct station *servers = device->fleet->servers;
        servers += device->is_mdm_server ? FIRST_PROVIDER : type == TYPE_A ? 0 : FIRST_V6;
        for (size_t i = 0; i < (device->is_mdm_server ? SERVERS_PROVIDER : ANSWERS); i++)
            answer.addresses[answer.address_count++] = servers[i].address;
    }
    payload_dns_response(&message, &answer);
    datagram(question, false, at_ns, &message);
}

static void conclude(void *subject, const uint64_t detail[3])
{
    struct question *question = subject;
    struct device *device = question->device;
    (void)detail;
    if (is_blocked(question)) {
        device_bite(device);
        question->failed(device);
    } else {
        if (is_led_away(question))
            device_bite(device);
        question->found(device);
    }
    free(question);
}

static void try(void *subject, const uint64_t detail[3])
{
    struct question *question = subject;
    struct device *device = question->device;
    int64_t at_ns = device->fleet->now_ns + device->near_ns;
    (void)detail;
    if (!device->is_on_air) {
        free(question);
        return;
    }
    bool is_heard = !draw_chance(&device->draw, device->loss);
    ask(question, TYPE_A, at_ns);
    ask(question, TYPE_AAAA, at_ns + 50 * NS_PER_US);
    if (is_heard) {
        int64_t delay_ns = draw_between(&device->draw, 300, 30000) * NS_PER_US;
        answer(question, TYPE_A, at_ns + delay_ns);
        answer(question, TYPE_AAAA, at_ns + delay_ns + 100 * NS_PER_US);
        if (!draw_chance(&device->draw, device->loss)) {
            fleet_later(device->fleet, 2 * device->near_ns + delay_ns + NS_PER_MS, conclude,
                        question, 0);
            return;
        }
    }
    question->tries++;
    fleet_later(device->fleet, NS_PER_S, question->tries < TRIES ? try : conclude, question, 0);
}

void lookup(struct device *device, void (*found)(struct device *device),
            void (*failed)(struct device *device))
{
    struct question *question = support_allocate(sizeof *question);
    int number = (int)draw_between(&device->draw, 1, 50);
    *question = (struct question){.device = device, .found = found, .failed = failed};
    if (device->is_mdm_server) {
        snprintf(question->name, sizeof question->name, "api.push.apple.com");
        snprintf(question->chain, sizeof question->chain, "api.push-apple.com.akadns.net");
    } else {
        snprintf(question->name, sizeof question->name, "%d-courier.push.apple.com", number);
        snprintf(question->chain, sizeof question->chain,
                 "%d.courier-push-apple.com.akadns.net,pop-eur-central.push-apple.com.akadns.net",
                 number);
    }
    question->id = (uint16_t)draw_bits(&device->draw);
    question->port = (uint16_t)draw_between(&device->draw, 49152, 65535);
    try(question, NULL);
}

void lookup_text(struct device *device)
{
    struct question question = {.device = device, .name = "push.apple.com"};
    struct bytes message = {0};
    struct dns_answer answer = {
        .name = question.name, .type = TYPE_TXT, .record_ttl_s = 3600, .text = "count=50"};
    int64_t at_ns = device->fleet->now_ns + device->near_ns;
    answer.id = question.id = (uint16_t)draw_bits(&device->draw);
    question.port = (uint16_t)draw_between(&device->draw, 49152, 65535);
    payload_dns_query(&message, question.id, question.name, TYPE_TXT);
    datagram(&question, true, at_ns, &message);
    payload_dns_response(&message, &answer);
    datagram(&question, false, at_ns + 5 * NS_PER_MS, &message);
}
