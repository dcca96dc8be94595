/* What went wrong in the world (no such file, disk full, database busy), as one sentence.
 *
 * Base of everything: a function that can fail for such a reason returns a must-use bool and
 * fills the caller's `struct fault`. The sentence names the thing, the cause and what to try.
 * Not for malformed packets: those are counters (model/skip_reason.def), never faults. */
#ifndef APNSCOPE_BASE_FAULT_H
#define APNSCOPE_BASE_FAULT_H

#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))

enum { FAULT_SENTENCE_SIZE = 512 };

struct fault {
    char sentence[FAULT_SENTENCE_SIZE]; /* NUL-terminated UTF-8; empty: nothing is wrong */
};

/* Writes the sentence (cut at the size above). Always returns false, so that
 * `return fault_set(fault, ...)` is the whole failure path. */
bool fault_set(struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
