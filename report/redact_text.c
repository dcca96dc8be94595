/* Searches sentences for addresses, MACs and names, known or of the shape of one.
 *
 * Under redact.c. A sentence is cut into tokens of the bytes that addresses and host names are
 * made of; everything between is copied. Deliberately finds no name that has neither been seen
 * whole in a column nor the shape of an address or host name. */
#include "redact_text.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/apple.h"

enum { TOKEN_MAX = 256 };

/* --- the spool ---------------------------------------------------------------------------- */

static void put(struct spool *out, const char *bytes, size_t count)
{
    if (out->size + count + 1 > out->room) {
        out->room = 2 * (out->size + count) + 64;
        out->at = realloc(out->at, out->room);
        assert(out->at);
    }
    memcpy(out->at + out->size, bytes, count);
    out->size += count;
    out->at[out->size] = '\0';
}

static void put_text(struct spool *out, const char *text)
{
    put(out, text, strlen(text));
}

/* --- shapes ------------------------------------------------------------------------------- */

bool redact_is_public_name(const char *name)
{
    static const char *const domains[] = {"apple.com", "apple-dns.net", "akadns.net", "apple"};
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        char dotted[32];
        snprintf(dotted, sizeof dotted, ".%s", domains[i]);
        if (text_equal_nocase(name, domains[i]) || text_ends_with_nocase(name, dotted))
            return true;
    }
    return false;
}

/* Says nothing about anybody: unspecified, loopback, Apple's. */
bool redact_is_public_address(const struct address *address)
{
    return address_is_unspecified(address) || address_is_loopback(address) || apple_owns(address);
}

/* Fields of Wireshark's filters have dots too. */
static bool is_filter_field(const char *token)
{
    static const char *const protocols[] = {"ip.",   "ipv6.",   "tcp.",   "udp.",  "tls.", "dns.",
                                            "icmp.", "icmpv6.", "frame.", "http.", "eth.", "x509"};
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        if (strncmp(token, protocols[i], strlen(protocols[i])) == 0)
            return true;
    return false;
}

/* "mail.example.org": labels with dots between, the last of letters. */
bool redact_is_host_name(const char *token)
{
    const char *last = strrchr(token, '.');
    size_t letters = 0;
    if (!last || last == token || is_filter_field(token))
        return false;
    for (const char *at = last + 1; *at; at++, letters++)
        if (!isalpha((unsigned char)*at))
            return false;
    return letters >= 2;
}

static bool is_mac(const char *token)
{
    unsigned bytes[6];
    char after;
    return strlen(token) == 17 && token[2] == ':' &&
           sscanf(token, "%2x:%2x:%2x:%2x:%2x:%2x%c", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
                  &bytes[4], &bytes[5], &after) == 6;
}

/* --- tokens ------------------------------------------------------------------------------- */

static bool is_token_byte(char byte)
{
    return isalnum((unsigned char)byte) || byte == '.' || byte == '-' || byte == '_' || byte == ':';
}

/* What stands for the token; NULL: it stays. */
static const char *for_token(struct pseudonyms *pseudonyms, const char *token)
{
    struct address address;
    const char *known = pseudonyms_find(pseudonyms, token);
    if (known)
        return known;
    if (is_mac(token))
        return pseudonyms_of(pseudonyms, PSEUDONYM_MAC, token);
    if (address_parse(token, &address))
        return redact_is_public_address(&address)
                   ? NULL
                   : pseudonyms_of(pseudonyms, PSEUDONYM_HOST, token);
    if (redact_is_host_name(token) && !redact_is_public_name(token))
        return pseudonyms_of(pseudonyms, PSEUDONYM_NAME, token);
    return NULL;
}

static bool is_mark(char byte)
{
    return byte == '.' || byte == ':' || byte == '-' || byte == '_';
}

/* "2025-10-09T08:53:20.000Z" has dots and colons, and evidence has one for each frame. */
static bool is_time(const char *at, size_t size)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";
    if (size != sizeof form - 1)
        return false;
    for (size_t i = 0; i < size; i++)
        if (form[i] == '0' ? at[i] < '0' || at[i] > '9' : at[i] != form[i])
            return false;
    return true;
}

/* Without a dot and a colon it is neither an address nor a host's name. */
static bool is_word(const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (at[i] == '.' || at[i] == ':')
            return false;
    return true;
}

