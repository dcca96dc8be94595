/* The sandbox as the rest of the program sees it.
 *
 * See sandbox.h. The kernel's side is in file_rules.c and syscall_filter.c. */
#include "capture/sandbox.h"

#include <assert.h>
#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "file_rules.h"
#include "syscall_filter.h"

struct sandbox {
    struct file_rules rules;
};

/* What libraries read while they work: SQLite its seed, libcrypto its configuration, libpcap the
 * names in filter expressions, the store the marks of other processes (store/process_mark.c). No
 * secret lies there: memory and environment of other processes, beneath /proc too, are closed by
 * Landlock itself (ptrace(2) access modes). */
static const char *const libraries_read[] = {
    "/dev/urandom",
    "/etc/ssl/openssl.cnf",
    "/etc/services",
    "/etc/protocols",
    "/etc/nsswitch.conf",
    "/etc/hosts",
    "/proc",
#ifdef APNSCOPE_SANITIZED
    "/usr",
    "/lib",
    "/etc/ld.so.cache", /* the sanitizers' own reports */
#endif
};

struct sandbox *sandbox_new(void)
{
    struct sandbox *sandbox = malloc(sizeof *sandbox);
    assert(sandbox);
    file_rules_begin(&sandbox->rules);
    for (size_t i = 0; i < sizeof libraries_read / sizeof *libraries_read; i++)
        file_rules_allow(&sandbox->rules, libraries_read[i], FILE_READ);
    return sandbox;
}

void sandbox_free(struct sandbox *sandbox)
{
    if (!sandbox)
        return;
    file_rules_end(&sandbox->rules);
    free(sandbox);
}

void sandbox_allow_read(struct sandbox *sandbox, const char *path)
{
    file_rules_allow(&sandbox->rules, path, FILE_READ);
}

/* Links in a folder may lead out of it. */
static void allow_links(struct sandbox *sandbox, const char *folder)
{
    DIR *stream = opendir(folder);
    const struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        char path[PATH_MAX];
        bool may_be_link = entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
        int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        struct stat status;
        if (may_be_link && length > 0 && (size_t)length < sizeof path && stat(path, &status) == 0 &&
            S_ISREG(status.st_mode))
            file_rules_allow(&sandbox->rules, path, FILE_READ);
    }
    if (stream)
        closedir(stream);
}

void sandbox_allow_captures(struct sandbox *sandbox, const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(paths[i], "-") == 0)
            continue;
        file_rules_allow(&sandbox->rules, paths[i], FILE_READ);
        allow_links(sandbox, paths[i]);
    }
}

static void allow_folder_of(struct sandbox *sandbox, const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    file_rules_allow(&sandbox->rules, dirname(folder), FILE_FOLDER);
}

void sandbox_allow_output(struct sandbox *sandbox, const char *path)
{
    struct stat status;
    if (strcmp(path, "-") == 0)
        return;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        file_rules_allow(&sandbox->rules, path, FILE_WRITE);
    else
        allow_folder_of(sandbox, path);
}

void sandbox_allow_output_folder(struct sandbox *sandbox, const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0)
        file_rules_allow(&sandbox->rules, path, FILE_FOLDER);
    else
        allow_folder_of(sandbox, path);
}

void sandbox_allow_removal(struct sandbox *sandbox, const char *path)
{
    allow_folder_of(sandbox, path);
}

/* SQLite follows a link and has its log beside the file itself. */
void sandbox_allow_database(struct sandbox *sandbox, const char *path)
{
    char real[PATH_MAX];
    allow_folder_of(sandbox, path);
    if (realpath(path, real))
        allow_folder_of(sandbox, real);
}

struct sandbox_level sandbox_enter(struct sandbox *sandbox, enum sandbox_kind kind)
{
    static const unsigned uses[] = {
        [SANDBOX_OFFLINE] = 0,
        [SANDBOX_LIVE] = FOR_LIVE,
        [SANDBOX_LIVE_UNIX_SOCKETS] = FOR_LIVE | FOR_UNIX_SOCKETS,
    };
    struct sandbox_level level = {0};
    level.no_new_privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    level.landlock_abi = file_rules_enforce(&sandbox->rules);
    level.seccomp = syscall_filter_enforce(uses[kind]);
    return level;
}

bool sandbox_is_whole(const struct sandbox_level *level)
{
    return level->no_new_privileges && level->landlock_abi > 0 && level->seccomp;
}

void sandbox_describe(const struct sandbox_level *level, struct text *text)
{
    if (level->landlock_abi > 0)
        text_format(text, "files by Landlock (ABI %d), ", level->landlock_abi);
    else
        text_add(text, "files are not closed off, for this kernel or container "
                       "offers no Landlock, ");
    text_add(text, level->seccomp ? "system calls by seccomp"
                                  : "system calls are not closed off, for this kernel or container "
                                    "takes no seccomp filter");
    if (!level->no_new_privileges)
        text_add(text, ", new privileges are not excluded");
}
