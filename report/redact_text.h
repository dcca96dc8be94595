/* Sentences and documents with pseudonyms in the place of what identifies anybody. */
#ifndef APNSCOPE_REPORT_REDACT_TEXT_H
#define APNSCOPE_REPORT_REDACT_TEXT_H

#include "base/address.h"
#include "pseudonyms.h"

/* A text that grows; `at` is NUL-terminated once something was put, and is the owner's to free. */
struct spool {
    char *at;
    size_t size, room;
};

void redact_sentence(struct pseudonyms *pseudonyms, const char *text, struct spool *out);
void redact_json(struct pseudonyms *pseudonyms, const char *text, struct spool *out);

bool redact_is_public_name(const char *name);                 /* Apple's, its network's */
bool redact_is_public_address(const struct address *address); /* Apple's, nobody's */
bool redact_is_host_name(const char *text);                   /* by its shape */

#endif
