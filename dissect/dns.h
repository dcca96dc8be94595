/* DNS messages (RFC 1035, RFC 9460 for type 65): question and the addresses it leads to. */
#ifndef APNSCOPE_DISSECT_DNS_H
#define APNSCOPE_DISSECT_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/dns_message.h"

/* Reads one message (of UDP, or after the two-byte length of TCP). False where it is no DNS
 * message with exactly one question. Compression loops end; what cannot be read sets answers_cut. */
bool dns_read(const uint8_t *bytes, size_t size, struct dns_message *message);

#endif
