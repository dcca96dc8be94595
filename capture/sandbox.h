/* What the process may still do once it has what it needs: little.
 *
 * Entered before the first byte of a capture or database is looked at, for those may be hostile.
 * Files by Landlock, system calls by seccomp, no new privileges. Rules are gathered first, by path;
 * entering is for good and holds for every thread that is started afterwards. What the kernel
 * cannot do is told, and is no failure. Deliberately knows no command: cli/ says what a command
 * needs. */
#ifndef APNSCOPE_CAPTURE_SANDBOX_H
#define APNSCOPE_CAPTURE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct sandbox;

struct sandbox *sandbox_new(void);
void sandbox_free(struct sandbox *sandbox); /* NULL is fine; what was entered stays */

/* A file to be read; of a folder, what lies in it and beneath. */
void sandbox_allow_read(struct sandbox *sandbox, const char *path);
/* The captures of a command line: what folders and links among them stand for, too. */
void sandbox_allow_captures(struct sandbox *sandbox, const char *const *paths, size_t count);
/* A file that is made or replaced, with temporary files beside it: its folder may be written. A
 * device or pipe that is there already is written in place. */
void sandbox_allow_output(struct sandbox *sandbox, const char *path);
/* A folder, made where it is not there, whose files are made or replaced. */
void sandbox_allow_output_folder(struct sandbox *sandbox, const char *path);
/* What is there already and goes at the end: its folder may be written. */
void sandbox_allow_removal(struct sandbox *sandbox, const char *path);
/* A database: SQLite has a log and shared memory beside it even to read it. */
void sandbox_allow_database(struct sandbox *sandbox, const char *path);

enum sandbox_kind {
    SANDBOX_OFFLINE,          /* no sockets */
    SANDBOX_LIVE,             /* sockets and terminals that are open already may be used */
    SANDBOX_LIVE_UNIX_SOCKETS /* the same, and Unix sockets may be connected again */
};

/* How far the kernel went along. */
struct sandbox_level {
    bool no_new_privileges;
    int landlock_abi; /* 0: none; files are not restricted */
    bool seccomp;
};

struct sandbox_level sandbox_enter(struct sandbox *sandbox, enum sandbox_kind kind);

/* Whether all of it is in force, whatever the ABI. */
bool sandbox_is_whole(const struct sandbox_level *level);
/* "files by Landlock (ABI 5), system calls by seccomp", or what is missing and what that means. */
void sandbox_describe(const struct sandbox_level *level, struct text *text);

#endif
