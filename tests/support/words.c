/* Lines to words. Of tests/support, first step of reading a scenario. Knows no verb. */
#include "words.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "bytes.h"

bool words_fault(const struct words *words, struct fault *fault, const char *format, ...)
{
    char sentence[FAULT_SENTENCE_SIZE];
    struct text text = text_over(sentence, sizeof sentence);
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    return fault_set(fault, "%s:%u: %s", words->file, words->line, sentence);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* The character after a backslash; moves *at past it. False: no such escape. */
static bool take_escape(const char **at, const char *end, struct bytes *out)
{
    static const char names[] = "rnt\"\\";
    static const char values[] = "\r\n\t\"\\";
    if (*at == end)
        return false;
    char name = *(*at)++;
    const char *found = name ? strchr(names, name) : NULL;
    if (found) {
        bytes_u8(out, (uint8_t)values[found - names]);
        return true;
    }
    if (name != 'x' || end - *at < 2 || hex_digit((*at)[0]) < 0 || hex_digit((*at)[1]) < 0)
        return false;
    bytes_u8(out, (unsigned)(hex_digit((*at)[0]) << 4 | hex_digit((*at)[1])));
    *at += 2;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_key(const struct bytes *bytes)
{
    for (size_t i = 0; i < bytes->size; i++) {
        uint8_t c = bytes->at[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return bytes->size > 0;
}

static char *as_string(struct bytes *bytes)
{
    bytes_u8(bytes, 0);
    return (char *)bytes->at;
}

/* One word from *at on; *at is on its first character. */
static bool take_word(const char **at, const char *end, struct word *word)
{
    struct bytes text = {0};
    bool in_quotes = false;
    *word = (struct word){0};
    while (*at < end && (in_quotes || !is_space(**at))) {
        char c = *(*at)++;
        if (c == '"') {
            in_quotes = !in_quotes;
            word->is_quoted = true;
        } else if (c == '\\' && in_quotes) {
            if (!take_escape(at, end, &text))
                break;
        } else if (c == '=' && !word->key && !word->is_quoted && is_key(&text)) {
            word->key = as_string(&text);
            text = (struct bytes){0};
        } else {
            bytes_u8(&text, (uint8_t)c);
        }
    }
    word->text_size = text.size;
    word->text = as_string(&text);
    return !in_quotes;
}

bool words_split(const char *file, unsigned line, const char *text, size_t size,
                 struct words *words, struct fault *fault)
{
    const char *at = text;
    const char *end = text + size;
    *words = (struct words){.file = file, .line = line};
    words->word = support_allocate(WORDS_MAX * sizeof *words->word);
    for (;;) {
        while (at < end && is_space(*at))
            at++;
        if (at == end || *at == '#')
            return true;
        if (words->count == WORDS_MAX)
            return words_fault(words, fault, "more than %d words in one line", WORDS_MAX);
        if (!take_word(&at, end, &words->word[words->count++]))
            return words_fault(words, fault,
                               "a quote is not closed, or an escape is none of \\r \\n \\t \\\" "
                               "\\\\ \\xNN");
    }
}

void words_free(struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->word[i].key);
        free(words->word[i].text);
    }
    free(words->word);
    *words = (struct words){0};
}

const char *words_plain(struct words *words, size_t index)
{
    for (size_t i = 0; i < words->count; i++)
        if (!words->word[i].key && index-- == 0) {
            words->word[i].is_used = true;
            return words->word[i].text;
        }
    return NULL;
}

bool words_flag(struct words *words, const char *flag)
{
    bool found = false;
    for (size_t i = 0; i < words->count; i++)
        if (!words->word[i].key && !words->word[i].is_quoted &&
            strcmp(words->word[i].text, flag) == 0)
            found = words->word[i].is_used = true;
    return found;
}

const char *words_value(struct words *words, const char *key)
{
    for (size_t i = 0; i < words->count; i++)
        if (words->word[i].key && strcmp(words->word[i].key, key) == 0) {
            words->word[i].is_used = true;
            return words->word[i].text;
        }
    return NULL;
}

const char *words_value_or(struct words *words, const char *key, const char *otherwise)
{
    const char *value = words_value(words, key);
    return value ? value : otherwise;
}

bool words_integer(const char *text, int64_t *value)
{
    char *end;
    if (!*text || is_space(*text))
        return false;
    int base = strncmp(text, "0x", 2) == 0 ? 16 : 10;
    long long parsed = strtoll(text, &end, base);
    *value = parsed;
    return *end == '\0';
}

bool words_number(struct words *words, const char *key, int64_t *value, struct fault *fault)
{
    const char *text = words_value(words, key);
    if (text && !words_integer(text, value))
        return words_fault(words, fault, "%s=%s is not a number", key, text);
    return true;
}

bool words_time(const char *text, int64_t *ns)
{
    static const struct {
        const char *suffix;
        int64_t unit_ns;
    } units[] = {
        {"", NS_PER_S},  {"us", NS_PER_US},    {"ms", NS_PER_MS},
        {"s", NS_PER_S}, {"m", 60 * NS_PER_S}, {"h", 3600 * NS_PER_S},
    };
    int64_t whole = 0;
    int64_t parts = 0; /* billionths of the unit */
    int64_t scale = NS_PER_S;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 7)
        return false;
    for (; digits > 0; digits--)
        whole = whole * 10 + (*text++ - '0');
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9' && scale > 1; text++)
            parts += (*text - '0') * (scale /= 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text, units[i].suffix) == 0) {
            *ns = whole * units[i].unit_ns + parts / 1000 * units[i].unit_ns / (NS_PER_S / 1000);
            return true;
        }
    return false;
}

bool words_duration(struct words *words, const char *key, int64_t *ns, struct fault *fault)
{
    const char *text = words_value(words, key);
    if (text && !words_time(text, ns))
        return words_fault(words, fault, "%s=%s is not a time", key, text);
    return true;
}

bool words_all_used(const struct words *words, struct fault *fault)
{
    for (size_t i = 0; i < words->count; i++)
        if (!words->word[i].is_used) {
            const struct word *word = &words->word[i];
            return words_fault(words, fault, "\"%s%s%s\" means nothing here",
                               word->key ? word->key : "", word->key ? "=" : "", word->text);
        }
    return true;
}
