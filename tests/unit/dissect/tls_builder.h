/* TLS bytes built field by field, and items written down as text, for tests of dissect/tls*.c. */
#ifndef APNSCOPE_TESTS_TLS_BUILDER_H
#define APNSCOPE_TESTS_TLS_BUILDER_H

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dissect/tls.h"

struct wire {
    uint8_t at[160000];
    size_t size;
};

static inline void put_bytes(struct wire *wire, const void *bytes, size_t size)
{
    assert(wire->size + size <= sizeof wire->at);
    if (size > 0)
        memcpy(wire->at + wire->size, bytes, size);
    wire->size += size;
}

/* A number of `size` bytes. */
static inline void put_number(struct wire *wire, size_t size, uint32_t value)
{
    for (size_t i = size; i-- > 0;) {
        uint8_t byte = (uint8_t)(value >> (8 * i));
        put_bytes(wire, &byte, 1);
    }
}

/* A length field of `size` bytes, filled in by close_length. */
static inline size_t open_length(struct wire *wire, size_t size)
{
    put_number(wire, size, 0);
    return wire->size;
}

static inline void close_length(struct wire *wire, size_t opened, size_t size)
{
    size_t length = wire->size - opened;
    for (size_t i = 0; i < size; i++)
        wire->at[opened - 1 - i] = (uint8_t)(length >> (8 * i));
}

static inline void put_extension(struct wire *wire, uint16_t type, const void *body, size_t size)
{
    put_number(wire, 2, type);
    put_number(wire, 2, (uint32_t)size);
    put_bytes(wire, body, size);
}

/* An extension that is a list of two-byte values behind a length of `length_size` bytes. */
static inline void put_values_extension(struct wire *wire, uint16_t type, size_t length_size,
                                        const uint16_t *values, size_t count)
{
    put_number(wire, 2, type);
    put_number(wire, 2, (uint32_t)(length_size + 2 * count));
    put_number(wire, length_size, (uint32_t)(2 * count));
    for (size_t i = 0; i < count; i++)
        put_number(wire, 2, values[i]);
}

static inline void put_server_name(struct wire *wire, const char *name)
{
    size_t extension, list, host;
    put_number(wire, 2, 0);
    extension = open_length(wire, 2);
    list = open_length(wire, 2);
    put_number(wire, 1, 0);
    host = open_length(wire, 2);
    put_bytes(wire, name, strlen(name));
    close_length(wire, host, 2);
    close_length(wire, list, 2);
    close_length(wire, extension, 2);
}

/* The names end with NULL. */
static inline void put_alpn(struct wire *wire, const char *const *names)
{
    put_number(wire, 2, 16);
    size_t extension = open_length(wire, 2);
    size_t list = open_length(wire, 2);
    for (; *names; names++) {
        put_number(wire, 1, (uint32_t)strlen(*names));
        put_bytes(wire, *names, strlen(*names));
    }
    close_length(wire, list, 2);
    close_length(wire, extension, 2);
}

/* A ClientHello body up to its extensions; without any it is already whole. */
static inline void begin_client_hello(struct wire *wire, uint16_t version, const uint16_t *ciphers,
                                      size_t count)
{
    wire->size = 0;
    put_number(wire, 2, version);
    for (uint32_t i = 0; i < 32; i++)
        put_number(wire, 1, 0xa0 + i);
    put_number(wire, 1, 0);
    put_number(wire, 2, (uint32_t)(2 * count));
    for (size_t i = 0; i < count; i++)
        put_number(wire, 2, ciphers[i]);
    put_number(wire, 2, 0x0100); /* one compression method: null */
}

static inline void put_message(struct wire *wire, uint8_t type, const void *body, size_t size)
{
    put_number(wire, 1, type);
    put_number(wire, 3, (uint32_t)size);
    put_bytes(wire, body, size);
}

static inline void put_record(struct wire *wire, uint8_t type, const void *bytes, size_t size)
{
    put_number(wire, 1, type);
    put_number(wire, 2, 0x0303);
    put_number(wire, 2, (uint32_t)size);
    put_bytes(wire, bytes, size);
}

/* ---- items as text ---------------------------------------------------------------------- */

struct transcript {
    char text[1 << 16];
    size_t length;
    unsigned items;
};

static inline void note(struct transcript *transcript, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void note(struct transcript *transcript, const char *format, ...)
{
    va_list arguments;
    size_t room = sizeof transcript->text - transcript->length;
    va_start(arguments, format);
    int wanted = vsnprintf(transcript->text + transcript->length, room, format, arguments);
    va_end(arguments);
    assert(wanted >= 0 && (size_t)wanted < room);
    transcript->length += (size_t)wanted;
}

static inline uint32_t sum_of(const uint8_t *bytes, size_t size)
{
    uint32_t sum = 1;
    for (size_t i = 0; i < size; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

static inline void note_details(struct transcript *transcript, const struct tls_item *item)
{
    const struct tls_client_hello *client = item->client_hello;
    const struct tls_server_hello *server = item->server_hello;
    if (client)
        note(transcript, " sni=%s alpn=%s groups=%s ja3=%s ja4=%s %04x %04x %d%d%d%d%d%d %u %x",
             client->sni, client->alpn, client->groups, client->ja3, client->ja4,
             client->legacy_version, client->highest_version, client->only_tls13, client->has_sni,
             client->sni_had_trailing_dot, client->has_psk, client->has_early_data,
             client->has_encrypted_hello, client->size, sum_of(client->random, 32));
    if (server)
        note(transcript, " %04x %04x %d%d %u alpn=%s %x", server->version, server->cipher,
             server->is_retry, server->selects_psk, server->session_id_size, server->alpn,
             sum_of(server->random, 32));
    for (size_t i = 0; item->certificates && i < item->certificates->count; i++)
        note(transcript, " %u:%x", item->certificates->certificates[i].size,
             sum_of(item->certificates->certificates[i].der,
                    item->certificates->certificates[i].size));
}

/* A tls_sink: one line an item, every field of it. */
static inline void write_down(void *context, const struct tls_item *item)
{
    static const char *const kinds[] = {
        "client-hello",        "server-hello",    "certificate", "handshake", "alert",  "ccs",
        "encrypted-handshake", "encrypted-alert", "data",        "too-long",  "not-tls"};
    struct transcript *transcript = context;
    transcript->items++;
    note(transcript, "%s%s v=%04x r=%u m=%u a=%u/%u", kinds[item->kind], item->malformed ? "!" : "",
         item->record_version, item->record_size, item->message_type, item->alert_level,
         item->alert_description);
    note_details(transcript, item);
    note(transcript, "\n");
}

/* A tls_sink: the kinds only, "client-hello ccs data ". */
static inline void write_kinds(void *context, const struct tls_item *item)
{
    struct transcript whole = {.length = 0};
    struct transcript *transcript = context;
    write_down(&whole, item);
    transcript->items++;
    note(transcript, "%.*s ", (int)strcspn(whole.text, " "), whole.text);
}

#endif
