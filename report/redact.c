/* Replaces what identifies people or places by pseudonyms that count from one.
 *
 * Behind gate.c, which shows it every row of the database first, in order, so that pseudonyms do
 * not depend on what is asked for. A value is judged once and looked up from then on
 * (pseudonyms.c); sentences are searched (redact_text.c). Deliberately counts instead of hashing:
 * a hash of an address is an address, to whoever tries all of them. */
#include "redact.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pseudonyms.h"
#include "redact_text.h"

enum { TOKEN_MAX = 256, COLUMNS_MAX = 64 };

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

struct treated { /* a column of which something is done */
    const struct row_column *column;
    enum treatment treatment;
    struct spool spool; /* its sentence, of the row given away last */
};

struct redactor {
    struct pseudonyms *pseudonyms;
    struct treated treated[ROWS_KIND_COUNT][COLUMNS_MAX];
    size_t treated_count[ROWS_KIND_COUNT];
    const char *names[ROWS_KIND_COUNT][COLUMNS_MAX + 1]; /* of those columns; NULL behind them */
    void *row[ROWS_KIND_COUNT];                          /* the copy given away last */
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

static bool is_searched(enum treatment treatment)
{
    return treatment == TREAT_SENTENCE || treatment == TREAT_JSON;
}

/* Names first, so that the sentences beside them are searched for them. */
static void list_treated(struct redactor *redactor, enum row_kind kind)
{
    const struct row_table *table = &row_tables[kind];
    assert(table->column_count <= COLUMNS_MAX);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < table->column_count; i++) {
            const struct row_column *column = &table->columns[i];
            enum treatment treatment =
                column->is_text ? treatment_of(kind, column->name) : TREAT_KEEP;
            if (treatment == TREAT_KEEP || is_searched(treatment) != (pass == 1))
                continue;
            size_t place = redactor->treated_count[kind]++;
            redactor->treated[kind][place] =
                (struct treated){.column = column, .treatment = treatment};
            redactor->names[kind][place] = column->name;
        }
}

struct redactor *redactor_new(void)
{
    struct redactor *redactor = calloc(1, sizeof *redactor);
    assert(redactor);
    redactor->pseudonyms = pseudonyms_new();
    for (int kind = 0; kind < ROWS_KIND_COUNT; kind++) {
        list_treated(redactor, (enum row_kind)kind);
        redactor->row[kind] = malloc(row_tables[kind].row_size);
        assert(redactor->row[kind]);
    }
    return redactor;
}

void redactor_free(struct redactor *redactor)
{
    if (!redactor)
        return;
    for (int kind = 0; kind < ROWS_KIND_COUNT; kind++) {
        for (size_t i = 0; i < redactor->treated_count[kind]; i++)
            free(redactor->treated[kind][i].spool.at);
        free(redactor->row[kind]);
    }
    pseudonyms_free(redactor->pseudonyms);
    free(redactor);
}

const char *const *redactor_columns(const struct redactor *redactor, enum row_kind kind)
{
    return redactor->names[kind];
}

/* --- values ------------------------------------------------------------------------------- */

static const char *redact_address(struct pseudonyms *pseudonyms, const char *text, bool is_client)
{
    struct address address;
    const char *known = pseudonyms_find(pseudonyms, text);
    if (known && (known[0] != text[0] || strcmp(known, text) != 0 || !is_client))
        return known;
    bool stays = address_parse(text, &address) && (is_client ? address_is_unspecified(&address)
                                                             : redact_is_public_address(&address));
    return stays ? text : pseudonyms_of(pseudonyms, PSEUDONYM_HOST, text);
}

static void know_value(struct pseudonyms *pseudonyms, const char *value)
{
    enum { SHORTEST = 4 };
    if (strlen(value) >= SHORTEST && !redact_is_public_name(value) && !strstr(value, "Apple"))
        (void)pseudonyms_of_odd(pseudonyms, PSEUDONYM_NAME, value);
}

/* "CN=Example\\, Inc.,O=Example": sentences may name its values alone, as RFC 4514 (section 2.4)
 * spells them or as they are. */
