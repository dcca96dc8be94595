/* Which host names are APNs, and what they are for (wire.md section 1). */
#ifndef APNSCOPE_DISSECT_PUSH_NAME_H
#define APNSCOPE_DISSECT_PUSH_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/vocabulary.h"

/* The role that a host name implies: ROLE_COURIER for *-courier*.push.apple.com, courier.*,
 * courier-sandbox and *push-apple.com.akadns.net; ROLE_BAG for init*.push.apple.com; ROLE_PROVIDER
 * for api.*push.apple.com; ROLE_LEGACY_PROVIDER for gateway and feedback; ROLE_COURIER for any
 * other name under push.apple.com; ROLE_UNKNOWN where it is no push name. Case does not matter, a
 * trailing dot is ignored. `domains` (may be NULL) are further suffixes given by the user. */
enum flow_role push_name_role(const char *host, const char *const *domains, size_t domain_count);

/* Cheap test over raw bytes: could a push name stand in here? May say yes wrongly, never no. Looks
 * for "push" only, so it holds for user domains only when those contain it. */
bool push_name_may_occur(const uint8_t *bytes, size_t size);

/* ALPN list (comma separated) offers apns-*. */
bool push_alpn(const char *alpn);

#endif
