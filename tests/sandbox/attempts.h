/* Ways out, each tried by a process of its own. */
#ifndef APNSCOPE_TESTS_SANDBOX_ATTEMPTS_H
#define APNSCOPE_TESTS_SANDBOX_ATTEMPTS_H

#include <stdbool.h>

/* Where things lie while the attempts are made. */
struct grounds {
    char root[64];    /* of all that follows */
    char inside[160]; /* a folder that may be written */
    char given[160];  /* a file in another folder that may be read */
    char secret[160]; /* a file beside it that may not */
    char socket[100]; /* where somebody listens */
    int port;         /* and another, on the loopback interface */
    int terminal;     /* a descriptor */
};

enum stopped_by {
    BY_NOTHING = 0, /* it must go on working */
    BY_FILES = 1 << 0,
    BY_CALLS = 1 << 1,
    BY_USER = 1 << 2,      /* by having become another one */
    BY_NO_SOCKETS = 1 << 3 /* where outputs have no need to be connected again */
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
