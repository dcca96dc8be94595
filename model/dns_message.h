/* A DNS message about one name, as dissect/ reads it (RFC 1035 section 4). */
#ifndef APNSCOPE_MODEL_DNS_MESSAGE_H
#define APNSCOPE_MODEL_DNS_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

enum { DNS_NAME_SIZE = 256, DNS_ADDRESSES_MAX = 32 };

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_TXT = 16, DNS_AAAA = 28, DNS_HTTPS = 65 };
enum dns_rcode { DNS_NOERROR = 0, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3, DNS_REFUSED = 5 };

struct dns_message {
    bool is_response;
    bool is_truncated;   /* TC */
    bool answers_cut;    /* the answer section could not be read to its end */
    uint8_t rcode;
    uint16_t id;
    uint16_t type;       /* of the question */
    char name[DNS_NAME_SIZE];      /* of the question, printable, lower case, no trailing dot */
    char canonical[DNS_NAME_SIZE]; /* where the CNAME chain ends; "" without CNAME */
    uint32_t lowest_ttl_s;         /* of the address records; 0 without */
    uint8_t address_count;         /* A and AAAA answers at the end of the chain, also type 65 hints */
    struct address addresses[DNS_ADDRESSES_MAX];
};

#endif
