/* Users and capabilities, through libcap-ng.
 *
 * See privileges.h. The order matters and is libcap-ng's: capabilities that are still needed to
 * change the user go last, with the user. */
#include "capture/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static bool take_user(struct privileges_user *user, const char *name)
{
    const struct passwd *entry = getpwnam(name);
    if (!entry)
        return false;
    snprintf(user->name, sizeof user->name, "%s", name);
    user->uid = entry->pw_uid;
    user->gid = entry->pw_gid;
    return true;
}

bool privileges_find_user(struct privileges_user *user, const char *name, const char *fallback,
                          struct fault *fault)
{
    *user = (struct privileges_user){.uid = geteuid(), .gid = getegid()};
    if (!name) {
        if (geteuid() == 0)
            (void)take_user(user, fallback); /* where there is none, root stays, sandboxed */
        return true;
    }
    if (!take_user(user, name))
        return fault_set(fault,
                         "there is no user %s on this machine; create it or name another "
                         "with --user",
                         name);
    if (geteuid() != 0 && user->uid != geteuid())
        return fault_set(
            fault, "only root can go on as user %s; leave --user out, or start as root", name);
    return true;
}

static void no_core_dump(void)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none); /* lowering it is always allowed */
}

static bool no_new_privileges(struct fault *fault)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        return true;
    return fault_set(fault, "privileges cannot be given up for good: %s", strerror(errno));
}

/* The bounding set can be lowered only with CAP_SETPCAP; no-new-privileges makes it meaningless. */
static capng_select_t what_can_be_set(void)
{
    bool may = capng_have_capability(CAPNG_EFFECTIVE, 8 /* CAP_SETPCAP, linux/capability.h */);
    return may ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS;
}

static bool apply_capabilities(struct fault *fault, capng_select_t select)
{
    return capng_apply(select) == 0 ||
           fault_set(fault, "capabilities cannot be dropped: %s", strerror(errno));
}

static bool become(const struct privileges_user *user, struct fault *fault)
{
    capng_clear(CAPNG_SELECT_ALL);
    if (capng_change_id((int)user->uid, (int)user->gid, CAPNG_DROP_SUPP_GRP) == 0)
        return true;
    return fault_set(fault, "cannot go on as user %s: %s; start with --user root to stay root",
                     user->name, strerror(errno));
}

/* A drop that silently failed would be worse than none. */
static bool is_dropped(const struct privileges_user *user, struct fault *fault)
{
    (void)capng_get_caps_process();
    bool has_none = capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE;
    bool comes_back = user->uid != 0 && (setuid(0) == 0 || seteuid(0) == 0);
    if (has_none && !comes_back && getuid() == user->uid && geteuid() == user->uid &&
        getgid() == user->gid && getegid() == user->gid)
        return true;
    return fault_set(fault, "privileges were not given up though the system said so; please report "
                            "this");
}

bool privileges_drop(const struct privileges_user *user, struct fault *fault)
{
    no_core_dump();
    (void)capng_get_caps_process();
    capng_select_t select = what_can_be_set();
    bool is_other = user->uid != geteuid() || user->gid != getegid();
    if (is_other && !become(user, fault))
        return false;
    if (!is_other) {
        capng_clear(select);
        if (!apply_capabilities(fault, select))
            return false;
    }
    return no_new_privileges(fault) && is_dropped(user, fault);
}

bool privileges_drop_but_files(struct fault *fault)
{
    enum { DAC_OVERRIDE = 1, DAC_READ_SEARCH = 2 }; /* linux/capability.h */
    static const unsigned kept[] = {DAC_OVERRIDE, DAC_READ_SEARCH};
    bool has[sizeof kept / sizeof *kept];
    no_core_dump();
    (void)capng_get_caps_process();
    if (capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE)
        return no_new_privileges(fault);
    capng_select_t select = what_can_be_set();
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        has[i] = capng_have_capability(CAPNG_EFFECTIVE, kept[i]);
    capng_clear(select);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (has[i])
            (void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept[i]);
    return apply_capabilities(fault, select) && no_new_privileges(fault);
}

void privileges_end_threads(void)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_NPROC, &none);
}
