/* Which addresses are Apple's, by model/apple_range.def.
 *
 * Asked for every packet of a mirror port, so the common "no" costs one comparison of four bytes
 * and no call. Knows only the built-in table: prefixes that the user adds (--apple-net) are kept
 * by those who were given them. */
#ifndef APNSCOPE_MODEL_APPLE_H
#define APNSCOPE_MODEL_APPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/reader.h"

/* The slow half: the table itself, and NAT64. Use apple_owns. */
bool apple_owns_ipv6(const struct address *address);

/* True for 17.0.0.0/8, Apple's IPv6 prefixes for APNs, and 17.x inside a NAT64 address of the
 * well-known prefix 64:ff9b::/96 (RFC 6052 section 2.1) or of the local-use prefix
 * 64:ff9b:1::/48 (RFC 8215). */
static inline bool apple_owns(const struct address *address)
{
    switch (load_u32(address->byte)) {
    case 0x00000000: /* ::ffff:a.b.c.d and its neighbours */
        return address->byte[12] == 17 && address_is_ipv4(address);
    case 0x0064ff9b: /* NAT64 */
    case 0x26200149:
    case 0x24030300:
    case 0x2a01b740:
        return apple_owns_ipv6(address);
    default:
        return false;
    }
}

/* True where the address may be Apple's although apple_owns says no: an IPv6 address of the same
 * registry allocation (/32) as one of Apple's APNs prefixes, or 17.x where RFC 6052 section 2.2
 * places an IPv4 address behind a network's own NAT64 prefix, which cannot be told from the address
 * alone. For doubts that keep a rule silent; never a reason to call something APNs. */
bool apple_may_own(const struct address *address);

/* The IPv4 address inside a NAT64 address that apple_owns accepts; any other address as it is. */
struct address apple_plain_address(const struct address *address);

#endif
