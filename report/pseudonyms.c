/* The table of pseudonyms.
 *
 * Under redact.c. A text is looked up by its hash, so each gets its pseudonym once and costs one
 * look-up from then on; texts that sentences are searched for are found by the hash of their first
 * bytes, however many there are. Deliberately does not know which texts identify anybody. */
#include "pseudonyms.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "gather.h"

enum { SEED = 0x72656461, PSEUDONYM_SIZE = 24, HEAD_MAX = 24, TRIED_MAX = 32 };

static const char *const kind_words[PSEUDONYM_KINDS] = {"host", "mac",    "name",
                                                        "site", "sensor", "file"};

struct known {
    char *text;
    char *instead; /* NULL: the text itself */
};

/* A text to search for, among those of one head: its first HEAD_MAX bytes, or all of it. */
struct odd {
    const char *text, *instead;
    size_t length;
    uint32_t next; /* TABLE_NONE: the last */
};

struct pseudonyms {
    struct table table; /* from a text to its place in `known` */
    struct known *known;
    size_t count, room;
    uint32_t used[PSEUDONYM_KINDS];
    struct table heads; /* from the hash of a head to the first in `odd` */
    struct odd *odd;
    size_t odd_count, odd_room;
    bool begins[256];      /* first bytes of those */
    uint32_t head_lengths; /* bit by length */
};

struct pseudonyms *pseudonyms_new(void)
{
    struct pseudonyms *pseudonyms = calloc(1, sizeof *pseudonyms);
    assert(pseudonyms);
    table_init(&pseudonyms->table, 256);
    table_init(&pseudonyms->heads, 16);
    return pseudonyms;
}

void pseudonyms_free(struct pseudonyms *pseudonyms)
{
    for (size_t i = 0; i < pseudonyms->count; i++) {
        free(pseudonyms->known[i].text);
        free(pseudonyms->known[i].instead);
    }
    free(pseudonyms->known);
    free(pseudonyms->odd);
    table_free(&pseudonyms->table);
    table_free(&pseudonyms->heads);
    free(pseudonyms);
}

/* --- known texts -------------------------------------------------------------------------- */

static uint64_t text_hash(const char *text)
{
    return hash_bytes(text, strlen(text), SEED);
}

static bool same_text(const void *context, uint32_t item, const void *key)
{
    return strcmp(((const struct pseudonyms *)context)->known[item].text, key) == 0;
}

static struct known *find(const struct pseudonyms *pseudonyms, const char *text, uint64_t hash)
{
    uint32_t item = table_find(&pseudonyms->table, hash, same_text, pseudonyms, text);
    return item == TABLE_NONE ? NULL : &pseudonyms->known[item];
}

static struct known *add(struct pseudonyms *pseudonyms, const char *text, uint64_t hash)
{
    if (pseudonyms->count == pseudonyms->room)
        pseudonyms->known =
            gather_grow(pseudonyms->known, &pseudonyms->room, sizeof *pseudonyms->known);
    assert(pseudonyms->known);
    struct known *known = &pseudonyms->known[pseudonyms->count];
    *known = (struct known){.text = gather_copy(text)};
    table_insert(&pseudonyms->table, hash, (uint32_t)pseudonyms->count);
    pseudonyms->count++;
    return known;
}

static const char *instead_of(const struct known *known)
{
    return known->instead ? known->instead : known->text;
}

const char *pseudonyms_find(const struct pseudonyms *pseudonyms, const char *text)
{
    const struct known *known = find(pseudonyms, text, text_hash(text));
    return known ? instead_of(known) : NULL;
}

const char *pseudonyms_of(struct pseudonyms *pseudonyms, enum pseudonym_kind kind, const char *text)
{
    uint64_t hash = text_hash(text);
    struct known *known = find(pseudonyms, text, hash);
    if (known && known->instead)
        return known->instead;
    if (!known)
        known = add(pseudonyms, text, hash);
    char word[PSEUDONYM_SIZE];
    snprintf(word, sizeof word, "%s-%u", kind_words[kind], ++pseudonyms->used[kind]);
    known->instead = gather_copy(word);
    return known->instead;
}

const char *pseudonyms_put(struct pseudonyms *pseudonyms, const char *text, const char *instead)
{
    uint64_t hash = text_hash(text);
    struct known *known = find(pseudonyms, text, hash);
    if (!known) {
        known = add(pseudonyms, text, hash);
        known->instead = instead ? gather_copy(instead) : NULL;
    }
    return instead_of(known);
}

/* --- texts to search for ------------------------------------------------------------------ */

