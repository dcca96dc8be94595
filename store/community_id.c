/* Community ID version 1, for TCP.
 *
 * Called once per stored session. Deliberately without the ICMP and one-way rules of the
 * specification: every session here is TCP. */
#include "community_id.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

struct community_id {
    EVP_MD *sha1;
    EVP_MD_CTX *context;
};

struct community_id *community_id_new(void)
{
    struct community_id *maker = calloc(1, sizeof *maker);
    if (!maker)
        return NULL;
    maker->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    maker->context = EVP_MD_CTX_new();
    if (!maker->sha1 || !maker->context || !EVP_DigestInit_ex2(maker->context, maker->sha1, NULL)) {
        community_id_free(maker);
        return NULL;
    }
    return maker;
}

void community_id_free(struct community_id *maker)
{
    if (!maker)
        return;
    EVP_MD_CTX_free(maker->context);
    EVP_MD_free(maker->sha1);
    free(maker);
}

static void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* seed (2) | lower address (4 or 16) | higher address | protocol (1) | 0 | lower port (2) | higher
 */
static size_t hash_input(uint8_t bytes[40], uint16_t seed, const struct address *a, uint16_t a_port,
                         const struct address *b, uint16_t b_port)
{
    size_t skip = address_is_ipv4(a) && address_is_ipv4(b) ? 12 : 0;
    size_t address_size = sizeof a->byte - skip;
    int order = memcmp(a->byte, b->byte, sizeof a->byte);
    if (order > 0 || (order == 0 && a_port > b_port)) {
        const struct address *address = a;
        uint16_t port = a_port;
        a = b, b = address;
        a_port = b_port, b_port = port;
    }
    uint8_t *at = bytes;
    put_u16(at, seed);
    memcpy(at + 2, a->byte + skip, address_size);
    memcpy(at + 2 + address_size, b->byte + skip, address_size);
    at += 2 + 2 * address_size;
    at[0] = COMMUNITY_ID_TCP;
    at[1] = 0;
    put_u16(at + 2, a_port);
    put_u16(at + 4, b_port);
    return (size_t)(at + 6 - bytes);
}

const char *community_id_write(struct community_id *maker, uint16_t seed, const struct address *a,
                               uint16_t a_port, const struct address *b, uint16_t b_port,
                               char text[COMMUNITY_ID_TEXT_SIZE])
{
    uint8_t bytes[40], digest[EVP_MAX_MD_SIZE];
    if (!maker)
        return NULL;
    size_t size = hash_input(bytes, seed, a, a_port, b, b_port);
    if (!EVP_DigestInit_ex2(maker->context, NULL, NULL) ||
        !EVP_DigestUpdate(maker->context, bytes, size) ||
        !EVP_DigestFinal_ex(maker->context, digest, NULL))
        return NULL;
    text[0] = '1';
    text[1] = ':';
    EVP_EncodeBlock((unsigned char *)text + 2, digest, 20);
    return text;
}
