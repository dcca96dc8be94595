/* Replaces what identifies people or places by pseudonyms that count from one.
 *
 * Behind gate.c, which shows it every row of the database first, in order, so that pseudonyms do
 * not depend on what is asked for. Sentences are searched for addresses, MACs and names, known or
 * of the shape of one. Deliberately counts instead of hashing: a hash of an address is an address,
 * to whoever tries all of them. */
#include "redact.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/table.h"
#include "base/text.h"
#include "gather.h"
#include "model/apple.h"

enum { PSEUDONYM_SIZE = 24, TOKEN_MAX = 256, SEED = 0x72656461, ODD_MIN = 24, COLUMNS_MAX = 64 };

/* What a pseudonym stands for; its word. */
enum kind { KIND_HOST, KIND_MAC, KIND_NAME, KIND_SITE, KIND_SENSOR, KIND_FILE, KIND_COUNT };
static const char *const kind_words[KIND_COUNT] = {"host", "mac", "name", "site", "sensor", "file"};

/* What is done to a column. */
enum treatment {
    TREAT_KEEP,
    TREAT_ADDRESS,
    TREAT_CLIENT, /* an address that is replaced even where it is Apple's */
    TREAT_MAC,
    TREAT_NAME,
    TREAT_SITE,
    TREAT_SENSOR,
    TREAT_FILE,
    TREAT_SENTENCE,
    TREAT_JSON,
    TREAT_DROP
};

static const struct {
    const char *column;
    enum treatment treatment;
} treatments[] = {
    {"client_ip", TREAT_CLIENT},   {"ip", TREAT_CLIENT},
    {"server_ip", TREAT_ADDRESS},  {"resolver_ip", TREAT_ADDRESS},
    {"blocker_ip", TREAT_ADDRESS}, {"sender_ip", TREAT_ADDRESS},
    {"client_mac", TREAT_MAC},     {"mac", TREAT_MAC},
    {"sni", TREAT_NAME},           {"connect_host", TREAT_NAME},
    {"cert_subject", TREAT_NAME},  {"cert_issuer", TREAT_NAME},
    {"process_name", TREAT_NAME},  {"name", TREAT_NAME},
    {"answer", TREAT_SENTENCE},    {"site", TREAT_SITE},
    {"sensor", TREAT_SENSOR},      {"source", TREAT_FILE},
    {"summary", TREAT_SENTENCE},   {"reason", TREAT_SENTENCE},
    {"damage", TREAT_SENTENCE},    {"text", TREAT_SENTENCE},
    {"options", TREAT_SENTENCE},   {"display_filter", TREAT_SENTENCE},
    {"evidence", TREAT_JSON},      {"capture_notes", TREAT_DROP},
    {"community_id", TREAT_DROP},  {"cert_sha256", TREAT_DROP},
};

struct known {
    char *text;
    char pseudonym[PSEUDONYM_SIZE];
    enum kind kind;
};

struct redactor {
    struct table table; /* from a text to its place in `known` */
    struct known *known;
    size_t count, room;
    uint32_t used[KIND_COUNT];
    size_t *odd; /* places of names that are not of a host name's shape: looked for as they are */
    size_t odd_count, odd_room;
    bool odd_first[256];                              /* first bytes of those */
    uint8_t treatments[ROWS_KIND_COUNT][COLUMNS_MAX]; /* enum treatment, by column */
    void *row[ROWS_KIND_COUNT];                /* the copy given away last; room for its struct */
    char *owned[ROWS_KIND_COUNT][COLUMNS_MAX]; /* its texts that are not the original's */
};

static enum treatment treatment_of(enum row_kind kind, const char *column)
{
    if (kind == ROWS_QUALITY && strcmp(column, "name") == 0)
        return TREAT_KEEP; /* of the fact */
    if (kind == ROWS_FLOW && strcmp(column, "reason") == 0)
        return TREAT_KEEP; /* a published word */
    for (size_t i = 0; i < sizeof treatments / sizeof treatments[0]; i++)
        if (strcmp(treatments[i].column, column) == 0)
            return treatments[i].treatment;
    return TREAT_KEEP;
}

