/* libFuzzer target: any bytes as a TLS stream, whole and in pieces, with and without room.
 *
 * The first byte says how the rest is cut and whether TLS 1.3 is known. Beyond not crashing, the
 * items must be the same for every cut, names must be printable, and no buffer may be lost. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "dissect/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct digest {
    uint64_t value;
    uint64_t items;
    bool not_tls;
};

static void mix(struct digest *digest, const void *bytes, size_t size)
{
    digest->value = hash_bytes(bytes, size, digest->value);
}

static void mix_text(struct digest *digest, const char *text, size_t room)
{
    size_t length = strnlen(text, room);
    assert(length < room);
    for (size_t i = 0; i < length; i++)
        assert((uint8_t)text[i] >= 0x20 && text[i] != 0x7f);
    mix(digest, text, length);
}

static void mix_client_hello(struct digest *digest, const struct tls_client_hello *hello)
{
    bool flags[] = {hello->only_tls13, hello->has_sni,        hello->sni_had_trailing_dot,
                    hello->has_psk,    hello->has_early_data, hello->has_encrypted_hello};
    uint32_t numbers[] = {hello->legacy_version, hello->highest_version, hello->size};
    mix(digest, flags, sizeof flags);
    mix(digest, numbers, sizeof numbers);
    mix(digest, hello->random, sizeof hello->random);
    mix_text(digest, hello->sni, sizeof hello->sni);
    mix_text(digest, hello->alpn, sizeof hello->alpn);
    mix_text(digest, hello->groups, sizeof hello->groups);
    mix_text(digest, hello->ja3, sizeof hello->ja3);
    mix_text(digest, hello->ja4, sizeof hello->ja4);
    assert(hello->ja4[0] == '\0' || strlen(hello->ja4) == 36);
}

static void mix_server_hello(struct digest *digest, const struct tls_server_hello *hello)
{
    uint32_t numbers[] = {hello->version, hello->cipher, hello->is_retry, hello->selects_psk,
                          hello->session_id_size};
    mix(digest, numbers, sizeof numbers);
    mix(digest, hello->random, sizeof hello->random);
    mix_text(digest, hello->alpn, sizeof hello->alpn);
}

static void mix_item(void *context, const struct tls_item *item)
{
    struct digest *digest = context;
    uint32_t numbers[] = {item->kind,         item->record_version, item->record_size,
                          item->message_type, item->alert_level,    item->alert_description,
                          item->malformed};
    assert(!digest->not_tls);
    digest->not_tls = item->kind == TLS_ITEM_NOT_TLS;
    digest->items++;
    mix(digest, numbers, sizeof numbers);
    if (item->client_hello)
        mix_client_hello(digest, item->client_hello);
    if (item->server_hello)
        mix_server_hello(digest, item->server_hello);
    for (size_t i = 0; item->certificates && i < item->certificates->count; i++)
        mix(digest, item->certificates->certificates[i].der,
            item->certificates->certificates[i].size);
}

/* Pieces of `piece` bytes, each in memory of exactly its size. */
static struct digest feed(struct tls_buffers *buffers, bool tls13, const uint8_t *data, size_t size,
                          size_t piece)
{
    struct tls_stream stream = {.tls13 = tls13};
    struct digest digest = {.value = 0};
    for (size_t at = 0; at < size; at += piece) {
        size_t count = size - at < piece ? size - at : piece;
        uint8_t *copy = malloc(count);
        assert(copy);
        memcpy(copy, data + at, count);
        tls_feed(&stream, buffers, copy, count, mix_item, &digest);
        free(copy);
    }
    tls_close(&stream, buffers);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_buffers *buffers, *none;
    if (!buffers) {
        buffers = tls_buffers_new(1 << 20);
        none = tls_buffers_new(0);
    }
    if (size < 2)
        return 0;
    bool tls13 = data[0] & 1;
    size_t piece = 1 + (data[0] >> 1);
    struct digest whole = feed(buffers, tls13, data + 1, size - 1, size);
    struct digest pieces = feed(buffers, tls13, data + 1, size - 1, piece);
    assert(whole.value == pieces.value && whole.items == pieces.items);
    assert(tls_buffers_refused(buffers) == 0); /* one stream at a time: a lost buffer would show */
    (void)feed(none, tls13, data + 1, size - 1, piece);
    return 0;
}
