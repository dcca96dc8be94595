/* Which files this process may still open, as the kernel enforces it (Landlock).
 *
 * Private to capture/, part of the sandbox. Best effort: an older kernel knows fewer rights (ABI)
 * or none, and what it does not know is not restricted. Deliberately says nothing about system
 * calls: that is syscall_filter.h. */
#ifndef APNSCOPE_CAPTURE_FILE_RULES_H
#define APNSCOPE_CAPTURE_FILE_RULES_H

#include <stdbool.h>
#include <stdint.h>

struct file_rules {
    int ruleset; /* descriptor; -1: the kernel has no Landlock */
    int abi;     /* 0: none */
    uint64_t handled;
};

enum file_access {
    FILE_READ,  /* a file; of a folder, what lies in it and beneath */
    FILE_WRITE, /* a file, device or pipe that is there */
    FILE_FOLDER /* files in it are made, read, written, renamed and removed */
};

/* From here to file_rules_enforce, rules are gathered; nothing is restricted yet. */
void file_rules_begin(struct file_rules *rules);
/* A path that is not there gets no rule: opening it fails for its own reason. */
void file_rules_allow(struct file_rules *rules, const char *path, enum file_access access);
/* From here on this thread, and those that it starts, may open what was allowed, make no TCP
 * connection, and signal nobody outside. Needs no-new-privileges. Returns the ABI enforced, 0:
 * none. */
int file_rules_enforce(struct file_rules *rules);
void file_rules_end(struct file_rules *rules);

#endif
