/* Names seen on the wire, each kept once for the life of a run.
 *
 * Flows hold pointers to kept names, so that a name costs eight bytes per flow and rows can cross
 * to the writer's thread without a copy: a kept name never moves and never changes until
 * names_free. Bounded: past the cap names_keep returns NULL and counts, so that a flood of
 * invented names costs a name, never memory. One thread keeps; any thread may read what it got. */
#ifndef APNSCOPE_BASE_NAMES_H
#define APNSCOPE_BASE_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct names;

struct names *names_new(size_t cap_bytes);
void names_free(struct names *names);

/* The kept copy, NUL-terminated; NULL when the cap is reached (counted). Equal names give equal
 * pointers. */
const char *names_keep(struct names *names, const char *string);
const char *names_keep_bytes(struct names *names, const char *bytes, size_t length);

uint64_t names_refused(const struct names *names);

#endif
