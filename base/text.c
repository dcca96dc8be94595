/* A bounded text builder, and names from the wire made safe to keep.
 *
 * Base of everything. Deliberately knows no locale: text is UTF-8, letters are compared as ASCII.
 */
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct text text_over(char *buffer, size_t size)
{
    assert(size >= 1);
    buffer[0] = '\0';
    return (struct text){.at = buffer, .size = size};
}

struct text text_after(char *buffer, size_t size)
{
    return (struct text){.at = buffer, .size = size, .length = strlen(buffer)};
}

/* The largest count <= `count` that does not end inside a UTF-8 sequence. */
static size_t whole_characters(const char *bytes, size_t count)
{
    while (count > 0 && ((uint8_t)bytes[count] & 0xc0) == 0x80)
        count--;
    return count;
}

void text_add_bytes(struct text *text, const char *bytes, size_t count)
{
    size_t room = text->size - 1 - text->length;
    if (text->cut)
        return;
    if (count > room) {
        count = whole_characters(bytes, room);
        text->cut = true;
    }
    memcpy(text->at + text->length, bytes, count);
    text->length += count;
    text->at[text->length] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_format_list(struct text *text, const char *format, va_list arguments)
{
    char *at = text->at + text->length;
    size_t room = text->size - text->length;
    if (text->cut)
        return;
    int wanted = vsnprintf(at, room, format, arguments);
    if (wanted < 0) {
        *at = '\0';
        text->cut = true;
    } else if ((size_t)wanted < room) {
        text->length += (size_t)wanted;
    } else {
        /* What follows the cut is gone: a last sequence that is not complete must go too. */
        size_t kept = room - 1;
        size_t last = kept;
        while (last > 0 && ((uint8_t)at[last - 1] & 0xc0) == 0x80)
            last--;
        if (last > 0 && (uint8_t)at[last - 1] >= 0xc0) {
            uint8_t lead = (uint8_t)at[last - 1];
            size_t needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
            if (kept - (last - 1) < needed)
                kept = last - 1;
        }
        at[kept] = '\0';
        text->length += kept;
        text->cut = true;
    }
}

void text_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_format_list(text, format, arguments);
    va_end(arguments);
}

void text_hex(struct text *text, const uint8_t *bytes, size_t count)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        char pair[2] = {digit[bytes[i] >> 4], digit[bytes[i] & 15]};
        text_add_bytes(text, pair, sizeof pair);
    }
}

/* A code point and its size in bytes; size 0: the bytes do not begin valid UTF-8. */
struct character {
    uint32_t code;
    size_t size;
};

/* RFC 3629 section 3: no overlong forms, no surrogates, nothing above U+10FFFF. */
static struct character utf8_at(const uint8_t *bytes, size_t count)
{
    static const struct {
        uint8_t lead_mask, lead, size;
        uint32_t lowest;
    } forms[] = {
        {0x80, 0x00, 1, 0},
        {0xe0, 0xc0, 2, 0x80},
        {0xf0, 0xe0, 3, 0x800},
        {0xf8, 0xf0, 4, 0x10000},
    };
    const struct character none = {0, 0};
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        if ((bytes[0] & forms[f].lead_mask) != forms[f].lead)
            continue;
        if (count < forms[f].size)
            return none;
        uint32_t code = bytes[0] & (uint8_t)~forms[f].lead_mask;
        for (size_t i = 1; i < forms[f].size; i++) {
            if ((bytes[i] & 0xc0) != 0x80)
                return none;
            code = code << 6 | (bytes[i] & 0x3fu);
        }
        if (code < forms[f].lowest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return none;
        return (struct character){code, forms[f].size};
    }
    return none;
}

/* Would it move the cursor, reorder the line, end it, or not be seen at all? */
static bool is_treacherous(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},     /* C0: escape sequences begin here */
        {0x7f, 0x9f},     /* DEL and C1 */
        {0x200e, 0x200f}, /* left-to-right and right-to-left marks */
        {0x2028, 0x202e}, /* line and paragraph separators; embeddings and overrides */
        {0x2066, 0x2069}, /* isolates */
        {0xfeff, 0xfeff}, /* byte order mark */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

size_t text_printable(char *out, size_t size, const uint8_t *bytes, size_t count)
{
    static const char digit[] = "0123456789abcdef";
    size_t length = 0;
    assert(size >= 1);
    for (size_t i = 0, step; i < count; i += step) {
        struct character character = utf8_at(bytes + i, count - i);
        bool kept = character.size > 0 && !is_treacherous(character.code);
        step = character.size ? character.size : 1;
        if (length + (kept ? step : 4 * step) > size - 1)
            break;
        if (kept) {
            memcpy(out + length, bytes + i, step);
            length += step;
            continue;
        }
        for (size_t k = 0; k < step; k++) {
            const char escape[4] = {'\\', 'x', digit[bytes[i + k] >> 4], digit[bytes[i + k] & 15]};
            memcpy(out + length, escape, sizeof escape);
            length += sizeof escape;
        }
    }
    out[length] = '\0';
    return length;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool text_equal_nocase(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

bool text_ends_with_nocase(const char *string, const char *suffix)
{
    size_t length = strlen(string);
    size_t suffix_length = strlen(suffix);
    return suffix_length <= length && text_equal_nocase(string + length - suffix_length, suffix);
}