struct redactor *redactor_new(void)
{
    struct redactor *redactor = calloc(1, sizeof *redactor);
    assert(redactor);
    table_init(&redactor->table, 256);
    for (int kind = 0; kind < ROWS_KIND_COUNT; kind++) {
        const struct row_table *table = &row_tables[kind];
        assert(table->column_count <= COLUMNS_MAX);
        for (size_t i = 0; i < table->column_count; i++)
            redactor->treatments[kind][i] =
                table->columns[i].is_text
                    ? (uint8_t)treatment_of((enum row_kind)kind, table->columns[i].name)
                    : (uint8_t)TREAT_KEEP;
    }
    return redactor;
}

static void forget_texts(struct redactor *redactor, enum row_kind kind)
{
    for (size_t i = 0; i < row_tables[kind].column_count; i++) {
        free(redactor->owned[kind][i]);
        redactor->owned[kind][i] = NULL;
    }
}

static void forget_row(struct redactor *redactor, enum row_kind kind)
{
    forget_texts(redactor, kind);
    free(redactor->row[kind]);
}

void redactor_free(struct redactor *redactor)
{
    if (!redactor)
        return;
    for (size_t i = 0; i < redactor->count; i++)
        free(redactor->known[i].text);
    for (int kind = 0; kind < ROWS_KIND_COUNT; kind++)
        forget_row(redactor, (enum row_kind)kind);
    free(redactor->known);
    free(redactor->odd);
    table_free(&redactor->table);
    free(redactor);
}

/* --- pseudonyms --------------------------------------------------------------------------- */

static bool same_text(const void *context, uint32_t item, const void *key)
{
    return strcmp(((const struct redactor *)context)->known[item].text, key) == 0;
}

static uint64_t text_hash(const char *text)
{
    return hash_bytes(text, strlen(text), SEED);
}

static const struct known *find_hashed(const struct redactor *redactor, const char *text,
                                       uint64_t hash)
{
    uint32_t item = table_find(&redactor->table, hash, same_text, redactor, text);
    return item == TABLE_NONE ? NULL : &redactor->known[item];
}

static const struct known *find(const struct redactor *redactor, const char *text)
{
    return find_hashed(redactor, text, text_hash(text));
}

static const char *pseudonym(struct redactor *redactor, enum kind kind, const char *text)
{
    uint64_t hash = text_hash(text);
    const struct known *old = find_hashed(redactor, text, hash);
    if (old)
        return old->pseudonym;
    if (redactor->count == redactor->room)
        redactor->known = gather_grow(redactor->known, &redactor->room, sizeof *redactor->known);
    assert(redactor->known);
    struct known *known = &redactor->known[redactor->count];
    *known = (struct known){.text = gather_copy(text), .kind = kind};
    snprintf(known->pseudonym, sizeof known->pseudonym, "%s-%u", kind_words[kind],
             ++redactor->used[kind]);
    table_insert(&redactor->table, hash, (uint32_t)redactor->count);
    redactor->count++;
    return known->pseudonym;
}

/* --- shapes ------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *suffix)
{
    return text_ends_with_nocase(text, suffix);
}

/* Apple's names, and those of the network that carries its push names. */
static bool is_public_name(const char *name)
{
    static const char *const domains[] = {"apple.com", "apple-dns.net", "akadns.net", "apple"};
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        char dotted[32];
        snprintf(dotted, sizeof dotted, ".%s", domains[i]);
        if (text_equal_nocase(name, domains[i]) || ends_with(name, dotted))
            return true;
    }
    return false;
}

/* Says nothing about anybody: unspecified, loopback, Apple's. */
static bool is_public_address(const struct address *address)
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
static bool is_host_name(const char *token)
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
    return strlen(token) == 17 && sscanf(token, "%2x:%2x:%2x:%2x:%2x:%2x%c", &bytes[0], &bytes[1],
                                         &bytes[2], &bytes[3], &bytes[4], &bytes[5], &after) == 6;
}

/* --- sentences ---------------------------------------------------------------------------- */

static bool is_token_char(char c)
{
    return isalnum((unsigned char)c) || strchr(".-_:", c);
}