/* FNV-1a, so that a head grows by a byte at a time; mixed at the end, since the table wants the
 * upper half. */
static uint64_t head_begin(void)
{
    return UINT64_C(0xcbf29ce484222325);
}

static uint64_t head_add(uint64_t head, char byte)
{
    return (head ^ (uint8_t)byte) * UINT64_C(0x100000001b3);
}

static uint64_t head_end(uint64_t head)
{
    return (head ^ head >> 29) * UINT64_C(0x9e3779b97f4a7c15);
}

struct head {
    const char *at;
    size_t length;
};

static bool same_head(const void *context, uint32_t item, const void *key)
{
    const struct odd *odd = &((const struct pseudonyms *)context)->odd[item];
    const struct head *head = key;
    size_t length = odd->length < HEAD_MAX ? odd->length : HEAD_MAX;
    return length == head->length && memcmp(odd->text, head->at, length) == 0;
}

static void add_odd(struct pseudonyms *pseudonyms, const char *text, const char *instead)
{
    size_t length = strlen(text);
    struct head head = {text, length < HEAD_MAX ? length : HEAD_MAX};
    uint64_t hash = head_begin();
    if (!length)
        return;
    for (size_t i = 0; i < head.length; i++)
        hash = head_add(hash, text[i]);
    hash = head_end(hash);
    if (pseudonyms->odd_count == pseudonyms->odd_room)
        pseudonyms->odd =
            gather_grow(pseudonyms->odd, &pseudonyms->odd_room, sizeof *pseudonyms->odd);
    uint32_t own = (uint32_t)pseudonyms->odd_count++;
    uint32_t first = table_find(&pseudonyms->heads, hash, same_head, pseudonyms, &head);
    pseudonyms->odd[own] = (struct odd){text, instead, length, TABLE_NONE};
    if (first == TABLE_NONE) {
        table_insert(&pseudonyms->heads, hash, own);
    } else {
        pseudonyms->odd[own].next = pseudonyms->odd[first].next;
        pseudonyms->odd[first].next = own;
    }
    pseudonyms->begins[(uint8_t)text[0]] = true;
    pseudonyms->head_lengths |= 1u << head.length;
}

const char *pseudonyms_of_odd(struct pseudonyms *pseudonyms, enum pseudonym_kind kind,
                              const char *text)
{
    uint64_t hash = text_hash(text);
    const struct known *old = find(pseudonyms, text, hash);
    if (old && old->instead)
        return old->instead;
    const char *instead = pseudonyms_of(pseudonyms, kind, text);
    add_odd(pseudonyms, find(pseudonyms, text, hash)->text, instead);
    return instead;
}

/* "no" is not meant by "not", nor "ex" by "Apex". */
static bool is_word_byte(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_';
}

static bool is_inside_word(const char *text, size_t length, const char *at)
{
    return is_word_byte(text[length - 1]) && is_word_byte(at[length]);
}

/* Whole, or cut after HEAD_MAX bytes at least; of texts with one head TRIED_MAX are compared. */
static size_t match(const struct pseudonyms *pseudonyms, uint32_t first, const char *at,
                    const char **instead)
{
    size_t longest = 0;
    unsigned tried = 0;
    for (uint32_t i = first; i != TABLE_NONE && tried < TRIED_MAX; tried++) {
        const struct odd *odd = &pseudonyms->odd[i];
        size_t same = 0;
        while (same < odd->length && at[same] == odd->text[same])
            same++;
        bool is_whole = same == odd->length && !is_inside_word(odd->text, same, at);
        if ((is_whole || same >= HEAD_MAX) && same > longest) {
            longest = same;
            *instead = odd->instead;
        }
        i = odd->next;
    }
    return longest;
}

size_t pseudonyms_odd_at(const struct pseudonyms *pseudonyms, const char *sentence, const char *at,
                         const char **instead)
{
    uint64_t hash = head_begin();
    size_t longest = 0;
    if (!pseudonyms->begins[(uint8_t)at[0]] ||
        (at > sentence && is_word_byte(at[-1]) && is_word_byte(at[0])))
        return 0;
    for (size_t length = 1; length <= HEAD_MAX && at[length - 1]; length++) {
        hash = head_add(hash, at[length - 1]);
        if (!(pseudonyms->head_lengths >> length & 1))
            continue;
        struct head head = {at, length};
        uint32_t first =
            table_find(&pseudonyms->heads, head_end(hash), same_head, pseudonyms, &head);
        size_t taken = first == TABLE_NONE ? 0 : match(pseudonyms, first, at, instead);
        longest = taken ? taken : longest;
    }
    return longest;
}
