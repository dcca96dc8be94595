/* Landlock by its system calls, for the C library has no functions for them.
 *
 * See file_rules.h. Rights newer than the build machine's header are spelled out here; the numbers
 * are the kernel's interface (Documentation/userspace-api/landlock.rst) and do not change. */
#include "file_rules.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __has_include && defined SYS_landlock_create_ruleset
#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#define HAS_LANDLOCK 1
#endif
#endif

#ifdef HAS_LANDLOCK

/* Since ABI 3 and 5 (Linux 6.2 and 6.10). */
#define ACCESS_TRUNCATE  (UINT64_C(1) << 14)
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15)

/* What can be said of a file that is no folder; the kernel refuses other rights for one. */
#define ACCESS_OF_FILE                                                                             \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |   \
     ACCESS_TRUNCATE | ACCESS_IOCTL_DEV)

/* struct landlock_ruleset_attr as of ABI 6; older kernels take it where what they do not know is 0.
 */
struct ruleset {
    uint64_t files;
    uint64_t network; /* since ABI 4 (Linux 6.7): binding and connecting of TCP */
    uint64_t scoped;  /* since ABI 6 (Linux 6.12): abstract Unix sockets, signals */
};

/* Everything that an ABI can restrict is restricted: [0] is ABI 1, the last row all later ones. */
static const struct ruleset restricts[] = {
    {.files = (UINT64_C(1) << 13) - 1},
    {.files = (UINT64_C(1) << 14) - 1},
    {.files = (UINT64_C(1) << 15) - 1},
    {.files = (UINT64_C(1) << 15) - 1, .network = 3},
    {.files = (UINT64_C(1) << 16) - 1, .network = 3},
    {.files = (UINT64_C(1) << 16) - 1, .network = 3, .scoped = 3},
};

enum { NEWEST = sizeof restricts / sizeof *restricts };

/* IOCTL_DEV: which ioctl() is made is the system call filter's business. */
static const uint64_t accesses[] = {
    [FILE_READ] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | ACCESS_IOCTL_DEV,
    [FILE_WRITE] = LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE | ACCESS_IOCTL_DEV,
    [FILE_FOLDER] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                    LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE | LANDLOCK_ACCESS_FS_MAKE_REG |
                    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE,
};

void file_rules_begin(struct file_rules *rules)
{
    *rules = (struct file_rules){.ruleset = -1};
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1)
        return;
    const struct ruleset *restricted = &restricts[abi < NEWEST ? abi - 1 : NEWEST - 1];
    rules->ruleset = (int)syscall(SYS_landlock_create_ruleset, restricted, sizeof *restricted, 0);
    rules->abi = (int)abi;
    rules->handled = restricted->files;
}

/* The kernel refuses rules for what it never restricts (pipes, sockets): no rule is needed there.
 */
void file_rules_allow(struct file_rules *rules, const char *path, enum file_access access)
{
    struct stat status;
    int file = rules->ruleset < 0 ? -1 : open(path, O_PATH | O_CLOEXEC);
    if (file < 0)
        return;
    struct landlock_path_beneath_attr rule = {.allowed_access = accesses[access] & rules->handled,
                                              .parent_fd = file};
    bool is_known = fstat(file, &status) == 0;
    if (is_known && !S_ISDIR(status.st_mode))
        rule.allowed_access &= ACCESS_OF_FILE;
    if (is_known)
        (void)syscall(SYS_landlock_add_rule, rules->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(file);
}

int file_rules_enforce(struct file_rules *rules)
{
    bool is_enforced =
        rules->ruleset >= 0 && syscall(SYS_landlock_restrict_self, rules->ruleset, 0) == 0;
    return is_enforced ? rules->abi : 0;
}

#else

void file_rules_begin(struct file_rules *rules)
{
    *rules = (struct file_rules){.ruleset = -1};
}

void file_rules_allow(struct file_rules *rules, const char *path, enum file_access access)
{
    (void)rules;
    (void)path;
    (void)access;
}

int file_rules_enforce(struct file_rules *rules)
{
    (void)rules;
    return 0;
}

#endif

void file_rules_end(struct file_rules *rules)
{
    if (rules->ruleset >= 0)
        close(rules->ruleset);
    rules->ruleset = -1;
}