static void know_values(struct pseudonyms *pseudonyms, const char *name)
{
    for (const char *at = strchr(name, '='); at; at = strchr(at, '=')) {
        char spelt[TOKEN_MAX], plain[TOKEN_MAX];
        struct text as_spelt = text_over(spelt, sizeof spelt);
        struct text as_is = text_over(plain, sizeof plain);
        for (at++; *at && *at != ',' && *at != '+'; at++) {
            if (*at == '\\' && at[1])
                text_format(&as_spelt, "%c", *at++);
            text_format(&as_spelt, "%c", *at);
            text_format(&as_is, "%c", *at);
        }
        know_value(pseudonyms, spelt);
        if (strcmp(spelt, plain) != 0)
            know_value(pseudonyms, plain);
    }
}

/* Host names and addresses, perhaps with a port. */
static const char *redact_plain_name(struct pseudonyms *pseudonyms, const char *text)
{
    struct spool redacted = {0};
    redact_sentence(pseudonyms, text, &redacted);
    const char *instead = pseudonyms_put(pseudonyms, text, redacted.at);
    free(redacted.at);
    return instead;
}

/* Names are known as a whole before sentences are searched for them. */
static const char *redact_name(struct pseudonyms *pseudonyms, const char *text)
{
    struct address address;
    char plain[TOKEN_MAX];
    const char *known = pseudonyms_find(pseudonyms, text);
    if (known)
        return known;
    snprintf(plain, sizeof plain, "%s", text);
    char *colon = strrchr(plain, ':');
    if (colon && strspn(colon + 1, "0123456789") == strlen(colon + 1))
        *colon = '\0';
    if (!text[0] || redact_is_public_name(plain) || strstr(text, "O=Apple Inc") ||
        strcmp(text, "apsd") == 0)
        return pseudonyms_put(pseudonyms, text, NULL);
    if (redact_is_host_name(plain) || address_parse(plain, &address))
        return redact_plain_name(pseudonyms, text);
    const char *instead = pseudonyms_of_odd(pseudonyms, PSEUDONYM_NAME, text);
    if (strchr(text, '='))
        know_values(pseudonyms, text);
    return instead;
}

static const char *redact_searched(struct pseudonyms *pseudonyms, struct treated *treated,
                                   const char *text)
{
    treated->spool.size = 0;
    (treated->treatment == TREAT_JSON ? redact_json : redact_sentence)(pseudonyms, text,
                                                                       &treated->spool);
    return treated->spool.at;
}

static const char *redact_text(struct pseudonyms *pseudonyms, struct treated *treated,
                               const char *text)
{
    switch (treated->treatment) {
    case TREAT_ADDRESS:
    case TREAT_CLIENT:
        return redact_address(pseudonyms, text, treated->treatment == TREAT_CLIENT);
    case TREAT_MAC:
        return pseudonyms_of(pseudonyms, PSEUDONYM_MAC, text);
    case TREAT_NAME:
        return redact_name(pseudonyms, text);
    case TREAT_SITE:
        return pseudonyms_of_odd(pseudonyms, PSEUDONYM_SITE, text);
    case TREAT_SENSOR:
        return pseudonyms_of_odd(pseudonyms, PSEUDONYM_SENSOR, text);
    case TREAT_FILE:
        return pseudonyms_of_odd(pseudonyms, PSEUDONYM_FILE, text);
    case TREAT_SENTENCE:
    case TREAT_JSON:
        return redact_searched(pseudonyms, treated, text);
    case TREAT_DROP:
        return NULL;
    case TREAT_KEEP:
    default:
        return text;
    }
}

const void *redactor_row(struct redactor *redactor, enum row_kind kind, const void *row)
{
    char *copy = redactor->row[kind];
    memcpy(copy, row, row_tables[kind].row_size);
    for (size_t i = 0; i < redactor->treated_count[kind]; i++) {
        struct treated *treated = &redactor->treated[kind][i];
        const char *text = row_text(row, treated->column);
        const char *own = text ? redact_text(redactor->pseudonyms, treated, text) : NULL;
        memcpy(copy + treated->column->offset, &own, sizeof own);
    }
    return copy;
}
