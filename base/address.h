/* IP addresses and prefixes, both families in one 16-byte form without holes.
 *
 * An IPv4 address is kept as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so that one key, one
 * comparison and one prefix test serve both. Deliberately knows nothing of Apple: the ranges are
 * in model/apple_range.def. */
#ifndef APNSCOPE_BASE_ADDRESS_H
#define APNSCOPE_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct address {
    uint8_t byte[16];
};

enum { ADDRESS_TEXT_SIZE = 46, PREFIX_TEXT_SIZE = 50, MAC_TEXT_SIZE = 18 };

/* `bits` counts in the 16-byte form: 17.0.0.0/8 has 104. */
struct prefix {
    struct address base;
    uint8_t bits;
};

static inline struct address address_from_ipv4(const uint8_t *four)
{
    struct address address = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
    memcpy(address.byte + 12, four, 4);
    return address;
}

static inline struct address address_from_ipv6(const uint8_t *sixteen)
{
    struct address address;
    memcpy(address.byte, sixteen, 16);
    return address;
}

static inline bool address_is_ipv4(const struct address *address)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(address->byte, mapped, sizeof mapped) == 0;
}

static inline bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}

/* True for 0.0.0.0 and ::, and for a zeroed struct. */
bool address_is_unspecified(const struct address *address);
bool address_is_loopback(const struct address *address);
/* Private (RFC 1918, RFC 6598 shared space), link-local, unique-local, loopback. */
bool address_is_private(const struct address *address);

/* Dotted quad or RFC 5952 text, without brackets or zone. Returns `text`. */
const char *address_text(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
bool address_parse(const char *text, struct address *address);

/* "17.0.0.0/8", "2620:149:a44::/48", or a lone address (all bits). Host bits are cleared. */
bool prefix_parse(const char *text, struct prefix *prefix);
const char *prefix_text(const struct prefix *prefix, char text[PREFIX_TEXT_SIZE]);
bool prefix_contains(const struct prefix *prefix, const struct address *address);

/* "00:1a:2b:3c:4d:5e". */
const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT_SIZE]);

#endif
