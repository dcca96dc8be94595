/* Somebody who passes sentences on.
 *
 * What tells of a run (its state, its troubles, what the mirror shows) builds a sentence here and
 * does not know where it goes. Deliberately without severity: that is the listener's. */
#ifndef APNSCOPE_BASE_SPEAKER_H
#define APNSCOPE_BASE_SPEAKER_H

enum { SPEAKER_LINE_SIZE = 512 };

struct speaker {
    void *context;
    void (*say)(void *context, const char *line); /* without a line end */
};

/* Printf-like; cut at SPEAKER_LINE_SIZE. */
void speaker_say(const struct speaker *speaker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
