/* Apple's servers by network: what works where, and what does not.
 *
 * Part of the engine, for R3 and partial-reachability. Deliberately coarse: an allow-list names
 * blocks, and Apple's five published ones are /16 to /23 of IPv4, /48 of IPv6. */
#include "networks.h"

#include <string.h>

#include "model/apple.h"

static struct prefix network_of(const struct address *ip)
{
    struct address plain = apple_plain_address(ip);
    bool v4 = address_is_ipv4(&plain);
    struct prefix prefix = {.base = plain, .bits = v4 ? 96 + 16 : 48};
    memset(prefix.base.byte + prefix.bits / 8, 0, sizeof prefix.base.byte - prefix.bits / 8);
    return prefix;
}

static void add(struct network *network, const struct server *server)
{
    bool is_new = !network->unreached;
    network->worked += server->sessions.worked;
    network->failed += server->sessions.failed;
    network->unreached += server->unreached;
    network->servers += server->unreached > 0;
    if (!network->success.frame)
        network->success = server->success;
    if (!server->unreached)
        return;
    network->several_clients |=
        server->several_clients || (!is_new && !address_equal(&network->client, &server->client));
    network->client = server->client;
    if (is_new || server->fail.time_ns < network->fail.time_ns)
        network->fail = server->fail;
    if (is_new || server->fail_first_s < network->fail_first_s)
        network->fail_first_s = server->fail_first_s;
    if (is_new || server->gave_up_s < network->gave_up_s)
        network->gave_up_s = server->gave_up_s;
    if (server->fail_last_s > network->fail_last_s)
        network->fail_last_s = server->fail_last_s;
}

uint32_t networks_gather(const struct site *site, uint16_t port,
                         struct network networks[NETWORKS_MAX])
{
    uint32_t count = 0;
    for (uint32_t id = 0; id < site_server_count(site); id++) {
        const struct server *server = site_server_at(site, id);
        enum way way = (enum way)server->way;
        if (server->port != port || way_is_provider(way) || way == WAY_COURIER_PROXY)
            continue;
        struct prefix prefix = network_of(&server->ip);
        uint32_t i = 0;
        while (i < count && (networks[i].prefix.bits != prefix.bits ||
                             !address_equal(&networks[i].prefix.base, &prefix.base)))
            i++;
        if (i == NETWORKS_MAX)
            continue;
        if (i == count)
            networks[count++] = (struct network){.prefix = prefix};
        add(&networks[i], server);
    }
    return count;
}
