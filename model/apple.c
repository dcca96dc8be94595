/* Apple's address ranges as prefixes, and IPv4 addresses embedded in IPv6 ones.
 *
 * Stands beside the pipeline: track/ asks it which packets concern us, detect/ where a name was
 * led. Deliberately does not distinguish APNs from the rest of Apple: couriers were seen outside
 * the published APNs list, so only names, ports and content decide that. */
#include "model/apple.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>

enum {
#define APPLE_RANGE(text, is_listed, note) +1
    RANGE_COUNT = 0
#include "model/apple_range.def"
#undef APPLE_RANGE
};

static struct prefix ranges[RANGE_COUNT];
static pthread_once_t ranges_once = PTHREAD_ONCE_INIT;

static void ranges_read(void)
{
    static const char *const texts[RANGE_COUNT] = {
#define APPLE_RANGE(text, is_listed, note) text,
#include "model/apple_range.def"
#undef APPLE_RANGE
    };
    for (size_t i = 0; i < RANGE_COUNT; i++) {
        bool parsed = prefix_parse(texts[i], &ranges[i]);
        assert(parsed);
        (void)parsed;
    }
}

/* Where the four bytes of an IPv4 address stand behind a prefix of `bits` bits; byte 8 (bits 64 to
 * 71) is skipped and zero. RFC 6052 section 2.2, figure 1. */
struct embedding {
    uint8_t bits;
    uint8_t at[4];
};

static const struct embedding embeddings[] = {
    {32, {4, 5, 6, 7}},   {40, {5, 6, 7, 9}},    {48, {6, 7, 9, 10}},
    {56, {7, 9, 10, 11}}, {64, {9, 10, 11, 12}}, {96, {12, 13, 14, 15}},
};

/* RFC 6052 section 2.2: the bits behind the embedded address are reserved and zero. */
static bool embedding_fits(const struct embedding *embedding, const struct address *address)
{
    if (address->byte[8] || address->byte[embedding->at[0]] != 17)
        return false;
    for (unsigned i = embedding->at[3] + 1u; i < sizeof address->byte; i++)
        if (address->byte[i])
            return false;
    return true;
}

/* The embedding of a NAT64 prefix that is known from the address itself; NULL: none. */
static const struct embedding *known_embedding(const struct address *address)
{
    static const uint8_t well_known[12] = {0x00, 0x64, 0xff, 0x9b}; /* RFC 6052 section 2.1 */
    static const uint8_t local_use[6] = {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}; /* RFC 8215 */
    bool is_local = memcmp(address->byte, local_use, sizeof local_use) == 0;
    if (!is_local && memcmp(address->byte, well_known, sizeof well_known) != 0)
        return NULL;
    unsigned shortest = is_local ? 48 : 96;
    for (size_t i = 0; i < sizeof embeddings / sizeof *embeddings; i++)
        if (embeddings[i].bits >= shortest && embedding_fits(&embeddings[i], address))
            return &embeddings[i];
    return NULL;
}

bool apple_owns_ipv6(const struct address *address)
{
    if (known_embedding(address))
        return true;
    pthread_once(&ranges_once, ranges_read);
    for (size_t i = 0; i < RANGE_COUNT; i++)
        if (prefix_contains(&ranges[i], address))
            return true;
    return false;
}

bool apple_may_own(const struct address *address)
{
    enum { ALLOCATION_SIZE = 4 }; /* the registries gave Apple /32s and shorter */
    if (apple_owns(address))
        return true;
    if (address_is_ipv4(address) || (address->byte[0] & 0xe0) != 0x20) /* RFC 4291: 2000::/3 */
        return false;
    pthread_once(&ranges_once, ranges_read);
    for (size_t i = 0; i < RANGE_COUNT; i++)
        if (memcmp(ranges[i].base.byte, address->byte, ALLOCATION_SIZE) == 0)
            return true;
    for (size_t i = 0; i < sizeof embeddings / sizeof *embeddings; i++)
        if (embedding_fits(&embeddings[i], address))
            return true;
    return false;
}

struct address apple_plain_address(const struct address *address)
{
    const struct embedding *embedding = known_embedding(address);
    if (!embedding)
        return *address;
    uint8_t four[4];
    for (unsigned i = 0; i < 4; i++)
        four[i] = address->byte[embedding->at[i]];
    return address_from_ipv4(four);
}
