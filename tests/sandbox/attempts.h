/* Ways out, each tried by a process of its own. */
#ifndef APNSCOPE_TESTS_SANDBOX_ATTEMPTS_H
#define APNSCOPE_TESTS_SANDBOX_ATTEMPTS_H

#include <stdbool.h>

/* Where things lie while the attempts are made. */
struct grounds {
    char root[128];   /* of all that follows */
    char inside[160]; /* a folder that may be written */
    char given[160];  /* a file in another folder that may be read */
    char secret[160]; /* a file beside it that may not */
    int port;         /* where somebody listens, on the loopback interface */
    int terminal;     /* a descriptor */
};

enum stopped_by {
    BY_NOTHING = 0, /* it must go on working */
    BY_FILES = 1 << 0,
    BY_CALLS = 1 << 1,
    BY_USER = 1 << 2 /* by having become another one */
};

struct attempt {
    const char *what;
    unsigned stopped_by;                        /* each of these alone */
    bool needs_root;                            /* to work without a sandbox */
    bool (*try)(const struct grounds *grounds); /* false: refused, errno is set */
};

extern const struct attempt attempts[];
extern const int attempt_count;

#endif