/* What stands for the token; NULL: it stays. */
static const char *for_token(struct redactor *redactor, const char *token)
{
    struct address address;
    const struct known *known = find(redactor, token);
    if (known)
        return known->pseudonym;
    if (is_mac(token))
        return pseudonym(redactor, KIND_MAC, token);
    if (address_parse(token, &address))
        return is_public_address(&address) ? NULL : pseudonym(redactor, KIND_HOST, token);
    if (is_host_name(token) && !is_public_name(token))
        return pseudonym(redactor, KIND_NAME, token);
    return NULL;
}

/* A token, or its part before a last ":port"; returns how many of its bytes were taken. */
static size_t put_token(struct redactor *redactor, FILE *out, const char *at, size_t size)
{
    char token[TOKEN_MAX];
    size_t used = size < sizeof token - 1 ? size : sizeof token - 1;
    memcpy(token, at, used);
    token[used] = '\0';
    while (used > 1 && strchr(".:-_", token[used - 1])) /* of the sentence, not of the token */
        token[--used] = '\0';
    const char *instead = for_token(redactor, token);
    char *colon = instead ? NULL : strrchr(token, ':');
    if (colon && colon > token) {
        *colon = '\0';
        instead = for_token(redactor, token);
        used = instead ? (size_t)(colon - token) : used;
    }
    if (instead)
        fputs(instead, out);
    else
        fwrite(at, 1, used, out);
    return used;
}

/* Names of other shapes, as they are or cut after at least ODD_MIN bytes; bytes taken, 0: none. */
static size_t put_odd(const struct redactor *redactor, FILE *out, const char *at)
{
    const struct known *best = NULL;
    size_t taken = 0;
    if (!redactor->odd_first[(unsigned char)at[0]])
        return 0;
    for (size_t i = 0; i < redactor->odd_count; i++) {
        const struct known *known = &redactor->known[redactor->odd[i]];
        size_t length = strlen(known->text), same = 0;
        while (same < length && at[same] == known->text[same])
            same++;
        if ((same == length || same >= ODD_MIN) && same > taken) {
            best = known;
            taken = same;
        }
    }
    if (best)
        fputs(best->pseudonym, out);
    return taken;
}

/* To be freed. */
static char *redact_sentence(struct redactor *redactor, const char *text)
{
    char *redacted = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&redacted, &length);
    assert(out);
    for (const char *at = text; *at;) {
        size_t size = put_odd(redactor, out, at);
        if (size) {
            at += size;
            continue;
        }
        while (is_token_char(at[size]) && at[size])
            size++;
        if (size)
            at += put_token(redactor, out, at, size);
        else
            fputc(*at++, out);
    }
    fclose(out);
    return redacted;
}

/* Sentences inside a document, whatever their escapes. */
static void redact_values(struct redactor *redactor, json_t *value)
{
    const char *key;
    json_t *item;
    size_t index;
    void *next;
    json_object_foreach_safe(value, next, key, item) redact_values(redactor, item);
    json_array_foreach(value, index, item) redact_values(redactor, item);
    if (!json_is_string(value))
        return;
    char *redacted = redact_sentence(redactor, json_string_value(value));
    (void)json_string_set(value, redacted);
    free(redacted);
}

static char *redact_json(struct redactor *redactor, const char *text)
{
    json_t *document = json_loads(text, 0, NULL);
    if (!document)
        return redact_sentence(redactor, text);
    redact_values(redactor, document);
    char *redacted = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    assert(redacted);
    return redacted;
}

/* --- columns ------------------------------------------------------------------------------ */

/* Sentences are searched for it as it is. */
static const char *know_odd(struct redactor *redactor, enum kind kind, const char *text)
{
    const struct known *old = find(redactor, text);
    if (old)
        return old->pseudonym;
    const char *instead = pseudonym(redactor, kind, text);
    if (redactor->odd_count == redactor->odd_room)
        redactor->odd = gather_grow(redactor->odd, &redactor->odd_room, sizeof *redactor->odd);
    redactor->odd[redactor->odd_count++] = redactor->count - 1;
    redactor->odd_first[(unsigned char)text[0]] = true;
    return instead;
}

