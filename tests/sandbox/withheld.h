/* A kernel that lacks something, for tests: the calls are answered as such a kernel would. */
#ifndef APNSCOPE_TESTS_SANDBOX_WITHHELD_H
#define APNSCOPE_TESTS_SANDBOX_WITHHELD_H

#include <stdbool.h>

/* For this process from now on, and for what it runs. */
void withhold_landlock(void);
void withhold_seccomp(void);

#endif
