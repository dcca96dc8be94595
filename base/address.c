/* Addresses as text and back, and the few classes of them that the pipeline asks about.
 *
 * Base of everything. Text is RFC 5952's canonical form, so that equal addresses are equal strings
 * in the database. Deliberately resolves no names and knows no zones ("%eth0"). */
#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { MAPPED_BITS = 96, GROUP_COUNT = 8 };

static bool in_range(const struct address *address, const struct prefix *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (prefix_contains(&prefixes[i], address))
            return true;
    return false;
}

#define V4_PREFIX(a, b, c, d, bits)                                                                \
    {                                                                                              \
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}}, MAPPED_BITS + (bits)             \
    }
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

bool address_is_unspecified(const struct address *address)
{
    static const struct prefix unspecified[] = {V4_PREFIX(0, 0, 0, 0, 32), {{{0}}, 128}};
    return in_range(address, unspecified, COUNT(unspecified));
}

bool address_is_loopback(const struct address *address)
{
    static const struct prefix loopback[] = {
        V4_PREFIX(127, 0, 0, 0, 8),                                /* RFC 1122 section 3.2.1.3 */
        {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, 128}, /* RFC 4291 section 2.5.3 */
    };
    return in_range(address, loopback, COUNT(loopback));
}

bool address_is_private(const struct address *address)
{
    static const struct prefix inside[] = {
        V4_PREFIX(10, 0, 0, 0, 8),     /* RFC 1918 section 3 */
        V4_PREFIX(172, 16, 0, 0, 12),  /* RFC 1918 section 3 */
        V4_PREFIX(192, 168, 0, 0, 16), /* RFC 1918 section 3 */
        V4_PREFIX(100, 64, 0, 0, 10),  /* RFC 6598 section 7 */
        V4_PREFIX(169, 254, 0, 0, 16), /* RFC 3927 section 2.1 */
        {{{0xfc}}, 7},                 /* RFC 4193 section 3.1 */
        {{{0xfe, 0x80}}, 10},          /* RFC 4291 section 2.5.6 */
    };
    return in_range(address, inside, COUNT(inside)) || address_is_loopback(address);
}

/* The longest run of at least two zero groups, the first of equals (RFC 5952 section 4.2). */
static void find_zero_run(const struct address *address, int *start, int *length)
{
    *start = -1;
    *length = 1;
    for (int i = 0; i < GROUP_COUNT; i++) {
        int run = 0;
        while (i + run < GROUP_COUNT && !address->byte[2 * (i + run)] &&
               !address->byte[2 * (i + run) + 1])
            run++;
        if (run > *length) {
            *start = i;
            *length = run;
        }
        i += run;
    }
}

static char *add_hex_group(char *at, unsigned group)
{
    static const char digit[] = "0123456789abcdef";
    for (int shift = 12; shift >= 0; shift -= 4)
        if (group >> shift || shift == 0)
            *at++ = digit[group >> shift & 15];
    return at;
}

static void ipv6_text(const struct address *address, char *at)
{
    int run_start;
    int run_length;
    find_zero_run(address, &run_start, &run_length);
    for (int i = 0; i < GROUP_COUNT; i++) {
        if (i == run_start) {
            *at++ = ':';
            i += run_length - 1;
            if (i == GROUP_COUNT - 1)
                *at++ = ':';
            continue;
        }
        if (i > 0)
            *at++ = ':';
        at = add_hex_group(at, (unsigned)address->byte[2 * i] << 8 | address->byte[2 * i + 1]);
    }
    *at = '\0';
}

const char *address_text(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    const uint8_t *four = address->byte + 12;
    if (address_is_ipv4(address))
        snprintf(text, ADDRESS_TEXT_SIZE, "%u.%u.%u.%u", four[0], four[1], four[2], four[3]);
    else
        ipv6_text(address, text);
    return text;
}

bool address_parse(const char *text, struct address *address)
{
    uint8_t bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1) {
        *address = address_from_ipv4(bytes);
        return true;
    }
    if (inet_pton(AF_INET6, text, bytes) == 1) {
        *address = address_from_ipv6(bytes);
        return true;
    }
    return false;
}

/* "0" to "128", digits only; -1 for anything else. */
static int parse_bits(const char *text)
{
    int bits = 0;
    size_t digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9' && digits < 3; digits++)
        bits = bits * 10 + (text[digits] - '0');
    return digits > 0 && text[digits] == '\0' ? bits : -1;
}

static void clear_host_bits(struct address *address, unsigned bits)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
        if (kept < 8)
            address->byte[i] &= (uint8_t)(0xff00u >> kept);
    }
}

bool prefix_parse(const char *text, struct prefix *prefix)
{
    char base[ADDRESS_TEXT_SIZE];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    if (length >= sizeof base)
        return false;
    memcpy(base, text, length);
    base[length] = '\0';
    if (!address_parse(base, &prefix->base))
        return false;
    bool dotted = strchr(base, ':') == NULL;
    int bits = slash ? parse_bits(slash + 1) : dotted ? 32 : 128;
    if (bits < 0 || bits > (dotted ? 32 : 128))
        return false;
    prefix->bits = (uint8_t)(bits + (dotted ? MAPPED_BITS : 0));
    clear_host_bits(&prefix->base, prefix->bits);
    return true;
}

const char *prefix_text(const struct prefix *prefix, char text[PREFIX_TEXT_SIZE])
{
    char base[ADDRESS_TEXT_SIZE];
    unsigned bits = prefix->bits;
    if (bits >= MAPPED_BITS && address_is_ipv4(&prefix->base))
        bits -= MAPPED_BITS;
    snprintf(text, PREFIX_TEXT_SIZE, "%s/%u", address_text(&prefix->base, base), bits & 0xffu);
    return text;
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
    /* ::/0 and other IPv6 prefixes that happen to cover the mapped form hold no IPv4 address. */
    if (prefix->bits < MAPPED_BITS && address_is_ipv4(address))
        return false;
    unsigned whole = prefix->bits / 8u;
    unsigned rest = prefix->bits % 8u;
    if (memcmp(prefix->base.byte, address->byte, whole) != 0)
        return false;
    return rest == 0 || ((prefix->base.byte[whole] ^ address->byte[whole]) >> (8 - rest)) == 0;
}

const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT_SIZE])
{
    snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    return text;
}
