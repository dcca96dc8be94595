/* One line of a scenario as words: `word`, `key=value`, "quoted text", key="quoted text".
 *
 * Each word remembers whether somebody asked for it, so that a misspelt word is an error and
 * never silently without effect. */
#ifndef APNSCOPE_TESTS_SUPPORT_WORDS_H
#define APNSCOPE_TESTS_SUPPORT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

enum { WORDS_MAX = 64 };

struct word {
    char *key;        /* "sni" of sni=x; NULL of a plain word */
    char *text;       /* the value, or the word itself; NUL-terminated */
    size_t text_size; /* may hold NUL bytes by \x00 */
    bool is_quoted;
    bool is_used;
};

/* A range of a line's words; `line` is for messages. */
struct words {
    const char *file;
    unsigned line;
    struct word *word;
    size_t count;
};

/* Splits a line; a `#` that begins a word begins a comment. The words are freed by words_free. */
MUST_USE bool words_split(const char *file, unsigned line, const char *text, size_t size,
                          struct words *words, struct fault *fault);
void words_free(struct words *words);

/* The plain word at `index` of the plain words and marks it used; NULL past the last. */
const char *words_plain(struct words *words, size_t index);
/* Whether a plain word is there (a flag such as `psk`). */
bool words_flag(struct words *words, const char *flag);
/* The value of key=value; NULL without. */
const char *words_value(struct words *words, const char *key);
const char *words_value_or(struct words *words, const char *key, const char *otherwise);

/* Numbers and times of key=value: unchanged where the key is absent, false (with a fault) where
 * its value is none. */
MUST_USE bool words_number(struct words *words, const char *key, int64_t *value,
                           struct fault *fault);
MUST_USE bool words_duration(struct words *words, const char *key, int64_t *ns,
                             struct fault *fault);

/* "0.250", "20ms", "300us", "30m", "1h": seconds without unit. */
bool words_time(const char *text, int64_t *ns);
bool words_integer(const char *text, int64_t *value);

/* False (with a fault) when a word was asked for by nobody. */
MUST_USE bool words_all_used(const struct words *words, struct fault *fault);

/* Sets "file:line: ..." and returns false. */
bool words_fault(const struct words *words, struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
