/* Which stored characters are harmless to show.
 *
 * Under every writer: names in a database come from the wire, perhaps from an attacker, and are
 * escaped where they are written, whoever wrote the database. Deliberately knows no format: HTML,
 * CSV, JSON and terminals each add their own quoting on top. */
#include "visible.h"

#include <string.h>

#include "base/text.h"

struct code_range {
    uint32_t first, last;
};

/* Unicode 15: controls (C0, DEL, C1), and the format characters that are invisible or reorder
 * text: soft hyphen, Arabic letter mark, zero-width and bidirectional marks, line separators,
 * embeddings and isolates, variation selectors' kin, byte-order mark, tags. */
static const struct code_range hidden[] = {{0x00, 0x1f},     {0x7f, 0x9f},      {0xad, 0xad},
                                           {0x61c, 0x61c},   {0x180e, 0x180e},  {0x200b, 0x200f},
                                           {0x2028, 0x202e}, {0x2060, 0x206f},  {0xfeff, 0xfeff},
                                           {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}};

static bool is_hidden(uint32_t code)
{
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (code >= hidden[i].first && code <= hidden[i].last)
            return true;
    return false;
}

static struct visible invalid_byte(uint8_t byte)
{
    return (struct visible){.code = byte, .size = 1, .is_valid = false, .is_plain = false};
}

/* Lead byte to sequence length, RFC 3629 section 4; 0: no lead byte. */
static uint8_t sequence_size(uint8_t lead)
{
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if ((lead & 0xf0) == 0xe0)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

struct visible visible_at(const char *at)
{
    const uint8_t *byte = (const uint8_t *)at;
    if (byte[0] < 0x80) {
        bool is_plain = byte[0] >= 0x20 && byte[0] != 0x7f;
        return (struct visible){byte[0], 1, true, is_plain};
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t size = sequence_size(byte[0]);
    if (!size)
        return invalid_byte(byte[0]);
    uint32_t code = byte[0] & (0x7fu >> size);
    for (uint8_t i = 1; i < size; i++) {
        if ((byte[i] & 0xc0) != 0x80) /* a NUL stops here too */
            return invalid_byte(byte[0]);
        code = code << 6 | (byte[i] & 0x3fu);
    }
    if (code < smallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return invalid_byte(byte[0]);
    return (struct visible){code, size, true, !is_hidden(code)};
}

void visible_put_bytes(FILE *out, const char *text, size_t size)
{
    const char *end = text + size;
    while (text < end) {
        const char *run = text;
        struct visible seen = {0};
        while (text < end && (seen = visible_at(text)).is_plain)
            text += seen.size;
        fwrite(run, 1, (size_t)(text - run), out);
        for (uint8_t i = 0; text < end && i < seen.size; i++)
            fprintf(out, "\\x%02x", (unsigned)(uint8_t)*text++);
    }
}

void visible_put(FILE *out, const char *text)
{
    visible_put_bytes(out, text, strlen(text));
}

void visible_put_ascii(FILE *out, const char *text, size_t size)
{
    static const struct {
        const char *sign;
        size_t size;
        char plain;
    } signs[] = {{"µ", sizeof "µ" - 1, 'u'}, {"…", sizeof "…" - 1, '~'}};
    size_t from = 0;
    for (size_t at = 0; at < size; at++)
        for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
            if (size - at >= signs[i].size &&
                memcmp(text + at, signs[i].sign, signs[i].size) == 0) {
                visible_put_bytes(out, text + from, at - from);
                fputc(signs[i].plain, out);
                from = at + signs[i].size;
            }
    visible_put_bytes(out, text + from, size - from);
}

char *visible_text(char *out, size_t size, const char *text)
{
    struct text all = text_over(out, size);
    while (*text) {
        struct visible seen = visible_at(text);
        char shown[4 * sizeof seen.code + 1];
        struct text one = text_over(shown, sizeof shown);
        for (uint8_t i = 0; !seen.is_plain && i < seen.size; i++)
            text_format(&one, "\\x%02x", (unsigned)(uint8_t)text[i]);
        if (seen.is_plain)
            text_add_bytes(&one, text, seen.size);
        if (all.length + one.length >= size)
            break;
        text_add(&all, shown);
        text += seen.size;
    }
    return out;
}

size_t visible_columns(const char *text, size_t size)
{
    size_t columns = 0;
    const char *end = text + size;
    while (text < end) {
        struct visible seen = visible_at(text);
        columns += seen.is_plain ? 1 : 4u * seen.size;
        text += seen.size;
    }
    return columns;
}
