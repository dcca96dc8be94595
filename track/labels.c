/* nDPI's answers for ClientHellos it has seen.
 *
 * Asked by track/conversation.c before nDPI is: a call costs some 5 µs, and the devices of a site
 * send the same few hellos. Holds only answers that nDPI gave to the hello alone; an answer that
 * needed the server's packets too is never shared. */
#include "labels.h"

#include <string.h>

#include "base/table.h"

/* nDPI knows networks by prefixes no longer than these: /16 of IPv4 (14 bytes of the mapped form),
 * /48 of IPv6. */
enum { IPV6_NETWORK = 6 };

static struct label_key key_of(const struct flow_record *record)
{
    struct label_key key = {.sni = record->sni,
                            .alpn = record->alpn,
                            .ja3 = record->ja3,
                            .ja4 = record->ja4,
                            .server_port = record->server_port};
    size_t network_size = address_is_ipv4(&record->server_ip) ? sizeof key.network : IPV6_NETWORK;
    memcpy(key.network, record->server_ip.byte, network_size);
    return key;
}

static size_t slot_of(const struct label_key *key)
{
    return hash_bytes(key, sizeof *key, 3) % LABELS_SLOTS;
}

bool labels_recall(const struct labels *labels, struct flow_record *record)
{
    if (!record->ja4)
        return false;
    struct label_key key = key_of(record);
    size_t slot = slot_of(&key);
    if (!labels->slots[slot].is_taken || memcmp(&labels->slots[slot].key, &key, sizeof key) != 0)
        return false;
    record->ndpi_protocol = labels->slots[slot].protocol;
    record->ndpi_risks = labels->slots[slot].risks;
    return true;
}

void labels_keep(struct labels *labels, const struct flow_record *record)
{
    if (!record->ja4)
        return;
    struct label_key key = key_of(record);
    size_t slot = slot_of(&key);
    labels->slots[slot].key = key;
    labels->slots[slot].protocol = record->ndpi_protocol;
    labels->slots[slot].risks = record->ndpi_risks;
    labels->slots[slot].is_taken = true;
}
