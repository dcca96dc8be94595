/* nDPI's answers for ClientHellos it has seen, so that a fleet of like devices is asked about once. */
#ifndef APNSCOPE_TRACK_LABELS_H
#define APNSCOPE_TRACK_LABELS_H

#include <stdbool.h>

#include "model/flow_record.h"

enum { LABELS_SLOTS = 1024 };

/* What nDPI's answer to a ClientHello rests on: names, ALPN, what JA3 and JA4 cover, port and
 * network. Kept names are equal when their pointers are. Without holes. */
struct label_key {
    const char *sni;
    const char *alpn;
    const char *ja3;
    const char *ja4;
    uint8_t network[14]; /* of the server: /16 of IPv4, /48 of IPv6 */
    uint16_t server_port;
};

struct labels {
    struct {
        struct label_key key;
        const char *protocol;
        const char *risks;
        bool is_taken;
    } slots[LABELS_SLOTS];
};

/* Fills the record's ndpi_protocol and ndpi_risks from an earlier session with the same hello;
 * false where there was none, or no hello was read. */
bool labels_recall(const struct labels *labels, struct flow_record *record);
/* Keeps the answer that nDPI gave to this record's hello. */
void labels_keep(struct labels *labels, const struct flow_record *record);

#endif
