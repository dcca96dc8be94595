/* Community ID: one name for a flow that Zeek, Suricata, Arkime and others compute alike.
 *
 * Version 1 of https://github.com/corelight/community-id-spec: "1:" and the
 * base64 of SHA-1 over seed, addresses, protocol, a zero byte and ports, the lower end first. A
 * name to join tables with, not a protection of anything, so SHA-1 is no weakness here. */
#ifndef APNSCOPE_STORE_COMMUNITY_ID_H
#define APNSCOPE_STORE_COMMUNITY_ID_H

#include <stdint.h>

#include "base/address.h"

enum { COMMUNITY_ID_TEXT_SIZE = 31, COMMUNITY_ID_TCP = 6 /* IANA protocol number */ };

struct community_id; /* the hash's working memory; one thread at a time */

/* NULL where libcrypto offers no SHA-1 (a restrictive policy): then there are no Community IDs. */
struct community_id *community_id_new(void);
void community_id_free(struct community_id *maker);

/* Returns `text`, or NULL where the hash failed or `maker` is NULL. Ends may be given in any order;
 * both addresses must be of one family. */
const char *community_id_write(struct community_id *maker, uint16_t seed, const struct address *a,
                               uint16_t a_port, const struct address *b, uint16_t b_port,
                               char text[COMMUNITY_ID_TEXT_SIZE]);

#endif