/* "CN=Example Inspection CA,O=Example": sentences may name its values alone. */
static void know_values(struct redactor *redactor, const char *name)
{
    enum { SHORTEST = 4 };
    for (const char *at = strchr(name, '='); at; at = strchr(at, '=')) {
        char value[TOKEN_MAX];
        size_t size = strcspn(++at, ",+");
        snprintf(value, sizeof value, "%.*s", (int)size, at);
        if (strlen(value) >= SHORTEST && !is_public_name(value) && !strstr(value, "Apple"))
            (void)know_odd(redactor, KIND_NAME, value);
    }
}

/* Names are known as a whole before sentences are searched for them. */
static char *redact_name(struct redactor *redactor, const char *text)
{
    char plain[TOKEN_MAX];
    snprintf(plain, sizeof plain, "%s", text);
    char *colon = strrchr(plain, ':');
    if (colon && strspn(colon + 1, "0123456789") == strlen(colon + 1))
        *colon = '\0';
    bool is_apples = is_public_name(plain) || strstr(text, "O=Apple Inc") || !strcmp(text, "apsd");
    if (is_apples || !text[0])
        return gather_copy(text);
    if (is_host_name(plain) || find(redactor, text))
        return redact_sentence(redactor, text);
    struct address address;
    if (address_parse(plain, &address))
        return redact_sentence(redactor, text);
    const char *instead = know_odd(redactor, KIND_NAME, text);
    char own[PSEUDONYM_SIZE]; /* what is known may move as more is */
    snprintf(own, sizeof own, "%s", instead);
    if (strchr(text, '='))
        know_values(redactor, text);
    return gather_copy(own);
}

static char *redact_address(struct redactor *redactor, const char *text, bool is_client)
{
    struct address address;
    bool is_known = address_parse(text, &address);
    if (is_known && (is_client ? address_is_unspecified(&address) : is_public_address(&address)) &&
        !find(redactor, text))
        return gather_copy(text);
    return gather_copy(pseudonym(redactor, KIND_HOST, text));
}

static char *redact_text(struct redactor *redactor, enum treatment treatment, const char *text)
{
    switch (treatment) {
    case TREAT_ADDRESS:
    case TREAT_CLIENT:
        return redact_address(redactor, text, treatment == TREAT_CLIENT);
    case TREAT_MAC:
        return gather_copy(pseudonym(redactor, KIND_MAC, text));
    case TREAT_NAME:
        return redact_name(redactor, text);
    case TREAT_SITE:
        return gather_copy(know_odd(redactor, KIND_SITE, text));
    case TREAT_SENSOR:
        return gather_copy(know_odd(redactor, KIND_SENSOR, text));
    case TREAT_FILE:
        return gather_copy(know_odd(redactor, KIND_FILE, text));
    case TREAT_SENTENCE:
        return redact_sentence(redactor, text);
    case TREAT_JSON:
        return redact_json(redactor, text);
    case TREAT_DROP:
        return NULL;
    case TREAT_KEEP:
    default:
        return gather_copy(text);
    }
}

static void redact_column(struct redactor *redactor, enum row_kind kind, size_t i, char *copy,
                          const void *row, bool wants_sentences)
{
    enum treatment treatment = (enum treatment)redactor->treatments[kind][i];
    bool is_sentence = treatment == TREAT_SENTENCE || treatment == TREAT_JSON;
    if (treatment == TREAT_KEEP || is_sentence != wants_sentences)
        return;
    const struct row_column *column = &row_tables[kind].columns[i];
    const char *text = row_text(row, column);
    if (!text)
        return;
    char *own = redact_text(redactor, treatment, text);
    redactor->owned[kind][i] = own;
    memcpy(copy + column->offset, &own, sizeof own);
}

const void *redactor_row(struct redactor *redactor, enum row_kind kind, const void *row)
{
    const struct row_table *table = &row_tables[kind];
    if (!redactor->row[kind])
        redactor->row[kind] = malloc(table->row_size);
    char *copy = redactor->row[kind];
    assert(copy);
    forget_texts(redactor, kind);
    memcpy(copy, row, table->row_size);
    /* names first, so that the sentences beside them are searched for them */
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < table->column_count; i++)
            redact_column(redactor, kind, i, copy, row, pass == 1);
    return copy;
}
