/* DNS messages (RFC 1035 section 4) about one name.
 *
 * Of tests/support. Answers compress names as servers do. */
#ifndef APNSCOPE_TESTS_SUPPORT_DNS_PAYLOAD_H
#define APNSCOPE_TESTS_SUPPORT_DNS_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "bytes.h"

enum { DNS_ANSWERS_MAX = 24 };

struct dns_answer {
    uint16_t id;
    const char *name;
    uint16_t type;
    uint8_t rcode;
    bool is_truncated;
    uint32_t record_ttl_s;
    const char *cname; /* comma separated chain; NULL: none */
    const char *text;  /* of a TXT record; NULL: none */
    struct address addresses[DNS_ANSWERS_MAX];
    size_t address_count;
};

/* "A", "AAAA", "HTTPS", "TXT", "CNAME" or a number. */
bool payload_dns_type_of(const char *text, uint16_t *type);
/* "NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED" or a number. */
bool payload_dns_rcode_of(const char *text, uint8_t *rcode);

void payload_dns_query(struct bytes *out, uint16_t id, const char *name, uint16_t type);
void payload_dns_response(struct bytes *out, const struct dns_answer *answer);

#endif
