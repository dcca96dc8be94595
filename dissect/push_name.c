/* Host names of Apple Push Notification service, and what each is for (wire.md section 1).
 *
 * Used wherever a name comes off the wire: SNI, DNS, CONNECT, certificates. Deliberately knows no
 * addresses and does not believe a name: that one stands under push.apple.com says what the client
 * asked for, never who answered. */
#include "dissect/push_name.h"

#include <string.h>

enum { NAME_SIZE = 256 }; /* RFC 1035 section 2.3.4: no name is longer */

/* What may stand before a suffix: only a whole label, or also the rest of one, as in
 * "36.courier-push-apple.com.akadns.net". */
static const struct {
    const char *suffix;
    const char *boundaries;
} push_zones[] = {
    {"push.apple.com", "."},
    {"push-apple.com.akadns.net", ".-"},
};

/* The first label says what a host is for; every other name is a courier's ("7-courier",
 * "36-courier2.sandbox", "courier", "*" of a certificate). Rests on the names that Apple documents
 * for providers and the names seen in captures for devices; a new first label that Apple uses for
 * something else than couriers would prove it wrong. */
static const struct {
    const char *label;
    enum flow_role role;
    bool is_prefix; /* "init-p01st": the label may go on after a hyphen */
} first_labels[] = {
    {"init", ROLE_BAG, true},
    {"api", ROLE_PROVIDER, false},
    {"gateway", ROLE_LEGACY_PROVIDER, false},
    {"feedback", ROLE_LEGACY_PROVIDER, false},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Lower case, without the trailing dot. 0: no name, or too long to be one. */
static size_t normalise(const char *host, char out[NAME_SIZE])
{
    size_t length = 0;
    for (; host[length] != '\0'; length++) {
        if (length == NAME_SIZE - 1)
            return 0;
        out[length] = lower(host[length]);
    }
    if (length > 0 && out[length - 1] == '.')
        length--;
    out[length] = '\0';
    return length;
}

static bool stands_under(const char *name, size_t length, const char *suffix, size_t suffix_length,
                         const char *boundaries)
{
    if (suffix_length == 0 || length < suffix_length ||
        memcmp(name + length - suffix_length, suffix, suffix_length) != 0)
        return false;
    return length == suffix_length || strchr(boundaries, name[length - suffix_length - 1]) != NULL;
}

static bool is_in_zones(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof push_zones / sizeof *push_zones; i++)
        if (stands_under(name, length, push_zones[i].suffix, strlen(push_zones[i].suffix),
                         push_zones[i].boundaries))
            return true;
    return false;
}

/* A domain of the user's, as people write it: "push.example.com", ".example.com", "*.example.com".
 */
static bool is_in_domain(const char *name, size_t length, const char *domain)
{
    char suffix[NAME_SIZE];
    const char *bare = domain + strspn(domain, "*.");
    return stands_under(name, length, suffix, normalise(bare, suffix), ".");
}

static enum flow_role role_of_first_label(const char *name)
{
    size_t length = strcspn(name, ".");
    for (size_t i = 0; i < sizeof first_labels / sizeof *first_labels; i++) {
        size_t known = strlen(first_labels[i].label);
        if (length < known || memcmp(name, first_labels[i].label, known) != 0)
            continue;
        if (length == known || (first_labels[i].is_prefix && name[known] == '-'))
            return first_labels[i].role;
    }
    return ROLE_COURIER;
}

enum flow_role push_name_role(const char *host, const char *const *domains, size_t domain_count)
{
    char name[NAME_SIZE];
    size_t length = host ? normalise(host, name) : 0;
    if (length == 0)
        return ROLE_UNKNOWN;
    bool is_push = is_in_zones(name, length);
    for (size_t i = 0; !is_push && domains && i < domain_count; i++)
        is_push = is_in_domain(name, length, domains[i]);
    return is_push ? role_of_first_label(name) : ROLE_UNKNOWN;
}

/* Sixteen bytes at once, by the compiler's vectors (SSE2, NEON, or plain words). Letters are folded
 * with 0x20, since resolvers mix the case of the names they ask for (draft-vixie-dnsext-dns0x20);
 * no other byte folds onto these four letters. */
typedef uint8_t lanes __attribute__((vector_size(16)));

enum { LANES = sizeof(lanes), BLOCK = 4 * LANES };

static lanes lanes_equal(const uint8_t *at, uint8_t letter)
{
    lanes bytes;
    memcpy(&bytes, at, sizeof bytes);
    return (lanes)((bytes | 0x20) == letter);
}

/* Where "pu" stands in the block that begins here, as lanes that are not zero. */
static bool block_has_pair(const uint8_t *at)
{
    lanes found = lanes_equal(at, 'p') & lanes_equal(at + 1, 'u');
    for (size_t i = LANES; i < BLOCK; i += LANES)
        found |= lanes_equal(at + i, 'p') & lanes_equal(at + i + 1, 'u');
    uint64_t halves[2];
    memcpy(halves, &found, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

static bool is_push_at(const uint8_t *at)
{
    return (at[0] | 0x20) == 'p' && (at[1] | 0x20) == 'u' && (at[2] | 0x20) == 's' &&
           (at[3] | 0x20) == 'h';
}

bool push_name_may_occur(const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    for (; at + BLOCK + 3 <= size; at += BLOCK) {
        if (!block_has_pair(bytes + at))
            continue;
        for (size_t i = 0; i < BLOCK; i++)
            if (is_push_at(bytes + at + i))
                return true;
    }
    for (; at + 4 <= size; at++)
        if (is_push_at(bytes + at))
            return true;
    return false;
}

bool push_alpn(const char *alpn)
{
    static const char prefix[] =
        "apns-"; /* wire.md section 2: apns-security-v2, -v3, apns-pack-v1 */
    for (const char *at = alpn; at && *at != '\0'; at += strspn(at, ",")) {
        if (strncmp(at, prefix, sizeof prefix - 1) == 0)
            return true;
        at += strcspn(at, ",");
    }
    return false;
}
