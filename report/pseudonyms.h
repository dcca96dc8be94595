/* Which text is replaced by which pseudonym: counted from one, by kind, in the order of asking. */
#ifndef APNSCOPE_REPORT_PSEUDONYMS_H
#define APNSCOPE_REPORT_PSEUDONYMS_H

#include <stdbool.h>
#include <stddef.h>

enum pseudonym_kind {
    PSEUDONYM_HOST,
    PSEUDONYM_MAC,
    PSEUDONYM_NAME,
    PSEUDONYM_SITE,
    PSEUDONYM_SENSOR,
    PSEUDONYM_FILE,
    PSEUDONYM_KINDS
};

struct pseudonyms;

struct pseudonyms *pseudonyms_new(void);
void pseudonyms_free(struct pseudonyms *pseudonyms);

/* What stands for the text: a pseudonym, or an equal text where it stays; NULL: nothing is known.
 * What is returned lives as long as the pseudonyms do. */
const char *pseudonyms_find(const struct pseudonyms *pseudonyms, const char *text);

/* The text's pseudonym, a new one where it has none or was kept so far. */
const char *pseudonyms_of(struct pseudonyms *pseudonyms, enum pseudonym_kind kind,
                          const char *text);

/* From now on `instead` (NULL: itself) stands for a text of which nothing is known. */
const char *pseudonyms_put(struct pseudonyms *pseudonyms, const char *text, const char *instead);

/* As pseudonyms_of; and sentences are searched for the text although it has no shape that gives it
 * away ("Example Inspection CA"). */
const char *pseudonyms_of_odd(struct pseudonyms *pseudonyms, enum pseudonym_kind kind,
                              const char *text);

/* The longest such text that begins at `at`, whole or cut after at least 24 bytes; how many bytes
 * of it stand there, 0: none does. `sentence` is where the sentence begins. */
size_t pseudonyms_odd_at(const struct pseudonyms *pseudonyms, const char *sentence, const char *at,
                         const char **instead);

#endif