/* A token, or its part before a last ":port": how many of its bytes that is, and what stands for
 * them; NULL: they stay. */
static size_t take_token(struct pseudonyms *pseudonyms, const char *at, size_t size,
                         const char **instead)
{
    char token[TOKEN_MAX];
    size_t used = size < sizeof token - 1 ? size : sizeof token - 1;
    *instead = NULL;
    while (used > 1 && is_mark(at[used - 1])) /* of the sentence, not of the token */
        used--;
    if (is_word(at, used) || is_time(at, used))
        return used;
    memcpy(token, at, used);
    token[used] = '\0';
    *instead = for_token(pseudonyms, token);
    char *colon = *instead ? NULL : strrchr(token, ':');
    if (!colon || colon == token)
        return used;
    *colon = '\0';
    *instead = for_token(pseudonyms, token);
    return *instead ? (size_t)(colon - token) : used;
}

/* --- sentences ---------------------------------------------------------------------------- */

static size_t token_size(const char *at, const char *end)
{
    size_t size = 0;
    while (at + size < end && is_token_byte(at[size]))
        size++;
    return size;
}

/* `end` bounds what is read as tokens; what is searched for may not reach over it either, since no
 * name holds the quote that ends a value inside a document. What stays is copied from `kept` on
 * before what is put next. */
static void put_sentence(struct pseudonyms *pseudonyms, const char *text, const char *end,
                         struct spool *out)
{
    const char *kept = text;
    for (const char *at = text; at < end;) {
        const char *instead;
        size_t size = pseudonyms_odd_at(pseudonyms, text, at, &instead);
        if (!size || size > (size_t)(end - at)) {
            size = token_size(at, end);
            instead = NULL;
            size = size ? take_token(pseudonyms, at, size, &instead) : 1;
        }
        if (instead) {
            put(out, kept, (size_t)(at - kept));
            put_text(out, instead);
            kept = at + size;
        }
        at += size;
    }
    put(out, kept, (size_t)(end - kept));
}

void redact_sentence(struct pseudonyms *pseudonyms, const char *text, struct spool *out)
{
    put(out, "", 0);
    put_sentence(pseudonyms, text, text + strlen(text), out);
}

/* Sentences inside a document, whatever their escapes. */
static void redact_values(struct pseudonyms *pseudonyms, json_t *value)
{
    const char *key;
    json_t *item;
    size_t index;
    void *next;
    json_object_foreach_safe(value, next, key, item) redact_values(pseudonyms, item);
    json_array_foreach(value, index, item) redact_values(pseudonyms, item);
    if (!json_is_string(value))
        return;
    struct spool redacted = {0};
    redact_sentence(pseudonyms, json_string_value(value), &redacted);
    (void)json_string_set(value, redacted.at);
    free(redacted.at);
}

static void redact_escaped(struct pseudonyms *pseudonyms, const char *text, struct spool *out)
{
    json_t *document = json_loads(text, 0, NULL);
    if (!document) {
        redact_sentence(pseudonyms, text, out);
        return;
    }
    redact_values(pseudonyms, document);
    char *redacted = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    assert(redacted);
    put_text(out, redacted);
    free(redacted);
}

/* A document without escapes, of which each quote has its partner. */
static bool is_plain_document(const char *text)
{
    size_t quotes = 0;
    if (text[0] != '{' && text[0] != '[')
        return false;
    for (const char *at = text; *at; at++) {
        if (*at == '\\')
            return false;
        quotes += *at == '"';
    }
    return quotes % 2 == 0;
}

/* Without escapes a value is what stands between two quotes, and pseudonyms need none either: most
 * documents are redacted where they are read. Names of members stay. */
void redact_json(struct pseudonyms *pseudonyms, const char *text, struct spool *out)
{
    const char *at = text;
    if (!is_plain_document(text)) {
        redact_escaped(pseudonyms, text, out);
        return;
    }
    for (const char *open; (open = strchr(at, '"'));) {
        const char *close = strchr(open + 1, '"');
        put(out, at, (size_t)(open + 1 - at));
        if (close[1] == ':')
            put(out, open + 1, (size_t)(close - open - 1));
        else
            put_sentence(pseudonyms, open + 1, close, out);
        put(out, "\"", 1);
        at = close + 1;
    }
    put_text(out, at);
}
